//! Bytes as a call: a few senders, most of whose packets follow each other, and all that may come between them.
//!
//! Three bytes are a packet; some of them are followed by more. So a fuzzer that changes a byte changes one thing.
//!
//! ```text
//!  tttppssr  time step, port, SSRC, and whether it is an earlier packet once more
//!  qqqmmmcc  sequence number, media time (time-stamp), what is in the payload
//!  kkkkllll  payload type (or RTCP, or garbage), length
//! ```

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::net::SocketAddr;

pub(crate) const MS: i64 = 1_000_000;

/// A packet's number stands in the last bytes of its payload, if that is so long.
pub(crate) const NUMBER_BYTES: usize = 4;

/// A datagram as it arrives.
#[derive(Debug, Clone)]
pub(crate) struct Datagram {
    pub(crate) at_ns: i64,
    pub(crate) from: SocketAddr,
    pub(crate) bytes: Vec<u8>,
    /// In its payload, too.
    pub(crate) number: Option<u32>,
}

/// Payload types: static ones, comfort noise, events, dynamic ones, and others.
const TYPES: [u8; 14] = [0, 0, 0, 0, 111, 111, 8, 9, 96, 13, 101, 10, 11, 77];
const CONTROL: u8 = 14;

const LENGTHS: [usize; 15] = [160, 160, 160, 20, 80, 320, 640, 1, 5, 0, 1_000, 3_840, 4_096, 4_097, 1_400];

/// First bytes of an Opus packet: 20 ms of hybrid, 10 ms of SILK, 20 ms of CELT, 60 ms of SILK.
const OPUS: [u8; 4] = [15 << 3, 8 << 3, 31 << 3, 11 << 3];

/// What a sender has sent last.
#[derive(Debug, Clone, Copy)]
struct Sender {
    sequence: u16,
    timestamp: u32,
    /// Of the last packet, in units of the media clock.
    length: u32,
    since_ns: i64,
    first_timestamp: u32,
}

/// Bytes that are taken one by one.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }
}

/// Reads a call of `longest_ns` at most, in order of time, from `begin_ns` on.
pub(crate) fn call(bytes: &[u8], begin_ns: i64, longest_ns: i64) -> Vec<Datagram> {
    let (mut bytes, mut sent, mut senders) = (Bytes(bytes), Vec::new(), HashMap::new());
    let mut at_ns = begin_ns;
    while let Some(datagram) = next(&mut bytes, &mut at_ns, &sent, &mut senders) {
        if at_ns - begin_ns > longest_ns {
            break;
        }
        sent.push(datagram);
    }
    sent
}

fn next(
    bytes: &mut Bytes<'_>,
    at_ns: &mut i64,
    sent: &[Datagram],
    senders: &mut HashMap<(u8, u8), Sender>,
) -> Option<Datagram> {
    let first = bytes.u8()?;
    let step_ms = match first & 7 {
        0..=2 => 20,
        3 => 0,
        4 => 5,
        5 => 100,
        6 => 300,
        _ => i64::from(bytes.u16()?),
    };
    *at_ns += step_ms * MS;
    let (port, ssrc) = (first >> 3 & 3, first >> 5 & 3);
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 4_000 + u16::from(port)));
    if first & 0x80 != 0 && !sent.is_empty() {
        let back = usize::from(bytes.u8()?) % sent.len();
        let again = sent[sent.len() - 1 - back].clone();
        return Some(Datagram { at_ns: *at_ns, from, ..again });
    }
    let (second, third) = (bytes.u8()?, bytes.u8()?);
    let length = match third & 15 {
        15 => usize::from(bytes.u16()?) % 6_000,
        length => LENGTHS[usize::from(length)],
    };
    let payload_type = match third >> 4 {
        kind @ 0..CONTROL => TYPES[usize::from(kind)],
        CONTROL => return Some(control(*at_ns, from, ssrc, length)),
        _ => {
            let garbage = (0..length % 100).map(|at| third.wrapping_mul(at as u8 + 1)).collect();
            return Some(Datagram { at_ns: *at_ns, from, bytes: garbage, number: None });
        }
    };
    let is_opus = payload_type == 111 || payload_type == 96;
    let rate: i64 = if is_opus { 48_000 } else { 8_000 };
    let begun = Sender {
        sequence: u16::MAX - 3,
        timestamp: u32::MAX - 1_000,
        length: 0,
        since_ns: *at_ns,
        first_timestamp: u32::MAX - 1_000,
    };
    let sender = senders.entry((port, ssrc)).or_insert(begun);
    sender.sequence = match second & 7 {
        0..=3 => sender.sequence.wrapping_add(1),
        4 => sender.sequence,
        5 => sender.sequence.wrapping_add(u16::from(bytes.u8()?)),
        6 => sender.sequence.wrapping_sub(u16::from(bytes.u8()?)),
        _ => bytes.u16()?,
    };
    sender.timestamp = match second >> 3 & 7 {
        0..=2 => sender.timestamp.wrapping_add(sender.length),
        3 => sender.timestamp,
        4 => sender.first_timestamp.wrapping_add(((*at_ns - sender.since_ns) / MS * rate / 1_000) as u32),
        5 => sender.timestamp.wrapping_add(u32::from(bytes.u16()?)),
        6 => sender.timestamp.wrapping_sub(u32::from(bytes.u16()?)),
        _ => bytes.u32()?,
    };
    sender.length = if is_opus { 960 } else { length as u32 };
    let number = sent.len() as u32;
    let mut packet = vec![0x80, payload_type];
    packet.extend(sender.sequence.to_be_bytes());
    packet.extend(sender.timestamp.to_be_bytes());
    packet.extend(u32::from(ssrc).to_be_bytes());
    packet.extend(payload(second >> 6, length, number));
    // Less would be cut off, or taken for the first byte of Opus.
    let number = (length > NUMBER_BYTES).then_some(number);
    Some(Datagram { at_ns: *at_ns, from, bytes: packet, number })
}

/// A sender report, a goodbye, or both.
fn control(at_ns: i64, from: SocketAddr, ssrc: u8, length: usize) -> Datagram {
    let report = [&[0x80, 200, 0, 6, 0, 0, 0, ssrc][..], &[7; 20]].concat();
    let bye = vec![0x81, 203, 0, 1, 0, 0, 0, ssrc];
    let bytes = match length % 3 {
        0 => report,
        1 => bye,
        _ => [report, bye].concat(),
    };
    Datagram { at_ns, from, bytes, number: None }
}

/// Noise, its first byte that of an Opus packet, its last ones a number.
fn payload(content: u8, length: usize, number: u32) -> Vec<u8> {
    let mut noise = u64::from(number) << 2 | u64::from(content);
    let byte = |_| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (noise >> 56) as u8
    };
    let mut payload: Vec<u8> = (0..length).map(byte).collect();
    if let Some(first) = payload.first_mut() {
        *first = OPUS[usize::from(content)];
    }
    if length > NUMBER_BYTES {
        payload[length - NUMBER_BYTES..].copy_from_slice(&number.to_be_bytes());
    }
    payload
}
