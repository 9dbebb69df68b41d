//! Which RTP streams a capture has. No signalling is read: a stream is what looks like one for three packets.

use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use crate::ingest::capture::datagrams::Capture;
use crate::ingest::capture::datagrams::Counts;
use crate::ingest::capture::datagrams::Datagram;
use crate::ingest::capture::error::CaptureError;
use crate::ingest::capture::rtp::Header;
use crate::ingest::capture::select::Select;
use crate::ingest::capture::streams::STREAMS_MAX;
use crate::ingest::capture::streams::StreamInfo;
use crate::ingest::capture::streams::StreamList;

/// Packets in order that make a stream: other protocols that begin as RTP does have no number that goes up.
const IN_ORDER_MIN: u32 = 3;
/// Longest step of sequence numbers that is "in order": what 2 s of loss at 50 packets/s skip.
const STEP_MAX: u16 = 100;
/// Most streams of fewer than three packets that are remembered. Where every datagram looks like another one, all are
/// forgotten at once, and what is a stream is met again.
const CANDIDATES_MAX: usize = 4096;

/// What a capture has.
#[derive(Debug)]
pub struct Survey {
    /// Its RTP streams.
    pub found: StreamList,
    /// Its packets, up to where it can be read.
    pub counts: Counts,
    /// Why it cannot be read to its end.
    pub damage: Option<CaptureError>,
}

/// Reads a capture to its end and tells its RTP streams.
///
/// # Errors
/// As [`Capture::open`]; where nothing of it can be read. Damage behind the beginning is told in the result.
pub fn survey(path: &Path) -> Result<Survey, CaptureError> {
    survey_all(Capture::open(path)?, Select::Only)
}

/// As [`survey()`], for what need not be a file.
///
/// # Errors
/// As [`survey()`].
pub fn survey_reader(reader: impl Read) -> Result<Survey, CaptureError> {
    survey_all(Capture::new(reader)?, Select::Only)
}

/// Surveys a capture in which some streams are wanted: they have room however many others there are.
pub(super) fn survey_all<R: Read>(mut capture: Capture<R>, wanted: Select) -> Result<Survey, CaptureError> {
    let mut surveyor = Surveyor::new(wanted);
    let damage = loop {
        match capture.next_datagram() {
            Ok(Some(datagram)) => surveyor.on(&datagram),
            Ok(None) => break None,
            Err(error) if error.is_damage() => break Some(error),
            Err(error) => return Err(error),
        }
    };
    Ok(Survey { found: surveyor.finish(), counts: capture.counts(), damage })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    ssrc: u32,
    from: SocketAddr,
    to: SocketAddr,
}

/// What may be a stream.
#[derive(Debug)]
struct Candidate {
    /// Its place in the order of beginnings.
    number: u64,
    is_stream: bool,
    last_sequence: u16,
    in_order: u32,
    packets_of_types: Vec<(u8, u64)>,
    first_at_ns: i64,
    last_at_ns: i64,
}

/// Finds streams, datagram by datagram.
#[derive(Debug)]
struct Surveyor {
    wanted: Select,
    candidates: HashMap<Key, Candidate>,
    n_met: u64,
    n_unsure: usize,
    n_streams: usize,
    n_wanted: usize,
    is_cut: bool,
}

impl Surveyor {
    fn new(wanted: Select) -> Self {
        let candidates = HashMap::new();
        Self { wanted, candidates, n_met: 0, n_unsure: 0, n_streams: 0, n_wanted: 0, is_cut: false }
    }

    fn on(&mut self, datagram: &Datagram<'_>) {
        let Some(header) = Header::read(datagram.payload) else { return };
        let key = Key { ssrc: header.ssrc, from: datagram.from, to: datagram.to };
        if !self.candidates.contains_key(&key) {
            self.meet(key, header, datagram.at_ns);
        }
        let Some(candidate) = self.candidates.get_mut(&key) else { return };
        candidate.on(header, datagram.at_ns);
        if !candidate.is_stream && candidate.in_order >= IN_ORDER_MIN {
            candidate.is_stream = true;
            self.n_unsure -= 1;
            self.keep_if_room(key);
        }
    }

    fn meet(&mut self, key: Key, header: Header, at_ns: i64) {
        if self.n_unsure == CANDIDATES_MAX {
            self.candidates.retain(|_, candidate| candidate.is_stream);
            self.n_unsure = 0;
        }
        self.n_unsure += 1;
        self.n_met += 1;
        self.candidates.insert(key, Candidate::new(self.n_met, header, at_ns));
    }

    fn keep_if_room(&mut self, key: Key) {
        let is_wanted = self.wanted.is_of(key.ssrc, key.to);
        let n_kept = if is_wanted { &mut self.n_wanted } else { &mut self.n_streams };
        if *n_kept < STREAMS_MAX {
            *n_kept += 1;
        } else {
            self.candidates.remove(&key);
            self.is_cut = true;
        }
    }

    /// Returns the streams; the wanted ones are never those that are cut off.
    fn finish(self) -> StreamList {
        let wanted = self.wanted;
        let streams = self.candidates.into_iter().filter(|(_, candidate)| candidate.is_stream);
        let mut streams: Vec<_> = streams.collect();
        streams.sort_by_key(|(key, candidate)| (!wanted.is_of(key.ssrc, key.to), candidate.number));
        let is_cut = self.is_cut || streams.len() > STREAMS_MAX;
        streams.truncate(STREAMS_MAX);
        streams.sort_by_key(|(_, candidate)| candidate.number);
        StreamList { streams: streams.into_iter().map(|(key, candidate)| candidate.info(key)).collect(), is_cut }
    }
}

