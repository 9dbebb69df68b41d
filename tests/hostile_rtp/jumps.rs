//! Sequence numbers and time-stamps that jump: speech stays in its place, and no jump makes a file longer than its
//! call.

use crate::packet::Captured;
use crate::packet::Rtp;
use crate::packet::STEP_MS;
use crate::rig::call;
use crate::rig::check;
use crate::rig::check_counted;
use crate::rig::counter;
use crate::rig::numbers;
use crate::support::serial::FRAME;
use crate::support::sound::Random;

const N: u16 = 200;

/// Adds to sequence numbers and time-stamps.
type Jump = (u16, u32);

const JUMPS: [Jump; 10] = [
    (0, 1 << 30),
    (0, 1 << 31),
    (0, (1 << 31) + 160),
    (0, 0u32.wrapping_sub(1 << 30)),
    (0, 0u32.wrapping_sub(160_000)),
    (0, 80_000),
    (30_000, 0),
    (40_000, 0),
    (0u16.wrapping_sub(300), 0u32.wrapping_sub(300 * 160)),
    (0x8000, 0x8000_0000),
];

fn jumped(n: u16, (sequence, timestamp): Jump) -> Captured {
    let rtp = Rtp::frame(n);
    let (sequence, timestamp) = (rtp.sequence.wrapping_add(sequence), rtp.timestamp.wrapping_add(timestamp));
    Captured::new(u64::from(n) * STEP_MS, Rtp { sequence, timestamp, ..rtp }.bytes())
}

#[test]
fn a_sender_that_jumps_for_good_is_followed_without_losing_a_word() {
    for jump in JUMPS {
        let datagrams: Vec<_> = (0..N).map(|n| jumped(n, if n < 90 { (0, 0) } else { jump })).collect();
        let recording = check(&datagrams, "", 0..N, &[("placed", N.into()), ("streams", 2)]);
        assert_eq!(recording.wav().frames(), usize::from(N) * FRAME, "{jump:?}");
    }
}

#[test]
fn a_single_packet_of_another_time_is_a_loss_and_no_more() {
    for jump in JUMPS {
        let datagrams: Vec<_> = (0..N).map(|n| jumped(n, if n == 90 { jump } else { (0, 0) })).collect();
        let recording = call(&datagrams, "").record("mixed-wav");
        let wav = recording.wav();
        let told: Vec<_> = numbers(&wav).into_iter().map(|(number, _)| number).collect();
        // What conceals a loss may well read as the frame that it repeats.
        let others: Vec<_> = told.iter().copied().filter(|number| !(89..=91).contains(number)).collect();
        assert_eq!(others, (0..89).chain(92..N).collect::<Vec<_>>(), "{jump:?}");
        assert_eq!((counter(&recording.json, "streams"), wav.frames()), (1, usize::from(N) * FRAME), "{jump:?}");
        check_counted(&recording.json);
    }
}

/// Whatever a sender does with its counters, its file is as long as its call, and one second at most.
#[test]
fn jumps_without_end_make_no_giant_file() {
    let mut random = Random::for_test("jumps_without_end_make_no_giant_file");
    for every in [1, 2, 3, 11, 40] {
        let mut jump = (0, 0);
        let datagrams = (0..N).map(|n| {
            if n % every == 0 {
                jump = (random.next() as u16, random.next() as u32);
            }
            jumped(n, jump)
        });
        check_bounded(&datagrams.collect::<Vec<_>>(), N);
    }
}

/// Ten times as much media as there is time for it: what cannot be heard when it is sent is not heard at all.
#[test]
fn a_sender_that_is_faster_than_time_makes_no_giant_file() {
    for faster in [2, 10, 100] {
        let datagrams = (0..20_000).map(|n: u16| Captured {
            at_us: u64::from(n) * STEP_MS * 1_000 / faster,
            ..Captured::new(0, Rtp { payload: vec![0x55; 160], ..Rtp::frame(n) }.bytes())
        });
        let n = (4 * faster * 1_000 / STEP_MS).min(20_000) as usize;
        check_bounded(&datagrams.take(n).collect::<Vec<_>>(), (n as u64 / faster) as u16);
    }
}

/// The longest payloads that there are, each of a stream of its own that begins where the one before it ended.
#[test]
fn streams_that_push_each_other_on_make_no_giant_file() {
    let datagrams = (0..N).flat_map(|n| {
        let of = |k: u16| {
            let (sequence, timestamp) = (n * 300 + k, (u32::from(n) << 24) + u32::from(k) * 4_096);
            let rtp = Rtp { ssrc: u32::from(n), sequence, timestamp, payload_type: 0, payload: vec![0x55; 4_096] };
            Captured::new(u64::from(n) * 250 + u64::from(k) * 210, rtp.bytes())
        };
        [of(0), of(1)]
    });
    check_bounded(&datagrams.collect::<Vec<_>>(), 2_500);
}

/// Records a call of so many frames' time.
#[track_caller]
fn check_bounded(datagrams: &[Captured], n: u16) {
    // A lone packet of each stream is no stream, and then nothing is there to be recorded.
    let call = call(datagrams, "?port=5004");
    let output = call.run(&[], "mixed-wav", &call.path("out"));
    assert!([0, 1, 4].contains(&output.status.code().expect("no signal")), "{}", output.stderr);
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    let bytes = std::fs::metadata(call.path("out/mixed-wav-000.wav")).map_or(0, |file| file.len());
    // A second ahead of its time, half of one long.
    let longest = (usize::from(n) * FRAME + 16_000 + 8_192) * 2 + 44;
    assert!(bytes as usize <= longest, "{bytes} bytes of {longest}");
}
