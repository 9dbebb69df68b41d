//! Tracks fed with packets whose truth is known: who spoke when.

use super::*;
use crate::media::codec::Payloads;
use crate::media::order::WAITING_MAX;
use std::net::Ipv4Addr;

mod any;
mod control;
mod late;
mod moves;

const MS: i64 = 1_000_000;
const HOLD_NS: i64 = HOLD.as_nanos() as i64;
/// When the first packet is sent; any time will do.
const ZERO: i64 = 5_000 * MS;

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A packet of 20 ms as it arrives; its payload tells its number.
#[derive(Debug, Clone, Copy)]
struct Sent {
    arrival_ms: i64,
    number: u16,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    port: u16,
    payload_type: u8,
}

impl Sent {
    /// Packet `number` of a plain sender, as soon as it is spoken.
    fn plain(number: u16) -> Self {
        Self {
            arrival_ms: i64::from(number) * 20,
            number,
            sequence: number,
            timestamp: u32::from(number) * 160,
            ssrc: 1,
            port: 4_000,
            payload_type: 0,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, self.payload_type];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        let n = if self.payload_type == 0 { 160 } else { 4 };
        bytes.extend(self.number.to_be_bytes().into_iter().cycle().take(n));
        bytes
    }
}

fn plain(numbers: std::ops::Range<u16>) -> Vec<Sent> {
    numbers.map(Sent::plain).collect()
}

/// What was heard: number, place in ms, and whether it was told that something before it was lost.
type Heard = (u16, i64, bool);

struct Outcome {
    heard: Vec<Heard>,
    frames: Vec<Frame>,
    holes: Vec<(i64, Hole)>,
    stats: Stats,
}

impl Outcome {
    fn places(&self) -> Vec<(u16, i64)> {
        self.heard.iter().map(|(number, at, _)| (*number, *at)).collect()
    }
}

fn run_with(settings: Settings, mut sent: Vec<Sent>) -> Outcome {
    sent.sort_by_key(|packet| packet.arrival_ms);
    let end = sent.last().map_or(0, |last| last.arrival_ms) + 2_000;
    let mut track = Track::new(settings);
    let cursor = track.open(i64::MIN);
    let mut sent = sent.into_iter().peekable();
    let (mut frames, mut holes) = (Vec::new(), Vec::new());
    for now_ms in (0..end).step_by(100) {
        while let Some(packet) = sent.next_if(|packet| packet.arrival_ms <= now_ms) {
            track.receive(&packet.bytes(), address(packet.port), ZERO + packet.arrival_ms * MS);
        }
        let now = ZERO + now_ms * MS;
        track.advance(now - HOLD_NS, now);
        if let Next::More(hole) = track.read(cursor, now - HOLD_NS, |frame| frames.push(frame.clone())) {
            holes.push((now_ms - 400, hole));
        }
    }
    let number = |frame: &Frame| u16::from_be_bytes([frame.payload[0], frame.payload[1]]);
    let place_ms = |frame: &Frame| (frame.place_ns - ZERO + MS / 2).div_euclid(MS);
    let heard = frames.iter().map(|frame| (number(frame), place_ms(frame), frame.after_loss)).collect();
    Outcome { heard, frames, holes, stats: track.stats() }
}

fn run(sent: Vec<Sent>) -> Outcome {
    run_with(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None }, sent)
}

fn in_place(numbers: impl IntoIterator<Item = u16>) -> Vec<(u16, i64)> {
    numbers.into_iter().map(|number| (number, i64::from(number) * 20)).collect()
}

/// All that was received is told to be something.
#[track_caller]
fn check_counted(stats: &Stats) {
    let Stats { placed, quiet, late, duplicate, overflow, unrecorded, foreign, unknown, .. } = stats;
    let Stats { implausible, malformed, control, .. } = stats;
    let heard = placed + quiet + late + duplicate + overflow + unrecorded;
    let sum = heard + foreign + unknown + implausible + malformed + control;
    assert_eq!(sum, stats.received, "{stats:?}");
}

