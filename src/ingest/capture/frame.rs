//! From a captured frame to the UDP datagram in it. Total: reads no byte that is not there.

use std::net::SocketAddr;
use std::ops::Range;

use crate::ingest::capture::ip;
use crate::ingest::capture::link;
use crate::ingest::capture::link::LinkType;

/// Why a frame has no datagram for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// Its link type is not known.
    Link,
    /// It carries something else.
    NotUdp,
    /// It is a part of a datagram.
    Fragment,
    /// It ends before what it declares.
    Short,
    /// Its headers contradict themselves.
    Malformed,
}

/// A datagram in a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// Bytes of the frame.
    pub(super) payload: Range<usize>,
}

const UDP_HEADER_BYTES: usize = 8;

/// Finds the datagram in a frame.
pub(super) fn find(link: LinkType, frame: &[u8]) -> Result<Found, Miss> {
    let start = link::network_start(link, frame)?;
    let packet = ip::packet(frame.get(start..).ok_or(Miss::Short)?)?;
    let body = start + packet.body.start..start + packet.body.end;

    let udp = frame.get(body.clone()).ok_or(Miss::Short)?;
    if udp.len() < UDP_HEADER_BYTES {
        return Err(Miss::Malformed);
    }
    // Where a network card cuts large datagrams to pieces, captures of the sender have no length.
    let length = match usize::from(u16_at(udp, 4)?) {
        0 => udp.len(),
        length => length,
    };
    if length < UDP_HEADER_BYTES || length > udp.len() {
        return Err(Miss::Malformed);
    }
    Ok(Found {
        from: SocketAddr::new(packet.from, u16_at(udp, 0)?),
        to: SocketAddr::new(packet.to, u16_at(udp, 2)?),
        payload: body.start + UDP_HEADER_BYTES..body.start + length,
    })
}

/// Returns a byte, if it is there.
pub(super) fn u8_at(bytes: &[u8], at: usize) -> Result<u8, Miss> {
    bytes.get(at).copied().ok_or(Miss::Short)
}

/// Returns two bytes as a number in network order, if they are there.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Miss> {
    array_at(bytes, at).map(u16::from_be_bytes)
}

/// Returns four bytes as a number in network order, if they are there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Miss> {
    array_at(bytes, at).map(u32::from_be_bytes)
}

/// Returns as many bytes as the result has, if they are there.
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Miss> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Miss::Short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An IPv4 packet, 10.0.0.1 to 10.0.0.2, of the body that is given.
    fn ipv4(body: &[u8]) -> Vec<u8> {
        let length = (20 + body.len()) as u16;
        let mut packet = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        packet.extend(body);
        packet
    }

    #[track_caller]
    fn check(packet: &[u8], expected: Result<&[u8], Miss>) {
        let found = find(LinkType(101), packet);
        assert_eq!(found.map(|found| &packet[found.payload]), expected);
    }

    #[test]
    fn a_datagram_is_as_long_as_its_header_says() {
        let found = find(LinkType(101), &ipv4(&[0x0f, 0xa0, 0x13, 0x88, 0, 10, 0, 0, 1, 2])).unwrap();
        assert_eq!(found.from, "10.0.0.1:4000".parse().unwrap());
        assert_eq!(found.to, "10.0.0.2:5000".parse().unwrap());
        check(&ipv4(&[0, 1, 0, 2, 0, 10, 0, 0, 1, 2]), Ok(&[1, 2]));
        check(&ipv4(&[0, 1, 0, 2, 0, 10, 0, 0, 1, 2, 3]), Ok(&[1, 2]));
        check(&ipv4(&[0, 1, 0, 2, 0, 0, 0, 0, 1, 2, 3]), Ok(&[1, 2, 3]));
        check(&ipv4(&[0, 1, 0, 2, 0, 8, 0, 0]), Ok(&[]));
        check(&ipv4(&[0, 1, 0, 2, 0, 7, 0, 0]), Err(Miss::Malformed));
        check(&ipv4(&[0, 1, 0, 2, 0, 11, 0, 0, 1, 2]), Err(Miss::Malformed));
        check(&ipv4(&[0, 1, 0, 2, 0, 8, 0]), Err(Miss::Malformed));
    }

    #[test]
    fn padding_of_the_frame_is_no_payload() {
        let mut packet = ipv4(&[0, 1, 0, 2, 0, 9, 0, 0, 1]);
        packet.extend([0; 17]);
        check(&packet, Ok(&[1]));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_a_panic(
            link in prop::sample::select(vec![0u32, 1, 101, 108, 113, 228, 229, 276, 7]),
            start in prop::sample::select(vec![&[][..], &[0x45], &[0x60], &[0, 0, 0, 2, 0x46], &[0x86, 0xdd, 0, 0]]),
            rest in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let frame = [start, &rest].concat();
            if let Ok(found) = find(LinkType(link), &frame) {
                prop_assert!(found.payload.start <= found.payload.end && found.payload.end <= frame.len());
            }
        }
    }
}
