//! A capture as datagrams, one by one.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use crate::ingest::capture::error::CaptureError;
use crate::ingest::capture::frame;
use crate::ingest::capture::frame::Found;
use crate::ingest::capture::frame::Miss;
use crate::ingest::capture::packets::Packet;
use crate::ingest::capture::packets::Packets;

/// A UDP datagram, whole, as it was on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// When it was captured: nanoseconds since 1970-01-01 00:00 UTC. May be before that of the datagram before it.
    pub at_ns: i64,
    /// Who sent it.
    pub from: SocketAddr,
    /// Whom it was sent to.
    pub to: SocketAddr,
    /// What is behind the UDP header; may be empty.
    pub payload: &'a [u8],
}

/// What was met so far. Each packet is one of `packets` and one of another field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All packets.
    pub packets: u64,
    /// Whole UDP datagrams, which were given.
    pub datagrams: u64,
    /// Packets of other protocols, and those inside of tunnels.
    pub not_udp: u64,
    /// Parts of UDP datagrams that were sent in fragments.
    pub fragments: u64,
    /// UDP datagrams, and frames too short to tell, of which the capture kept only the beginning (its snap length).
    pub truncated: u64,
    /// Packets whose headers contradict themselves, or that are longer than their frame.
    pub malformed: u64,
    /// Packets of pcapng interfaces whose link type is not read.
    pub unsupported_links: u64,
    /// Packets without a time.
    pub untimed: u64,
}

/// Reads the datagrams of a capture in the order in which they stand there.
#[derive(Debug)]
pub struct Capture<R = File> {
    packets: Packets<R>,
    counts: Counts,
    /// The first link type that was met and is not read.
    unsupported_link: Option<u32>,
    is_over: bool,
}

impl Capture<File> {
    /// Opens a capture file and reads its beginning.
    ///
    /// # Errors
    /// Where it is no regular file that can be read, is empty, or is no capture; where all of it is of a link type or a
    /// version that is not read.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let unreadable = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => CaptureError::NotFound,
            _ => CaptureError::Unreadable { cause },
        };
        // Before anything is opened: to open a pipe is to wait for its writer.
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(CaptureError::Directory);
        }
        if !metadata.is_file() {
            return Err(CaptureError::NotRegular);
        }
        Self::new(File::open(path).map_err(unreadable)?)
    }
}

impl<R: Read> Capture<R> {
    /// Reads the beginning of a capture that need not be in a file. No buffer around the reader is needed.
    ///
    /// # Errors
    /// As [`Capture::open`], but for what only files can be.
    pub fn new(reader: R) -> Result<Self, CaptureError> {
        let packets = Packets::open(reader)?;
        Ok(Self { packets, counts: Counts::default(), unsupported_link: None, is_over: false })
    }

    /// Returns the next datagram, or `None` at the end.
    ///
    /// # Errors
    /// Where the file is damaged or cut off, behind the last datagram that is there; at the end where no packet of it
    /// could be read at all. An error is told once, then comes `None`.
    pub fn next_datagram(&mut self) -> Result<Option<Datagram<'_>>, CaptureError> {
        match self.advance() {
            Ok(Some((at_ns, found))) => {
                let Found { from, to, payload } = found;
                Ok(Some(Datagram { at_ns, from, to, payload: self.packets.bytes(payload) }))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                self.is_over = true;
                Err(error)
            }
        }
    }

    /// Returns what was met up to the last datagram that was given.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Reads on to the next datagram; its payload is a range of the frame's record.
    fn advance(&mut self) -> Result<Option<(i64, Found)>, CaptureError> {
        while !self.is_over {
            let Some(packet) = self.packets.advance()? else {
                self.is_over = true;
                return self.verdict().map(|()| None);
            };
            self.counts.packets += 1;
            if let Some(found) = self.sort(packet) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Counts a packet; returns its datagram, if it is one.
    fn sort(&mut self, packet: Packet) -> Option<(i64, Found)> {
        let Some(at_ns) = packet.at_ns else {
            self.counts.untimed += 1;
            return None;
        };
        let start = packet.data.start;
        match frame::find(packet.link, self.packets.bytes(packet.data)) {
            Ok(Found { from, to, payload }) => {
                self.counts.datagrams += 1;
                let payload = start + payload.start..start + payload.end;
                return Some((at_ns, Found { from, to, payload }));
            }
            Err(Miss::Link) => {
                self.unsupported_link.get_or_insert(packet.link.0);
                self.counts.unsupported_links += 1;
            }
            Err(Miss::NotUdp) => self.counts.not_udp += 1,
            Err(Miss::Fragment) => self.counts.fragments += 1,
            Err(Miss::Short) if packet.is_cut => self.counts.truncated += 1,
            Err(Miss::Short | Miss::Malformed) => self.counts.malformed += 1,
        }
        None
    }

    /// Returns what it means that the file is over.
    fn verdict(&self) -> Result<(), CaptureError> {
        match (self.counts.datagrams, self.unsupported_link) {
            (0, Some(number)) => Err(CaptureError::UnsupportedLink { number }),
            (0, None) if self.counts.untimed > 0 => Err(CaptureError::NoTimes),
            _ => Ok(()),
        }
    }
}

/// Reads a capture to its end and returns what was in it.
///
/// # Errors
/// As [`Capture::new`] and [`Capture::next_datagram`].
pub fn scan(reader: impl Read) -> Result<Counts, CaptureError> {
    let mut capture = Capture::new(reader)?;
    while capture.next_datagram()?.is_some() {}
    Ok(capture.counts())
}
