//! Frames as they are on the wire, written by hand from the RFCs and the registry of link types.

use std::net::IpAddr;
use std::net::SocketAddr;

/// The UDP header and payload; the checksum is left out, which IPv4 allows and captures of senders have.
pub(crate) fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

/// An IPv4 or IPv6 packet with a UDP datagram.
pub(crate) fn ip(from: &str, to: &str, payload: &[u8]) -> Vec<u8> {
    let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let body = udp(from.port(), to.port(), payload);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ipv4(from.octets(), to.octets(), &[], [0, 0], 17, &body),
        (IpAddr::V6(from), IpAddr::V6(to)) => ipv6(from.octets(), to.octets(), 17, &body),
        _ => panic!("addresses of two families"),
    }
}

/// An IPv4 packet with options and the field of fragments.
pub(crate) fn ipv4(
    from: [u8; 4],
    to: [u8; 4],
    options: &[u8],
    fragment: [u8; 2],
    protocol: u8,
    body: &[u8],
) -> Vec<u8> {
    let header_bytes = 20 + options.len();
    let length = ((header_bytes + body.len()) as u16).to_be_bytes();
    let first = 0x40 | (header_bytes / 4) as u8;
    let head = [first, 0, length[0], length[1], 0, 1, fragment[0], fragment[1], 64, protocol, 0, 0];
    [&head[..], &from, &to, options, body].concat()
}

/// An IPv6 packet, whose body may begin with extension headers.
pub(crate) fn ipv6(from: [u8; 16], to: [u8; 16], next: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    [&[0x60, 0, 0, 0, length[0], length[1], next, 64][..], &from, &to, body].concat()
}

/// The EtherType of an IP packet.
fn ethertype(packet: &[u8]) -> [u8; 2] {
    if packet[0] >> 4 == 4 { [0x08, 0x00] } else { [0x86, 0xdd] }
}

/// An Ethernet frame with VLAN tags, padded to the shortest that there is.
pub(crate) fn ethernet(tags: &[[u8; 2]], packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for (i, tag_type) in tags.iter().enumerate() {
        frame.extend(tag_type);
        frame.extend([0, 100 + i as u8]);
    }
    frame.extend(ethertype(packet));
    frame.extend(packet);
    frame.resize(frame.len().max(60), 0xee);
    frame
}

/// A packet of a link type, by its number.
pub(crate) fn linked(link: u16, packet: &[u8]) -> Vec<u8> {
    let is_v4 = packet[0] >> 4 == 4;
    let [high, low] = ethertype(packet);
    match link {
        1 => ethernet(&[], packet),
        101 | 228 | 229 => packet.to_vec(),
        113 => [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, high, low], packet].concat(),
        276 => [&[high, low, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], packet].concat(),
        // The family is that of macOS in the byte order of the machine, or of FreeBSD in that of the network.
        0 => [&[if is_v4 { 2 } else { 30 }, 0, 0, 0], packet].concat(),
        108 => [&[0, 0, 0, if is_v4 { 2 } else { 28 }], packet].concat(),
        _ => panic!("link type {link}"),
    }
}

/// An RTP packet with as much payload as 20 ms of G.711 have.
pub(crate) fn rtp(ssrc: u32, payload_type: u8, sequence: u16) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    let head = [&[0x80, payload_type][..], &sequence.to_be_bytes(), &timestamp.to_be_bytes(), &ssrc.to_be_bytes()];
    [&head.concat()[..], &[0xd5; 160]].concat()
}
