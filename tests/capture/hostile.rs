//! Damage: files that are cut off at every byte, bits that are flipped, lengths that lie, bytes of any kind.

use std::io;
use std::io::Read;

use proptest::prelude::*;
use reelgraph::ingest::capture::CaptureError;
use reelgraph::ingest::capture::scan;
use reelgraph::ingest::capture::survey_reader;

use crate::packet;
use crate::reading::read;
use crate::writer::Order;
use crate::writer::Pcap;
use crate::writer::Pcapng;

const A: &str = "10.0.0.1:4000";
const B: &str = "10.0.0.2:5000";

/// A capture, and where the records of its datagrams and of everything else in it begin.
struct Sample {
    bytes: Vec<u8>,
    /// Begin of each record, and whether it is a datagram.
    records: Vec<(usize, bool)>,
}

fn pcap(order: Order) -> Sample {
    let mut pcap = Pcap::new(order, 0xa1b2_c3d4, 1);
    let mut records = Vec::new();
    for sequence in 0..6 {
        records.push((pcap.bytes.len(), true));
        pcap.packet(1, sequence, &packet::ethernet(&[], &packet::ip(A, B, &packet::rtp(7, 0, sequence as u16)[..15])));
    }
    Sample { bytes: pcap.bytes, records }
}

fn pcapng(order: Order) -> Sample {
    let mut file = Pcapng::default();
    let mut records = vec![(0, false)];
    file.section(order);
    let mut add = |is_datagram, add: &dyn Fn(&mut Pcapng)| {
        records.push((file.bytes.len(), is_datagram));
        add(&mut file);
    };
    add(false, &|file| file.interface(101, Some(9), None));
    for sequence in 0..6 {
        let packet = packet::ip(A, B, &packet::rtp(7, 0, sequence)[..15]);
        add(true, &|file| file.packet(0, u64::from(sequence), &packet));
        add(false, &|file| file.block(0x1234, &[7; 20]));
    }
    Sample { bytes: file.bytes, records }
}

fn samples() -> Vec<Sample> {
    [Order::Little, Order::Big].into_iter().flat_map(|order| [pcap(order), pcapng(order)]).collect()
}

#[test]
fn a_file_cut_off_at_any_byte_gives_what_is_before_and_says_where() {
    for Sample { bytes, records } in samples() {
        let first = records[0].0;
        for end in first.max(12)..=bytes.len() {
            let reading = read(&bytes[..end]);
            let begun: Vec<(usize, bool)> = records.iter().copied().filter(|(begin, _)| *begin < end).collect();
            // A record is whole where the next one begins, or the file ends as it should.
            let record_ends = records.iter().skip(1).map(|(begin, _)| *begin).chain([bytes.len()]);
            let n_whole = record_ends.filter(|record_end| *record_end <= end).count();
            let n_datagrams = begun[..n_whole].iter().filter(|(_, is_datagram)| *is_datagram).count() as u64;
            assert_eq!(reading.counts.datagrams, n_datagrams, "cut at {end}");
            match (reading.error, begun.get(n_whole)) {
                (None, None) => {}
                (Some(CaptureError::Truncated { offset }), Some((begin, _))) => assert_eq!(offset, *begin as u64),
                (error, record) => panic!("cut at {end} in {record:?}: {error:?}"),
            }
        }
    }
}

#[test]
fn a_header_cut_off_is_told_as_well() {
    for Sample { bytes, .. } in samples() {
        assert!(matches!(read(&bytes[..3]).error, Some(CaptureError::NotCapture { .. })));
        assert!(matches!(read(&bytes[..4]).error, Some(CaptureError::Truncated { offset: 0 })));
        assert!(matches!(read(&bytes[..23]).error, Some(CaptureError::Truncated { offset: 0 })));
    }
}

/// Gives bytes, then zeros without an end; counts what it gave.
struct Endless<'a>(&'a [u8], &'a mut usize);

impl Read for Endless<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(into)?;
        into[n..].fill(0);
        *self.1 += into.len();
        Ok(into.len())
    }
}

#[track_caller]
fn check_too_long(bytes: &[u8], at: usize, claimed: u64) {
    let mut n_read = 0;
    match scan(Endless(bytes, &mut n_read)) {
        Err(CaptureError::TooLong { offset, bytes }) => assert_eq!((offset, bytes), (at as u64, claimed)),
        other => panic!("{other:?}"),
    }
    assert!(n_read < 1 << 20, "{n_read} bytes were read to find it out");
}

#[test]
fn a_length_that_no_packet_has_is_never_believed() {
    for order in [Order::Little, Order::Big] {
        for claimed in [(256 << 10) + 1, u32::MAX] {
            let mut pcap = Pcap::new(order, 0xa1b2_c3d4, 1);
            pcap.packet(1, 0, &[0; 60]);
            let at = pcap.bytes.len();
            pcap.bytes.extend([1, 0, claimed, claimed].map(|value| order.u32(value)).as_flattened());
            check_too_long(&pcap.bytes, at, u64::from(claimed));
        }
        let mut file = Pcapng::default();
        file.section(order);
        let at = file.bytes.len();
        for (kind, claimed) in [(6, 1 << 20), (1, u32::MAX - 3), (0x1234, (16 << 20) + 4)] {
            file.bytes.truncate(at);
            file.bytes.extend([kind, claimed].map(|value| order.u32(value)).as_flattened());
            check_too_long(&file.bytes, at, u64::from(claimed));
        }
    }
}