#[test]
fn what_comes_in_order_is_heard_in_its_place() {
    let outcome = run(plain(0..100));
    assert_eq!(outcome.places(), in_place(0..100));
    assert!(outcome.frames.iter().skip(1).all(|frame| !frame.after_loss && !frame.begins_spurt));
    assert!(outcome.frames.iter().all(|frame| frame.duration_ns == 20 * MS));
    assert_eq!((outcome.stats.placed, outcome.stats.lost, outcome.stats.streams), (100, 0, 1));
    check_counted(&outcome.stats);
}

#[test]
fn reordered_and_late_within_the_hold_costs_nothing() {
    let mut sent = plain(0..200);
    for (at, delay_ms) in [(20, 70), (40, 290), (60, 150), (61, 130), (90, 25)] {
        sent[at].arrival_ms += delay_ms;
    }
    let outcome = run(sent);
    assert_eq!(outcome.places(), in_place(0..200));
    assert_eq!((outcome.stats.lost, outcome.stats.late), (0, 0));
}

#[test]
fn what_comes_after_the_hold_is_late_and_what_comes_twice_is_heard_once() {
    let mut sent = plain(0..100);
    sent[30].arrival_ms += 700;
    sent.extend([50, 51].map(|number| Sent { arrival_ms: 1_030, ..Sent::plain(number) }));
    sent.push(Sent { arrival_ms: 1_800, ..Sent::plain(52) });
    let outcome = run(sent);
    assert_eq!(outcome.places(), in_place((0..100).filter(|number| *number != 30)));
    assert_eq!((outcome.stats.late, outcome.stats.duplicate, outcome.stats.lost), (1, 3, 0));
    check_counted(&outcome.stats);
}

#[test]
fn loss_is_told_and_its_place_is_kept() {
    let lost = [10, 30, 31, 32, 50, 51, 52, 53, 54, 55];
    let outcome = run(plain(0..100).into_iter().filter(|packet| !lost.contains(&packet.number)).collect());
    assert_eq!(outcome.places(), in_place((0..100).filter(|number| !lost.contains(number))));
    let after_loss: Vec<_> = outcome.heard.iter().filter(|(.., after_loss)| *after_loss).map(|heard| heard.0).collect();
    assert_eq!(after_loss, [11, 33, 56]);
    let spurts: Vec<_> = outcome.frames.iter().filter(|frame| frame.begins_spurt).map(|frame| frame.place_ns).collect();
    assert_eq!(spurts, [ZERO, ZERO + 56 * 20 * MS], "what is longer than a decoder conceals");
    assert_eq!(outcome.stats.lost, 10);
    assert!(outcome.holes.contains(&(1_000, Hole::Loss)), "a horizon inside of a loss knows of it");
}

#[test]
fn silence_that_is_not_sent_is_a_pause() {
    // Talk spurts: time goes on, the sequence does not.
    let mut sent = plain(0..50);
    sent.extend((50..100).map(|number| {
        let packet = Sent::plain(number);
        Sent { arrival_ms: packet.arrival_ms + 3_010, timestamp: packet.timestamp + 3_010 * 8, ..packet }
    }));
    let outcome = run(sent);
    let expected = (0..100).map(|number: u16| (number, i64::from(number) * 20 + if number < 50 { 0 } else { 3_010 }));
    assert_eq!(outcome.places(), expected.collect::<Vec<_>>());
    assert!(outcome.heard.iter().all(|(.., after_loss)| !after_loss));
    assert!(outcome.holes.contains(&(2_000, Hole::Pause)));
    assert_eq!((outcome.stats.streams, outcome.stats.lost), (1, 0));
}

