//! What is recorded: the audio rows of the targets, and the series in which cost is seen to grow.

use reelgraph::media::Codec;

/// A kind of recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Workload {
    /// By which children are told of it.
    pub(crate) key: &'static str,
    /// For people.
    pub(crate) name: &'static str,
    pub(crate) codec: Codec,
    pub(crate) parties: usize,
    /// A shipped graph.
    pub(crate) graph: &'static str,
    pub(crate) output: Output,
    /// Least share of the floor, in percent.
    pub(crate) bar: u32,
}

/// What a recording is written as; always 16 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// 48 kbit/s.
    Mp3,
    /// 16 bits, so many channels.
    Wav { channels: usize },
}

impl Output {
    /// Returns bytes of one recorded second, without headers.
    pub(crate) fn bytes_per_second(self) -> f64 {
        match self {
            Self::Mp3 => 6_000.0,
            Self::Wav { channels } => 32_000.0 * channels as f64,
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav { .. } => "wav",
        }
    }
}

const MIXED_WAV: Output = Output::Wav { channels: 1 };

pub(crate) const OPUS_MP3: Workload = Workload {
    key: "opus-mp3",
    name: "2-party Opus → MP3",
    codec: Codec::Opus,
    parties: 2,
    graph: "mixed-mp3",
    output: Output::Mp3,
    bar: 80,
};

pub(crate) const G711_WAV: Workload = Workload {
    key: "g711-wav",
    name: "2-party G.711 → WAV",
    codec: Codec::Pcmu,
    parties: 2,
    graph: "mixed-wav",
    output: MIXED_WAV,
    bar: 38,
};

pub(crate) const G711_MP3: Workload = Workload {
    key: "g711-mp3",
    name: "2-party G.711 → MP3",
    codec: Codec::Pcmu,
    parties: 2,
    graph: "mixed-mp3",
    output: Output::Mp3,
    bar: 76,
};

pub(crate) const UNMIXED: Workload = Workload {
    key: "unmixed",
    name: "5-channel WAV from Opus",
    codec: Codec::Opus,
    parties: 5,
    graph: "unmixed-wav",
    output: Output::Wav { channels: 5 },
    bar: 76,
};

pub(crate) const TEN_PARTIES: Workload = Workload {
    key: "ten",
    name: "10-party Opus → MP3",
    codec: Codec::Opus,
    parties: 10,
    graph: "mixed-mp3",
    output: Output::Mp3,
    bar: 72,
};

pub(crate) const ALL: [Workload; 5] = [OPUS_MP3, G711_WAV, G711_MP3, UNMIXED, TEN_PARTIES];

impl Workload {
    pub(crate) fn of(key: &str) -> Option<Self> {
        ALL.into_iter().find(|workload| workload.key == key)
    }

    /// Returns how many live recordings one measurement has: about half of what one core can do, so that a machine of
    /// two keeps up beside the senders.
    pub(crate) fn n(self) -> usize {
        match self.key {
            "opus-mp3" => 200,
            "g711-wav" => 500,
            "g711-mp3" => 300,
            "unmixed" => 80,
            _ => 40,
        }
    }
}
