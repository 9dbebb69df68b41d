//! Values of options: participants, times, pauses.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::graph::LimitError;
use crate::graph::Limits;
use crate::ingest::rtp::Query;
use crate::ingest::rtp::Url;
use crate::ingest::rtp::UrlError;
use crate::media::Codec;
use crate::model::text::is_unprintable;
use crate::model::units::Bytes;
use crate::model::units::BytesError;
use crate::model::units::DurationError;
use crate::model::units::parse_duration;

/// Longest name of a participant, in bytes: ids of other systems are shorter, and it goes into every metadata file.
pub(super) const NAME_BYTES_MAX: usize = 256;

/// Longest time: what a slip of the keyboard makes of it would fill any disk.
const TIME_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Why a value is refused.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum ValueError {
    /// No `=` between name and value.
    #[error("write NAME=VALUE, as in {example}")]
    NotAPair {
        /// One that is right.
        example: &'static str,
    },
    /// A participant without a name.
    #[error("a participant needs a name before the =")]
    NoName,
    /// A name that is too long.
    #[error("a participant's name has {NAME_BYTES_MAX} bytes at most, this one has {bytes}")]
    LongName {
        /// Its length.
        bytes: usize,
    },
    /// A name that could be taken for a path, or not be printed.
    #[error("a participant's name has no / and no control characters in it and is not . or ..: {name:?}")]
    BadName {
        /// The name.
        name: String,
    },
    /// Not a time.
    #[error("{0}")]
    Duration(#[from] DurationError),
    /// Not a size.
    #[error("{0}")]
    Size(#[from] BytesError),
    /// A limit of a chunk that cannot be kept.
    #[error("{0}")]
    Limit(#[from] LimitError),
    /// A time that no call reaches.
    #[error("a time has 168h at most: no call lasts longer than a week")]
    LongTime,
    /// A participant without a file.
    #[error("a participant needs a media file behind the =, a capture or rtp://ADDRESS:PORT?codec=opus")]
    NoFile,
    /// A name that is no text.
    #[error("a participant's name is UTF-8 text; only the file's name may be anything")]
    NotText,
    /// Not an address, or not options, of RTP.
    #[error("{0}")]
    Url(#[from] UrlError),
    /// Not a channel.
    #[error("a channel is a number from 0 to 63, not {text:?}")]
    Channel {
        /// As given.
        text: String,
    },
    /// Not an interval.
    #[error("write FROM-TO, as in 10s-15s")]
    NotAnInterval,
    /// An interval that ends before it starts.
    #[error("the pause ends at or before its start")]
    EmptyInterval,
}

/// A participant's name, checked.
pub(super) fn name(text: &str) -> Result<String, ValueError> {
    match text {
        "" => Err(ValueError::NoName),
        _ if text.len() > NAME_BYTES_MAX => Err(ValueError::LongName { bytes: text.len() }),
        "." | ".." => Err(ValueError::BadName { name: text.to_owned() }),
        _ if text.contains('/') || text.contains("..") || text.chars().any(is_unprintable) => {
            Err(ValueError::BadName { name: text.to_owned() })
        }
        _ => Ok(text.to_owned()),
    }
}

fn pair<'a>(text: &'a str, example: &'static str) -> Result<(String, &'a str), ValueError> {
    let (name_text, value) = text.split_once('=').ok_or(ValueError::NotAPair { example })?;
    Ok((name(name_text)?, value))
}

/// Where somebody's media comes from.
#[derive(Debug, Clone)]
pub(super) enum MediaSource {
    /// A media file.
    File(PathBuf),
    /// RTP that comes now.
    Rtp(Url),
    /// RTP that was captured.
    Capture(PathBuf, Query),
}

/// Endings of captures' names.
const CAPTURES: [&[u8]; 3] = [b".pcap", b".pcapng", b".cap"];

impl MediaSource {
    fn parse(bytes: &[u8]) -> Result<Self, ValueError> {
        if let Some(text) = str::from_utf8(bytes).ok().filter(|text| Url::is_meant(text)) {
            return Ok(Self::Rtp(Url::parse(text)?));
        }
        let question = bytes.iter().rposition(|byte| *byte == b'?');
        let (path, options) = question.map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + 1..]));
        let is_capture = CAPTURES.iter().any(|ending| path.to_ascii_lowercase().ends_with(ending));
        match bytes {
            [] => Err(ValueError::NoFile),
            _ if is_capture => {
                let options = str::from_utf8(options).map_err(|_| ValueError::NotText)?;
                let query = Query::parse(options)?;
                // Options that contradict each other do so whatever the capture holds.
                query.settings(Some(Codec::Pcmu))?;
                Ok(Self::Capture(OsStr::from_bytes(path).into(), query))
            }
            _ => Ok(Self::File(OsStr::from_bytes(bytes).into())),
        }
    }
}

