//! One datagram of a track: RTP, or RTCP beside it on the same port (RFC 3550 §5.1, RFC 5761 §4).

use std::ops::RangeInclusive;

use rtp_types::RtpPacket;

/// Why a datagram is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither RTP nor RTCP")]
pub struct Malformed;

/// What an RTP packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rtp<'a> {
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    pub(super) payload: &'a [u8],
}

/// A datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Media.
    Rtp(Rtp<'a>),
    /// A compound packet, not looked into yet.
    Rtcp(&'a [u8]),
}

/// Second bytes of RTCP packets; as payload types these would be 64 to 95 with the marker, which nobody uses.
const RTCP_TYPES: RangeInclusive<u8> = 192..=223;

/// Comfort noise (RFC 3389 §4).
pub(super) const COMFORT_NOISE: u8 = 13;

/// Returns whether media can have a payload type: comfort noise has one of its own, and some would read as RTCP.
pub fn is_media_type(payload_type: u8) -> bool {
    payload_type < 128 && payload_type != COMFORT_NOISE && !RTCP_TYPES.contains(&(payload_type | 128))
}

/// Reads an SSRC as people write it: `0x1234abcd` or decimal; None where it is none.
pub fn read_ssrc(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok(),
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// Returns whether a datagram is RTCP, as far as its first bytes tell (RFC 5761 §4).
pub fn is_control(datagram: &[u8]) -> bool {
    matches!(datagram, [first, second, ..] if first >> 6 == 2 && RTCP_TYPES.contains(second))
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    ///
    /// It is neither RTP nor RTCP, or cut off.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if is_control(bytes) {
            return Ok(Self::Rtcp(bytes));
        }
        let packet = RtpPacket::parse(bytes).map_err(|_| Malformed)?;
        let (sequence, timestamp, ssrc) = (packet.sequence_number(), packet.timestamp(), packet.ssrc());
        let (payload_type, payload) = (packet.payload_type(), payload(&packet, bytes));
        Ok(Self::Rtp(Rtp { sequence, timestamp, ssrc, payload_type, payload }))
    }
}

/// Returns the payload as a part of the datagram, which outlives the parsed packet.
fn payload<'a>(packet: &RtpPacket<'_>, bytes: &'a [u8]) -> &'a [u8] {
    let padding = usize::from(packet.padding().unwrap_or(0));
    let end = bytes.len().saturating_sub(padding);
    let start = end.saturating_sub(packet.payload().len());
    bytes.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn header_extension_and_padding_are_not_payload() {
        let plain = [0x80, 0x80 | 111, 0x12, 0x34, 0, 0, 0, 7, 1, 2, 3, 4, 9, 8];
        let rtp = Rtp { sequence: 0x1234, timestamp: 7, ssrc: 0x0102_0304, payload_type: 111, payload: &[9, 8] };
        assert_eq!(Packet::read(&plain), Ok(Packet::Rtp(rtp)));
        // A contributing source, an extension of one word, two bytes of padding.
        let mut full = vec![0xb1, 111, 0x12, 0x34, 0, 0, 0, 7, 1, 2, 3, 4];
        full.extend([5, 5, 5, 5, 0xbe, 0xde, 0, 1, 6, 6, 6, 6, 9, 8, 0, 2]);
        assert_eq!(Packet::read(&full), Ok(Packet::Rtp(rtp)));
        for end in 0..24 {
            assert_eq!(Packet::read(&full[..end]), Err(Malformed), "cut at {end}");
        }
    }

    #[test]
    fn control_is_told_from_media() {
        assert!(matches!(Packet::read(&[0x80, 200, 0, 1]), Ok(Packet::Rtcp(_))));
        assert_eq!(Packet::read(&[0x40, 200, 0, 1]), Err(Malformed));
        assert_eq!(Packet::read(&[]), Err(Malformed));
    }

    #[test]
    fn sources_are_read_as_people_write_them() {
        for (text, ssrc) in [("7", Some(7)), ("0xBeef", Some(0xbeef)), ("4294967295", Some(u32::MAX))] {
            assert_eq!(read_ssrc(text), ssrc, "{text}");
        }
        for text in ["", "0x", "+7", "-7", "0x+12", "4294967296", "0x1ffffffff", "7 "] {
            assert_eq!(read_ssrc(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(Packet::Rtp(rtp)) = Packet::read(&bytes) {
                prop_assert!(rtp.payload.len() + 12 <= bytes.len());
            }
        }
    }
}
