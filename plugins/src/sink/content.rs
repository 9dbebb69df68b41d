//! Which kind of file caps ask for.

use crate::formats::wav;

/// What a file will hold, as far as caps tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// 16-bit samples in a WAV file.
    Wav(wav::Header),
    /// MP3 frames behind an info tag.
    Mp3 {
        /// Samples per second, where caps tell it.
        rate: Option<i32>,
    },
    /// Bytes as they come.
    Bytes,
}

impl Content {
    /// Returns what a stream of these caps is written as.
    pub(super) fn of(caps: &gst::CapsRef) -> Self {
        let Some(s) = caps.structure(0) else {
            return Self::Bytes;
        };
        match s.name().as_str() {
            "audio/x-raw" => wav_header(s).map_or(Self::Bytes, Self::Wav),
            "audio/mpeg" if s.get("mpegversion") == Ok(1) && s.get("layer") == Ok(3) => {
                Self::Mp3 { rate: s.get("rate").ok() }
            }
            _ => Self::Bytes,
        }
    }
}

fn wav_header(s: &gst::StructureRef) -> Option<wav::Header> {
    let is_s16 = s.get::<&str>("format") == Ok("S16LE") && s.get::<&str>("layout") == Ok("interleaved");
    let number = |field| s.get::<i32>(field).ok();
    let (rate, channels) = (number("rate")?, number("channels")?);
    let header = wav::Header::new(u32::try_from(rate).ok()?, u16::try_from(channels).ok()?);
    header.ok().filter(|_| is_s16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_choose_the_kind_of_file() {
        gst::init().unwrap();
        let wav = |rate, channels| Content::Wav(wav::Header::new(rate, channels).unwrap());
        let cases = [
            ("audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1", wav(16_000, 1)),
            ("audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=5", wav(48_000, 5)),
            ("audio/x-raw,format=S16LE,layout=non-interleaved,rate=16000,channels=2", Content::Bytes),
            ("audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1", Content::Bytes),
            ("audio/x-raw,format=S16LE,layout=interleaved,rate=0,channels=1", Content::Bytes),
            ("audio/mpeg,mpegversion=1,layer=3,rate=16000,channels=1", Content::Mp3 { rate: Some(16_000) }),
            ("audio/mpeg,mpegversion=1,layer=3", Content::Mp3 { rate: None }),
            ("audio/mpeg,mpegversion=1,layer=2", Content::Bytes),
            ("audio/mpeg,mpegversion=4", Content::Bytes),
            ("audio/ogg", Content::Bytes),
        ];
        for (caps, content) in cases {
            assert_eq!(Content::of(&caps.parse::<gst::Caps>().unwrap()), content, "{caps}");
        }
        assert_eq!(Content::of(gst::Caps::new_any().as_ref()), Content::Bytes);
    }
}
