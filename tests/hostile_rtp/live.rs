//! What comes to a live port beside a phone's packets, and instead of them.

use crate::packet::Rtp;
use crate::packet::SSRC;
use crate::packet::bye;
use crate::packet::sender_report;
use crate::support::sound::Random;
use crate::voice::Live;
use crate::voice::Phone;
use crate::voice::address;

/// 3 s and some more than what is recorded of them.
const N: u16 = 190;
const THREE_SECONDS: usize = 48_000;

fn noise(n: u16) -> Rtp {
    Rtp { payload: vec![0x55; 160], ..Rtp::frame(n) }
}

#[test]
fn whatever_strangers_send_beside_a_phone_it_is_heard_and_nobody_else() {
    let live = Live::start("codec=pcmu", "--duration 3s");
    let phone = Phone::new(live.to);
    // Another port, another address.
    let strangers = [Phone::new(live.to), Phone::at(address(), live.to)];
    let mut random = Random::for_test("strangers");
    let spoken = phone.speak(N, |n, bytes| {
        // Not before it is known who speaks.
        if n < 5 {
            return;
        }
        for stranger in &strangers {
            // Its very numbers, its very packets, its numbers and another voice, another source, and garbage.
            stranger.send(&noise(n + 1).bytes());
            stranger.send(&bytes);
            stranger.send(&Rtp { ssrc: 99, ..noise(n) }.bytes());
            stranger.send(&(0..random.below(60)).map(|_| random.next() as u8).collect::<Vec<_>>());
        }
        // From the phone's own address: once more, another source, cut off, too large for RTP, as large as can be.
        phone.send(&bytes);
        phone.send(&Rtp { ssrc: 77, ..noise(n) }.bytes());
        phone.send(&bytes[..7]);
        phone.send(&Rtp { payload: vec![0; 4_200], ..noise(n) }.bytes());
        phone.send(&Rtp { payload: vec![0; 60_000], ..noise(n) }.bytes());
    });
    let recorded = live.finish(0);
    assert_eq!(recorded.wav.frames(), THREE_SECONDS);
    recorded.check_frames(&spoken);
    let [placed, foreign, malformed] = ["placed", "foreign", "malformed"].map(|name| recorded.counter(name));
    assert!(placed + recorded.counter("late") >= 100 && recorded.counter("streams") == 1, "{}", recorded.json);
    // 7 of other senders to a frame, and 3 that are none.
    assert!(foreign > 5 * placed && malformed > 2 * placed, "{}", recorded.json["packets"]);
}

/// A machine that stands still, each time for longer than the hold: what came meanwhile is in the kernel, with its
/// stamps.
#[test]
fn a_recorder_that_stood_still_has_lost_nothing() {
    let live = Live::start("codec=pcmu", "--duration 6s");
    // Time and again: who comes back first, the worker or the reader of sockets, is left to chance.
    let spoken = Phone::new(live.to).speak(340, |n, _| match n % 50 {
        0 if (50..300).contains(&n) => live.program.signal("STOP"),
        35 if (50..300).contains(&n) => live.program.signal("CONT"),
        _ => (),
    });
    let recorded = live.finish(0);
    recorded.check_frames(&spoken);
    assert_eq!((recorded.counter("late"), recorded.counter("kernelDrops")), (0, 0), "{}", recorded.json["packets"]);
}

/// 20 ms of stereo at 48 kHz: the largest that a track takes.
#[test]
fn large_packets_are_heard() {
    let live = Live::start("codec=l16&rate=48000&channels=2", "--duration 1s");
    let large = |rtp: Rtp| Rtp { payload_type: 96, payload: vec![0x11; 3_840], ..rtp };
    let spoken = Phone::new(live.to).speak_as(90, large, |_, _| ());
    let recorded = live.finish(0);
    let (placed, malformed) = (recorded.counter("placed"), recorded.counter("malformed"));
    assert!(placed >= 40 && malformed == 0, "{} of {}: {}", placed, spoken.n, recorded.json["packets"]);
}

