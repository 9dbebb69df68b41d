//! What recordings, files and packets are told apart by where they are counted.

use crate::media::Stats;
use crate::model::EndReason;
use crate::telemetry::Label;

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::supervisor) enum Phase {
    Starting,
    Active,
    Paused,
    Stopping,
}

impl Label for Phase {
    const NAME: &'static str = "state";
    const ALL: &'static [Self] = &[Self::Starting, Self::Active, Self::Paused, Self::Stopping];

    fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
        }
    }
}

/// What a file is. A graph may write anything: what has no word of its own is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::supervisor) enum FileFormat {
    Wav,
    Mp3,
    Mp4,
    Flac,
    Ogg,
    Other,
}

impl FileFormat {
    /// Returns the format that a file's extension tells.
    pub(in crate::supervisor) fn of(extension: &str) -> Self {
        Self::ALL.iter().copied().find(|format| format.word() == extension).unwrap_or(Self::Other)
    }

    /// Returns the format that a graph's name tells, as names of shipped ones do.
    pub(in crate::supervisor) fn of_graph(name: &str) -> Self {
        Self::of(name.rsplit('-').next().unwrap_or_default())
    }
}

impl Label for FileFormat {
    const NAME: &'static str = "format";
    const ALL: &'static [Self] = &[Self::Wav, Self::Mp3, Self::Mp4, Self::Flac, Self::Ogg, Self::Other];

    fn word(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Mp4 => "mp4",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Other => "other",
        }
    }
}

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::supervisor) enum Outcome {
    Placed,
    Quiet,
    Late,
    Duplicate,
    Overflow,
    Unrecorded,
    Foreign,
    Unknown,
    Implausible,
    Malformed,
    Control,
}

impl Outcome {
    /// Returns how many had it.
    pub(in crate::supervisor) fn count(self, stats: &Stats) -> u64 {
        match self {
            Self::Placed => stats.placed,
            Self::Quiet => stats.quiet,
            Self::Late => stats.late,
            Self::Duplicate => stats.duplicate,
            Self::Overflow => stats.overflow,
            Self::Unrecorded => stats.unrecorded,
            Self::Foreign => stats.foreign,
            Self::Unknown => stats.unknown,
            Self::Implausible => stats.implausible,
            Self::Malformed => stats.malformed,
            Self::Control => stats.control,
        }
    }
}

impl Label for Outcome {
    const NAME: &'static str = "outcome";
    const ALL: &'static [Self] = &[
        Self::Placed,
        Self::Quiet,
        Self::Late,
        Self::Duplicate,
        Self::Overflow,
        Self::Unrecorded,
        Self::Foreign,
        Self::Unknown,
        Self::Implausible,
        Self::Malformed,
        Self::Control,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Quiet => "quiet",
            Self::Late => "late",
            Self::Duplicate => "duplicate",
            Self::Overflow => "overflow",
            Self::Unrecorded => "unrecorded",
            Self::Foreign => "foreign",
            Self::Unknown => "unknown",
            Self::Implausible => "implausible",
            Self::Malformed => "malformed",
            Self::Control => "control",
        }
    }
}

impl Label for EndReason {
    const NAME: &'static str = "reason";
    const ALL: &'static [Self] = &[
        Self::MediaEnded,
        Self::DurationReached,
        Self::Stopped,
        Self::CallEnded,
        Self::PauseLimit,
        Self::NoParticipants,
        Self::Drained,
        Self::Failed,
        Self::Recovered,
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}
