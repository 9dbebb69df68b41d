//! Packets as bytes: RTP (RFC 3550 §5.1) and compound RTCP (§6).

use rtcp_types::Bye;
use rtcp_types::Compound;
use rtcp_types::RtcpPacketWriterExt;
use rtcp_types::Sdes;
use rtcp_types::SdesChunk;
use rtcp_types::SdesItem;
use rtcp_types::SenderReport;
use rtp_types::RtpPacketBuilder;

use crate::send::codec::COMFORT_NOISE;
use crate::send::error::SendError;
use crate::send::frame::Frame;
use crate::send::frame::Kind;
use crate::send::stream::Counts;
use crate::send::stream::Identity;

/// Seconds from 1900, where NTP begins, to 1970.
const NTP_UNIX_SECONDS: u64 = 2_208_988_800;

/// A report, a name of 18 bytes and a goodbye: 28 + 32 + 8 bytes.
const RTCP_BYTES_MAX: usize = 128;

/// Writes the `index`-th packet of a stream behind what `bytes` holds.
pub(super) fn rtp(
    bytes: &mut Vec<u8>,
    identity: &Identity,
    payload_type: u8,
    index: u64,
    frame: &Frame,
) -> Result<(), SendError> {
    let payload_type = if frame.kind == Kind::ComfortNoise { COMFORT_NOISE } else { payload_type };
    let packet = RtpPacketBuilder::<&[u8], &[u8]>::new()
        .payload_type(payload_type)
        // Both wrap.
        .sequence_number(identity.first_sequence.wrapping_add(index as u16))
        .timestamp(identity.first_timestamp.wrapping_add(frame.ticks as u32))
        .ssrc(identity.ssrc)
        .marker_bit(frame.marker)
        .payload(&frame.payload);
    packet.write_into_vec(bytes)?;
    Ok(())
}

/// Writes a report, which says goodbye or not, behind what `bytes` holds. `utc_ns` is what a clock on the wall says at
/// `ticks` of the media, in nanoseconds from 1970.
pub(super) fn rtcp(
    bytes: &mut Vec<u8>,
    identity: &Identity,
    utc_ns: u64,
    ticks: u64,
    counts: Counts,
    is_goodbye: bool,
) -> Result<(), SendError> {
    let ssrc = identity.ssrc;
    let name = format!("{ssrc:08x}@reelgraph");
    let report = SenderReport::builder(ssrc)
        .ntp_timestamp(ntp(utc_ns))
        .rtp_timestamp(identity.first_timestamp.wrapping_add(ticks as u32))
        .packet_count(counts.packets as u32)
        .octet_count(counts.octets as u32);
    let item = SdesItem::builder(SdesItem::CNAME, &name);
    let names = Sdes::builder().add_chunk(SdesChunk::builder(ssrc).add_item(item));
    let mut compound = Compound::builder().add_packet(report).add_packet(names);
    if is_goodbye {
        compound = compound.add_packet(Bye::builder().add_source(ssrc));
    }
    let mut buffer = [0; RTCP_BYTES_MAX];
    let length = compound.write_into(&mut buffer)?;
    bytes.extend_from_slice(&buffer[..length]);
    Ok(())
}

/// Seconds from 1900 in the upper half, parts of 2³² of a second in the lower one, rounded down: to a quarter of a
/// nanosecond.
fn ntp(utc_ns: u64) -> u64 {
    let (seconds, ns) = (utc_ns / 1_000_000_000 + NTP_UNIX_SECONDS, utc_ns % 1_000_000_000);
    // The seconds wrap in 2036.
    (seconds << 32) | ((ns << 32) / 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: Identity =
        Identity { ssrc: 0x0102_0304, first_sequence: 0xFFFF, first_timestamp: 0xFFFF_FFFF, phase_ns: 0 };

    #[test]
    fn rtp_is_as_rfc_3550_draws_it() {
        let frame = Frame { ticks: 160, payload: vec![0xAA, 0xBB].into(), kind: Kind::Media, marker: true };
        let mut bytes = Vec::new();
        rtp(&mut bytes, &IDENTITY, 111, 1, &frame).unwrap();
        assert_eq!(bytes, [0x80, 0x80 | 111, 0, 0, 0, 0, 0, 159, 1, 2, 3, 4, 0xAA, 0xBB]);
        bytes.clear();
        let noise = Frame { kind: Kind::ComfortNoise, marker: false, ..frame };
        rtp(&mut bytes, &IDENTITY, 0, 0, &noise).unwrap();
        assert_eq!(bytes[..4], [0x80, 13, 0xFF, 0xFF]);
    }

    #[test]
    fn a_goodbye_is_a_report_a_name_and_bye() {
        let mut bytes = Vec::new();
        let counts = Counts { packets: 7, octets: 1_120 };
        // Half a second after 2023-11-14T22:13:20Z.
        rtcp(&mut bytes, &IDENTITY, 1_700_000_000_500_000_000, 2, counts, true).unwrap();
        let report = [0x80, 200, 0, 6, 1, 2, 3, 4, 0xE8, 0xFE, 0x6F, 0x80, 0x80, 0, 0, 0];
        let report = [&report[..], &[0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 4, 96]].concat();
        let name = [&[0x81, 202, 0, 7, 1, 2, 3, 4, 1, 18][..], b"01020304@reelgraph", &[0; 4]].concat();
        assert_eq!(bytes, [report, name, vec![0x81, 203, 0, 1, 1, 2, 3, 4]].concat());
    }
}
