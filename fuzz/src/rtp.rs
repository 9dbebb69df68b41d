//! Any datagram, read as RTP: against a reading of RFC 3550 §5.1 by hand, and through a track.

use std::net::Ipv4Addr;
use std::net::SocketAddr;

use reelgraph::media::Codec;
use reelgraph::media::Packet;
use reelgraph::media::Payloads;
use reelgraph::media::Settings;
use reelgraph::media::Track;

/// Longer payloads are no audio.
const PAYLOAD_MAX: usize = 4_096;

const SECOND_NS: i64 = 1_000_000_000;

pub(crate) fn run(bytes: &[u8]) {
    let is_rtcp = bytes.len() >= 2 && bytes[0] >> 6 == 2 && (192..=223).contains(&bytes[1]);
    let expected = if is_rtcp { None } else { payload(bytes) };
    match Packet::read(bytes) {
        Ok(Packet::Rtcp(all)) => assert!(is_rtcp && all == bytes),
        Ok(Packet::Rtp(_)) => assert!(expected.is_some(), "read, and is none"),
        Err(_) => assert!(!is_rtcp && expected.is_none(), "not read, and is one"),
    }
    if let Some(payload) = expected {
        through_a_track(bytes, payload);
    }
}

/// Returns the payload of a packet, as the RFC has it.
fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let first = *bytes.first()?;
    let mut start = 12 + 4 * usize::from(first & 0x0f);
    if first >> 6 != 2 || bytes.len() < start {
        return None;
    }
    if first & 0x10 != 0 {
        let words = bytes.get(start + 2..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    let padding = if first & 0x20 != 0 { usize::from(*bytes.last()?) } else { 0 };
    let has_padding = first & 0x20 != 0;
    let end = bytes.len().checked_sub(padding)?;
    (!has_padding || padding > 0 && bytes.len() > start).then(|| bytes.get(start..end)).flatten()
}

/// Two packets that follow each other are heard, to the byte.
fn through_a_track(bytes: &[u8], payload: &[u8]) {
    let payloads = Payloads { codec: Codec::Pcmu, payload_type: Some(bytes[1] & 0x7f), events: None };
    let mut track = Track::new(Settings { payloads, source: None, ssrc: None });
    let cursor = track.open(i64::MIN);
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 4_000));
    let mut next = bytes.to_vec();
    let sequence = u16::from_be_bytes([bytes[2], bytes[3]]).wrapping_add(1);
    let timestamp = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]).wrapping_add(payload.len() as u32);
    next[2..4].copy_from_slice(&sequence.to_be_bytes());
    next[4..8].copy_from_slice(&timestamp.to_be_bytes());
    track.receive(bytes, from, 0);
    track.receive(&next, from, payload.len() as i64 * SECOND_NS / 8_000);
    let mut heard = Vec::new();
    track.advance(10 * SECOND_NS, 10 * SECOND_NS);
    track.read(cursor, i64::MAX, |frame| heard.push(frame.payload.clone()));
    let is_audio = (1..=PAYLOAD_MAX).contains(&payload.len());
    assert_eq!(heard.len(), if is_audio { 2 } else { 0 });
    assert!(heard.iter().all(|heard| heard == payload));
}