#[test]
fn the_longest_packet_is_read() {
    let frame = packet::ethernet(&[], &packet::ip(A, B, &[7; 1000]));
    let longest = [&frame[..], &vec![0; (256 << 10) - frame.len()]].concat();
    let mut pcap = Pcap::new(Order::Little, 0xa1b2_c3d4, 1);
    let mut file = Pcapng::default();
    file.section(Order::Little);
    file.interface(1, None, None);
    for second in 0..3 {
        pcap.packet(second, 0, &longest);
        file.packet(0, u64::from(second), &longest);
    }
    for bytes in [pcap.bytes, file.bytes] {
        let reading = read(bytes.as_slice());
        assert_eq!(reading.datagrams.iter().filter(|d| d.payload == [7; 1000]).count(), 3, "{:?}", reading.error);
    }
}

/// Changes the last bytes of a pcapng file, a block of which begins at `at` of it.
#[track_caller]
fn check_malformed(change: impl FnOnce(&mut Pcapng), what: &str) {
    let mut file = Pcapng::default();
    file.section(Order::Little);
    file.interface(101, None, None);
    file.packet(0, 1, &packet::ip(A, B, b"one"));
    let at = file.bytes.len() as u64;
    change(&mut file);
    let reading = read(file.bytes.as_slice());
    assert_eq!(reading.counts.datagrams, 1, "what was before is kept");
    let text = format!("the record at byte {at} has {what}; the file is damaged there");
    assert_eq!(reading.error.expect("it is told").to_string(), text);
}

#[test]
fn a_block_that_contradicts_itself_is_told_and_ends_the_capture() {
    let patch = |file: &mut Pcapng, back: usize, value: u32| {
        let at = file.bytes.len() - back;
        file.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    };
    check_malformed(|file| file.packet(1, 1, &[0; 64]), "an interface that is not declared");
    check_malformed(
        |file| {
            file.block(6, &[0; 40]);
            patch(file, 4, 56);
        },
        "two lengths that differ",
    );
    check_malformed(
        |file| {
            file.block(0x1234, &[0; 40]);
            patch(file, 4, 48);
        },
        "two lengths that differ",
    );
    check_malformed(
        |file| {
            file.block(0x1234, &[0; 40]);
            patch(file, 48, 50);
        },
        "an impossible length",
    );
    check_malformed(
        |file| {
            file.block(0x1234, &[0; 40]);
            patch(file, 48, 8);
        },
        "an impossible length",
    );
    // A packet that claims to be longer than its block, so that it would reach into the next one.
    check_malformed(
        |file| {
            file.block(6, &[0; 40]);
            patch(file, 52 - 20, 200);
            file.packet(0, 1, &[0; 400]);
        },
        "fields that do not fit into it",
    );
    let obsolete = [0, 0, 0, 200, 200].map(u32::to_le_bytes);
    check_malformed(|file| file.block(2, obsolete.as_flattened()), "a packet that does not fit into it");
    check_malformed(
        |file| {
            file.section(Order::Little);
            patch(file, 20, 0);
        },
        "no byte order",
    );
}

/// Fails after some bytes, as a disk does.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk is gone")),
            n => Ok(n),
        }
    }
}

#[test]
fn a_disk_that_fails_is_told_behind_what_it_gave() {
    for Sample { bytes, .. } in samples() {
        let reading = read(Failing(&bytes));
        assert_eq!(reading.counts.datagrams, 6);
        assert!(matches!(reading.error, Some(CaptureError::Unreadable { .. })), "{:?}", reading.error);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        begin in prop::sample::select(vec![
            vec![],
            Pcap::new(Order::Little, 0xa1b2_c3d4, 1).bytes,
            Pcap::new(Order::Big, 0xa1b2_3c4d, 101).bytes,
            pcapng(Order::Little).bytes,
            pcapng(Order::Big).bytes,
        ]),
        rest in prop::collection::vec(prop_oneof![any::<u8>(), Just(0)], 0..400),
    ) {
        let bytes = [begin, rest].concat();
        read(bytes.as_slice());
        let _ = survey_reader(bytes.as_slice());
    }

    #[test]
    fn flipped_bits_change_nothing_before_them(
        which in 0..4usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u32), 1..6),
    ) {
        let Sample { bytes, records } = samples().swap_remove(which);
        let mut damaged = bytes.clone();
        for (at, bit) in &flips {
            damaged[at.index(bytes.len())] ^= 1 << bit;
        }
        let first = (0..bytes.len()).find(|at| bytes[*at] != damaged[*at]).unwrap_or(bytes.len());
        let ends = records.iter().skip(1).map(|(begin, _)| *begin).chain([bytes.len()]);
        let n_before = records.iter().zip(ends).filter(|((_, is_datagram), end)| *is_datagram && *end <= first).count();
        let (whole, reading) = (read(bytes.as_slice()), read(damaged.as_slice()));
        prop_assert_eq!(&reading.datagrams[..n_before], &whole.datagrams[..n_before]);
        let _ = survey_reader(damaged.as_slice());
    }
}
