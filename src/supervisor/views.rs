//! What the supervisor answers.

use std::net::SocketAddr;

use jiff::Timestamp;

use crate::catalog::ChunkRow;
use crate::catalog::RecordingRow;
use crate::model::CallId;
use crate::model::ParticipantNumber;
use crate::model::RecordingId;
use crate::supervisor::CallName;

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It is being built.
    Starting,
    /// It records, or is paused.
    Recording,
    /// Its last chunk is being finished.
    Stopping,
    /// It is over, and its files are there.
    Ended,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is done.
    Done,
    /// A call.
    Call(CallView),
    /// Calls, in order of beginning.
    Calls(Vec<CallView>),
    /// Who is recorded, by each recording of a call that is not paused.
    Recorded(Vec<RecordedView>),
    /// Somebody who is in a call now.
    Participant(ParticipantView),
    /// A recording that has been started, and how it is now; None where it was asked for before, and is gone.
    Started(RecordingId, Option<Box<RecordingView>>),
    /// Recordings, in order of beginning, and whether there are more.
    Recordings(Vec<RecordingView>, bool),
    /// A recording.
    Recording(Box<RecordingView>),
    /// A document.
    Document(DocumentView),
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallView {
    /// Its id.
    pub id: CallId,
    /// What it goes by.
    pub names: Vec<CallName>,
    /// When it began.
    pub created_at: Timestamp,
    /// Who is in it.
    pub participants: Vec<ParticipantView>,
    /// Its recordings that have not ended.
    pub recordings: Vec<RecordingId>,
}

/// Somebody in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantView {
    /// `participantId` of the metadata.
    pub id: String,
    /// What people call them.
    pub display_name: Option<String>,
    /// Where they are heard.
    pub address: SocketAddr,
}

/// Who is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedView {
    /// By which recording.
    pub recording: RecordingId,
    /// Their numbers in it, with their `participantId`.
    pub members: Vec<(ParticipantNumber, String)>,
}

/// A recording.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingView {
    /// What is known of it.
    pub row: RecordingRow,
    /// Where its data is.
    pub region: String,
    /// Where it stands.
    pub phase: Phase,
    /// What of it is stored, if it has ended.
    pub chunks: Vec<ChunkRow>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentView {
    /// Its chunk.
    pub chunk: ChunkRow,
    /// Where its data is.
    pub region: String,
}
