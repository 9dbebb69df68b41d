//! Why a capture yields no datagrams, or no more of them. The text reads after "failed to read the capture: "; the
//! file's name is the caller's to add.

use std::io;

use crate::ingest::capture::packets::RECORD_BYTES_MAX;
use crate::ingest::capture::select::Select;
use crate::ingest::capture::streams::StreamList;
use crate::model::Blame;

/// Everything that can be wrong with a capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Nothing is there by that name.
    #[error("no such file; check the name")]
    NotFound,
    /// The operating system refuses to read it, or to read on.
    #[error("the file cannot be read: {cause}; check its permissions and its disk")]
    Unreadable {
        /// What the operating system said. Not a `source`: the text has it already.
        cause: io::Error,
    },
    /// It is a directory.
    #[error("this is a directory; name a file in it")]
    Directory,
    /// It is a pipe, a socket or a device, which may never end.
    #[error("this is not a regular file; copy its content into one")]
    NotRegular,
    /// It has no bytes.
    #[error("the file is empty; whoever wrote it wrote nothing")]
    Empty,
    /// It does not begin as a capture does.
    #[error("this is {}, not a packet capture; give pcap or pcapng", .found.unwrap_or("no known format"))]
    NotCapture {
        /// What it looks like instead, with its article.
        found: Option<&'static str>,
    },
    /// A format of a future, or of long ago.
    #[error("this is {format} of version {major}.{minor}, which is not known; write it anew with editcap")]
    Version {
        /// `pcap` or `pcapng`.
        format: &'static str,
        /// As written in the file.
        major: u16,
        /// As written in the file.
        minor: u16,
    },
    /// What was captured is no link that carries IP in a way that is known. In a pcapng file with several interfaces
    /// it is told at the end, and only if no interface gave a datagram.
    #[error("link type {number} is not read; capture Ethernet (1), raw IP (101), Linux cooked (113, 276) or loopback")]
    UnsupportedLink {
        /// Its number in the registry of link types (tcpdump.org/linktypes.html).
        number: u32,
    },
    /// All packets are in Simple Packet Blocks, which have no time. Told at the end.
    #[error("the packets have no times (simple packet blocks); write the capture with another program")]
    NoTimes,
    /// The file ends in a record. All datagrams before it have been given.
    #[error("the file is cut off in the record that begins at byte {offset}; what was before it has been read")]
    Truncated {
        /// Where the record begins.
        offset: u64,
    },
    /// A record is longer than any packet. All datagrams before it have been given.
    #[error(
        "the record at byte {offset} claims {bytes} bytes, more than {RECORD_BYTES_MAX}; the file is damaged there"
    )]
    TooLong {
        /// Where the record begins.
        offset: u64,
        /// What it says of its length.
        bytes: u64,
    },
    /// A record contradicts itself, so that nobody knows where the next one begins. All datagrams before it have been
    /// given.
    #[error("the record at byte {offset} has {what}; the file is damaged there")]
    Malformed {
        /// Where the record begins.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Nothing comes for so long that what comes then is another call; or its time is damaged.
    #[error("the capture has nothing for {hours} hours here; what comes then is taken for another call")]
    Apart {
        /// How long, rounded down.
        hours: u64,
    },
    /// The clock of the capture was set back, or a time is wrong, or its records are out of order.
    #[error(
        "the capture's time goes back by {seconds:.3} s here; until it has caught up little can be heard: put its \
         records in order first, as reordercap does"
    )]
    Back {
        /// By how much.
        seconds: f64,
    },
    /// No RTP stream is in it.
    #[error("no RTP stream is in this capture; at least three packets in order make one")]
    NoStream,
    /// There are streams, and none of them is the one that was named.
    #[error("no RTP stream has {select}; these are there:{found}")]
    NoSuchStream {
        /// What was asked for.
        select: Select,
        /// What there is.
        found: StreamList,
    },
    /// Several streams are what was named, and they are not one after the other.
    #[error("{}:{found}", ambiguous(.select))]
    Ambiguous {
        /// What was asked for.
        select: Select,
        /// All that match.
        found: StreamList,
    },
}

impl CaptureError {
    /// Returns whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unreadable { cause } if cause.kind() != io::ErrorKind::PermissionDenied => Blame::Environment,
            _ => Blame::Caller,
        }
    }

    /// Returns whether the same call with the same file may succeed later.
    pub fn may_retry(&self) -> bool {
        self.blame() == Blame::Environment
    }

    /// Returns whether datagrams were, or may have been, given before it: the file is damaged, not the wrong one.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::TooLong { .. } | Self::Malformed { .. } | Self::Unreadable { .. })
    }
}

fn ambiguous(select: &Select) -> String {
    match select {
        Select::Only => "there are several RTP streams; choose one with ?ssrc= or ?port=".to_string(),
        Select::Ssrc(_) => format!("several RTP streams have {select} at the same time; choose one with ?port="),
        Select::Both { .. } => format!("several RTP streams have {select} at the same time, from several addresses"),
        Select::Port(_) => format!("several RTP streams have {select} at the same time; choose one with ?ssrc="),
    }
}