impl Candidate {
    fn new(number: u64, header: Header, at_ns: i64) -> Self {
        Self {
            number,
            is_stream: false,
            last_sequence: header.sequence,
            in_order: 1,
            packets_of_types: Vec::new(),
            first_at_ns: at_ns,
            last_at_ns: at_ns,
        }
    }

    fn on(&mut self, header: Header, at_ns: i64) {
        self.first_at_ns = self.first_at_ns.min(at_ns);
        self.last_at_ns = self.last_at_ns.max(at_ns);
        let entry = self.packets_of_types.iter_mut().find(|(known, _)| *known == header.payload_type);
        match entry {
            Some((_, packets)) => *packets += 1,
            None => self.packets_of_types.push((header.payload_type, 1)),
        }
        let step = header.sequence.wrapping_sub(self.last_sequence);
        match step {
            // The first one, or one that came twice.
            0 => {}
            1..=STEP_MAX => (self.last_sequence, self.in_order) = (header.sequence, self.in_order + 1),
            // One that was overtaken.
            _ if step.wrapping_neg() <= STEP_MAX => {}
            _ => (self.last_sequence, self.in_order) = (header.sequence, 1),
        }
    }

    fn info(mut self, key: Key) -> StreamInfo {
        self.packets_of_types.sort_by_key(|(_, packets)| std::cmp::Reverse(*packets));
        StreamInfo {
            ssrc: key.ssrc,
            from: key.from,
            to: key.to,
            payload_types: self.packets_of_types.iter().map(|(kind, _)| *kind).collect(),
            packets: self.packets_of_types.iter().map(|(_, packets)| *packets).sum(),
            first_at_ns: self.first_at_ns,
            last_at_ns: self.last_at_ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives RTP packets from port `from` to port `to`, one each millisecond, to a surveyor.
    struct Feed(Surveyor, i64);

    impl Feed {
        fn rtp(&mut self, ports: (u16, u16), ssrc: u32, payload_type: u8, sequence: u16) {
            let [high, low] = sequence.to_be_bytes();
            let payload = [&[0x80, payload_type, high, low, 0, 0, 0, 0][..], &ssrc.to_be_bytes()].concat();
            let at = |port| SocketAddr::from(([10, 0, 0, 1], port));
            self.1 += 1_000_000;
            let (from, to) = (at(ports.0), at(ports.1));
            self.0.on(&Datagram { at_ns: self.1, from, to, payload: &payload });
        }
    }

    fn feed(wanted: Select) -> Feed {
        Feed(Surveyor::new(wanted), 0)
    }

    /// Feeds one stream of these sequence numbers; `packets` are told of it, or none where it is no stream.
    #[track_caller]
    fn check(sequences: &[u16], packets: Option<u64>) {
        let mut feed = feed(Select::Only);
        for sequence in sequences {
            feed.rtp((1, 2), 7, 0, *sequence);
        }
        let found = feed.0.finish().streams;
        assert_eq!(found.first().map(|stream| stream.packets), packets, "{sequences:?}");
    }

    #[test]
    fn three_packets_in_order_are_a_stream() {
        check(&[1, 2, 3], Some(3));
        check(&[1, 2], None);
        check(&[65_534, 65_535, 0], Some(3));
        check(&[1, 1, 2, 2, 3, 3], Some(6));
        check(&[1, 3, 2, 4], Some(4));
        check(&[1, 51, 101], Some(3));
        check(&[5, 4, 3, 2, 1], None);
        check(&[7, 7, 7, 7], None);
        check(&[1, 1000, 2000, 3000], None);
        check(&[1, 1000, 1001, 1002], Some(4));
    }

    #[test]
    fn a_stream_is_one_source_between_two_addresses() {
        let mut feed = feed(Select::Only);
        for sequence in 0..10 {
            feed.rtp((1, 2), 7, 0, sequence);
            feed.rtp((2, 1), 8, 111, sequence);
            feed.rtp((1, 2), 9, 0, sequence);
            feed.rtp((1, 4), 7, 0, sequence);
        }
        for sequence in 10..14 {
            feed.rtp((1, 2), 7, 101, sequence);
        }
        let list = feed.0.finish();
        let told: Vec<_> = list.streams.iter().map(|s| (s.ssrc, s.from.port(), s.to.port(), s.packets)).collect();
        assert_eq!(told, [(7, 1, 2, 14), (8, 2, 1, 10), (9, 1, 2, 10), (7, 1, 4, 10)]);
        assert_eq!(list.streams[0].payload_types, [0, 101]);
        assert_eq!((list.streams[0].first_at_ns, list.streams[0].last_at_ns), (1_000_000, 44_000_000));
        assert!(!list.is_cut);
    }

    #[test]
    fn a_wanted_stream_has_room_behind_many_others() {
        let mut feed = feed(Select::Ssrc(70_000));
        for ssrc in (0..300).chain([70_000]) {
            for sequence in 0..3 {
                feed.rtp((1, 2), ssrc, 0, sequence);
            }
        }
        let list = feed.0.finish();
        assert_eq!((list.streams.len(), list.is_cut), (STREAMS_MAX, true));
        assert_eq!(list.streams.last().map(|stream| stream.ssrc), Some(70_000));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_a_stream_is_found_all_the_same() {
        let mut feed = feed(Select::Only);
        for n in 0..30_000u32 {
            feed.rtp((1, 2), 1_000 + n, 0, n as u16);
            assert!(feed.0.candidates.len() <= CANDIDATES_MAX + STREAMS_MAX);
            if n % 1000 == 0 {
                feed.rtp((1, 2), 7, 0, (n / 1000) as u16);
            }
        }
        let list = feed.0.finish();
        assert_eq!(list.streams.iter().map(|stream| stream.ssrc).collect::<Vec<_>>(), [7]);
        assert_eq!(list.streams[0].packets, 30);
    }
}
