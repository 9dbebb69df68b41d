//! RTP streams of a call among all else that is in a capture, told and chosen.

use std::path::PathBuf;

use reelgraph::ingest::capture::Capture;
use reelgraph::ingest::capture::CaptureError;
use reelgraph::ingest::capture::Select;
use reelgraph::ingest::capture::select;
use reelgraph::ingest::capture::survey;

use crate::packet;
use crate::writer::Order;
use crate::writer::Pcap;

const ADA: &str = "10.0.0.1:4000";
const BOB: &str = "10.0.0.2:5000";

/// A call of 2 s: both directions with a packet every 20 ms, Ada's with a key pressed; SIP, RTCP and DNS around it.
fn call() -> Vec<u8> {
    let mut pcap = Pcap::new(Order::Little, 0xa1b2_c3d4, 1);
    let mut add = |from: &str, to: &str, micros: u32, payload: &[u8]| {
        pcap.packet(
            1_700_000_000 + micros / 1_000_000,
            micros % 1_000_000,
            &packet::ethernet(&[], &packet::ip(from, to, payload)),
        );
    };
    add("10.0.0.1:5060", "10.0.0.2:5060", 0, b"INVITE sip:bob@10.0.0.2 SIP/2.0\r\n\r\n");
    for n in 0..100u16 {
        let micros = u32::from(n) * 20_000;
        let payload_type = if (40..50).contains(&n) { 101 } else { 0 };
        add(ADA, BOB, micros, &packet::rtp(0xada, payload_type, 65_500u16.wrapping_add(n)));
        add(BOB, ADA, micros + 5_000, &packet::rtp(0xb0b, 8, n));
        if n % 20 == 0 {
            let report = [&[0x80, 200, 0, 6, 0, 0, 0x0a, 0xda][..], &[0; 20]].concat();
            add(ADA, BOB, micros + 1, &report);
            add("10.0.0.1:4001", "10.0.0.2:5001", micros + 2, &report);
            // Its id begins as RTP does.
            add("10.0.0.1:33000", "10.0.0.53:53", micros + 3, &[0x80, n as u8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 99]);
        }
    }
    pcap.bytes
}

fn file(dir: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join("call.pcap");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_survey_tells_the_streams_of_a_call_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let survey = survey(&file(&dir, &call())).unwrap();
    let told: Vec<String> = survey.found.streams.iter().map(|stream| stream.to_string()).collect();
    let expected = [
        "ssrc 0x00000ada, 10.0.0.1:4000 to 10.0.0.2:5000, payload type 0 and 101, 100 packets in 2.0 s",
        "ssrc 0x00000b0b, 10.0.0.2:5000 to 10.0.0.1:4000, payload type 8, 100 packets in 2.0 s",
    ];
    assert_eq!(told, expected);
    assert_eq!(survey.found.streams[0].first_at_ns, 1_700_000_000_000_000_000);
    assert_eq!(survey.found.streams[0].last_at_ns, 1_700_000_001_980_000_000);
    assert_eq!((survey.counts.packets, survey.counts.datagrams), (216, 216));
    assert!(!survey.found.is_cut && survey.damage.is_none());
}

#[test]
fn what_is_chosen_is_read_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, &call());
    for (name, first, n) in [(Select::Ssrc(0xada), 65_500, 100), (Select::Port(4000), 0, 100)] {
        let chosen = select(&path, name).unwrap();
        let mut capture = Capture::open(&path).unwrap();
        let mut sequences = Vec::new();
        while let Some(datagram) = capture.next_datagram().unwrap() {
            if chosen.has(&datagram) {
                sequences.push(u16::from_be_bytes([datagram.payload[2], datagram.payload[3]]));
            }
        }
        assert_eq!(sequences, (0..n).map(|i| u16::wrapping_add(first, i)).collect::<Vec<_>>(), "{name:?}");
    }
}

#[test]
fn who_names_nothing_is_told_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, &call());
    let text = select(&path, Select::Only).expect_err("there are two").to_string();
    let expected = "there are several RTP streams; choose one with ?ssrc= or ?port=:\
        \n  ssrc 0x00000ada, 10.0.0.1:4000 to 10.0.0.2:5000, payload type 0 and 101, 100 packets in 2.0 s\
        \n  ssrc 0x00000b0b, 10.0.0.2:5000 to 10.0.0.1:4000, payload type 8, 100 packets in 2.0 s";
    assert_eq!(text, expected);
    let error = select(&path, Select::Port(5060)).expect_err("SIP is no stream");
    assert!(matches!(&error, CaptureError::NoSuchStream { found, .. } if found.streams.len() == 2), "{error}");
}

#[test]
fn a_call_that_is_cut_off_can_be_chosen_from() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = call();
    let path = file(&dir, &bytes[..bytes.len() - 100]);
    assert!(matches!(survey(&path).unwrap().damage, Some(CaptureError::Truncated { .. })));
    assert_eq!(select(&path, Select::Ssrc(0xb0b)).unwrap().streams[0].packets, 99);
}
