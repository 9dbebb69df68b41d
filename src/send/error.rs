//! Why nothing, or no more, can be sent. The text reads after "failed to send: ".

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::Blame;

/// Everything that can keep media from being sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The operating system does not give the file.
    #[error("{} cannot be read: {cause}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What it said. Not a `source`: the text has it already.
        cause: io::Error,
    },
    /// A directory, a pipe, a socket or a device.
    #[error("{} is not a regular file; give a media file", .path.display())]
    NotRegular {
        /// Which.
        path: PathBuf,
    },
    /// GStreamer finds no voice in the file.
    #[error("{} holds no audio that can be decoded{}", .path.display(), detail(.cause))]
    NoAudio {
        /// Which.
        path: PathBuf,
        /// What GStreamer said.
        cause: Option<gst::glib::Error>,
    },
    /// More channels than GStreamer's converter can mix down.
    #[error("{} has {found} channels; give a file of {max} at most", .path.display())]
    TooManyChannels {
        /// Which.
        path: PathBuf,
        /// How many.
        found: i32,
        /// Most that there may be.
        max: i32,
    },
    /// The file is damaged: decoding ended with an error after some of it.
    #[error("{} cannot be decoded after {:.2} s: {cause}", .path.display(), .at.as_secs_f64())]
    Decode {
        /// Which.
        path: PathBuf,
        /// Media time that was decoded.
        at: Duration,
        /// What GStreamer said.
        cause: gst::glib::Error,
    },
    /// Neither media nor an end came in time.
    #[error("{} gives no media for {} s; its storage or a decoder hangs", .path.display(), .waited.as_secs())]
    Stalled {
        /// Which.
        path: PathBuf,
        /// How long the wait was.
        waited: Duration,
    },
    /// An element is not installed.
    #[error("the GStreamer element {element} is not installed; install the Debian package {package}")]
    MissingElement {
        /// Its factory.
        element: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A payloader wrote what is no RTP.
    #[error("the payloader has written a packet that is none: {0}")]
    Payloader(#[from] rtp_types::RtpParseError),
    /// A packet cannot be written: our own fault.
    #[error("a packet cannot be written: {0}")]
    Rtp(#[from] rtp_types::RtpWriteError),
    /// A report cannot be written: our own fault.
    #[error("a report cannot be written: {0}")]
    Rtcp(#[from] rtcp_types::RtcpWriteError),
    /// The capture, or the log, cannot be written.
    #[error("{} cannot be written: {cause}", .path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The host's name has no address.
    #[error("the address of {host} cannot be found: {cause}")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        cause: io::Error,
    },
    /// Not an address that one peer listens at.
    #[error("{address} is no address of one peer: it is {what}")]
    BadAddress {
        /// Which.
        address: std::net::IpAddr,
        /// What it is.
        what: &'static str,
    },
    /// No socket can be had, or nothing can be sent through it.
    #[error("nothing can be sent to {to}: {cause}")]
    Network {
        /// Where to.
        to: std::net::SocketAddr,
        /// What the operating system said.
        cause: io::Error,
    },
    /// No thread can be had.
    #[error("a thread cannot be started: {0}")]
    Thread(io::Error),
}

impl SendError {
    /// Returns whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unreadable { .. } | Self::NotRegular { .. } | Self::NoAudio { .. } => Blame::Caller,
            Self::TooManyChannels { .. } | Self::Decode { .. } | Self::BadAddress { .. } => Blame::Caller,
            Self::Rtp(_) | Self::Rtcp(_) => Blame::Ourselves,
            _ => Blame::Environment,
        }
    }

    /// Returns whether the same call may succeed later.
    pub fn may_retry(&self) -> bool {
        matches!(self, Self::Stalled { .. } | Self::Unresolved { .. } | Self::Network { .. } | Self::Thread(_))
    }
}

fn detail(cause: &Option<gst::glib::Error>) -> String {
    cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default()
}
