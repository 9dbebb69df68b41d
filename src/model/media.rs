//! What a recording holds: its content, its channel type and its file format, and which of these go together.
//!
//! Knows names only: how a format is written is the business of a graph's elements.

use std::fmt;
use std::str::FromStr;

/// What a recording is made of, and the file that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Media {
    content: Content,
    channel: ChannelType,
    format: Format,
}

impl Media {
    /// Returns the combination, which a graph of the user's own may record too.
    ///
    /// # Errors
    ///
    /// [`MediaError::NoPictures`] where a format that holds sound only is to hold video, and
    /// [`MediaError::UnmixedVideo`] where video is to be unmixed.
    pub fn new(content: Content, channel: ChannelType, format: Format) -> Result<Self, MediaError> {
        if content == Content::AudioVideo && Format::SOUND_ONLY.contains(&format) {
            return Err(MediaError::NoPictures { format });
        }
        if content == Content::AudioVideo && channel == ChannelType::Unmixed {
            return Err(MediaError::UnmixedVideo);
        }
        Ok(Self { content, channel, format })
    }

    /// Returns what is recorded.
    pub fn content(self) -> Content {
        self.content
    }

    /// Returns whether participants share a channel.
    pub fn channel(self) -> ChannelType {
        self.channel
    }

    /// Returns the format of the files.
    pub fn format(self) -> Format {
        self.format
    }
}

/// Shows the combination as the shipped graphs are named: `mixed-mp3`.
impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.channel, self.format)
    }
}

/// Which of the participants' media are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// What they say.
    Audio,
    /// What they say and show.
    AudioVideo,
}

impl Content {
    /// Every content there is.
    pub const ALL: [Self; 2] = [Self::Audio, Self::AudioVideo];

    /// Returns the word that files use for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::AudioVideo => "audio-video",
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Content {
    type Err = MediaError;

    fn from_str(text: &str) -> Result<Self, MediaError> {
        let found = Self::ALL.into_iter().find(|content| content.as_str() == text);
        found.ok_or_else(|| MediaError::UnknownContent { found: text.to_owned() })
    }
}

/// Whether participants share the channels of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelType {
    /// Everybody in one.
    Mixed,
    /// One participant per channel.
    Unmixed,
}

impl ChannelType {
    /// Every channel type there is.
    pub const ALL: [Self; 2] = [Self::Mixed, Self::Unmixed];

    /// Returns the word that files use for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Unmixed => "unmixed",
        }
    }
}

impl fmt::Display for ChannelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChannelType {
    type Err = MediaError;

    fn from_str(text: &str) -> Result<Self, MediaError> {
        let found = Self::ALL.into_iter().find(|channel| channel.as_str() == text);
        found.ok_or_else(|| MediaError::UnknownChannelType { found: text.to_owned() })
    }
}

/// A file format, known by its extension: 1 to 8 lower-case letters and digits.
///
/// Open on purpose: which formats exist is decided by the elements that are installed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format([u8; Self::LEN_MAX]);

impl Format {
    /// Longest extension, in bytes.
    pub const LEN_MAX: usize = 8;
    /// RIFF WAVE, uncompressed.
    pub const WAV: Self = Self::known("wav");
    /// MPEG-1/2 audio layer III.
    pub const MP3: Self = Self::known("mp3");
    /// MPEG-4 part 14.
    pub const MP4: Self = Self::known("mp4");
    /// Free lossless audio codec.
    pub const FLAC: Self = Self::known("flac");

    /// The ending of metadata, which has the media's name but for it: media of this ending would be overwritten.
    const METADATA: &str = "json";

    /// Formats that cannot hold pictures.
    const SOUND_ONLY: [Self; 3] = [Self::WAV, Self::MP3, Self::FLAC];

    const fn known(extension: &str) -> Self {
        let bytes = extension.as_bytes();
        let mut padded = [0; Self::LEN_MAX];
        let mut index = 0;
        while index < bytes.len() {
            padded[index] = bytes[index];
            index += 1;
        }
        Self(padded)
    }

    /// Returns the extension of the format's files, without a dot.
    pub fn extension(&self) -> &str {
        let len = self.0.iter().position(|&byte| byte == 0).unwrap_or(Self::LEN_MAX);
        str::from_utf8(&self.0[..len]).expect("only ASCII is let in")
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.extension())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for Format {
    type Err = MediaError;

    fn from_str(text: &str) -> Result<Self, MediaError> {
        if text == Self::METADATA {
            return Err(MediaError::Metadata);
        }
        let is_len = (1..=Self::LEN_MAX).contains(&text.len());
        if is_len && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return Ok(Self::known(text));
        }
        Err(MediaError::NotAnExtension { found: text.to_owned() })
    }
}

/// A word for media that means nothing, or two that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// Not one of [`Content::ALL`].
    #[error("{found:?} is no content; write \"audio\" or \"audio-video\"")]
    UnknownContent {
        /// What stands there.
        found: String,
    },
    /// Not one of [`ChannelType::ALL`].
    #[error("{found:?} is no channel type; write \"mixed\" or \"unmixed\"")]
    UnknownChannelType {
        /// What stands there.
        found: String,
    },
    /// No extension of a file.
    #[error("{found:?} is no format; write a file extension of 1 to 8 lower-case letters and digits, as in \"mp3\"")]
    NotAnExtension {
        /// What stands there.
        found: String,
    },
    /// The ending of another file.
    #[error(
        "\"json\" is no format: each file's metadata is the .json beside it; write that of the media, as in \"mp3\""
    )]
    Metadata,
    /// The format has no room for video.
    #[error("a file of format {format} holds no pictures; write content = \"audio\", or a format such as \"mp4\"")]
    NoPictures {
        /// The format asked for.
        format: Format,
    },
    /// Nobody defined what unmixed video would be.
    #[error("video is recorded mixed only; write channel = \"mixed\", or content = \"audio\"")]
    UnmixedVideo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_takes_any_extension_and_nothing_else() {
        for text in ["wav", "mp3", "mp4", "flac", "ogg", "m4a", "x", "12345678"] {
            assert_eq!(text.parse::<Format>().unwrap().extension(), text);
        }
        assert_eq!("flac".parse(), Ok(Format::FLAC));
        assert_eq!("json".parse::<Format>(), Err(MediaError::Metadata));
        for text in ["", ".mp3", "MP3", "mp 3", "123456789", "öpus", "mp3\0"] {
            assert_eq!(text.parse::<Format>(), Err(MediaError::NotAnExtension { found: text.to_owned() }));
        }
    }

    #[test]
    fn any_format_holds_sound() {
        let media = Media::new(Content::Audio, ChannelType::Mixed, Format::FLAC).unwrap();
        assert_eq!(media.to_string(), "mixed-flac");
    }

    #[test]
    fn video_needs_a_format_with_pictures_and_one_channel() {
        let video = |channel, format| Media::new(Content::AudioVideo, channel, format);
        assert_eq!(video(ChannelType::Mixed, Format::WAV), Err(MediaError::NoPictures { format: Format::WAV }));
        assert_eq!(video(ChannelType::Unmixed, "mp4".parse().unwrap()), Err(MediaError::UnmixedVideo));
        assert!(video(ChannelType::Mixed, "mkv".parse().unwrap()).is_ok());
    }

    #[test]
    fn words_round_trip() {
        for content in Content::ALL {
            assert_eq!(content.to_string().parse(), Ok(content));
        }
        for channel in ChannelType::ALL {
            assert_eq!(channel.to_string().parse(), Ok(channel));
        }
    }
}
