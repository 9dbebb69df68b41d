//! What a participant's decoders have counted.

use gst::prelude::*;

/// Samples of one participant, at the rate that the codec is decoded to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AudioCounts {
    /// Held by packets.
    pub decoded: u64,
    /// Made up for what was lost.
    pub concealed: u64,
    /// Comfort noise.
    pub comfort: u64,
    /// Dropped because others were at their place already.
    pub overlapping: u64,
    /// Packets that could not be decoded.
    pub corrupt_packets: u64,
}

impl AudioCounts {
    /// Adds what a decoder has counted.
    pub(super) fn add(&mut self, decoder: &gst::Element) {
        if !decoder.has_property_with_type("stats", gst::Structure::static_type()) {
            return;
        }
        let stats = decoder.property::<gst::Structure>("stats");
        let count = |field| stats.get::<u64>(field).unwrap_or(0);
        self.decoded += count("decoded-samples");
        self.concealed += count("concealed-samples");
        self.comfort += count("comfort-samples");
        self.overlapping += count("dropped-overlap");
        self.corrupt_packets += count("corrupt");
    }
}