/// `NAME=SOURCE`.
#[derive(Debug, Clone)]
pub(super) struct ParticipantSource {
    pub(super) name: String,
    pub(super) source: MediaSource,
}

impl ParticipantSource {
    /// Returns clap's parser: names of files are bytes, whatever they mean.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|text: OsString| Self::parse(&text))
    }

    fn parse(text: &OsStr) -> Result<Self, ValueError> {
        let bytes = text.as_bytes();
        let equals = bytes.iter().position(|byte| *byte == b'=');
        let (name_bytes, file) = bytes.split_at(equals.ok_or(ValueError::NotAPair { example: "caller=voice.wav" })?);
        let name = name(str::from_utf8(name_bytes).map_err(|_| ValueError::NotText)?)?;
        Ok(Self { name, source: MediaSource::parse(&file[1..])? })
    }
}

/// `NAME=TIME`.
#[derive(Debug, Clone)]
pub(super) struct ParticipantTime {
    pub(super) name: String,
    pub(super) time: Duration,
}

impl FromStr for ParticipantTime {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (name, time) = pair(text, "caller=2.5s")?;
        Ok(Self { name, time: time_value(time)? })
    }
}

/// `NAME=CHANNEL`.
#[derive(Debug, Clone)]
pub(super) struct ParticipantChannel {
    pub(super) name: String,
    pub(super) channel: u32,
}

impl FromStr for ParticipantChannel {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (name, channel) = pair(text, "caller=0")?;
        match channel.parse() {
            Ok(channel @ 0..64) => Ok(Self { name, channel }),
            _ => Err(ValueError::Channel { text: channel.to_owned() }),
        }
    }
}

/// `FROM-TO`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl FromStr for Interval {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (from, to) = text.split_once('-').ok_or(ValueError::NotAnInterval)?;
        let (from, to) = (time_value(from)?, time_value(to)?);
        if to <= from {
            return Err(ValueError::EmptyInterval);
        }
        Ok(Self { from, to })
    }
}

/// A limit of a chunk's duration.
pub(super) fn chunk_duration(text: &str) -> Result<Duration, ValueError> {
    Ok(Limits::check_duration(parse_time(text)?)?)
}

/// A limit of a chunk's size.
pub(super) fn chunk_size(text: &str) -> Result<Bytes, ValueError> {
    Ok(Limits::check_size(text.parse()?)?)
}

/// A time with its unit; 0 needs none.
fn parse_time(text: &str) -> Result<Duration, DurationError> {
    if text == "0" { Ok(Duration::ZERO) } else { parse_duration(text) }
}

/// A time of a recording.
pub(super) fn time_value(text: &str) -> Result<Duration, ValueError> {
    let time = parse_time(text)?;
    if time > TIME_MAX {
        return Err(ValueError::LongTime);
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_paths_or_cannot_be_printed_are_refused() {
        for good in ["caller", "8:acs:1b5c_0000", "4:+15551234", "Zoë Müller", "a.b"] {
            assert_eq!(name(good), Ok(good.to_owned()));
        }
        for bad in ["", "a/b", "..", ".", "../x", "a..b", "a\nb", "a\u{1b}[0m", "a\0", "a\u{202e}b"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(name(&"x".repeat(10_000)), Err(ValueError::LongName { bytes: 10_000 }));
    }

    #[test]
    fn intervals_go_forward() {
        let interval: Interval = "1.5s-2s".parse().unwrap();
        assert_eq!((interval.from, interval.to), (Duration::from_millis(1_500), Duration::from_secs(2)));
        assert_eq!("2s-2s".parse::<Interval>().unwrap_err(), ValueError::EmptyInterval);
        assert_eq!("2s".parse::<Interval>().unwrap_err(), ValueError::NotAnInterval);
        assert!("0-1s".parse::<Interval>().is_ok());
    }
}
