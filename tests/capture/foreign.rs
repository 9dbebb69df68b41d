//! Captures that other people's programs made, and ours as tshark reads them.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::packet;
use crate::reading::ReadDatagram;
use crate::reading::read_file;
use crate::support::judge;
use crate::writer::Order;
use crate::writer::Pcap;
use crate::writer::Pcapng;

const A: &str = "10.0.0.1:4000";
const B: &str = "10.0.0.2:5000";
const A6: &str = "[2001:db8::1]:4000";
const B6: &str = "[2001:db8::2]:5000";

/// Runs a program with words and files as its arguments.
#[track_caller]
fn run(program: &str, words: &str, files: &[&Path]) -> String {
    let words = words.split_whitespace().map(OsStr::new);
    let (stdout, _) = judge::run(program, words.chain(files.iter().map(|file| file.as_os_str())));
    String::from_utf8(stdout).expect("text")
}

/// What tshark reads of the UDP datagrams in a file.
#[track_caller]
fn tshark(path: &Path) -> Vec<ReadDatagram> {
    const FIELDS: &str = "-n -l -T fields -E separator=; -E occurrence=l -e frame.time_epoch -e ip.src -e ip.dst \
                          -e ipv6.src -e ipv6.dst -e udp.srcport -e udp.dstport -e udp.payload";
    let text = run("tshark", &format!("{FIELDS} -Y udp -r"), &[path]);
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(';').collect();
        let [time, from, to, from6, to6, from_port, to_port, payload] = fields[..] else { panic!("{line}") };
        let (seconds, fraction) = time.split_once('.').expect("a time with a fraction");
        assert_eq!(fraction.len(), 9, "{line}");
        let address =
            |v4: &str, v6: &str, port| if v4.is_empty() { format!("[{v6}]:{port}") } else { format!("{v4}:{port}") };
        let hex = payload.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        ReadDatagram {
            at_ns: seconds.parse::<i64>().unwrap() * 1_000_000_000 + fraction.parse::<i64>().unwrap(),
            from: address(from, from6, from_port),
            to: address(to, to6, to_port),
            payload: hex.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect(),
        }
    };
    text.lines().map(row).collect()
}

fn datagram(at_ns: i64, from: &str, to: &str, payload: &[u8]) -> ReadDatagram {
    ReadDatagram { at_ns, from: from.to_string(), to: to.to_string(), payload: payload.to_vec() }
}

/// Writes bytes to a file.
fn file(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A pcap of one link type with some datagrams a second, from a second on.
fn pcap(link: u16, second: u32) -> Vec<u8> {
    let mut pcap = Pcap::new(Order::Little, 0xa1b2_3c4d, u32::from(link));
    for n in 0..5u16 {
        let (from, to) = if n % 2 == 0 { (A, B) } else { (A6, B6) };
        let packet = packet::ip(from, to, &packet::rtp(7, 0, n)[..20 + usize::from(n)]);
        pcap.packet(second + u32::from(n), 123_456_789 + u32::from(n), &packet::linked(link, &packet));
    }
    pcap.bytes
}

#[test]
fn text2pcap_writes_what_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let text = "2023-11-14T22:13:20.123456Z\n000000 01 02 03\n2023-11-14T22:13:20.143456Z\n000000 04 05 06 07 08\n";
    let text = file(&dir, "text", text.as_bytes());
    for format in ["pcap", "pcapng", "nsecpcap"] {
        for (addresses, from, to) in [("-4 10.0.0.1,10.0.0.2", A, B), ("-6 2001:db8::1,2001:db8::2", A6, B6)] {
            let path = dir.path().join("capture");
            run("text2pcap", &format!("-q -t ISO {addresses} -u 4000,5000 -F {format}"), &[&text, &path]);
            let first = 1_700_000_000_123_456_000;
            let expected =
                [datagram(first, from, to, &[1, 2, 3]), datagram(first + 20_000_000, from, to, &[4, 5, 6, 7, 8])];
            assert_eq!(read_file(&path).datagrams, expected, "{format} {addresses}");
        }
    }
}

#[test]
fn every_link_type_is_read_as_tshark_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    for link in [0, 1, 101, 108, 113, 276] {
        let path = file(&dir, "capture", &pcap(link, 1_700_000_000));
        let read = read_file(&path).datagrams;
        assert_eq!(read.len(), 5, "link type {link}");
        assert_eq!(read, tshark(&path), "link type {link}");
    }
}

