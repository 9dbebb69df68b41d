//! What of an RTP header tells one stream from another (RFC 3550, §5.1). Total: reads no byte that is not there.

use crate::media::is_control;

const HEADER_BYTES: usize = 12;
const VERSION: u8 = 2;

/// Which stream a packet is of, and its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    /// 0 ‥ 127.
    pub(super) payload_type: u8,
}

impl Header {
    /// Reads the header of what may be RTP; `None` where it cannot be.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let head: &[u8; HEADER_BYTES] = payload.first_chunk()?;
        let n_sources = usize::from(head[0] & 0x0f);
        let is_rtp = head[0] >> 6 == VERSION && !is_control(head);
        if !is_rtp || payload.len() < HEADER_BYTES + 4 * n_sources {
            return None;
        }
        Some(Self {
            ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
            sequence: u16::from_be_bytes([head[2], head[3]]),
            payload_type: head[1] & 0x7f,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_rtp_is_told_by_its_header() {
        let rtp = [0x80, 0x80, 0x12, 0x34, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef];
        let header = Header { ssrc: 0xdead_beef, sequence: 0x1234, payload_type: 0 };
        assert_eq!(Header::read(&rtp), Some(header));
        assert_eq!(Header::read(&rtp[..11]), None);
        let with = |first: u8, second: u8| Header::read(&[&[first, second][..], &rtp[2..]].concat());
        assert_eq!(with(0x80, 111).map(|h| h.payload_type), Some(111));
        assert_eq!(with(0x80, 191).map(|h| h.payload_type), Some(63));
        assert_eq!(with(0x80, 224).map(|h| h.payload_type), Some(96));
        for rtcp in 192..=223 {
            assert_eq!(with(0x80, rtcp), None, "{rtcp}");
        }
        for version in [0x00, 0x40, 0xc0] {
            assert_eq!(with(version, 0), None, "{version}");
        }
        assert_eq!(with(0x81, 0), None, "a source that is not there");
    }
}