#[test]
fn comfort_noise_and_keys_are_no_audio_and_no_loss() {
    let mut sent = plain(0..100);
    sent[20].payload_type = 13;
    for packet in &mut sent[40..45] {
        // The time of an event is that of its begin.
        (packet.payload_type, packet.timestamp) = (101, 40 * 160);
    }
    let outcome = run(sent);
    let quiet = |number: &u16| *number == 20 || (40..45).contains(number);
    assert_eq!(outcome.places(), in_place((0..100).filter(|number| !quiet(number))));
    assert!(outcome.heard.iter().all(|(.., after_loss)| !after_loss));
    assert_eq!((outcome.stats.quiet, outcome.stats.lost), (6, 0));
    check_counted(&outcome.stats);
}

#[test]
fn counters_wrap_unheard() {
    let outcome = run((0..300)
        .map(|number| Sent {
            sequence: 65_436u16.wrapping_add(number),
            timestamp: (u32::MAX - 20_000).wrapping_add(u32::from(number) * 160),
            ..Sent::plain(number)
        })
        .collect());
    assert_eq!(outcome.places(), in_place(0..300));
    assert_eq!((outcome.stats.streams, outcome.stats.lost), (1, 0));
}

#[test]
fn a_sender_that_begins_anew_is_followed_without_losing_a_word() {
    type Change = fn(Sent) -> Sent;
    let changes: [(&str, Change); 6] = [
        ("ssrc", |p| Sent { ssrc: 2, sequence: p.sequence + 900, timestamp: p.timestamp ^ 0x5555_0000, ..p }),
        ("ssrc and address", |p| Sent { arrival_ms: p.arrival_ms, ssrc: 3, ..p }),
        ("sequence", |p| Sent { sequence: p.sequence.wrapping_add(30_000), ..p }),
        ("time forward", |p| Sent { timestamp: p.timestamp.wrapping_add(1 << 30), ..p }),
        ("time backward", |p| Sent { timestamp: p.timestamp.wrapping_sub(1 << 30), ..p }),
        ("both", |p| Sent { timestamp: p.timestamp ^ 0x8000_0000, sequence: p.sequence ^ 0x8000, ..p }),
    ];
    for (what, change) in changes {
        let sent = plain(0..200).into_iter().map(|packet| if packet.number < 90 { packet } else { change(packet) });
        let outcome = run(sent.collect());
        assert_eq!(outcome.places(), in_place(0..200), "{what}");
        assert_eq!(outcome.stats.streams, 2, "{what}");
        check_counted(&outcome.stats);
    }
}

#[test]
fn time_that_stood_still_while_nobody_spoke_is_made_up_for() {
    // Muted for three seconds: sequence and time-stamps go on as if nothing had been.
    let late = |packet: Sent| Sent { arrival_ms: packet.arrival_ms + 3_000, ..packet };
    let sent = plain(0..100).into_iter().map(|packet| if packet.number < 40 { packet } else { late(packet) });
    let outcome = run(sent.collect());
    let expected = (0..100).map(|number: u16| (number, i64::from(number) * 20 + if number < 40 { 0 } else { 3_000 }));
    assert_eq!(outcome.places(), expected.collect::<Vec<_>>());
    check_counted(&outcome.stats);
}

#[test]
fn a_blocked_path_that_gives_all_up_at_once_moves_nothing() {
    for blocked_ms in [220, 300, 390, 1_500, 5_000] {
        let held = |packet: Sent| (1_000..1_000 + blocked_ms).contains(&packet.arrival_ms);
        let mut sent = plain(0..500);
        for (n, packet) in sent.iter_mut().filter(|packet| held(**packet)).enumerate() {
            packet.arrival_ms = 1_000 + blocked_ms + n as i64 / 100;
        }
        let outcome = run(sent);
        let places = outcome.places();
        assert!(places.iter().all(|(number, at)| *at == i64::from(*number) * 20), "{blocked_ms}: {places:?}");
        // What is older than the hold when it comes is silence, and all else is there.
        let n_late = (blocked_ms - 400).max(0) / 20;
        assert!(places.len() as i64 >= 500 - n_late - 6, "{blocked_ms}: {} of 500", places.len());
        let n_lost = outcome.stats.late + outcome.stats.foreign + outcome.stats.implausible;
        assert_eq!(n_lost as usize, 500 - places.len(), "{blocked_ms}");
        check_counted(&outcome.stats);
    }
}

