//! The records of a capture, whatever its container: opened by what the first bytes are.

use std::io::Read;
use std::ops::Range;

use crate::ingest::capture::blocks::Blocks;
use crate::ingest::capture::classic::Classic;
use crate::ingest::capture::error::CaptureError;
use crate::ingest::capture::link::LinkType;
use crate::ingest::capture::window::Window;

/// Most bytes of a packet: libpcap's own limit (MAXIMUM_SNAPLEN). What claims more is damaged.
pub const RECORD_BYTES_MAX: usize = 256 << 10;

/// A captured packet. Its bytes are the reader's to ask for, until the next one is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    /// Nanoseconds since the epoch; `None` where the container has no time.
    pub(super) at_ns: Option<i64>,
    pub(super) link: LinkType,
    /// Bytes of the record.
    pub(super) data: Range<usize>,
    /// It was longer on the wire.
    pub(super) is_cut: bool,
}

/// A packet and how many bytes its record takes.
pub(super) type Record = (Packet, usize);

#[derive(Debug)]
enum Container {
    Classic(Classic),
    Blocks(Blocks),
}

/// Reads packets one by one.
#[derive(Debug)]
pub(super) struct Packets<R> {
    window: Window<R>,
    container: Container,
    /// Bytes of the record that was given last, which stays until the next one is asked for.
    held: usize,
}

impl<R: Read> Packets<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// Where it is no capture, or one of a version or link type that is not known.
    pub(super) fn open(reader: R) -> Result<Self, CaptureError> {
        let mut window = Window::new(reader);
        fill(&mut window, MAGIC_BYTES)?;
        if window.data().is_empty() {
            return Err(CaptureError::Empty);
        }
        let container = match window.data().first_chunk() {
            Some(&magic) if Classic::is_magic(magic) => Container::Classic(Classic::open(&mut window)?),
            Some(&magic) if Blocks::is_magic(magic) => Container::Blocks(Blocks::new()),
            _ => return Err(CaptureError::NotCapture { found: looks_like(window.data()) }),
        };
        Ok(Self { window, container, held: 0 })
    }

    /// Returns the next packet, or `None` at the end.
    ///
    /// # Errors
    /// Where the file cannot be read on. What comes after an error has no meaning.
    pub(super) fn advance(&mut self) -> Result<Option<Packet>, CaptureError> {
        self.window.consume(std::mem::take(&mut self.held));
        let record = match &mut self.container {
            Container::Classic(classic) => classic.next(&mut self.window)?,
            Container::Blocks(blocks) => blocks.next(&mut self.window)?,
        };
        let Some((packet, bytes)) = record else { return Ok(None) };
        self.held = bytes;
        Ok(Some(packet))
    }

    /// Returns bytes of the record that was given last; none where the range is not one of it.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.window.data().get(range).unwrap_or_default()
    }
}

/// Reads until there are `n_bytes`; false where the file ends before.
pub(super) fn fill<R: Read>(window: &mut Window<R>, n_bytes: usize) -> Result<bool, CaptureError> {
    window.fill(n_bytes).map_err(|cause| CaptureError::Unreadable { cause })
}

/// Both containers are told by their first four bytes; twelve tell what else a file may be.
const MAGIC_BYTES: usize = 12;

/// What people give instead of a capture.
fn looks_like(begin: &[u8]) -> Option<&'static str> {
    const BEGINS: [(&[u8], &str); 12] = [
        (&[0x1f, 0x8b], "compressed with gzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "compressed with zstd"),
        (&[0x04, 0x22, 0x4d, 0x18], "compressed with lz4"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "compressed with xz"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"snoop\0\0\0", "a snoop capture of Solaris (editcap converts it)"),
        (&[0x34, 0xcd, 0xb2, 0xa1], "a modified pcap of an old libpcap (editcap converts it)"),
        (&[0xa1, 0xb2, 0xcd, 0x34], "a modified pcap of an old libpcap (editcap converts it)"),
        (b"#!rtpplay1.0", "an rtpdump file"),
        (b"RIFF", "a WAV file"),
        (b"OggS", "an Ogg file"),
        (b"ID3", "an MP3 file"),
    ];
    let known = BEGINS.iter().find(|(magic, _)| begin.starts_with(magic)).map(|(_, name)| *name);
    let is_text = begin.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    known.or(is_text.then_some("a text"))
}
