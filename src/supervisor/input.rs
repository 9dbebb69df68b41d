//! What happens to calls and recordings, and what follows from it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use jiff::Timestamp;

use crate::catalog::ChunkRow;
use crate::catalog::Update;
use crate::media::Settings;
use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::EndReason;
use crate::model::ParticipantNumber;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Refusal;
use crate::supervisor::core::Outcome;

/// An instant, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Now {
    pub(super) monotonic_ns: i64,
    pub(super) wall: Timestamp,
}

/// Who waits for an answer.
pub(super) type Token = u64;

/// Somebody in a call, and the track that is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MemberKey(pub(super) u64);

/// Somebody who is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) key: MemberKey,
    pub(super) id: String,
    pub(super) pin: Option<u32>,
}

/// Somebody who is to be in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joining {
    pub(super) call: CallId,
    pub(super) key: MemberKey,
    pub(super) id: String,
    pub(super) display_name: Option<String>,
    pub(super) settings: Settings,
    pub(super) joined_at: Timestamp,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    Asked {
        token: Token,
        resource: ResourceId,
        ask: Box<Ask>,
    },
    /// Where nobody asked for it, it was there before the service was killed.
    TrackOpened {
        token: Option<Token>,
        /// The one that it had before, if it was there before.
        port: Option<u16>,
        joining: Joining,
        opened: Result<SocketAddr, Refusal>,
    },
    Begun {
        recording: RecordingId,
        begun: Result<(), Refusal>,
    },
    /// A recording has come to its end, for whatever reason; its last chunk is being finished.
    Stopped {
        recording: RecordingId,
    },
    /// All of a part of a recording is stored, or will never be.
    PartEnded {
        recording: RecordingId,
        chunks: Vec<ChunkRow>,
        outcome: Outcome,
    },
    /// They have sent something since the service was started.
    Heard(BTreeSet<MemberKey>),
    /// Whether the disk is nearly full.
    Disk {
        is_short: bool,
    },
    /// A second has passed.
    Passed,
}

/// A recording that is to begin, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begin {
    pub(super) recording: RecordingId,
    /// From 0.
    pub(super) part: u32,
    /// Chunks that it has already.
    pub(super) first_chunk: u32,
    pub(super) resource: ResourceId,
    pub(super) region: String,
    pub(super) call: CallId,
    pub(super) graph: String,
    pub(super) members: Vec<Member>,
    pub(super) paused: bool,
    pub(super) pins: Vec<u32>,
    pub(super) at_ns: i64,
}

/// A change of a recording that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Join { number: ParticipantNumber, member: Member },
    Leave(ParticipantNumber),
    Pause,
    Resume,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    Answer(Token, Result<Answer, Refusal>),
    /// At a port that is free, if none is told.
    OpenTrack {
        token: Option<Token>,
        port: Option<u16>,
        joining: Joining,
    },
    CloseTrack(MemberKey),
    Begin(Begin),
    Change {
        recording: RecordingId,
        at_ns: i64,
        change: Change,
    },
    Stop {
        recording: RecordingId,
        at_ns: i64,
        reason: EndReason,
    },
    Delete(ChunkId),
    /// The directories of a recording are of no use when what was decided with this is saved.
    Discard(RecordingId),
    /// The directories of a recording are of no use any more, whatever is in them.
    Forget(RecordingId),
    /// A service that is started again is to know.
    Save(Update),
    /// Whoever runs the service is to know.
    Note(Note),
}

/// What nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    /// A recording was paused for too long, and goes on.
    GoesOn(RecordingId),
    /// A recording ends that was paused, or recorded, for too long.
    Ends(RecordingId, EndReason),
    /// A call ends that nobody is in.
    Empty(CallId),
    /// A call is not recorded as a rule says.
    NotRecorded { call: CallId, rule: String, refusal: Refusal },
}

impl Note {
    /// Tells it in the log. The text of a refusal may have names in it.
    pub(super) fn log(&self) {
        match self {
            Self::GoesOn(recording) => {
                tracing::warn!(%recording, "a pause has reached its limit; the recording goes on")
            }
            Self::Ends(recording, reason) => {
                tracing::warn!(%recording, reason = reason.as_str(), "a recording ends that has reached a limit");
            }
            Self::Empty(call) => tracing::warn!(%call, "a call ends that nobody is in"),
            Self::NotRecorded { call, rule, refusal } => {
                tracing::error!(%call, %rule, why = refusal.word(), "a call is not recorded by a rule");
            }
        }
    }
}
