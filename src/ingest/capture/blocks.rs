//! The pcapng container: sections of interfaces and packets (draft-ietf-opsawg-pcapng).
//!
//! Lengths are checked here, before a block is parsed: a parser that meets a packet longer than its block asks for more
//! bytes, and would be given the blocks behind it.

use std::io::Read;

use pcap_parser::Block;
use pcap_parser::EnhancedPacketBlock;
use pcap_parser::InterfaceDescriptionBlock;
use pcap_parser::OptionCode;

use crate::ingest::capture::error::CaptureError;
use crate::ingest::capture::link::LinkType;
use crate::ingest::capture::packets::Packet;
use crate::ingest::capture::packets::RECORD_BYTES_MAX;
use crate::ingest::capture::packets::Record;
use crate::ingest::capture::packets::fill;
use crate::ingest::capture::time::Clock;
use crate::ingest::capture::window::Window;

const SECTION_HEADER: u32 = pcap_parser::SHB_MAGIC;
const INTERFACE: u32 = pcap_parser::IDB_MAGIC;
const PACKET: u32 = pcap_parser::EPB_MAGIC;
const SIMPLE_PACKET: u32 = pcap_parser::SPB_MAGIC;
/// The Packet Block of old drafts, which the parser does not know.
const OBSOLETE_PACKET: u32 = 2;

/// Type and length before a block, its length again behind it.
const BLOCK_BYTES_MIN: usize = 12;
/// Where a packet begins in an Enhanced Packet Block and in an obsolete one.
const PACKET_START: usize = 28;
/// Most bytes of a block that is held: the longest packet with 64 KiB of headers and options.
const BLOCK_BYTES_MAX: usize = RECORD_BYTES_MAX + (64 << 10);
/// Most bytes of a block that is passed over (names, statistics, keys): Wireshark's own limit.
const SKIPPED_BYTES_MAX: usize = 16 << 20;
/// Most interfaces of a section: a file that declares more is not made by a capture. They take 1.5 MiB.
const INTERFACES_MAX: usize = 1 << 16;
const VERSION_MAJOR: u16 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn u32_at(self, bytes: &[u8], at: usize) -> u32 {
        self.u32(bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default())
    }

    fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Self::Little => i64::from_le_bytes(bytes),
            Self::Big => i64::from_be_bytes(bytes),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    clock: Clock,
}

/// What the blocks so far say of those that come.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Of the section.
    order: ByteOrder,
    /// Of the section, by their number.
    interfaces: Vec<Interface>,
}

/// A block in the window: whole, unless it is passed over.
struct Frame {
    kind: u32,
    bytes: usize,
    offset: u64,
}

impl Frame {
    fn malformed(&self, what: &'static str) -> CaptureError {
        CaptureError::Malformed { offset: self.offset, what }
    }

    fn is_held(&self) -> bool {
        matches!(self.kind, SECTION_HEADER | INTERFACE | PACKET | SIMPLE_PACKET | OBSOLETE_PACKET)
    }
}

/// What stands before a packet.
struct PacketFields {
    interface: u32,
    units_high: u32,
    units_low: u32,
    captured_bytes: u32,
    original_bytes: u32,
}

impl PacketFields {
    fn of(block: &EnhancedPacketBlock<'_>) -> Self {
        Self {
            interface: block.if_id,
            units_high: block.ts_high,
            units_low: block.ts_low,
            captured_bytes: block.caplen,
            original_bytes: block.origlen,
        }
    }
}

impl Blocks {
    /// Returns whether a file that begins so is in this container.
    pub(super) fn is_magic(begin: [u8; 4]) -> bool {
        // It is the same in both byte orders.
        u32::from_be_bytes(begin) == SECTION_HEADER
    }

    pub(super) fn new() -> Self {
        Self { order: ByteOrder::Little, interfaces: Vec::new() }
    }

    /// Reads on to the next packet, or `None` at the end.
    ///
    /// # Errors
    /// Where a block is cut off, absurdly long or contradicts itself.
    pub(super) fn next<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Record>, CaptureError> {
        while let Some(frame) = self.frame(window)? {
            if frame.is_held() {
                if let Some(packet) = self.block(&frame, &window.data()[..frame.bytes])? {
                    return Ok(Some((packet, frame.bytes)));
                }
                window.consume(frame.bytes);
            } else {
                self.pass_over(&frame, window)?;
            }
        }
        Ok(None)
    }

    /// Reads type and length of a block, and all of it where it is held.
    fn frame<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Frame>, CaptureError> {
        let offset = window.offset();
        if !fill(window, BLOCK_BYTES_MIN)? {
            return match window.data().is_empty() {
                true => Ok(None),
                false => Err(CaptureError::Truncated { offset }),
            };
        }
        let head = window.data();
        if ByteOrder::Big.u32_at(head, 0) == SECTION_HEADER {
            self.order = byte_order(ByteOrder::Big.u32_at(head, 8))
                .ok_or(CaptureError::Malformed { offset, what: "no byte order" })?;
        }
        let frame = Frame { kind: self.order.u32_at(head, 0), bytes: self.order.u32_at(head, 4) as usize, offset };
        let bytes_max = if frame.is_held() { BLOCK_BYTES_MAX } else { SKIPPED_BYTES_MAX };
        if frame.bytes > bytes_max {
            return Err(CaptureError::TooLong { offset, bytes: frame.bytes as u64 });
        }
        if frame.bytes < BLOCK_BYTES_MIN || !frame.bytes.is_multiple_of(4) {
            return Err(frame.malformed("an impossible length"));
        }
        if frame.is_held() {
            if !fill(window, frame.bytes)? {
                return Err(CaptureError::Truncated { offset });
            }
            self.check_end(&frame, self.order.u32_at(window.data(), frame.bytes - 4))?;
        }
        Ok(Some(frame))
    }

