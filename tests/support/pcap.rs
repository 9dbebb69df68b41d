//! Captures, read and written by hand: pcap with nanoseconds, Ethernet, IPv4, UDP; and what is in RTP and RTCP packets.

use std::path::Path;

/// A datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Datagram {
    /// Nanoseconds from 1970.
    pub(crate) ns: u64,
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) payload: Vec<u8>,
}

/// An RTP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rtp {
    /// Arrival: nanoseconds from 1970, or from whatever its reader counts.
    pub(crate) ns: u64,
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: Vec<u8>,
}

/// A sender report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// Arrival, as [`Rtp::ns`].
    pub(crate) ns: u64,
    pub(crate) ssrc: u32,
    /// Nanoseconds from 1970, rounded.
    pub(crate) ntp_ns: u64,
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    /// The stream ends with it.
    pub(crate) is_goodbye: bool,
}

fn be(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn le(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Reads a whole capture; panics where it is not as it should be.
#[track_caller]
pub(crate) fn read(path: &Path) -> Vec<Datagram> {
    let bytes = std::fs::read(path).expect("a capture");
    assert_eq!((le(&bytes[..4]), le(&bytes[20..24])), (0xA1B2_3C4D, 1), "nanoseconds, Ethernet");
    let (mut at, mut datagrams) = (24, Vec::new());
    while at < bytes.len() {
        let [seconds, ns, kept, length] = [0, 4, 8, 12].map(|field| le(&bytes[at + field..at + field + 4]));
        assert!(ns < 1_000_000_000 && kept == length, "record at {at}");
        let frame = &bytes[at + 16..at + 16 + length as usize];
        assert_eq!((be(&frame[12..14]), frame[14], frame[23]), (0x0800, 0x45, 17), "IPv4 and UDP at {at}");
        assert_eq!((be(&frame[16..18]), be(&frame[38..40])), (length - 14, length - 34), "lengths at {at}");
        assert_eq!((be(&frame[26..30]), be(&frame[30..34])), (0x7F00_0001, 0x7F00_0001), "addresses at {at}");
        datagrams.push(Datagram {
            ns: seconds * 1_000_000_000 + ns,
            from: be(&frame[34..36]) as u16,
            to: be(&frame[36..38]) as u16,
            payload: frame[42..].to_vec(),
        });
        at += 16 + length as usize;
    }
    datagrams
}

/// Writes a capture as [`read`] reads it.
pub(crate) fn write(path: &Path, datagrams: &[Datagram]) {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    // Version 2.4, times as they are, whole frames, Ethernet.
    let mut bytes = words(&[0xA1B2_3C4D, 0x0004_0002, 0, 0, 65_535, 1]);
    for Datagram { ns, from, to, payload } in datagrams {
        let length = payload.len() as u16;
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend((length + 28).to_be_bytes());
        // Not in pieces; 64 hops; UDP. Nobody computes the checksums of what never was on a wire.
        frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        frame.extend([*from, *to, length + 8, 0].iter().flat_map(|field| field.to_be_bytes()));
        frame.extend(payload);
        let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
        bytes.extend(words(&[seconds as u32, rest as u32, frame.len() as u32, frame.len() as u32]));
        bytes.extend(frame);
    }
    std::fs::write(path, bytes).expect("the temporary directory can be written");
}

impl Rtp {
    /// Returns the packet as it is sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, u8::from(self.marker) << 7 | self.payload_type];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend([self.timestamp, self.ssrc].iter().flat_map(|field| field.to_be_bytes()));
        bytes.extend(&self.payload);
        bytes
    }
}

/// Returns the RTP packet of a datagram; None where it is RTCP (RFC 5761 §4).
pub(crate) fn rtp(ns: u64, bytes: &[u8]) -> Option<Rtp> {
    if is_rtcp(bytes) {
        return None;
    }
    assert_eq!(bytes[0], 0x80, "no padding, no extension, no other sources");
    Some(Rtp {
        ns,
        marker: bytes[1] & 0x80 != 0,
        payload_type: bytes[1] & 0x7F,
        sequence: be(&bytes[2..4]) as u16,
        timestamp: be(&bytes[4..8]) as u32,
        ssrc: be(&bytes[8..12]) as u32,
        payload: bytes[12..].to_vec(),
    })
}

/// Returns the report of a datagram, in which a name follows it; None where it is RTP.
pub(crate) fn report(ns: u64, bytes: &[u8]) -> Option<Report> {
    if !is_rtcp(bytes) {
        return None;
    }
    let (mut at, mut types) = (0, Vec::new());
    while at < bytes.len() {
        types.push(bytes[at + 1]);
        at += 4 * (be(&bytes[at + 2..at + 4]) as usize + 1);
    }
    assert_eq!(at, bytes.len(), "lengths of a compound packet");
    assert!(matches!(types[..], [200, 202] | [200, 202, 203]), "{types:?}");
    assert_eq!((bytes[0], be(&bytes[2..4])), (0x80, 6), "a report without blocks");
    let (seconds, fraction) = (be(&bytes[8..12]) - 2_208_988_800, be(&bytes[12..16]));
    Some(Report {
        ns,
        ssrc: be(&bytes[4..8]) as u32,
        ntp_ns: seconds * 1_000_000_000 + ((fraction * 1_000_000_000 + (1 << 31)) >> 32),
        timestamp: be(&bytes[16..20]) as u32,
        packets: be(&bytes[20..24]) as u32,
        octets: be(&bytes[24..28]) as u32,
        is_goodbye: types.len() == 3,
    })
}

fn is_rtcp(bytes: &[u8]) -> bool {
    (192..=223).contains(&bytes[1])
}
