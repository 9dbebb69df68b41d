//! What an Opus packet and header say about time, without decoding. Pure; RFC 6716 §3.1, RFC 7845 §5.1.

/// Samples per second in which everything about Opus is counted.
pub const RATE: u32 = 48_000;

/// Longest packet that the format allows, in samples (120 ms).
const PACKET_SAMPLES_MAX: u64 = 5_760;

/// Returns how many samples at 48 kHz a packet holds, or `None` when it is no valid packet.
pub fn packet_samples(packet: &[u8]) -> Option<u64> {
    let toc = *packet.first()?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3f),
    };
    let samples = frames * frame_samples(toc >> 3);
    (1..=PACKET_SAMPLES_MAX).contains(&samples).then_some(samples)
}

/// Samples of one frame of a TOC's configuration number (RFC 6716, table 2).
fn frame_samples(config: u8) -> u64 {
    match config {
        0..=11 => [480, 960, 1920, 2880][usize::from(config % 4)],
        12..=15 => [480, 960][usize::from(config % 2)],
        _ => [120, 240, 480, 960][usize::from(config % 4)],
    }
}

/// Returns the samples that a decoder throws away at the beginning, or `None` when this is no identification header.
pub fn pre_skip(head: &[u8]) -> Option<u64> {
    let bytes = head.strip_prefix(b"OpusHead")?.get(2..4)?;
    Some(u64::from(u16::from_le_bytes([bytes[0], bytes[1]])))
}

/// Returns whether a packet is one of the two headers that stand before the audio.
pub fn is_header(packet: &[u8]) -> bool {
    packet.starts_with(b"OpusHead") || packet.starts_with(b"OpusTags")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_tell_their_samples() {
        let cases: &[(&[u8], Option<u64>)] = &[
            (&[], None),
            (&[0 << 3], Some(480)),
            (&[3 << 3], Some(2880)),
            (&[11 << 3 | 1], Some(5760)),
            (&[13 << 3], Some(960)),
            (&[16 << 3], Some(120)),
            (&[31 << 3 | 2], Some(1920)),
            (&[31 << 3 | 3], None),
            (&[31 << 3 | 3, 0], None),
            (&[31 << 3 | 3, 0x80 | 6], Some(5760)),
            (&[31 << 3 | 3, 7], None),
        ];
        for (packet, samples) in cases {
            assert_eq!(packet_samples(packet), *samples, "packet {packet:02x?}");
        }
    }

    #[test]
    fn header_tells_its_pre_skip() {
        assert_eq!(pre_skip(b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"), Some(312));
        assert_eq!(pre_skip(b"OpusHead\x01\x02\x38"), None);
        assert_eq!(pre_skip(b"OpusTags\x01\x02\x38\x01"), None);
    }
}
