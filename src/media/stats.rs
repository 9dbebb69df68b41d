//! What became of a track's packets.

/// Packets of one track by outcome. Each datagram that came is counted once among `placed`, `quiet`, `late`,
/// `duplicate`, `overflow`, `unrecorded`, `foreign`, `unknown`, `implausible`, `malformed` and `control`, or is still
/// on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams that came.
    pub received: u64,
    /// Bytes of them.
    pub received_bytes: u64,
    /// Audio in its place.
    pub placed: u64,
    /// Comfort noise and telephone events: they say that there is no audio.
    pub quiet: u64,
    /// Came when their place had been passed: what was not heard in time is not heard.
    pub late: u64,
    /// Came twice.
    pub duplicate: u64,
    /// Came when the queue was full, or had to go for others: a recording took nothing from it for long.
    pub overflow: u64,
    /// Came before anybody recorded.
    pub unrecorded: u64,
    /// Of another sender than the track's: another address or another SSRC while its own was there.
    pub foreign: u64,
    /// Of a payload type that was not agreed on, or no payload of its codec; the track's own, or nobody's yet.
    pub unknown: u64,
    /// Alone at a time or a sequence number where nothing followed them; or of a sender so much faster than time that
    /// they would be heard long after they came.
    pub implausible: u64,
    /// Neither RTP nor RTCP, or too large.
    pub malformed: u64,
    /// RTCP.
    pub control: u64,
    /// Packets that never came while somebody recorded, as far as sequence numbers tell. What came too late is `late`.
    pub lost: u64,
    /// Streams that the track was made of: 1, and 1 for each new SSRC, new address, jump of time or sequence.
    pub streams: u64,
    /// Datagrams that the kernel had no room for.
    pub kernel_drops: u64,
}

impl Stats {
    /// Adds what became of another track's packets.
    pub fn add(&mut self, other: &Self) {
        let Self {
            received,
            received_bytes,
            placed,
            quiet,
            late,
            duplicate,
            overflow,
            unrecorded,
            foreign,
            unknown,
            implausible,
            malformed,
            control,
            lost,
            streams,
            kernel_drops,
        } = other;
        self.received += received;
        self.received_bytes += received_bytes;
        self.placed += placed;
        self.quiet += quiet;
        self.late += late;
        self.duplicate += duplicate;
        self.overflow += overflow;
        self.unrecorded += unrecorded;
        self.foreign += foreign;
        self.unknown += unknown;
        self.implausible += implausible;
        self.malformed += malformed;
        self.control += control;
        self.lost += lost;
        self.streams += streams;
        self.kernel_drops += kernel_drops;
    }
}
