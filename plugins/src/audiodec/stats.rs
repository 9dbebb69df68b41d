//! What the decoder counts.

/// Numbers since the stream began. Samples are at the rate that the codec is decoded to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stats {
    /// Packets received, good or not.
    pub(super) n_packets: u64,
    /// Samples that packets held.
    pub(super) n_decoded: u64,
    /// Samples made up for lost or corrupt packets.
    pub(super) n_concealed: u64,
    /// How long these are.
    pub(super) concealed_ns: u64,
    /// Samples of comfort noise.
    pub(super) n_comfort: u64,
    /// Samples that were made longer or shorter.
    pub(super) n_corrected: u64,
    /// Lost frames restored from the next packet's redundancy.
    pub(super) n_fec_frames: u64,
    /// Packets that could not be decoded.
    pub(super) n_corrupt: u64,
    /// Samples cut by clipping metas, and at the output rate by the segment.
    pub(super) n_clipped: u64,
    /// Samples dropped because their position was already emitted, at the output rate where only that shows it.
    pub(super) n_overlapping: u64,
    /// Times that output went on elsewhere than it had ended.
    pub(super) n_disconts: u64,
    /// Length of all that came out.
    pub(super) heard_ns: u64,
    /// By how many parts per billion samples are made longer now.
    pub(super) drift_ppb: i64,
}

/// Names of the fields that are no counts: one that may be below 0, and how loud it is now in dBFS.
pub(super) const DRIFT_PPB: &str = "drift-ppb";
pub(super) const LEVEL_DB: &str = "level-db";

impl Stats {
    /// Returns the numbers under the names that the property `stats` has, but for those that are no counts.
    pub(super) fn fields(&self) -> [(&'static str, u64); 12] {
        [
            ("packets", self.n_packets),
            ("decoded-samples", self.n_decoded),
            ("concealed-samples", self.n_concealed),
            ("concealed-ns", self.concealed_ns),
            ("comfort-samples", self.n_comfort),
            ("corrected-samples", self.n_corrected),
            ("fec-frames", self.n_fec_frames),
            ("corrupt", self.n_corrupt),
            ("clipped", self.n_clipped),
            ("dropped-overlap", self.n_overlapping),
            ("discontinuities", self.n_disconts),
            ("heard-ns", self.heard_ns),
        ]
    }
}
