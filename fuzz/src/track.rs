//! Any call to a track that two recordings read: what is heard is in order, once, in its time, and all is counted.

use std::collections::BTreeMap;

use reelgraph::media::Codec;
use reelgraph::media::CursorId;
use reelgraph::media::Frame;
use reelgraph::media::HOLD;
use reelgraph::media::Payloads;
use reelgraph::media::Settings;
use reelgraph::media::Stats;
use reelgraph::media::Track;

use crate::call::Datagram;
use crate::call::MS;
use crate::call::NUMBER_BYTES;
use crate::call::call;

const HOLD_NS: i64 = HOLD.as_nanos() as i64;
const TICK_NS: i64 = 100 * MS;
const BEGIN_NS: i64 = 5_000 * MS;
const LONGEST_NS: i64 = 600_000 * MS;

/// A frame is not heard so long before its packet came: what a path holds up, and some more.
const BEFORE_MAX_NS: i64 = 10_500 * MS;
/// Nor so long after it.
const AFTER_MAX_NS: i64 = 1_000 * MS;
/// The longest payload in G.711, at the slowest clock that is followed.
const DURATION_MAX_NS: i64 = 513 * MS;

/// Packets that may wait for their time, and frames for a recording that does not read.
const WAITING_MAX: u64 = 2_000;
const FRAMES_MAX: usize = 2_048;

/// One recording's reading.
struct Reader {
    cursor: CursorId,
    frames: Vec<Frame>,
}

impl Reader {
    fn read(&mut self, track: &mut Track, until_ns: i64) {
        let before = self.frames.len();
        track.read(self.cursor, until_ns, |frame| self.frames.push(frame.clone()));
        assert!(self.frames.len() - before <= FRAMES_MAX.max(before));
    }
}

/// The first byte says what is declared, the second how it is read; the rest is the call.
pub(crate) fn run(bytes: &[u8]) {
    let [kind, reading, rest @ ..] = bytes else { return };
    let codec = match kind & 3 {
        0 => Codec::Pcmu,
        1 => Codec::Opus,
        2 => Codec::G722,
        _ => Codec::L16 { rate: 16_000, channels: 1 },
    };
    let datagrams = call(rest, BEGIN_NS, LONGEST_NS);
    let source = datagrams.first().map(|first| first.from).filter(|_| kind & 4 != 0);
    let ssrc = (kind & 8 != 0).then_some(0);
    let mut track = Track::new(Settings { payloads: Payloads::of(codec), source, ssrc });
    let cursor = track.open(i64::MIN);
    let mut steady = Reader { cursor, frames: Vec::new() };
    let mut late: Option<(Reader, usize)> = None;
    let late_opens = u64::from(reading & 31);
    let stalls = reading & 32 != 0;
    let last_ns = datagrams.last().map_or(BEGIN_NS, |last| last.at_ns);
    let mut waiting = datagrams.iter().peekable();
    let mut now_ns = BEGIN_NS;
    for n_tick in 0.. {
        while let Some(datagram) = waiting.next_if(|datagram| datagram.at_ns <= now_ns) {
            track.receive(&datagram.bytes, datagram.from, datagram.at_ns);
            let n_open = track.stats().received - counted(&track.stats());
            assert!(n_open <= WAITING_MAX, "{n_open} wait");
        }
        track.advance(now_ns - HOLD_NS, now_ns);
        if n_tick == late_opens {
            // All that is placed later is heard by both.
            steady.read(&mut track, i64::MAX);
            late = Some((Reader { cursor: track.open(i64::MIN), frames: Vec::new() }, steady.frames.len()));
        }
        steady.read(&mut track, now_ns - HOLD_NS);
        if let Some((late, _)) = late.as_mut().filter(|_| !stalls) {
            late.read(&mut track, now_ns - HOLD_NS);
        }
        if now_ns > last_ns + 5_000 * MS && n_tick > late_opens {
            break;
        }
        now_ns += TICK_NS;
    }
    track.advance(now_ns + LONGEST_NS, now_ns);
    steady.read(&mut track, i64::MAX);
    let stats = track.stats();
    assert_eq!(counted(&stats), stats.received, "{stats:?}");
    assert!(!track.has_waiting(steady.cursor));
    if let Some((mut late, from)) = late {
        late.read(&mut track, i64::MAX);
        let expected = &steady.frames[from..];
        // Who did not read has lost the oldest, and no others.
        let n_kept = if stalls { expected.len().min(FRAMES_MAX) } else { expected.len() };
        assert_eq!(late.frames, expected[expected.len() - n_kept..]);
    }
    // What was dropped for one had been read by the other.
    let n_heard = steady.frames.len() as u64;
    assert!((n_heard - stats.overflow.min(n_heard)..=n_heard).contains(&stats.placed), "{stats:?}");
    check(&datagrams, &steady.frames, stats.streams);
}

/// Returns how many packets have become something.
fn counted(stats: &Stats) -> u64 {
    let Stats {
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
        ..
    } = *stats;
    placed + quiet + late + duplicate + overflow + unrecorded + foreign + unknown + implausible + malformed + control
}

fn check(datagrams: &[Datagram], frames: &[Frame], n_streams: u64) {
    let mut came: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for datagram in datagrams {
        if let Some(number) = datagram.number {
            came.entry(number).or_default().push(datagram.at_ns);
        }
    }
    let mut heard: BTreeMap<u32, usize> = BTreeMap::new();
    for pair in frames.windows(2) {
        assert!(pair[0].place_ns <= pair[1].place_ns, "out of order: {pair:?}");
    }
    for Frame { payload, place_ns, duration_ns, .. } in frames {
        assert!((1..=DURATION_MAX_NS).contains(duration_ns), "{duration_ns} ns long");
        let Some(number) = payload.len().checked_sub(NUMBER_BYTES).filter(|at| *at > 0) else { continue };
        let number = u32::from_be_bytes(payload[number..].try_into().expect("four bytes"));
        let arrivals = &came[&number];
        let n_heard = heard.entry(number).or_default();
        *n_heard += 1;
        // What is sent once more as another stream is heard once more.
        let n_most = if n_streams > 1 { arrivals.len() } else { 1 };
        assert!(*n_heard <= n_most, "{number} is heard {n_heard} times");
        let (first, last) = (arrivals[0], arrivals[arrivals.len() - 1]);
        assert!(*place_ns >= first - BEFORE_MAX_NS, "{} ms before it came", (first - place_ns) / MS);
        assert!(*place_ns <= last + AFTER_MAX_NS, "{} ms after it came", (place_ns - last) / MS);
    }
}
