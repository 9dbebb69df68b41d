//! What comes to a decoder, and what becomes of it. Knows numbers; must not know GStreamer.

/// A packet with what its buffer says about it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Packet<'a> {
    /// The codec's bytes.
    pub(super) bytes: &'a [u8],
    /// Time of its first sample, after the clipped start; without one it follows the packet before it.
    pub(super) pts_ns: Option<u64>,
    /// Whether something before it was lost.
    pub(super) is_discont: bool,
    /// Length to cut from the start of its decoded samples.
    pub(super) clip_start_ns: u64,
    /// Length to cut from their end.
    pub(super) clip_end_ns: u64,
}

/// `CORRUPT_RUN_MAX` packets in a row could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManyCorrupt;

/// What to do with a gap event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GapFate {
    /// Samples stand for it, or will when the next packet is there.
    Filled,
    /// Nothing will be emitted for it from this time on, which is behind all that was emitted before.
    Empty {
        /// The later of the gap's begin and the end of what was emitted.
        from_ns: u64,
    },
}
