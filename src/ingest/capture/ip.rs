//! IPv4 and IPv6 headers: who sends UDP to whom, and where it is. Total: reads no byte that is not there.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::ops::Range;

use crate::ingest::capture::frame::Miss;
use crate::ingest::capture::frame::array_at;
use crate::ingest::capture::frame::u8_at;
use crate::ingest::capture::frame::u16_at;

const UDP: u8 = 17;

const IPV4_HEADER_BYTES: usize = 20;
/// "More fragments" and the fragment's place; only "don't fragment" may be set in a whole packet.
const IPV4_FRAGMENT: u16 = 0x3fff;

const IPV6_HEADER_BYTES: usize = 40;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;
const FRAGMENT_HEADER_BYTES: usize = 8;
/// The fragment's place and "more fragments"; both are 0 in an "atomic" fragment, which is whole (RFC 6946).
const IPV6_FRAGMENT: u16 = 0xfff9;

/// An IP packet that carries UDP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    /// Where the UDP header and its payload are; all of it is there.
    pub(super) body: Range<usize>,
}

/// Reads the headers of a packet, which may be followed by padding.
pub(super) fn packet(bytes: &[u8]) -> Result<Packet, Miss> {
    match u8_at(bytes, 0)? >> 4 {
        4 => ipv4(bytes),
        6 => ipv6(bytes),
        _ => Err(Miss::Malformed),
    }
}

fn ipv4(bytes: &[u8]) -> Result<Packet, Miss> {
    let header_bytes = usize::from(u8_at(bytes, 0)? & 0x0f) * 4;
    if header_bytes < IPV4_HEADER_BYTES {
        return Err(Miss::Malformed);
    }
    if u8_at(bytes, 9)? != UDP {
        return Err(Miss::NotUdp);
    }
    if u16_at(bytes, 6)? & IPV4_FRAGMENT != 0 {
        return Err(Miss::Fragment);
    }
    // Where a network card cuts large packets to pieces, captures of the sender have no length.
    let end = match usize::from(u16_at(bytes, 2)?) {
        0 => bytes.len(),
        end => end,
    };
    let from = Ipv4Addr::from(array_at(bytes, 12)?).into();
    let to = Ipv4Addr::from(array_at(bytes, 16)?).into();
    Ok(Packet { from, to, body: body(bytes, header_bytes, end)? })
}

fn ipv6(bytes: &[u8]) -> Result<Packet, Miss> {
    let end = match usize::from(u16_at(bytes, 4)?) {
        0 => bytes.len(),
        length => IPV6_HEADER_BYTES + length,
    };
    let from = Ipv6Addr::from(array_at::<16>(bytes, 8)?).into();
    let to = Ipv6Addr::from(array_at::<16>(bytes, 24)?).into();

    let (mut next, mut start) = (u8_at(bytes, 6)?, IPV6_HEADER_BYTES);
    loop {
        match next {
            UDP => return Ok(Packet { from, to, body: body(bytes, start, end)? }),
            HOP_BY_HOP | ROUTING | DESTINATION => {
                next = u8_at(bytes, start)?;
                start += (usize::from(u8_at(bytes, start + 1)?) + 1) * 8;
            }
            FRAGMENT => {
                next = u8_at(bytes, start)?;
                let is_part = u16_at(bytes, start + 2)? & IPV6_FRAGMENT != 0;
                match next {
                    UDP | DESTINATION if is_part => return Err(Miss::Fragment),
                    _ if is_part => return Err(Miss::NotUdp),
                    _ => start += FRAGMENT_HEADER_BYTES,
                }
            }
            _ => return Err(Miss::NotUdp),
        }
    }
}

