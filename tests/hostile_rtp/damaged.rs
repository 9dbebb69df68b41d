//! Captures that are cut off, malformed or from another time: what is there is recorded, and why there is no more is
//! told.

use crate::packet::Captured;
use crate::packet::Rtp;
use crate::packet::frames;
use crate::packet::pcap;
use crate::rig::call;
use crate::rig::call_of_bytes;
use crate::rig::check_counters;
use crate::rig::check_frames;
use crate::rig::check_refused;
use crate::rig::numbers;
use crate::support::call::Call;
use crate::support::serial::FRAME;

const HEADER_BYTES: usize = 24;
/// Header of a record, IP, UDP, RTP, 20 ms.
const RECORD_BYTES: usize = 16 + 20 + 8 + 12 + 160;

/// The first `n` frames are recorded, and a note says this.
#[track_caller]
fn check_kept(call: &Call, n: u16, says: &str) {
    let recording = call.record_with_faults("mixed-wav");
    let wav = recording.wav();
    check_frames(&wav, 0..n);
    assert_eq!(wav.frames(), usize::from(n) * FRAME);
    check_counters(&recording.json, &[("placed", n.into()), ("received", n.into())]);
    let notes = recording.json["notes"].to_string();
    assert!(notes.contains(says), "{notes}");
}

#[test]
fn a_capture_that_is_cut_off_gives_all_that_was_before() {
    let whole = pcap(&frames(100));
    for (n, rest) in [(60, 1), (60, 15), (61, 16), (62, RECORD_BYTES - 1), (3, 40)] {
        let end = HEADER_BYTES + n * RECORD_BYTES + rest;
        check_kept(&call_of_bytes(&whole[..end], "?codec=pcmu"), n as u16, "cut off in the record");
    }
}

#[test]
fn a_capture_with_a_record_that_lies_gives_all_that_was_before() {
    let mut lying = pcap(&frames(100));
    let at = HEADER_BYTES + 70 * RECORD_BYTES + 8;
    lying[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    check_kept(&call_of_bytes(&lying, ""), 70, "claims 4294967295 bytes");
}

#[test]
fn datagrams_whose_headers_lie_are_not_heard() {
    let mut lying = pcap(&frames(100));
    // The length of the IP packet, of the UDP datagram; a fragment; another protocol.
    for (n, at, value) in [(20, 18, 0xff), (21, 40, 0xff), (22, 22, 0x20), (23, 25, 6)] {
        lying[HEADER_BYTES + n * RECORD_BYTES + at] = value;
    }
    let recording = call_of_bytes(&lying, "").record("mixed-wav");
    assert_eq!(recording.wav().frames(), 100 * FRAME);
    check_counters(&recording.json, &[("received", 96), ("placed", 96), ("lost", 4)]);
}

#[test]
fn a_capture_that_is_cut_off_before_anything_was_said_is_refused() {
    let whole = pcap(&frames(100));
    check_refused(&call_of_bytes(&whole[..HEADER_BYTES + 2 * RECORD_BYTES + 9], ""), 1, "cut off in the record");
    check_refused(&call_of_bytes(&whole[..10], ""), 1, "cut off in the record");
    check_refused(&call_of_bytes(&[], ""), 1, "the file is empty");
    check_refused(&call_of_bytes(&[7; 4_000], ""), 1, "not a packet capture");
}

#[test]
fn a_capture_without_rtp_is_refused() {
    check_refused(&call(&[], ""), 1, "no RTP stream");
    let others: Vec<_> = (0..100).map(|n| Captured::new(n, vec![n as u8 & 0x7f; 50])).collect();
    check_refused(&call(&others, ""), 1, "no RTP stream");
    check_refused(&call(&frames(50), "?ssrc=0x99"), 1, "no RTP stream has ssrc 0x00000099");
    check_refused(&call(&frames(50), "?port=99"), 1, "no RTP stream has destination port 99");
}

#[test]
fn a_capture_of_a_dynamic_type_needs_a_codec() {
    let opus = |n: u16| Rtp { payload_type: 111, payload: vec![15 << 3; 60], ..Rtp::frame(n) };
    let datagrams: Vec<_> = (0..50).map(|n| Captured::new(u64::from(n) * 20, opus(n).bytes())).collect();
    check_refused(&call(&datagrams, ""), 1, "say what is sent");
}

/// A single wrong time, or another call in the same file, must not make hours of silence.
#[test]
fn a_time_that_is_wrong_makes_no_giant_file() {
    const HOUR_US: u64 = 3_600 * 1_000_000;
    for hours in [2, 24 * 365, 24 * 365 * 50] {
        let later = |frame: Captured| Captured { at_us: frame.at_us + hours * HOUR_US, ..frame };
        let datagrams = (0..100).map(|n| if n < 60 { Captured::frame(n) } else { later(Captured::frame(n)) });
        let says = format!("nothing for {hours} hours");
        check_kept(&call(&datagrams.collect::<Vec<_>>(), "?port=5004"), 60, &says);
    }
}

/// A clock that is set back, or a time that is wrong: what cannot be heard until it has caught up is told.
#[test]
fn a_time_that_goes_back_is_told() {
    for (name, wrong, by_s, says) in [("wrong", 60..61, 600, "599.980 s"), ("set back", 60..200, -30, "29.980 s")] {
        let mut bytes = pcap(&frames(200));
        for n in wrong {
            let at = HEADER_BYTES + n * RECORD_BYTES;
            let seconds = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            bytes[at..at + 4].copy_from_slice(&seconds.saturating_add_signed(by_s).to_le_bytes());
        }
        let recording = call_of_bytes(&bytes, "?port=5004").record_with_faults("mixed-wav");
        let heard: Vec<_> = numbers(&recording.wav()).into_iter().map(|(number, _)| number).collect();
        assert!(heard.starts_with(&(0..60).collect::<Vec<_>>()), "{name}: {heard:?}");
        check_counters(&recording.json, &[("received", 200)]);
        let notes = recording.json["notes"].to_string();
        assert_eq!(notes.matches("goes back by").count(), 1, "{name}: {notes}");
        assert!(notes.contains(says), "{name}: {notes}");
    }
}

/// A single record that was stamped too early, be it of somebody else, costs nothing.
#[test]
fn a_single_time_that_is_too_early_costs_nothing() {
    let mut bytes = pcap(&frames(200));
    let at = HEADER_BYTES + 60 * RECORD_BYTES;
    bytes[at..at + 4].copy_from_slice(&0u32.to_le_bytes());
    let recording = call_of_bytes(&bytes, "?port=5004").record_with_faults("mixed-wav");
    // It seems early by a packet, which the clock follows: the last frame may have lost its last samples.
    let numbers: Vec<_> = numbers(&recording.wav()).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers[..199], (0..199).collect::<Vec<_>>());
}

