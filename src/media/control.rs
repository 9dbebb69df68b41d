//! RTCP: what of a sender's reports matters to a recording, and the receiver reports that it gets (RFC 3550 §6).

use rtcp_types::{Compound, Packet, ReceiverReport, ReportBlock, RtcpPacketWriter, RtcpPacketWriterExt, Sdes};

use crate::media::reception::Reception;

/// Packets of one datagram that are looked at.
const PACKETS_MAX: usize = 16;

/// What an RTCP datagram says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// A sender's clock: its wall clock and its media time at one instant (RFC 3550 §6.4.1).
    SenderReport {
        /// Who.
        ssrc: u32,
        /// NTP time-stamp.
        ntp: u64,
        /// RTP time-stamp.
        rtp: u32,
    },
    /// A sender leaves.
    Bye {
        /// Who.
        ssrc: u32,
    },
}

/// Reads a datagram; what is not understood is left out, and so is what comes after something that is malformed.
pub(super) fn read(datagram: &[u8]) -> impl Iterator<Item = Control> {
    let packets = Compound::parse(datagram).ok().into_iter().flatten();
    packets.take(PACKETS_MAX).map_while(Result::ok).flat_map(|packet| {
        let mut said = Vec::new();
        match packet {
            Packet::Sr(sr) => {
                said.push(Control::SenderReport { ssrc: sr.ssrc(), ntp: sr.ntp_timestamp(), rtp: sr.rtp_timestamp() });
            }
            Packet::Bye(bye) => said.extend(bye.ssrcs().map(|ssrc| Control::Bye { ssrc })),
            _ => (),
        }
        said
    })
}

/// The last sender report, as a receiver report answers it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastReport {
    pub(super) ntp: u64,
    pub(super) arrival_ns: i64,
}

/// Returns a receiver report with its mandatory SDES (RFC 3550 §6.1), as it goes over the wire.
pub(super) fn receiver_report(
    own: u32,
    sender: u32,
    reception: &mut Reception,
    last: Option<LastReport>,
    now_ns: i64,
) -> Option<Vec<u8>> {
    let said = reception.report();
    // The middle 32 bits of the NTP time-stamp, and 1/65 536 s since it came.
    let (last_sr, delay) = last.map_or((0, 0), |last| {
        let passed = i128::from(now_ns.saturating_sub(last.arrival_ns).max(0)) * 65_536 / 1_000_000_000;
        ((last.ntp >> 16) as u32, u32::try_from(passed).unwrap_or(u32::MAX))
    });
    let block = ReportBlock::builder(sender)
        .fraction_lost(said.fraction_lost)
        .cumulative_lost(said.cumulative_lost)
        .extended_sequence_number(said.extended_sequence)
        .interarrival_jitter(said.jitter)
        .last_sender_report_timestamp(last_sr)
        .delay_since_last_sender_report_timestamp(delay);
    let name = rtcp_types::SdesItem::builder(rtcp_types::SdesItem::CNAME, "recorder");
    let chunk = rtcp_types::SdesChunk::builder(own).add_item(name);
    let report = Compound::builder()
        .add_packet(ReceiverReport::builder(own).add_report_block(block))
        .add_packet(Sdes::builder().add_chunk(chunk));
    let mut bytes = vec![0; report.calculate_size().ok()?];
    let n = report.write_into(&mut bytes).ok()?;
    bytes.truncate(n);
    Some(bytes)
}