#[test]
fn tags_options_and_extensions_are_read_as_tshark_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let body = packet::udp(4000, 5000, b"one");
    let v6 = |last: u8| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let extensions = [&[60, 0, 1, 4, 0, 0, 0, 0][..], &[17, 0, 1, 4, 0, 0, 0, 0], &body].concat();
    let mut pcap = Pcap::new(Order::Big, 0xa1b2_c3d4, 1);
    pcap.packet(1, 1, &packet::ethernet(&[[0x81, 0]], &packet::ip(A, B, b"one")));
    pcap.packet(1, 2, &packet::ethernet(&[[0x88, 0xa8], [0x81, 0]], &packet::ip(A6, B6, b"one")));
    let with_options = packet::ipv4([10, 0, 0, 1], [10, 0, 0, 2], &[1, 1, 1, 0], [0x40, 0], 17, &body);
    pcap.packet(1, 3, &packet::ethernet(&[], &with_options));
    pcap.packet(1, 4, &packet::ethernet(&[], &packet::ipv6(v6(1), v6(2), 0, &extensions)));
    let path = file(&dir, "capture", &pcap.bytes);
    let read = read_file(&path).datagrams;
    assert_eq!(read.len(), 4);
    assert_eq!(read, tshark(&path));
}

#[test]
fn clocks_of_pcapng_are_read_as_tshark_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    for order in [Order::Little, Order::Big] {
        let mut bytes = Pcapng::default();
        bytes.section(order);
        let clocks =
            [(None, None), (Some(9), None), (Some(3), Some(1_000_000)), (Some(0x80 | 20), Some(-7)), (Some(0), None)];
        for (resolution, offset) in clocks {
            bytes.interface(1, resolution, offset);
        }
        for interface in 0..clocks.len() as u32 {
            let packet = packet::ethernet(&[], &packet::ip(A, B, &[interface as u8]));
            // A number of units that is a time of this century in each of them.
            let units = [
                1_700_000_000_123_456,
                1_700_000_000_123_456_789,
                1_699_000_000_123,
                1_782_579_200_123_456,
                1_700_000_000,
            ];
            bytes.packet(interface, units[interface as usize], &packet);
        }
        let path = file(&dir, "capture", &bytes.bytes);
        let read = read_file(&path).datagrams;
        assert_eq!(read.len(), clocks.len());
        assert_eq!(read, tshark(&path), "{order:?}");
    }
}

#[test]
fn editcap_converts_between_formats_without_a_difference() {
    let dir = tempfile::tempdir().unwrap();
    let original = file(&dir, "original", &pcap(113, 1_700_000_000));
    let expected = read_file(&original).datagrams;
    assert_eq!(expected.len(), 5);
    for format in ["nsecpcap", "pcapng"] {
        let path = dir.path().join(format);
        run("editcap", &format!("-F {format}"), &[&original, &path]);
        assert_eq!(read_file(&path).datagrams, expected, "{format}");
    }
    let path = dir.path().join("pcap");
    run("editcap", "-F pcap", &[&original, &path]);
    let in_micros = |mut read: ReadDatagram| {
        read.at_ns -= read.at_ns % 1000;
        read
    };
    assert_eq!(read_file(&path).datagrams, expected.into_iter().map(in_micros).collect::<Vec<_>>());
}

#[test]
fn mergecap_puts_interfaces_of_several_kinds_into_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let links = [(1, 1_700_000_002), (276, 1_700_000_000), (0, 1_700_000_001)];
    let parts = links.map(|(link, second)| file(&dir, &link.to_string(), &pcap(link, second)));
    let path = dir.path().join("merged");
    let mut expected: Vec<ReadDatagram> = parts.iter().flat_map(|part| read_file(part).datagrams).collect();
    expected.sort_by_key(|read| read.at_ns);
    run("mergecap", "-w", &[&path, &parts[0], &parts[1], &parts[2]]);
    let mut read = read_file(&path).datagrams;
    assert_eq!(read, tshark(&path));
    // Those of the same time may stand in any order.
    let order = |read: &ReadDatagram| (read.at_ns, read.payload.clone());
    read.sort_by_key(order);
    expected.sort_by_key(order);
    assert_eq!(read, expected);
}

#[test]
fn a_snap_length_is_told_from_damage() {
    let dir = tempfile::tempdir().unwrap();
    let original = file(&dir, "original", &pcap(1, 1_700_000_000));
    for format in ["pcap", "pcapng"] {
        let path = dir.path().join(format);
        // Enough for 14 bytes of Ethernet, 20 of IPv4, 8 of UDP and the payload of the first datagram only.
        run("editcap", &format!("-s 62 -F {format}"), &[&original, &path]);
        let counts = read_file(&path).counts;
        assert_eq!((counts.packets, counts.datagrams, counts.truncated, counts.malformed), (5, 1, 4, 0), "{format}");
    }
}
