//! Which RTP stream of a capture somebody means.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use crate::ingest::capture::datagrams::Capture;
use crate::ingest::capture::datagrams::Datagram;
use crate::ingest::capture::error::CaptureError;
use crate::ingest::capture::streams::STREAMS_MAX;
use crate::ingest::capture::streams::StreamInfo;
use crate::ingest::capture::streams::StreamList;
use crate::ingest::capture::survey::Survey;
use crate::ingest::capture::survey::survey_all;

/// Longest time for which two streams, of which one takes over from the other, are there at once: what is on its way
/// when a call is moved, or early media that ends. Beyond it, they are two voices.
const OVERLAP_MAX_NS: i64 = 1_000_000_000;

/// How somebody names a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// By its source, wherever it is sent: `?ssrc=0x1234`.
    Ssrc(u32),
    /// By the UDP port that it is sent to, whatever its source: `?port=4000`.
    Port(u16),
    /// By both: `?ssrc=0x1234&port=4000`.
    Both {
        /// Its source.
        ssrc: u32,
        /// The port that it is sent to.
        port: u16,
    },
    /// Not at all: there must be one only.
    Only,
}

impl Select {
    /// Returns whether a stream of a source, sent to an address, is one that is meant.
    pub(super) fn is_of(self, ssrc: u32, to: SocketAddr) -> bool {
        match self {
            Self::Ssrc(wanted) => wanted == ssrc,
            Self::Port(wanted) => wanted == to.port(),
            Self::Both { ssrc: wanted, port } => wanted == ssrc && port == to.port(),
            Self::Only => true,
        }
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssrc(ssrc) => write!(f, "ssrc {ssrc:#010x}"),
            Self::Port(port) => write!(f, "destination port {port}"),
            Self::Both { ssrc, port } => write!(f, "ssrc {ssrc:#010x} and destination port {port}"),
            Self::Only => write!(f, "any source"),
        }
    }
}

/// The streams that were meant: one, or several that follow on each other (a call that was moved to another address, a
/// sender that began anew).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// At least one, in the order in which they began.
    pub streams: Vec<StreamInfo>,
}

impl Chosen {
    /// Returns whether a datagram is a packet of one of them.
    pub fn has(&self, datagram: &Datagram<'_>) -> bool {
        self.streams.iter().any(|stream| stream.has(datagram))
    }
}

/// Reads a capture to its end and chooses the streams that are meant; what they hold is then read with a [`Capture`] of
/// its own.
///
/// # Errors
/// As [`Capture::open`]; where no stream is meant, or several that are there at the same time. A capture that is cut
/// off or damaged behind a stream that is meant is none: whoever reads the stream is told.
pub fn select(path: &Path, select: Select) -> Result<Chosen, CaptureError> {
    choose(survey_all(Capture::open(path)?, select)?, select)
}

fn choose(survey: Survey, select: Select) -> Result<Chosen, CaptureError> {
    let Survey { found, damage, .. } = survey;
    let meant: Vec<StreamInfo> = found.streams.iter().filter(|s| select.is_of(s.ssrc, s.to)).cloned().collect();
    if meant.is_empty() {
        return Err(match (damage, found.streams.is_empty()) {
            (Some(damage), _) => damage,
            (None, true) => CaptureError::NoStream,
            (None, false) => CaptureError::NoSuchStream { select, found },
        });
    }
    let is_ambiguous = match select {
        Select::Only => meant.len() > 1,
        Select::Ssrc(_) | Select::Port(_) | Select::Both { .. } => are_at_once(&meant),
    };
    // What is meant has room before all others.
    let is_cut = found.is_cut && meant.len() == STREAMS_MAX;
    match is_ambiguous {
        true => Err(CaptureError::Ambiguous { select, found: StreamList { streams: meant, is_cut } }),
        false => Ok(Chosen { streams: meant }),
    }
}

