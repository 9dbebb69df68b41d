//! What a payload is: codecs, and which payload type means which.

use serde::Deserialize;
use serde::Serialize;

use crate::media::packet::COMFORT_NOISE;

/// A codec of audio in RTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// Opus (RFC 7587), mono or stereo.
    Opus,
    /// G.711 µ-law, 8 kHz mono (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, 8 kHz mono.
    Pcma,
    /// G.722 at 64 kbit/s: audio at 16 kHz, time-stamps at 8 kHz by an old mistake (RFC 3551 §4.5.2).
    G722,
    /// Linear 16-bit samples, most significant byte first (RFC 3551 §4.5.11).
    L16 {
        /// Samples per second, above 0.
        rate: u32,
        /// 1 or 2.
        channels: u32,
    },
}

impl Codec {
    /// Returns units per second of the codec's time-stamps.
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::L16 { rate, .. } => rate.max(1),
        }
    }

    /// Returns how long a payload plays, in units of [`Self::clock_rate`]; None where it cannot be one.
    pub fn length(self, payload: &[u8]) -> Option<u32> {
        let n_bytes = u32::try_from(payload.len()).ok().filter(|n_bytes| *n_bytes > 0)?;
        match self {
            Self::Opus => crate::media::opus::packet_samples(payload).and_then(|n| u32::try_from(n).ok()),
            Self::Pcmu | Self::Pcma | Self::G722 => Some(n_bytes),
            Self::L16 { channels, .. } => {
                let frame_bytes = 2 * channels.max(1);
                n_bytes.is_multiple_of(frame_bytes).then_some(n_bytes / frame_bytes)
            }
        }
    }

    /// Returns whether payloads put one behind the other are a payload, too.
    pub fn can_be_joined(self) -> bool {
        self != Self::Opus
    }

    /// Returns the codec's name in RTP, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Pcmu => "pcmu",
            Self::Pcma => "pcma",
            Self::G722 => "g722",
            Self::L16 { .. } => "l16",
        }
    }
}

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Audio.
    Audio(Codec),
    /// How loud the silence is that begins (RFC 3389).
    ComfortNoise,
    /// A key that was pressed (RFC 4733); what key is nobody's business here.
    Event,
    /// Something that was not agreed on.
    Unknown,
}

/// Payload types from here on mean what was agreed on (RFC 3551 §6).
pub const DYNAMIC_MIN: u8 = 96;

/// What everybody uses for telephone events where nothing was agreed on.
const DEFAULT_EVENTS: u8 = 101;

/// What payload types of a track mean.
///
/// Static types (0, 8, 9, 10, 11) mean what RFC 3551 says, whatever was declared: a caller who changes from Opus to
/// G.711 in mid-call goes on being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Payloads {
    /// The codec that was agreed on.
    pub codec: Codec,
    /// Its payload type; None: any dynamic one.
    pub payload_type: Option<u8>,
    /// That of telephone events; None: 101.
    pub events: Option<u8>,
}

impl Payloads {
    /// Returns the payload types of a codec of which no more is known.
    pub fn of(codec: Codec) -> Self {
        Self { codec, payload_type: None, events: None }
    }

    /// Returns whether a payload type means something.
    pub fn has(self, payload_type: u8) -> bool {
        self.content(payload_type) != Content::Unknown
    }

    /// Returns what a payload type means.
    pub(super) fn content(self, payload_type: u8) -> Content {
        if self.payload_type == Some(payload_type) {
            return Content::Audio(self.codec);
        }
        let is_static = matches!(self.codec, Codec::Pcmu | Codec::Pcma | Codec::G722);
        match payload_type {
            0 => Content::Audio(Codec::Pcmu),
            8 => Content::Audio(Codec::Pcma),
            9 => Content::Audio(Codec::G722),
            10 => Content::Audio(Codec::L16 { rate: 44_100, channels: 2 }),
            11 => Content::Audio(Codec::L16 { rate: 44_100, channels: 1 }),
            COMFORT_NOISE => Content::ComfortNoise,
            events if events == self.events.unwrap_or(DEFAULT_EVENTS) => Content::Event,
            DYNAMIC_MIN.. if self.payload_type.is_none() && !is_static => Content::Audio(self.codec),
            _ => Content::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_tell_how_long_they_play() {
        let l16 = Codec::L16 { rate: 16_000, channels: 2 };
        let cases: [(Codec, &[u8], Option<u32>); 8] = [
            (Codec::Pcmu, &[0; 160], Some(160)),
            (Codec::G722, &[0; 160], Some(160)),
            (Codec::Pcma, &[], None),
            (l16, &[0; 640], Some(160)),
            (l16, &[0; 639], None),
            (Codec::Opus, &[11 << 3], Some(2_880)),
            (Codec::Opus, &[31 << 3 | 3, 0], None),
            (Codec::Opus, &[], None),
        ];
        for (codec, payload, length) in cases {
            assert_eq!(codec.length(payload), length, "{codec:?}");
        }
    }

    #[test]
    fn static_types_mean_what_they_say_and_dynamic_ones_what_was_agreed_on() {
        let opus = Payloads::of(Codec::Opus);
        assert_eq!(opus.content(111), Content::Audio(Codec::Opus));
        assert_eq!(opus.content(0), Content::Audio(Codec::Pcmu));
        assert_eq!(opus.content(13), Content::ComfortNoise);
        assert_eq!(opus.content(101), Content::Event);
        assert_eq!(opus.content(34), Content::Unknown);
        let agreed = Payloads { codec: Codec::Opus, payload_type: Some(101), events: Some(96) };
        assert_eq!(agreed.content(101), Content::Audio(Codec::Opus));
        assert_eq!(agreed.content(96), Content::Event);
        assert_eq!(agreed.content(111), Content::Unknown);
        assert_eq!(Payloads::of(Codec::Pcmu).content(111), Content::Unknown);
    }
}
