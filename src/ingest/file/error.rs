//! Why a file yields no track, or no more of it. The text reads after "failed to read the track: "; the file's name is
//! the caller's to add.

use std::time::Duration;

use crate::model::Blame;

/// Everything that can be wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing is there by that name.
    #[error("no such file; check the name")]
    NotFound,
    /// The operating system refuses to read it.
    #[error("the file cannot be read: {cause}; check its permissions")]
    Unreadable {
        /// What the operating system said. Not a `source`: the text has it already.
        cause: std::io::Error,
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
    /// It holds no audio or video that has a name.
    #[error("{}; give a media file", not_media(.found))]
    NotMedia {
        /// What it looks like instead, as a caps name.
        found: Option<String>,
    },
    /// It begins like a media file, but its header, or all media behind it, is cut off or damaged.
    #[error("the beginning of this {kind} file is cut off or damaged{}; write the file anew", detail(.cause))]
    BadHeader {
        /// What it looks like, as a caps name.
        kind: String,
        /// What the demuxer or decoder said.
        cause: Option<gst::glib::Error>,
    },
    /// There are streams, and none of them is audio.
    #[error("the file has no audio stream; give one that has")]
    NoAudio,
    /// An audio stream is declared, and not one sample is in it.
    #[error("the audio stream has no samples; whoever wrote the file wrote only its header")]
    NoSamples,
    /// More channels than can be mixed down.
    #[error("the audio has {found} channels; give a file of {max} at most")]
    TooManyChannels {
        /// How many there are.
        found: i32,
        /// Most that there may be.
        max: i32,
    },
    /// No element for this format is installed.
    #[error("what this file needs is not installed: {description} (caps {caps}); try the Debian package {package}")]
    NotInstalled {
        /// What is missing, as people call it.
        description: String,
        /// The exact format.
        caps: gst::Caps,
        /// The Debian package that is likely to have it.
        package: &'static str,
    },
    /// An element that every file needs is not installed.
    #[error("the GStreamer element {element} is not installed; install the Debian package {package}")]
    MissingElement {
        /// Its factory.
        element: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// Media became unreadable after `at`.
    #[error("the media cannot be decoded after {at}: {cause} (says {element}); the file is damaged there")]
    Decode {
        /// Media time up to which frames have been yielded.
        at: gst::ClockTime,
        /// Name of the element that gave up.
        element: String,
        /// What it said.
        cause: gst::glib::Error,
    },
    /// A part of the media is not there. It goes on behind it.
    #[error("the media from {from} to {to} cannot be read, the file is damaged there{}", further(*.is_last_told))]
    Hole {
        /// Media time of its begin.
        from: gst::ClockTime,
        /// Media time of its end.
        to: gst::ClockTime,
        /// There may be more of them, and they are not told.
        is_last_told: bool,
    },
    /// The file ends before its media does. All frames that exist have been yielded.
    #[error("{}; the file was cut off", truncated(.declared, .delivered))]
    Truncated {
        /// Length that the file promises; `None` where its format does not say, as Ogg.
        declared: Option<gst::ClockTime>,
        /// Length that was there.
        delivered: gst::ClockTime,
    },
    /// Neither a frame nor an end came in time.
    #[error("no media for {} s after {delivered}; the file's storage or a decoder hangs", .waited.as_secs())]
    Stalled {
        /// How long the wait was.
        waited: Duration,
        /// Media time up to which frames have been yielded.
        delivered: gst::ClockTime,
    },
}

impl FileError {
    /// Returns whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NotInstalled { .. } | Self::MissingElement { .. } | Self::Stalled { .. } => Blame::Environment,
            _ => Blame::Caller,
        }
    }

    /// Returns whether the same call with the same file may succeed later.
    pub fn may_retry(&self) -> bool {
        matches!(self, Self::Stalled { .. })
    }
}

fn further(is_last_told: bool) -> &'static str {
    if is_last_told { "; further holes are not told" } else { "" }
}

fn not_media(found: &Option<String>) -> String {
    match found {
        Some(found) => format!("this is {found}, not media"),
        None => "this is no known kind of media".to_string(),
    }
}

fn detail(cause: &Option<gst::glib::Error>) -> String {
    cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default()
}

fn truncated(declared: &Option<gst::ClockTime>, delivered: &gst::ClockTime) -> String {
    match declared {
        Some(declared) => format!("the media ends at {delivered}, although {declared} are declared"),
        None => format!("the media ends at {delivered} without the mark of an end"),
    }
}
