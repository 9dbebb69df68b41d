//! What can be asked of the supervisor.

use std::time::Duration;

use jiff::Timestamp;

use crate::media::Settings;
use crate::model::AtMaxPause;
use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::RecordingId;
use crate::model::Terms;

/// A name that a call goes by. No two calls of a resource have the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallName {
    /// The call key: what recordings are started by.
    Key(String),
    /// Of the group that meets in it.
    Group(String),
    /// Of the room that it is in.
    Room(String),
    /// Of the connection that made it.
    Connection(String),
    /// What its events are correlated by.
    Correlation(String),
}

impl CallName {
    /// Returns the kind of name, as it is kept.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Group(_) => "group",
            Self::Room(_) => "room",
            Self::Connection(_) => "connection",
            Self::Correlation(_) => "correlation",
        }
    }

    /// Returns the name of a kind that was kept; None where there is no such kind.
    pub(super) fn kept(kind: &str, text: String) -> Option<Self> {
        let kinds = [Self::Key, Self::Group, Self::Room, Self::Connection, Self::Correlation];
        kinds.into_iter().map(|of| of(text.clone())).find(|name| name.kind() == kind)
    }

    /// Returns the name itself.
    pub fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Group(text) | Self::Room(text) => text,
            Self::Connection(text) | Self::Correlation(text) => text,
        }
    }
}

/// A request that may be made again: it is done once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Chosen by who asks, for a day.
    pub id: String,
    /// SHA-256 of what was asked.
    pub body: [u8; 32],
}

/// A recording to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartAsk {
    /// Of which call.
    pub call: WhichCall,
    /// It is refused where the call is recorded already.
    pub alone: bool,
    /// Name of the graph.
    pub graph: String,
    /// Participants with the channel that each is to have.
    pub pins: Vec<(String, u32)>,
    /// It begins paused.
    pub paused: bool,
    /// What it keeps to, and what it is found by.
    pub terms: AskedTerms,
    /// Name of the rule that starts it, if one does.
    pub rule: Option<String>,
    /// It may be asked again.
    pub repeat: Option<Repeat>,
}

/// What a recording is to keep to. What is None is as whoever runs the service has decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedTerms {
    /// Words that it is found by.
    pub tags: Vec<String>,
    /// Longest pause.
    pub max_pause: Option<Duration>,
    /// What happens then.
    pub at_max_pause: Option<AtMaxPause>,
    /// Longest time.
    pub max_duration: Option<Duration>,
}

impl AskedTerms {
    /// Returns what it keeps to, with `decided` for what was not said.
    pub(super) fn complete(self, decided: &Terms) -> Terms {
        Terms {
            tags: self.tags,
            max_pause: self.max_pause.unwrap_or(decided.max_pause),
            at_max_pause: self.at_max_pause.unwrap_or(decided.at_max_pause),
            max_duration: self.max_duration.unwrap_or(decided.max_duration),
        }
    }
}

/// How a call is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichCall {
    /// By its id.
    Id(CallId),
    /// By one of its names.
    Named(CallName),
}

/// Which recordings are listed. What is None does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Somebody was in them.
    pub participant: Option<String>,
    /// Their call had that key.
    pub call_key: Option<String>,
    /// They began then or later.
    pub from: Option<Timestamp>,
    /// They began before.
    pub to: Option<Timestamp>,
    /// They have this tag.
    pub tag: Option<String>,
    /// They come after this one.
    pub after: Option<RecordingId>,
    /// At most so many.
    pub limit: usize,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A call begins; it goes by these names.
    CreateCall(Vec<CallName>),
    /// A call ends, and its recordings with it.
    EndCall(CallId),
    /// All calls.
    Calls,
    /// One call.
    Call(CallId),
    /// Who is recorded of a call.
    Recorded(CallId),
    /// Somebody is in a call, and is heard by a port of their own.
    AddParticipant {
        /// Of which call.
        call: CallId,
        /// `participantId` of the metadata.
        participant: String,
        /// What people call them.
        display_name: Option<String>,
        /// What is sent.
        track: Settings,
    },
    /// Somebody is called something else, or nothing.
    RenameParticipant {
        /// Of which call.
        call: CallId,
        /// Who.
        participant: String,
        /// What people call them.
        display_name: Option<String>,
    },
    /// Somebody has left a call.
    RemoveParticipant {
        /// Of which call.
        call: CallId,
        /// Who.
        participant: String,
    },
    /// A recording starts.
    Start(StartAsk),
    /// A recording pauses.
    Pause(RecordingId),
    /// A recording goes on.
    Resume(RecordingId),
    /// A recording ends.
    Stop(RecordingId),
    /// Recordings, in order of beginning.
    Recordings(Filter),
    /// One recording.
    Recording(RecordingId),
    /// One document.
    Document(ChunkId),
    /// One document, to read it.
    ReadDocument(ChunkId),
    /// A document is deleted.
    DeleteDocument(ChunkId),
}

impl Ask {
    /// Returns whether a service that is ending refuses it.
    pub(super) fn is_new_work(&self) -> bool {
        matches!(self, Self::CreateCall(_) | Self::AddParticipant { .. } | Self::Start(_))
    }
}
