//! What a participant's decoders have counted.

use std::collections::BTreeMap;

use gst::prelude::*;

use crate::model::ParticipantNumber;

/// How loud participants are, in dBFS.
pub type Levels = BTreeMap<ParticipantNumber, f64>;

/// Samples of one participant, at the rate that the codec is decoded to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AudioCounts {
    /// Held by packets.
    pub decoded: u64,
    /// Made up for what was lost.
    pub concealed: u64,
    /// How long that is, in ns.
    pub concealed_ns: u64,
    /// Comfort noise.
    pub comfort: u64,
    /// Dropped because others were at their place already.
    pub overlapping: u64,
    /// Packets that could not be decoded.
    pub corrupt_packets: u64,
    /// Length of all that came out, in ns.
    pub heard_ns: u64,
}

/// Returns what a decoder tells of itself; None of one that is not ours.
fn stats(decoder: &gst::Element) -> Option<gst::Structure> {
    let has_stats = decoder.has_property_with_type("stats", gst::Structure::static_type());
    has_stats.then(|| decoder.property("stats"))
}

impl AudioCounts {
    /// Adds what a decoder has counted; returns how loud it is now, in dBFS.
    pub(super) fn add(&mut self, decoder: &gst::Element) -> Option<f64> {
        let stats = stats(decoder)?;
        let count = |field| stats.get::<u64>(field).unwrap_or(0);
        self.decoded += count("decoded-samples");
        self.concealed += count("concealed-samples");
        self.concealed_ns += count("concealed-ns");
        self.comfort += count("comfort-samples");
        self.overlapping += count("dropped-overlap");
        self.corrupt_packets += count("corrupt");
        self.heard_ns += count("heard-ns");
        stats.get("level-db").ok()
    }
}
