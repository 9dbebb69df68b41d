//! The codecs that are sent, and what RTP says of each (RFC 3551, RFC 7587).

/// Frames a second, whatever the codec: every packet holds 20 ms.
pub(super) const FRAMES_PER_SECOND: u32 = 50;

/// Payload type of comfort noise (RFC 3389 §4).
pub const COMFORT_NOISE: u8 = 13;

/// How voice is written in packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Opus, mono, 24 kbit/s.
    Opus,
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722, 64 kbit/s.
    G722,
    /// 16 bits, 16 kHz, highest byte first.
    L16,
}

impl Codec {
    /// Returns its name, as options write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Pcmu => "pcmu",
            Self::Pcma => "pcma",
            Self::G722 => "g722",
            Self::L16 => "l16",
        }
    }

    /// Returns its payload type: the static one where there is one (RFC 3551 §6), else a usual dynamic one.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::L16 => 96,
            Self::Opus => 111,
        }
    }

    /// Returns the rate of its time-stamps in Hz. That of G.722 is not its sample rate (RFC 3551 §4.5.2).
    pub const fn clock_hz(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::L16 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// Returns the samples a second that its encoder takes.
    pub const fn sample_hz(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => 8_000,
            Self::G722 | Self::L16 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// Returns what a frame of 20 ms adds to the time-stamp.
    pub(super) const fn frame_ticks(self) -> u64 {
        (self.clock_hz() / FRAMES_PER_SECOND) as u64
    }

    /// Returns whether comfort noise goes with it: its time-stamps must be of the same rate, 8 kHz (RFC 3551 §4.1).
    pub(super) const fn has_comfort_noise(self) -> bool {
        matches!(self, Self::Pcmu | Self::Pcma)
    }
}