#[test]
fn a_single_packet_of_another_time_or_number_changes_nothing() {
    type Change = fn(Sent) -> Sent;
    let changes: [Change; 4] = [
        |p| Sent { timestamp: p.timestamp.wrapping_add(1 << 30), ..p },
        |p| Sent { timestamp: p.timestamp.wrapping_sub(1 << 30), ..p },
        |p| Sent { timestamp: p.timestamp.wrapping_add(40_000), ..p },
        |p| Sent { sequence: p.sequence.wrapping_add(20_000), ..p },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut sent = plain(0..100);
        sent[50] = change(sent[50]);
        let outcome = run(sent);
        assert_eq!(outcome.places(), in_place((0..100).filter(|number| *number != 50)), "{index}");
        assert_eq!(outcome.stats.implausible, 1, "{index}");
        check_counted(&outcome.stats);
    }
}

#[test]
fn a_second_sender_on_the_port_is_not_heard_while_the_first_is_there() {
    let mut sent = plain(0..200);
    sent.extend((40..160).map(|number| Sent {
        ssrc: 9,
        arrival_ms: i64::from(number) * 20 + 7,
        number: 1_000 + number,
        ..Sent::plain(number)
    }));
    sent.extend((40..160).map(|number| Sent { port: 6_666, number: 2_000 + number, ..Sent::plain(number) }));
    let outcome = run(sent);
    assert_eq!(outcome.places(), in_place(0..200));
    assert_eq!(outcome.stats.foreign, 240);
    check_counted(&outcome.stats);
}

#[test]
fn another_address_is_believed_when_the_first_has_been_silent() {
    let moved = |number| Sent { port: 5_000, arrival_ms: i64::from(number) * 20 + 30, ..Sent::plain(number) };
    let outcome = run((0..100).map(Sent::plain).chain((100..300).map(moved)).collect());
    let places = outcome.places();
    let after = &places[100..];
    // A second of caution, of which a hold is made good.
    assert!(after.len() >= 200 - 31, "{}", after.len());
    assert!(after.iter().all(|(number, at)| *at == i64::from(*number) * 20 + 30), "{after:?}");

    let pinned = Settings { payloads: Payloads::of(Codec::Pcmu), source: Some(address(4_000)), ssrc: None };
    let outcome = run_with(pinned, (0..100).map(Sent::plain).chain((100..300).map(moved)).collect());
    assert_eq!((outcome.heard.len(), outcome.stats.foreign), (100, 200));
}

#[test]
fn a_codec_that_changes_in_mid_call_goes_on() {
    let mut sent = plain(0..100);
    sent[60..].iter_mut().for_each(|packet| packet.payload_type = 8);
    // The rig writes whole payloads for µ-law only.
    let bytes = |packet: &Sent| {
        let mut bytes = Sent { payload_type: 0, ..*packet }.bytes();
        bytes[1] = packet.payload_type;
        bytes
    };
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Opus), source: None, ssrc: None });
    let cursor = track.open(i64::MIN);
    let mut codecs = Vec::new();
    for packet in &sent {
        let now = ZERO + packet.arrival_ms * MS;
        track.receive(&bytes(packet), address(1), now);
        track.advance(now - HOLD_NS, now);
        track.read(cursor, i64::MAX, |frame| codecs.push(frame.codec));
    }
    let end = ZERO + 10_000 * MS;
    track.advance(end, end);
    track.read(cursor, i64::MAX, |frame| codecs.push(frame.codec));
    let expected: Vec<_> = std::iter::repeat_n(Codec::Pcmu, 60).chain(std::iter::repeat_n(Codec::Pcma, 40)).collect();
    assert_eq!(codecs, expected);
}

