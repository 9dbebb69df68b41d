//! Every container and link type that is read, written by hand: times, addresses and bytes, exactly.

use std::collections::BTreeSet;
use std::path::Path;

use reelgraph::ingest::capture::Capture;
use reelgraph::ingest::capture::CaptureError;
use reelgraph::ingest::capture::Counts;

use crate::packet;
use crate::reading::read;
use crate::writer::Order;
use crate::writer::Pcap;
use crate::writer::Pcapng;

const A: &str = "10.0.0.1:4000";
const B: &str = "10.0.0.2:5000";
const A6: &str = "[2001:db8::1]:4000";
const B6: &str = "[2001:db8::2]:5000";
const LINKS: [u16; 8] = [0, 1, 101, 108, 113, 228, 229, 276];
const ORDERS: [Order; 2] = [Order::Little, Order::Big];

/// Checks that a capture has these datagrams from A to B: times and payloads.
#[track_caller]
fn check(bytes: &[u8], expected: &[(i64, &[u8])]) {
    let reading = read(bytes);
    assert!(reading.error.is_none(), "{:?}", reading.error);
    let ends: BTreeSet<_> = reading.datagrams.iter().map(|d| (d.from.as_str(), d.to.as_str())).collect();
    assert!(ends.is_subset(&BTreeSet::from([(A, B), (A6, B6)])), "{ends:?}");
    let found: Vec<_> = reading.datagrams.iter().map(|d| (d.at_ns, d.payload.as_slice())).collect();
    assert_eq!(found, expected);
}

#[test]
fn pcap_of_both_units_and_byte_orders() {
    for order in ORDERS {
        for (magic, ns) in [(0xa1b2_c3d4, 1_700_000_000_123_456_000), (0xa1b2_3c4d, 1_700_000_000_000_123_456)] {
            for link in LINKS {
                let mut pcap = Pcap::new(order, magic, u32::from(link));
                pcap.packet(1_700_000_000, 123_456, &packet::linked(link, &packet::ip(A, B, b"one")));
                pcap.packet(1_699_999_999, 123_456, &packet::linked(link, &packet::ip(A6, B6, b"")));
                check(&pcap.bytes, &[(ns, b"one"), (ns - 1_000_000_000, b"")]);
            }
        }
    }
}

#[test]
fn the_length_of_a_check_sequence_is_no_part_of_the_link_type() {
    let mut pcap = Pcap::new(Order::Little, 0xa1b2_c3d4, 0x4400_0001);
    pcap.packet(1, 0, &[packet::ethernet(&[], &packet::ip(A, B, b"one")), vec![1, 2, 3, 4]].concat());
    check(&pcap.bytes, &[(1_000_000_000, b"one")]);
}

#[test]
fn pcapng_with_interfaces_sections_and_clocks() {
    let frame = |link, payload: &[u8]| packet::linked(link, &packet::ip(A, B, payload));
    for order in ORDERS {
        let mut file = Pcapng::default();
        file.section(order);
        file.interface(1, None, None);
        file.interface(113, Some(9), None);
        // Blocks in between that are passed over: statistics, names, a custom one, one of 100 kB that nobody knows.
        file.block(5, &[0; 16]);
        file.block(4, &[0; 4]);
        file.block(0x0bad, &[0; 9]);
        file.block(0x1234, &[7; 100_000]);
        file.packet(1, 1_700_000_000_000_000_001, &frame(113, b"nanoseconds"));
        file.packet(0, 1_700_000_000_000_001, &frame(1, b"microseconds"));
        file.interface(101, Some(0x80 | 10), Some(1_700_000_000));
        file.packet(2, 1024 + 256, &frame(101, b"1024 a second, from an offset on"));
        file.obsolete_packet(0, 1_700_000_000_000_002, &frame(1, b"old"));
        // Interfaces begin anew, and the byte order may change.
        file.section(if order == Order::Little { Order::Big } else { Order::Little });
        file.interface(276, Some(3), Some(-1));
        file.packet(0, 1_700_000_000_001, &frame(276, b"milliseconds"));
        check(
            &file.bytes,
            &[
                (1_700_000_000_000_000_001, b"nanoseconds"),
                (1_700_000_000_000_001_000, b"microseconds"),
                (1_700_000_001_250_000_000, b"1024 a second, from an offset on"),
                (1_700_000_000_000_002_000, b"old"),
                (1_699_999_999_001_000_000, b"milliseconds"),
            ],
        );
    }
}