fn body(bytes: &[u8], start: usize, end: usize) -> Result<Range<usize>, Miss> {
    match (start <= end, end <= bytes.len()) {
        (false, _) if start > bytes.len() => Err(Miss::Short),
        (false, _) => Err(Miss::Malformed),
        (true, false) => Err(Miss::Short),
        (true, true) => Ok(start..end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<Range<usize>, Miss>) {
        assert_eq!(packet(bytes).map(|packet| packet.body), expected);
    }

    /// A header of 20 bytes with a total length, the field of fragments and a protocol; then 12 bytes.
    fn v4(first: u8, length: u8, fragment: [u8; 2], protocol: u8) -> Vec<u8> {
        let mut bytes = vec![first, 0, 0, length, 0, 1, fragment[0], fragment[1], 64, protocol, 0, 0];
        bytes.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend([0x55; 12]);
        bytes
    }

    /// A header of 40 bytes, then `rest`.
    fn v6(next: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, rest.len() as u8, next, 64];
        bytes.extend([0x20; 16]);
        bytes.extend([0x30; 16]);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn ipv4_options_are_passed_over_and_lengths_kept() {
        check(&v4(0x45, 32, [0, 0], 17), Ok(20..32));
        check(&v4(0x45, 30, [0x40, 0], 17), Ok(20..30));
        check(&v4(0x46, 32, [0, 0], 17), Ok(24..32));
        check(&v4(0x45, 0, [0, 0], 17), Ok(20..32));
        check(&v4(0x45, 33, [0, 0], 17), Err(Miss::Short));
        check(&v4(0x4f, 70, [0, 0], 17), Err(Miss::Short));
        check(&v4(0x45, 19, [0, 0], 17), Err(Miss::Malformed));
        check(&v4(0x44, 32, [0, 0], 17), Err(Miss::Malformed));
        check(&v4(0x55, 32, [0, 0], 17), Err(Miss::Malformed));
        check(&v4(0x45, 32, [0, 0], 6), Err(Miss::NotUdp));
        check(&[], Err(Miss::Short));
    }

    #[test]
    fn ipv4_fragments_are_told_from_whole_packets() {
        check(&v4(0x45, 32, [0x20, 0], 17), Err(Miss::Fragment));
        check(&v4(0x45, 32, [0x00, 1], 17), Err(Miss::Fragment));
        check(&v4(0x45, 32, [0x20, 0], 6), Err(Miss::NotUdp));
    }

    #[test]
    fn ipv6_extension_headers_are_passed_over() {
        let udp = [0x55; 12];
        check(&v6(17, &udp), Ok(40..52));
        for extension in [0, 43, 60] {
            check(&v6(extension, &[&[17, 0, 0, 0, 0, 0, 0, 0][..], &udp].concat()), Ok(48..60));
            check(&v6(extension, &[&[17, 1][..], &[0; 14], &udp].concat()), Ok(56..68));
        }
        let two = [&[60, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0][..], &udp].concat();
        check(&v6(0, &two), Ok(56..68));
        check(&v6(58, &udp), Err(Miss::NotUdp));
        check(&v6(0, &[17, 9, 0, 0]), Err(Miss::Short));
        check(&v6(0, &[17]), Err(Miss::Short));
        let mut overlong = v6(0, &[17, 1, 0, 0, 0, 0, 0, 0]);
        overlong.extend([0; 30]);
        check(&overlong, Err(Miss::Malformed));
    }

    #[test]
    fn ipv6_fragments_are_told_from_whole_packets() {
        let rest = |place: [u8; 2], next: u8| [&[next, 0, place[0], place[1], 0, 0, 0, 1][..], &[0x55; 12]].concat();
        check(&v6(44, &rest([0, 0], 17)), Ok(48..60));
        check(&v6(44, &rest([0, 1], 17)), Err(Miss::Fragment));
        check(&v6(44, &rest([0x05, 0xa8], 17)), Err(Miss::Fragment));
        check(&v6(44, &rest([0, 1], 6)), Err(Miss::NotUdp));
    }

    #[test]
    fn addresses_are_those_of_sender_and_receiver() {
        let v4 = packet(&v4(0x45, 32, [0, 0], 17)).unwrap();
        assert_eq!((v4.from.to_string(), v4.to.to_string()), ("10.0.0.1".to_string(), "10.0.0.2".to_string()));
        let v6 = packet(&v6(17, &[0; 8])).unwrap();
        assert_eq!(v6.from.to_string(), "2020:2020:2020:2020:2020:2020:2020:2020");
        assert_eq!(v6.to.to_string(), "3030:3030:3030:3030:3030:3030:3030:3030");
    }
}