/// What is no audio has overtaken what was said before it, or was sent behind what was lost.
#[test]
fn quiet_packets_neither_hide_a_word_nor_a_loss() {
    let quiet = |number: u16| Sent { payload_type: 13, ..Sent::plain(number) };
    let overtaken = Sent { arrival_ms: 1_070, ..Sent::plain(51) };
    let packets = [plain(0..51), vec![quiet(52), overtaken], plain(53..60)].concat();
    let outcome = run(packets);
    assert_eq!(outcome.places(), in_place((0..52).chain(53..60)));
    assert_eq!((outcome.stats.lost, outcome.stats.quiet, outcome.stats.late), (0, 1, 0));
    let outcome = run([plain(0..50), vec![quiet(53)], plain(54..60)].concat());
    assert_eq!(outcome.stats.lost, 3, "50, 51 and 52");
    let after_loss: Vec<_> = outcome.frames.iter().map(|frame| frame.after_loss).collect();
    assert_eq!(after_loss.iter().position(|after_loss| *after_loss), Some(50));
}

/// Time has stood still while nobody spoke, or the last packet was late and the one before it lost: who knows.
#[test]
fn the_last_word_is_heard_though_nothing_comes_behind_it() {
    // Said 600 ms later than its time-stamps tell.
    let muted = |number: u16| Sent { arrival_ms: 600 + i64::from(number) * 20, ..Sent::plain(number) };
    for n in 1..12 {
        let late: Vec<_> = (50..50 + n).map(muted).collect();
        let expected = late.iter().map(|sent| (sent.number, sent.arrival_ms)).collect();
        assert_eq!(run([plain(0..50), late].concat()).places(), [in_place(0..50), expected].concat(), "{n}");
    }
    for delay_ms in [0, 150, 210, 250, 299] {
        let last = Sent { arrival_ms: 51 * 20 + delay_ms, ..Sent::plain(51) };
        let expected = in_place((0..50).chain([51]));
        assert_eq!(run([plain(0..50), vec![last]].concat()).places(), expected, "{delay_ms}");
    }
}

#[test]
fn a_track_does_not_end_while_nobody_knows_where_its_last_word_belongs() {
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    let cursor = track.open(i64::MIN);
    let muted = Sent { arrival_ms: 2_000, ..Sent::plain(50) };
    for sent in plain(0..50).iter().chain([&muted]) {
        track.receive(&sent.bytes(), address(sent.port), ZERO + sent.arrival_ms * MS);
    }
    track.receive(&[0x81, 203, 0, 1, 0, 0, 0, 1], address(4_001), ZERO + 2_001 * MS);
    let mut n_heard = 0;
    let is_end = |now_ms: &i64| {
        let now = ZERO + now_ms * MS;
        track.advance(now - HOLD_NS, now);
        track.read(cursor, now - HOLD_NS, |_| n_heard += 1) == Next::End
    };
    assert_eq!(((2_000..4_000).step_by(50).find(is_end), n_heard), (Some(2_450), 51));
}

