//! What comes beside a sender's packets, from captures: the same each time.

use std::net::Ipv4Addr;
use std::net::SocketAddrV4;

use crate::packet::Captured;
use crate::packet::PORT;
use crate::packet::Rtp;
use crate::packet::SENDER;
use crate::packet::SSRC;
use crate::packet::bye;
use crate::packet::frames;
use crate::packet::sender_report;
use crate::rig::call;
use crate::rig::check;
use crate::rig::check_counters;
use crate::rig::check_frames;
use crate::rig::check_refused;
use crate::support::call::Call;
use crate::support::serial::FRAME;
use crate::support::sound::Random;

const N: u16 = 150;

/// All frames of a plain call with something else, and the length of nothing but them.
#[track_caller]
fn check_beside(others: Vec<Captured>, options: &str, counters: &[(&str, u64)]) {
    let recording = check(&[frames(N), others].concat(), options, 0..N, counters);
    assert_eq!(recording.wav().frames(), usize::from(N) * FRAME);
}

#[test]
fn garbage_changes_nothing_and_is_counted() {
    let mut random = Random::for_test("garbage_changes_nothing_and_is_counted");
    let mut garbage: Vec<Captured> = Vec::new();
    for at_ms in 100..2_000 {
        let mut bytes: Vec<u8> = (0..random.below(300)).map(|_| random.next() as u8).collect();
        // Of another version than RTP's.
        if let Some(first) = bytes.first_mut() {
            *first &= 0x7f;
        }
        garbage.push(Captured::new(at_ms, bytes));
    }
    check_beside(garbage, "?port=5004", &[("malformed", 1_900), ("placed", N.into()), ("streams", 1), ("lost", 0)]);
}

#[test]
fn packets_cut_off_at_every_byte_are_no_packets() {
    let whole = Rtp::frame(30).bytes();
    let cut = (0..=12).map(|end| Captured::new(1_001, whole[..end].to_vec()));
    // A header alone is RTP, and no audio.
    check_beside(cut.collect(), "?port=5004", &[("malformed", 12), ("unknown", 1), ("duplicate", 0)]);
}

#[test]
fn packets_that_are_too_large_are_no_audio() {
    let large = |n: u16, bytes: usize| Captured { at_us: 1_000_100, ..Captured::new(0, large(n, bytes)) };
    fn large(n: u16, bytes: usize) -> Vec<u8> {
        Rtp { payload: vec![0x55; bytes], ..Rtp::frame(n) }.bytes()
    }
    check_beside(vec![large(900, 4_097), large(901, 9_000), large(902, 65_000)], "", &[("malformed", 3)]);
}

#[test]
fn padding_and_extensions_that_lie_are_malformed() {
    let patched = |at: usize, value: u8| {
        let mut bytes = Rtp::frame(40).bytes();
        bytes[at] |= value;
        if at == 0 {
            // As padding: more than there is, or none.
            *bytes.last_mut().expect("a payload") = if value == 0x20 { 255 } else { 0 };
            bytes[14..16].fill(0xff);
        }
        Captured::new(1_001, bytes)
    };
    check_beside(vec![patched(0, 0x20), patched(0, 0x30), patched(0, 0x10)], "", &[("malformed", 3)]);
}

#[test]
fn packets_that_come_again_are_heard_once() {
    // At once, within the hold, and behind it.
    let again = |delay_ms: u64| frames(N).into_iter().map(move |frame| later(frame, delay_ms));
    let replayed = again(1).chain(again(110)).chain(again(390).take(120)).chain(again(900).take(90));
    let n_replayed = 2 * u64::from(N) + 120 + 90;
    check_beside(replayed.collect(), "", &[("duplicate", n_replayed), ("placed", N.into()), ("streams", 1)]);
}

fn later(frame: Captured, delay_ms: u64) -> Captured {
    Captured { at_us: frame.at_us + delay_ms * 1_000, ..frame }
}

#[test]
fn reports_of_others_and_old_ones_end_nothing() {
    let other = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 66), 4_000);
    let to_rtcp = |at_ms: u64, from, payload: Vec<u8>| Captured { from, to: PORT + 1, ..Captured::new(at_ms, payload) };
    let mut reports = Vec::new();
    for n in 0..40 {
        let at_ms = 300 + n * 50;
        // Not its address; not its SSRC; its own, once more and again; cut off.
        reports.push(to_rtcp(at_ms, other, bye(SSRC)));
        reports.push(to_rtcp(at_ms, SENDER, bye(SSRC + 1)));
        reports.push(to_rtcp(at_ms, SENDER, sender_report(SSRC)));
        reports.push(to_rtcp(at_ms, SENDER, bye(SSRC)[..12].to_vec()));
    }
    check_beside(reports, "?port=5004", &[("control", 160), ("placed", N.into())]);
}

#[test]
fn a_second_source_on_the_port_is_not_heard_beside_the_first() {
    let second = |n: u16| {
        let rtp = Rtp { ssrc: 0x9999, payload: vec![0x55; 160], ..Rtp::frame(n) };
        Captured { from: SocketAddrV4::new(*SENDER.ip(), 4_002), ..Captured::new(u64::from(n) * 20 + 7, rtp.bytes()) }
    };
    let datagrams = [frames(N), (20..130).map(second).collect()].concat();
    check_refused(&call(&datagrams, "?port=5004"), 1, "choose one with ?ssrc=");
    check(&datagrams, "?ssrc=0x1234", 0..N, &[("placed", N.into())]);
    // As a socket would have had it.
    check(&datagrams, "?port=5004&ssrc=0x1234", 0..N, &[("placed", N.into()), ("foreign", 110)]);
}

#[test]
fn a_codec_that_was_not_declared_is_recorded_where_its_type_is_static() {
    check(&frames(N), "?codec=opus", 0..N, &[("placed", N.into()), ("unknown", 0)]);
}

#[test]
fn a_codec_that_was_not_declared_is_silence_with_a_reason_where_its_type_means_nothing() {
    let opus = |n: u16| Rtp { payload_type: 111, payload: vec![15 << 3; 60], ..Rtp::frame(n) };
    let datagrams: Vec<_> = (0..N).map(|n| Captured::new(u64::from(n) * 20, opus(n).bytes())).collect();
    let call = call(&datagrams, "?codec=pcmu").args("--duration 3s");
    let recording = call.record_with_faults("mixed-wav");
    let wav = recording.wav();
    assert_eq!((wav.frames(), wav.samples.iter().find(|sample| **sample != 0)), (48_000, None));
    check_counters(&recording.json, &[("unknown", N.into()), ("placed", 0)]);
    let notes = recording.json["notes"].to_string();
    assert!(notes.contains("150 were not of the codec that was declared"), "{notes}");
}

#[test]
fn packets_after_their_sender_has_left_are_not_heard() {
    let call: Call = call(&frames(N), "").args("--leave caller=1s --duration 2s");
    let recording = call.record("mixed-wav");
    let wav = recording.wav();
    check_frames(&wav, 0..50);
    assert_eq!(wav.frames(), 32_000);
    assert!(wav.samples[16_000..].iter().all(|sample| *sample == 0));
}