#[test]
fn vlan_tags_options_and_extension_headers_are_passed_over() {
    let body = packet::udp(4000, 5000, b"one");
    let (v4, v6) =
        (([10, 0, 0, 1], [10, 0, 0, 2]), |last: u8| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    let extensions = [&[60, 0, 1, 4, 0, 0, 0, 0][..], &[17, 0, 1, 4, 0, 0, 0, 0], &body].concat();
    let frames = [
        packet::ethernet(&[[0x81, 0]], &packet::ip(A, B, b"one")),
        packet::ethernet(&[[0x88, 0xa8], [0x81, 0]], &packet::ip(A6, B6, b"one")),
        packet::ethernet(&[], &packet::ipv4(v4.0, v4.1, &[1, 1, 1, 0], [0x40, 0], 17, &body)),
        packet::ethernet(&[], &packet::ipv6(v6(1), v6(2), 0, &extensions)),
    ];
    let mut pcap = Pcap::new(Order::Little, 0xa1b2_c3d4, 1);
    for frame in &frames {
        pcap.packet(1, 0, frame);
    }
    check(&pcap.bytes, &[(1_000_000_000, b"one".as_slice()); 4]);
}

#[test]
fn what_is_no_datagram_is_counted_by_what_it_is() {
    let whole = packet::ip(A, B, &[7; 100]);
    let v4 =
        |fragment, protocol, body: &[u8]| packet::ipv4([10, 0, 0, 1], [10, 0, 0, 2], &[], fragment, protocol, body);
    let mut pcap = Pcap::new(Order::Little, 0xa1b2_c3d4, 1);
    let mut add = |packet: &[u8]| pcap.packet(1, 0, &packet::ethernet(&[], packet));
    add(&whole);
    add(&v4([0, 0], 6, &[0; 20]));
    add(&v4([0x20, 0], 17, &[0; 64]));
    add(&v4([0x00, 8], 17, &[0; 64]));
    add(&v4([0, 0], 17, &[0, 1, 0, 2, 0, 99, 0, 0]));
    let frame = packet::ethernet(&[], &whole);
    pcap.cut_packet(1, 0, &frame[..60], frame.len());
    pcap.cut_packet(1, 0, &frame[..10], frame.len());
    // All that is missing is the padding that Ethernet adds.
    let short = packet::ethernet(&[], &packet::ip(A, B, b"one"));
    pcap.cut_packet(1, 0, &short[..45], short.len());
    // Not cut by the capture, and shorter than it says.
    pcap.packet(1, 0, &frame[..60]);
    pcap.packet(1, 0, &[]);
    let reading = read(pcap.bytes.as_slice());
    let expected =
        Counts { packets: 10, datagrams: 2, not_udp: 1, fragments: 2, truncated: 2, malformed: 3, ..Counts::default() };
    assert_eq!(reading.counts, expected);
    assert!(reading.error.is_none());
}

#[test]
fn an_interface_that_is_not_read_is_counted_and_told_only_where_nothing_else_is() {
    let mut file = Pcapng::default();
    file.section(Order::Little);
    file.interface(189, None, None);
    file.packet(0, 1, &[0; 64]);
    let reading = read(file.bytes.as_slice());
    assert!(matches!(reading.error, Some(CaptureError::UnsupportedLink { number: 189 })), "{:?}", reading.error);
    file.interface(1, None, None);
    file.packet(1, 1, &packet::ethernet(&[], &packet::ip(A, B, b"one")));
    let reading = read(file.bytes.as_slice());
    assert!(reading.error.is_none(), "{:?}", reading.error);
    assert_eq!((reading.counts.datagrams, reading.counts.unsupported_links), (1, 1));
}

#[test]
fn packets_without_a_time_are_counted_and_told_only_where_nothing_else_is() {
    let mut file = Pcapng::default();
    file.section(Order::Big);
    file.interface(1, None, None);
    file.simple_packet(&packet::ethernet(&[], &packet::ip(A, B, b"one")));
    let reading = read(file.bytes.as_slice());
    assert!(matches!(reading.error, Some(CaptureError::NoTimes)), "{:?}", reading.error);
    file.packet(0, 1, &packet::ethernet(&[], &packet::ip(A, B, b"one")));
    let reading = read(file.bytes.as_slice());
    assert!(reading.error.is_none(), "{:?}", reading.error);
    assert_eq!((reading.counts.datagrams, reading.counts.untimed), (1, 1));
}

#[track_caller]
fn check_refused(bytes: &[u8], text: &str) {
    let reading = read(bytes);
    assert_eq!(reading.error.expect("it is refused").to_string(), text);
    assert_eq!(reading.counts, Counts::default());
}

#[test]
fn what_is_no_capture_is_told_by_what_it_is() {
    check_refused(b"", "the file is empty; whoever wrote it wrote nothing");
    let gzip = "this is compressed with gzip, not a packet capture; give pcap or pcapng";
    check_refused(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], gzip);
    check_refused(b"RIFF\x24\0\0\0WAVEfmt ", "this is a WAV file, not a packet capture; give pcap or pcapng");
    check_refused(b"hello, world\n", "this is a text, not a packet capture; give pcap or pcapng");
    check_refused(&[7; 64], "this is no known format, not a packet capture; give pcap or pcapng");
    let bluetooth = Pcap::new(Order::Big, 0xa1b2_c3d4, 201);
    let text = "link type 201 is not read; capture Ethernet (1), raw IP (101), Linux cooked (113, 276) or loopback";
    check_refused(&bluetooth.bytes, text);
    let mut version = Pcap::new(Order::Little, 0xa1b2_c3d4, 1).bytes;
    version[4] = 3;
    check_refused(&version, "this is pcap of version 3.4, which is not known; write it anew with editcap");
}

#[test]
fn files_that_are_none_are_told_before_they_are_opened() {
    let dir = tempfile::tempdir().unwrap();
    let error = |path: &Path| Capture::open(path).expect_err("it is refused");
    assert!(matches!(error(&dir.path().join("none")), CaptureError::NotFound));
    assert!(matches!(error(dir.path()), CaptureError::Directory));
    assert!(matches!(error(Path::new("/dev/zero")), CaptureError::NotRegular));
}
