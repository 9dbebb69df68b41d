//! The pcap container: a header, then records of the same link type (draft-ietf-opsawg-pcap).

use std::io::Read;

use crate::ingest::capture::error::CaptureError;
use crate::ingest::capture::link::LinkType;
use crate::ingest::capture::packets::Packet;
use crate::ingest::capture::packets::RECORD_BYTES_MAX;
use crate::ingest::capture::packets::Record;
use crate::ingest::capture::packets::fill;
use crate::ingest::capture::time;
use crate::ingest::capture::window::Window;

const FILE_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;
const VERSION_MAJOR: u16 = 2;
/// Above it are the length of a frame check sequence and reserved bits.
const LINK_TYPE_BITS: u32 = 0xffff;

/// What the file's header says of its records.
#[derive(Debug)]
pub(super) struct Classic {
    is_big_endian: bool,
    /// Nanoseconds of what the fraction of a second counts.
    unit_ns: i64,
    link: LinkType,
}

impl Classic {
    /// Returns whether a file that begins so is in this container.
    pub(super) fn is_magic(begin: [u8; 4]) -> bool {
        let magic = u32::from_be_bytes(begin);
        [magic, magic.swap_bytes()].iter().any(|magic| matches!(magic, 0xa1b2_c3d4 | 0xa1b2_3c4d))
    }

    /// Reads the file's header.
    ///
    /// # Errors
    /// Where it is cut off, or its version or link type is not known.
    pub(super) fn open<R: Read>(window: &mut Window<R>) -> Result<Self, CaptureError> {
        if !fill(window, FILE_HEADER_BYTES)? {
            return Err(CaptureError::Truncated { offset: 0 });
        }
        let malformed = CaptureError::Malformed { offset: 0, what: "no valid header" };
        let Ok((_, header)) = pcap_parser::parse_pcap_header(window.data()) else { return Err(malformed) };
        if header.version_major != VERSION_MAJOR {
            let (major, minor) = (header.version_major, header.version_minor);
            return Err(CaptureError::Version { format: "pcap", major, minor });
        }
        let number = header.network.0.cast_unsigned() & LINK_TYPE_BITS;
        if !LinkType(number).is_known() {
            return Err(CaptureError::UnsupportedLink { number });
        }
        let unit_ns = if header.is_nanosecond_precision() { 1 } else { 1000 };
        window.consume(FILE_HEADER_BYTES);
        Ok(Self { is_big_endian: header.is_bigendian(), unit_ns, link: LinkType(number) })
    }

    /// Reads a record, or `None` at the end.
    ///
    /// # Errors
    /// Where it is cut off or absurdly long.
    pub(super) fn next<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Record>, CaptureError> {
        let offset = window.offset();
        if !fill(window, RECORD_HEADER_BYTES)? {
            return match window.data().is_empty() {
                true => Ok(None),
                false => Err(CaptureError::Truncated { offset }),
            };
        }
        let length = self.captured_bytes(window.data());
        if length > RECORD_BYTES_MAX as u64 {
            return Err(CaptureError::TooLong { offset, bytes: length });
        }
        let total = RECORD_HEADER_BYTES + length as usize;
        if !fill(window, total)? {
            return Err(CaptureError::Truncated { offset });
        }
        let parse = if self.is_big_endian { pcap_parser::parse_pcap_frame_be } else { pcap_parser::parse_pcap_frame };
        let malformed = CaptureError::Malformed { offset, what: "no valid header" };
        let Ok((_, frame)) = parse(window.data()) else { return Err(malformed) };
        let packet = Packet {
            at_ns: Some(time::classic_ns(frame.ts_sec, frame.ts_usec, self.unit_ns)),
            link: self.link,
            data: RECORD_HEADER_BYTES..total,
            is_cut: frame.caplen < frame.origlen,
        };
        Ok(Some((packet, total)))
    }

    /// Length of the packet's bytes, which has to be believable before they are read.
    fn captured_bytes(&self, header: &[u8]) -> u64 {
        let field = header.get(8..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        u64::from(if self.is_big_endian { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) })
    }
}
