//! RTP streams as people are told of them.

use std::fmt;
use std::net::SocketAddr;

use crate::ingest::capture::datagrams::Datagram;
use crate::ingest::capture::rtp::Header;

/// Most streams that are told of one capture: more than people choose from, and a bound where every packet is another.
pub const STREAMS_MAX: usize = 256;

/// Lines of a list in an error's text.
const LINES_MAX: usize = 16;

/// An RTP stream: packets of one SSRC from one address to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// The synchronisation source.
    pub ssrc: u32,
    /// Who sent it.
    pub from: SocketAddr,
    /// Whom it was sent to.
    pub to: SocketAddr,
    /// Payload types, 0 ‥ 127, that of most packets first. Telephone events and comfort noise have their own.
    pub payload_types: Vec<u8>,
    /// Packets that were captured, those that came twice included.
    pub packets: u64,
    /// Earliest capture time of a packet, in nanoseconds since the epoch.
    pub first_at_ns: i64,
    /// Latest capture time of a packet, in nanoseconds since the epoch.
    pub last_at_ns: i64,
}

impl StreamInfo {
    /// Returns whether a datagram is one of its packets.
    pub fn has(&self, datagram: &Datagram<'_>) -> bool {
        let is_between = (datagram.from, datagram.to) == (self.from, self.to);
        is_between && Header::read(datagram.payload).is_some_and(|header| header.ssrc == self.ssrc)
    }

    /// Returns how long both streams were there at the same time, in nanoseconds; negative where there is a gap.
    pub(super) fn overlap_ns(&self, other: &Self) -> i64 {
        self.last_at_ns.min(other.last_at_ns).saturating_sub(self.first_at_ns.max(other.first_at_ns))
    }
}

impl fmt::Display for StreamInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<String> = self.payload_types.iter().map(u8::to_string).collect();
        let seconds = self.last_at_ns.saturating_sub(self.first_at_ns) as f64 / 1e9;
        let Self { ssrc, from, to, packets, .. } = self;
        let noun = if *packets == 1 { "packet" } else { "packets" };
        write!(f, "ssrc {ssrc:#010x}, {from} to {to}, payload type {}, ", types.join(" and "))?;
        write!(f, "{packets} {noun} in {seconds:.1} s")
    }
}

/// Streams of a capture, in the order in which they began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamList {
    /// [`STREAMS_MAX`] at most.
    pub streams: Vec<StreamInfo>,
    /// There are more of them.
    pub is_cut: bool,
}

impl fmt::Display for StreamList {
    /// Writes a line for each of the largest streams; each line begins with its break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut streams: Vec<&StreamInfo> = self.streams.iter().collect();
        streams.sort_by_key(|stream| std::cmp::Reverse(stream.packets));
        for stream in streams.iter().take(LINES_MAX) {
            write!(f, "\n  {stream}")?;
        }
        match (streams.len().saturating_sub(LINES_MAX), self.is_cut) {
            (0, false) => Ok(()),
            (0, true) => write!(f, "\n  and more"),
            (n_more, false) => write!(f, "\n  and {n_more} more"),
            (n_more, true) => write!(f, "\n  and more than {n_more} more"),
        }
    }
}