/// Before anybody speaks a capture may be quiet for long, but not for years.
#[test]
fn a_first_time_that_is_wrong_makes_no_giant_file() {
    let year_us = 365 * 24 * 3_600 * 1_000_000;
    let first = Captured { at_us: 0, to: 9, ..Captured::new(0, vec![1; 20]) };
    let later = frames(50).into_iter().map(|frame| Captured { at_us: frame.at_us + year_us, ..frame });
    let datagrams: Vec<_> = [first].into_iter().chain(later).collect();
    let call = call(&datagrams, "");
    let output = call.run(&[], "mixed-wav", &call.path("out"));
    assert!([1, 4].contains(&output.status.code().expect("no signal")), "{}", output.stderr);
    let bytes = std::fs::metadata(call.path("out/mixed-wav-000.wav")).map_or(0, |file| file.len());
    assert!(bytes < 1_000, "{bytes}");
}

#[test]
fn times_that_go_back_put_nothing_out_of_its_place() {
    // Written late, with a time before that of their neighbours.
    let mut bytes = pcap(&frames(150));
    let record = |n: usize| HEADER_BYTES + n * RECORD_BYTES;
    for (n, back_us) in [(40, 50_000u32), (90, 700_000)] {
        let at = record(n) + 4;
        let us = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        bytes[at..at + 4].copy_from_slice(&us.saturating_sub(back_us).to_le_bytes());
    }
    let recording = call_of_bytes(&bytes, "").record("mixed-wav");
    // They seem early by a packet, which the clock follows: the last frame may have lost its last samples.
    let numbers: Vec<_> = numbers(&recording.wav()).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers[..149], (0..149).collect::<Vec<_>>());
    check_counters(&recording.json, &[("placed", 150), ("streams", 1)]);
}