#[test]
fn a_goodbye_of_others_ends_nothing_and_that_of_the_phone_ends_the_call() {
    let mut live = Live::start("codec=pcmu", "");
    let phone = Phone::new(live.to);
    let stranger = Phone::at(address(), live.to);
    let spoken = phone.speak(100, |_, _| {
        stranger.send_control(&bye(SSRC));
        stranger.send(&bye(SSRC));
        phone.send_control(&bye(SSRC + 1));
        phone.send_control(&sender_report(SSRC));
        phone.send_control(&bye(SSRC)[..11]);
    });
    assert!(live.program.is_running());
    phone.send_control(&bye(SSRC));
    let recorded = live.finish(0);
    recorded.check_frames(&spoken);
    assert_eq!((recorded.counter("control"), &recorded.json["endReason"]), (501, &"media-ended".into()));
}

#[test]
fn packets_after_a_phone_has_left_are_not_heard() {
    let live = Live::start("codec=pcmu", "--leave caller=1s --duration 2s");
    let spoken = Phone::new(live.to).speak(140, |_, _| ());
    let recorded = live.finish(0);
    assert_eq!(recorded.wav.frames(), 32_000);
    // They are cut at the nearest sample of their own, at 8 kHz, which may reach one of the file's further.
    let heard = recorded.wav.samples[16_001..].iter().position(|sample| *sample != 0);
    assert_eq!(heard, None, "{:?}", &recorded.wav.samples[15_990..16_020]);
    assert!(recorded.wav.samples[8_000..16_000].iter().any(|sample| *sample != 0), "{} were sent", spoken.n);
}

#[test]
fn a_codec_that_was_not_declared_is_silence_with_a_reason() {
    let live = Live::start("codec=pcmu", "--duration 1s");
    let phone = Phone::new(live.to);
    let mut n_sent = 0;
    let opus = |rtp| Rtp { payload_type: 111, payload: vec![15 << 3; 60], ..rtp };
    phone.speak_as(90, opus, |_, _| n_sent += 1);
    let recorded = live.finish(4);
    assert_eq!((recorded.wav.frames(), recorded.wav.samples.iter().find(|sample| **sample != 0)), (16_000, None));
    let unknown = recorded.counter("unknown");
    assert!(unknown > 0 && unknown <= n_sent && recorded.counter("placed") == 0, "{}", recorded.json["packets"]);
    assert!(recorded.json["notes"].to_string().contains("not of the codec that was declared"));
}

#[test]
fn a_codec_that_was_not_declared_is_heard_where_its_type_is_static() {
    let live = Live::start("codec=opus", "--duration 1s");
    let spoken = Phone::new(live.to).speak(90, |_, _| ());
    live.finish(0).check_frames(&spoken);
}

/// Counters that jump to anywhere: what is said next is said now, and the file has the length of its call.
#[test]
fn jumps_to_anywhere_leave_speech_in_its_place() {
    let live = Live::start("codec=pcmu", "--duration 3s");
    let phone = Phone::new(live.to);
    let jumps: [(u16, u32); 4] = [(0, 0), (0, 1 << 31), (30_000, 0u32.wrapping_sub(1 << 30)), (9, 1 << 29)];
    let first = Rtp::frame(0).sequence;
    let jumped = |rtp: Rtp| {
        let (sequence, timestamp) = jumps[usize::from(rtp.sequence.wrapping_sub(first) / 40) % 4];
        let (sequence, timestamp) = (rtp.sequence.wrapping_add(sequence), rtp.timestamp.wrapping_add(timestamp));
        Rtp { sequence, timestamp, ..rtp }
    };
    let spoken = phone.speak_as(N, jumped, |_, _| ());
    let recorded = live.finish(0);
    assert_eq!(recorded.wav.frames(), THREE_SECONDS);
    recorded.check_frames(&spoken);
    assert!(recorded.counter("streams") >= 3, "{}", recorded.json["packets"]);
}
