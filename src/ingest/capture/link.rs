//! From a captured frame to the network packet in it. Total: reads no byte that is not there.
//!
//! Layouts are those of tcpdump.org/linktypes.html.

use crate::ingest::capture::frame::Miss;
use crate::ingest::capture::frame::u16_at;
use crate::ingest::capture::frame::u32_at;

/// A number of the registry of link types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinkType(pub(super) u32);

impl LinkType {
    const NULL: Self = Self(0);
    const ETHERNET: Self = Self(1);
    const RAW: Self = Self(101);
    const LOOP: Self = Self(108);
    const LINUX_SLL: Self = Self(113);
    const IPV4: Self = Self(228);
    const IPV6: Self = Self(229);
    const LINUX_SLL2: Self = Self(276);

    /// Returns whether [`network_start`] can look into its frames.
    pub(super) fn is_known(self) -> bool {
        network_start(self, &[]) != Err(Miss::Link)
    }
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad and what was there before it.
const ETHERTYPES_VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const VLAN_BYTES: usize = 4;

/// AF_INET everywhere; AF_INET6 of NetBSD, FreeBSD and macOS, since the capture says nothing of its system.
const FAMILY_INET: u32 = 2;
const FAMILIES_INET6: [u32; 3] = [24, 28, 30];

/// Returns where the IP packet of a frame begins.
pub(super) fn network_start(link: LinkType, frame: &[u8]) -> Result<usize, Miss> {
    match link {
        LinkType::ETHERNET => behind_tags(frame, u16_at(frame, 12)?, 14),
        LinkType::LINUX_SLL => behind_tags(frame, u16_at(frame, 14)?, 16),
        LinkType::LINUX_SLL2 => behind_tags(frame, u16_at(frame, 0)?, 20),
        LinkType::NULL | LinkType::LOOP => behind_family(u32_at(frame, 0)?),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => Ok(0),
        _ => Err(Miss::Link),
    }
}

fn behind_tags(frame: &[u8], ethertype: u16, start: usize) -> Result<usize, Miss> {
    let (mut ethertype, mut start) = (ethertype, start);
    while ETHERTYPES_VLAN.contains(&ethertype) {
        ethertype = u16_at(frame, start + 2)?;
        start += VLAN_BYTES;
    }
    match ethertype {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => Ok(start),
        _ => Err(Miss::NotUdp),
    }
}

/// The family is in the byte order of the machine that captured (NULL) or of the network (LOOP); only one of both
/// readings is a small number.
fn behind_family(family: u32) -> Result<usize, Miss> {
    let family = family.min(family.swap_bytes());
    match family == FAMILY_INET || FAMILIES_INET6.contains(&family) {
        true => Ok(4),
        false => Err(Miss::NotUdp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(link: u32, frame: &[u8], expected: Result<usize, Miss>) {
        assert_eq!(network_start(LinkType(link), frame), expected);
    }

    /// Two addresses of six bytes each, then what is given.
    fn ethernet(rest: &[u8]) -> Vec<u8> {
        [&[0xaa; 12][..], rest].concat()
    }

    #[test]
    fn ethernet_and_its_tags() {
        check(1, &ethernet(&[0x08, 0x00]), Ok(14));
        check(1, &ethernet(&[0x86, 0xdd]), Ok(14));
        check(1, &ethernet(&[0x81, 0x00, 0x00, 0x07, 0x08, 0x00]), Ok(18));
        check(1, &ethernet(&[0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x08, 0x86, 0xdd]), Ok(22));
        check(1, &ethernet(&[0x81, 0x00, 0x00, 0x07, 0x08, 0x06]), Err(Miss::NotUdp));
        check(1, &ethernet(&[0x00, 0x40]), Err(Miss::NotUdp));
        check(1, &ethernet(&[0x08]), Err(Miss::Short));
        check(1, &ethernet(&[0x81, 0x00, 0x00, 0x07, 0x08]), Err(Miss::Short));
    }

    #[test]
    fn linux_cooked_of_both_versions() {
        let v1 = [&[0, 0, 0, 1, 0, 6][..], &[0xaa; 8], &[0x08, 0x00]].concat();
        check(113, &v1, Ok(16));
        check(113, &v1[..15], Err(Miss::Short));
        let v2 = [&[0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6][..], &[0xaa; 8]].concat();
        check(276, &v2, Ok(20));
        let tagged = [&[0x81, 0x00, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6][..], &[0xaa; 8], &[0, 7, 0x08, 0x00]].concat();
        check(276, &tagged, Ok(24));
        check(276, &tagged[..23], Err(Miss::Short));
    }

    #[test]
    fn loopback_of_both_byte_orders() {
        for link in [0, 108] {
            check(link, &[2, 0, 0, 0], Ok(4));
            check(link, &[0, 0, 0, 2], Ok(4));
            check(link, &[30, 0, 0, 0], Ok(4));
            check(link, &[0, 0, 0, 28], Ok(4));
            check(link, &[7, 0, 0, 0], Err(Miss::NotUdp));
            check(link, &[2, 0, 0], Err(Miss::Short));
        }
    }

    #[test]
    fn a_number_is_known_or_not() {
        for number in 0..=300 {
            let known = [0, 1, 101, 108, 113, 228, 229, 276].contains(&number);
            assert_eq!(LinkType(number).is_known(), known, "{number}");
        }
    }
}