#[test]
fn who_sends_is_told_how_it_is_received() {
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    assert_eq!(track.report(7, ZERO), None);
    for packet in plain(0..100).into_iter().filter(|packet| packet.number % 4 != 3) {
        track.receive(&packet.bytes(), address(4_000), ZERO + packet.arrival_ms * MS);
    }
    let sr = [0x80, 200, 0, 6, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    track.receive(&sr, address(4_001), ZERO + 1_000 * MS);
    let (report, to) = track.report(7, ZERO + 1_500 * MS).expect("somebody sends");
    assert_eq!(to, address(4_000));
    // Receiver report of 7 about 1: a quarter lost, 24 (the last one is not known), highest 98, 0x03040506, 0.5 s.
    let head = [0x81, 201, 0, 7, 0, 0, 0, 7, 0, 0, 0, 1];
    assert_eq!(report[..12], head);
    assert_eq!(report[12..20], [62, 0, 0, 24, 0, 0, 0, 98]);
    assert_eq!(report[24..32], [3, 4, 5, 6, 0, 0, 0x80, 0]);
    assert_eq!(report[32..36], [0x81, 202, 0, 4]);
}

#[test]
fn a_flood_of_noise_costs_bounded_memory_and_no_gap() {
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    let cursor = track.open(i64::MIN);
    let mut numbers = Vec::new();
    for packet in plain(0..200) {
        let now = ZERO + packet.arrival_ms * MS;
        // Whom to believe where noise comes first nobody knows, unless SSRC or address are given.
        let n_noise = if packet.number < 2 { 0 } else { 2_000 };
        for noise in 0..n_noise {
            let seed = u32::from(packet.number) * 2_000 + noise;
            let of_noise = Sent { ssrc: seed.wrapping_mul(2_654_435_761), port: 1 + seed as u16 % 9_000, ..packet };
            track.receive(&of_noise.bytes(), address(of_noise.port.max(5_000)), now);
            track.receive(&seed.to_be_bytes(), address(4_000), now);
        }
        track.receive(&packet.bytes(), address(4_000), now);
        track.advance(now - HOLD_NS, now);
        track.read(cursor, now - HOLD_NS, |frame| {
            numbers.push(u16::from_be_bytes([frame.payload[0], frame.payload[1]]))
        });
        assert!(track.candidates.len() <= CANDIDATES_MAX && track.waiting.len() <= 32);
    }
    assert_eq!(numbers, (0..179).collect::<Vec<_>>());
    assert_eq!(track.stats().malformed, 198 * 2_000);
}

#[test]
fn a_queue_that_nobody_empties_is_bounded_and_counted() {
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    for packet in plain(0..5_000) {
        track.receive(&packet.bytes(), address(4_000), ZERO + packet.arrival_ms * MS);
        assert!(track.waiting.len() <= IDLE_MAX);
    }
    assert_eq!(track.stats().overflow, 0, "nobody records");
    track.open(i64::MIN);
    for packet in plain(5_000..8_000) {
        track.receive(&packet.bytes(), address(4_000), ZERO + packet.arrival_ms * MS);
    }
    assert_eq!(track.waiting.len(), WAITING_MAX);
    assert_eq!(track.stats().overflow as usize, 3_000 + IDLE_MAX - WAITING_MAX);
    let end = ZERO + 8_000 * 20 * MS;
    track.advance(end, end);
    check_counted(&track.stats());
}

/// Such a sender was placed further and further ahead, for as long as it sent.
#[test]
fn a_sender_that_is_faster_than_time_is_not_heard_long_after_it_came() {
    let faster = |packet: Sent| Sent { arrival_ms: packet.arrival_ms / 10, ..packet };
    let outcome = run(plain(0..3_000).into_iter().map(faster).collect());
    assert!(outcome.places().iter().all(|(number, at)| *at <= i64::from(*number) * 2 + 1_000));
    check_counted(&outcome.stats);
}

/// Found by fuzzing: of the second of three streams nothing was placed, and the third began before the first's end.
#[test]
fn a_stream_of_which_nothing_is_placed_hides_no_end() {
    let origin = Origin { address: address(4_000), ssrc: 1 };
    let rtp = Rtp { sequence: 1, timestamp: 1, ssrc: 1, payload_type: 0, payload: &[0; 160] };
    let mut stream = Stream::new(origin, Codec::Pcmu, &rtp, ZERO);
    assert_eq!(stream.end_ns(), None);
    stream.follow(ZERO + 7);
    assert_eq!(stream.end_ns(), Some(ZERO + 7));
}