    fn pass_over<R: Read>(&self, frame: &Frame, window: &mut Window<R>) -> Result<(), CaptureError> {
        let unreadable = |cause| CaptureError::Unreadable { cause };
        let is_there = window.skip(frame.bytes as u64 - 4).map_err(unreadable)? && fill(window, 4)?;
        if !is_there {
            return Err(CaptureError::Truncated { offset: frame.offset });
        }
        self.check_end(frame, self.order.u32_at(window.data(), 0))?;
        window.consume(4);
        Ok(())
    }

    fn check_end(&self, frame: &Frame, bytes_again: u32) -> Result<(), CaptureError> {
        match bytes_again as usize == frame.bytes {
            true => Ok(()),
            false => Err(frame.malformed("two lengths that differ")),
        }
    }

    /// Takes in a whole block; returns its packet, if it is one.
    fn block(&mut self, frame: &Frame, bytes: &[u8]) -> Result<Option<Packet>, CaptureError> {
        let parse = match self.order {
            ByteOrder::Little => pcap_parser::parse_block_le,
            ByteOrder::Big => pcap_parser::parse_block_be,
        };
        let Ok((_, block)) = parse(bytes) else { return Err(frame.malformed("fields that do not fit into it")) };
        match block {
            Block::SectionHeader(section) if section.major_version != VERSION_MAJOR => {
                let (major, minor) = (section.major_version, section.minor_version);
                return Err(CaptureError::Version { format: "pcapng", major, minor });
            }
            Block::SectionHeader(_) => self.interfaces.clear(),
            Block::InterfaceDescription(interface) if self.interfaces.len() < INTERFACES_MAX => {
                self.interfaces.push(self.interface(&interface));
            }
            Block::InterfaceDescription(_) => return Err(frame.malformed("one interface too many")),
            Block::EnhancedPacket(block) => return self.packet(frame, &PacketFields::of(&block)).map(Some),
            Block::SimplePacket(_) => return Ok(Some(self.without_time())),
            Block::Unknown(block) => return self.packet(frame, &self.obsolete(block.data)).map(Some),
            _ => {}
        }
        Ok(None)
    }

    /// The parser's own reading of these options knows no powers of two, and only one byte order.
    fn interface(&self, block: &InterfaceDescriptionBlock<'_>) -> Interface {
        let mut clock = Clock::default();
        for option in &block.options {
            let value = option.value();
            match (option.code, option.len) {
                (OptionCode::EndOfOpt, _) => break,
                (OptionCode::IfTsresol, 1) => clock.resolution = value.first().copied().unwrap_or(clock.resolution),
                (OptionCode::IfTsoffset, 8) => {
                    clock.offset_seconds = value.first_chunk().map_or(0, |bytes| self.order.i64(*bytes));
                }
                _ => {}
            }
        }
        Interface { link: LinkType(block.linktype.0.cast_unsigned()), clock }
    }

    /// An obsolete block has the number of drops where others have the high half of the interface.
    fn obsolete(&self, content: &[u8]) -> PacketFields {
        let first = self.order.u32_at(content, 0);
        PacketFields {
            interface: if self.order == ByteOrder::Little { first & 0xffff } else { first >> 16 },
            units_high: self.order.u32_at(content, 4),
            units_low: self.order.u32_at(content, 8),
            captured_bytes: self.order.u32_at(content, 12),
            original_bytes: self.order.u32_at(content, 16),
        }
    }

    fn packet(&self, frame: &Frame, fields: &PacketFields) -> Result<Packet, CaptureError> {
        let bytes = fields.captured_bytes as usize;
        if bytes > RECORD_BYTES_MAX {
            return Err(CaptureError::TooLong { offset: frame.offset, bytes: bytes as u64 });
        }
        let data = PACKET_START..PACKET_START + bytes;
        if data.end + 4 > frame.bytes {
            return Err(frame.malformed("a packet that does not fit into it"));
        }
        let interface = self.interfaces.get(fields.interface as usize).copied();
        let Some(Interface { link, clock }) = interface else {
            return Err(frame.malformed("an interface that is not declared"));
        };
        let units = u64::from(fields.units_high) << 32 | u64::from(fields.units_low);
        let is_cut = fields.captured_bytes < fields.original_bytes;
        Ok(Packet { at_ns: Some(clock.ns(units)), link, data, is_cut })
    }

    fn without_time(&self) -> Packet {
        let link = self.interfaces.first().map_or(LinkType(0), |interface| interface.link);
        Packet { at_ns: None, link, data: 0..0, is_cut: false }
    }
}

/// The byte order of a section, by its mark as read from the most significant byte on.
fn byte_order(mark: u32) -> Option<ByteOrder> {
    match mark {
        pcap_parser::BOM_MAGIC => Some(ByteOrder::Big),
        mark if mark == pcap_parser::BOM_MAGIC.swap_bytes() => Some(ByteOrder::Little),
        _ => None,
    }
}