fn are_at_once(streams: &[StreamInfo]) -> bool {
    let pairs = streams.iter().enumerate().flat_map(|(i, one)| streams[i + 1..].iter().map(move |other| (one, other)));
    pairs.into_iter().any(|(one, other)| one.overlap_ns(other) > OVERLAP_MAX_NS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::capture::datagrams::Counts;

    const SECOND: i64 = 1_000_000_000;

    fn stream(ssrc: u32, to: u16, begin: i64, end: i64) -> StreamInfo {
        StreamInfo {
            ssrc,
            from: SocketAddr::from(([10, 0, 0, 1], 4000)),
            to: SocketAddr::from(([10, 0, 0, 2], to)),
            payload_types: vec![0, 101],
            packets: u64::from(ssrc),
            first_at_ns: begin * SECOND,
            last_at_ns: end * SECOND,
        }
    }

    /// Chooses from streams; returns the sources of what was chosen.
    fn chosen(streams: &[StreamInfo], select: Select) -> Result<Vec<u32>, CaptureError> {
        let found = StreamList { streams: streams.to_vec(), is_cut: false };
        let chosen = choose(Survey { found, counts: Counts::default(), damage: None }, select)?;
        Ok(chosen.streams.iter().map(|stream| stream.ssrc).collect())
    }

    #[track_caller]
    fn check(streams: &[StreamInfo], select: Select, ssrcs: &[u32]) {
        assert_eq!(chosen(streams, select).expect("a stream is meant"), ssrcs);
    }

    #[track_caller]
    fn check_refused(streams: &[StreamInfo], select: Select, text: &str) {
        assert_eq!(chosen(streams, select).expect_err("no stream is meant").to_string(), text);
    }

    #[test]
    fn a_stream_is_named_by_source_or_port_or_alone() {
        let both = [stream(1, 5000, 0, 10), stream(2, 6000, 0, 10)];
        check(&both, Select::Ssrc(2), &[2]);
        check(&both, Select::Port(5000), &[1]);
        check(&both[..1], Select::Only, &[1]);
        let on_one_port = [stream(1, 5000, 0, 10), stream(2, 5000, 0, 10)];
        check(&on_one_port, Select::Both { ssrc: 2, port: 5000 }, &[2]);
    }

    #[test]
    fn streams_that_follow_on_each_other_are_one_choice() {
        let began_anew = [stream(1, 5000, 0, 10), stream(2, 5000, 11, 20), stream(3, 5000, 19, 30)];
        check(&began_anew, Select::Port(5000), &[1, 2, 3]);
        let moved = [stream(1, 5000, 0, 10), stream(1, 6000, 10, 20)];
        check(&moved, Select::Ssrc(1), &[1, 1]);
    }

    #[test]
    fn streams_at_once_have_to_be_told_apart() {
        let at_once = [stream(1, 5000, 0, 10), stream(0xbeef, 5000, 8, 20)];
        let list = "\n  ssrc 0x0000beef, 10.0.0.1:4000 to 10.0.0.2:5000, payload type 0 and 101, \
                    48879 packets in 12.0 s\
                    \n  ssrc 0x00000001, 10.0.0.1:4000 to 10.0.0.2:5000, payload type 0 and 101, 1 packet in 10.0 s";
        let text = "there are several RTP streams; choose one with ?ssrc= or ?port=:";
        check_refused(&at_once, Select::Only, &format!("{text}{list}"));
        let text = "several RTP streams have destination port 5000 at the same time; choose one with ?ssrc=:";
        check_refused(&at_once, Select::Port(5000), &format!("{text}{list}"));
        let text = "no RTP stream has ssrc 0x00000003; these are there:";
        check_refused(&at_once, Select::Ssrc(3), &format!("{text}{list}"));
        check(&at_once, Select::Ssrc(1), &[1]);
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let many: Vec<StreamInfo> = (0..20).map(|ssrc| stream(ssrc, 5000, 0, 10)).collect();
        let text = chosen(&many, Select::Only).expect_err("many are meant").to_string();
        assert_eq!(text.lines().count(), 18);
        assert!(text.ends_with("\n  and 4 more"), "{text}");
    }

    #[test]
    fn damage_is_told_where_no_stream_was_before_it() {
        let survey = |streams: &[StreamInfo]| Survey {
            found: StreamList { streams: streams.to_vec(), is_cut: false },
            counts: Counts::default(),
            damage: Some(CaptureError::Truncated { offset: 7 }),
        };
        assert!(matches!(choose(survey(&[]), Select::Only), Err(CaptureError::Truncated { offset: 7 })));
        assert!(choose(survey(&[stream(1, 5000, 0, 10)]), Select::Only).is_ok());
        assert!(matches!(chosen(&[], Select::Only), Err(CaptureError::NoStream)));
    }
}
