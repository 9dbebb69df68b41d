//! What a recording is made of: participants, chunks, channels, pauses, and how it ends.
//!
//! All times are *recording time*: counted from the instant the recording began, pauses not taken out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A participant's number in one recording: in order of joining, from 0. Pads, channels and the journal go by it.
pub type ParticipantNumber = u32;

/// A stretch of recording time that was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseInterval {
    /// When it began.
    pub start: Duration,
    /// How long it lasted.
    pub duration: Duration,
}

impl PauseInterval {
    /// Returns when it ended.
    pub fn end(&self) -> Duration {
        self.start.saturating_add(self.duration)
    }

    /// Returns what of it comes after `start`; None where nothing does.
    pub fn from(self, start: Duration) -> Option<Self> {
        let (from, end) = (self.start.max(start), self.end());
        (end > from).then(|| Self { start: from, duration: end - from })
    }
}

/// What a pause leaves in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseMode {
    /// Nothing: the recording is shorter by it.
    #[default]
    Skip,
    /// Silence of its length.
    Silence,
    /// A tone of its length.
    Tone,
}

/// Who is on which channel of an unmixed recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelMap {
    /// The participant on each channel; `None`: nobody so far.
    pub channels: Vec<Option<ParticipantNumber>>,
    /// Participants that had a voice when no channel was free.
    pub without_channel: Vec<ParticipantNumber>,
}

impl ChannelMap {
    /// Returns the channel of a participant, counted from 0.
    pub fn channel_of(&self, participant: ParticipantNumber) -> Option<u32> {
        self.channels.iter().position(|holder| *holder == Some(participant)).map(|channel| channel as u32)
    }

    /// Returns how many channels there are up to the last one that anybody is on.
    pub fn n_used(&self) -> usize {
        self.channels.iter().rposition(Option::is_some).map_or(0, |last| last + 1)
    }
}

/// The media of one chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkMedia {
    /// Counted from 0.
    pub index: u32,
    /// Recording time of its first sample.
    pub start: Duration,
    /// Samples per channel.
    pub samples: u64,
    /// Samples per second.
    pub rate: u32,
    /// Channels of the media.
    pub channels: u32,
    /// Pauses that fall into it, cut to it.
    pub pauses: Vec<PauseInterval>,
    /// Who is on which channel at its end; empty where the recording is mixed.
    pub map: ChannelMap,
}

impl ChunkMedia {
    /// Returns how long the media plays.
    pub fn duration(&self) -> Duration {
        let rate = u64::from(self.rate.max(1));
        let (seconds, rest) = (self.samples / rate, self.samples % rate);
        Duration::new(seconds, (rest * 1_000_000_000 / rate) as u32)
    }

    /// Returns the recording time at which it ends: media, and pauses that were taken out.
    pub fn end(&self, mode: PauseMode) -> Duration {
        let end = self.start.saturating_add(self.duration());
        match mode {
            PauseMode::Skip => self.pauses.iter().fold(end, |end, pause| end.saturating_add(pause.duration)),
            PauseMode::Silence | PauseMode::Tone => end,
        }
    }
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// Everybody's media has ended.
    MediaEnded,
    /// Its time was up.
    DurationReached,
    /// Somebody stopped it.
    Stopped,
    /// The call that it is of has ended.
    CallEnded,
    /// It was paused for too long.
    PauseLimit,
    /// Nobody was in the call any more.
    NoParticipants,
    /// The service was asked to end.
    Drained,
    /// It could not go on; what was recorded until then is there.
    Failed,
    /// The program was killed; what was on disk has been recovered.
    Recovered,
}

impl EndReason {
    /// Returns its word in tables and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MediaEnded => "media-ended",
            Self::DurationReached => "duration-reached",
            Self::Stopped => "stopped",
            Self::CallEnded => "call-ended",
            Self::PauseLimit => "pause-limit",
            Self::NoParticipants => "no-participants",
            Self::Drained => "drained",
            Self::Failed => "failed",
            Self::Recovered => "recovered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_pause_counts_into_the_end_and_a_replaced_one_is_in_the_media() {
        let pause = PauseInterval { start: Duration::from_secs(2), duration: Duration::from_secs(3) };
        let media = ChunkMedia {
            index: 0,
            start: Duration::from_secs(1),
            samples: 64_001,
            rate: 16_000,
            channels: 1,
            pauses: vec![pause],
            map: ChannelMap::default(),
        };
        assert_eq!(media.duration(), Duration::from_nanos(4_000_062_500));
        assert_eq!(media.end(PauseMode::Skip), Duration::from_nanos(8_000_062_500));
        assert_eq!(media.end(PauseMode::Tone), Duration::from_nanos(5_000_062_500));
    }

    #[test]
    fn used_channels_are_counted_up_to_the_last() {
        let map = |channels: &[Option<u32>]| ChannelMap { channels: channels.to_vec(), without_channel: vec![] };
        assert_eq!(map(&[None, Some(4), None]).n_used(), 2);
        assert_eq!(map(&[None, None]).n_used(), 0);
        assert_eq!(map(&[None, Some(4), None]).channel_of(4), Some(1));
    }
}
