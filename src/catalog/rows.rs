//! What the catalog holds, and how it changes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::media::Settings;
use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::model::Terms;

/// A name that a call goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRow {
    /// What kind of name.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// A call that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Its id.
    pub id: CallId,
    /// Whose it is.
    pub resource: ResourceId,
    /// What it goes by.
    pub names: Vec<NameRow>,
    /// When it began.
    pub created_at: Timestamp,
}

/// Somebody in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantRow {
    /// Of which call.
    pub call: CallId,
    /// `participantId` of the metadata.
    pub id: String,
    /// What people call them, if anything.
    pub display_name: Option<String>,
    /// What is sent.
    pub track: Settings,
    /// Where it is received.
    pub port: u16,
    /// When they came.
    pub joined_at: Timestamp,
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingRow {
    /// Its id.
    pub id: RecordingId,
    /// Whose it is.
    pub resource: ResourceId,
    /// Of which call.
    pub call: CallId,
    /// Name of its graph.
    pub graph: String,
    /// Participants with the channel that each is to have.
    pub pins: Vec<(String, u32)>,
    /// When it began.
    pub started_at: Timestamp,
    /// It is paused.
    pub paused: bool,
    /// Since when it is, or is not.
    pub paused_at: Timestamp,
    /// What it keeps to, and what it is found by.
    pub about: About,
    /// Why it is being ended, if it is.
    pub stopping: Option<EndReason>,
    /// How it ended, if it has.
    pub end: Option<EndRow>,
}

/// People that a recording is found by: it is written whole whenever somebody comes.
const PEOPLE_MAX: usize = 1_000;

/// What a recording keeps to, and what it is found by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct About {
    /// Key of its call.
    pub call_key: Option<String>,
    /// Who was in it, by `participantId`: the first thousand.
    pub people: BTreeSet<String>,
    /// Name of the rule that started it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What was agreed.
    pub terms: Terms,
}

impl About {
    /// Notes that somebody is in it; returns whether they are new.
    pub fn add(&mut self, participant: &str) -> bool {
        self.people.len() < PEOPLE_MAX && self.people.insert(participant.to_owned())
    }
}

/// How a recording ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndRow {
    /// Why.
    pub reason: EndReason,
    /// What went wrong.
    pub error: Option<String>,
    /// When all of it was ready.
    pub ready_at: Timestamp,
    /// When its files are deleted.
    pub expires_at: Timestamp,
}

/// A chunk that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkRow {
    /// Its id.
    pub id: ChunkId,
    /// Of which recording.
    pub recording: RecordingId,
    /// Place among the chunks, from 0.
    pub index: u32,
    /// Extension of its file.
    pub format: String,
    /// Bytes of its content.
    pub size: u64,
    /// SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
    /// How long it plays, to the microsecond.
    pub duration: Duration,
}

/// A request that may be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatRow {
    /// Whose it is.
    pub resource: ResourceId,
    /// Chosen by who asked.
    pub id: String,
    /// SHA-256 of what was asked.
    pub body: [u8; 32],
    /// What came of it.
    pub recording: RecordingId,
    /// When it was asked.
    pub at: Timestamp,
}

/// An operation that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub resource: ResourceId,
    /// With which of its keys: `primary` or `secondary`.
    pub key: &'static str,
    /// What.
    pub operation: &'static str,
    /// What it was done to: a call's or a recording's id, the end of a document's; empty where that is nothing.
    pub object: String,
    /// What came of it: `accepted`, or why not.
    pub result: &'static str,
}

/// A change of the catalog. Each may be made twice: the second time changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// A call has begun.
    Call(CallRow),
    /// It has ended, and nobody is in it any more.
    CallGone(CallId),
    /// Somebody has come.
    Participant(ParticipantRow),
    /// Somebody has left.
    ParticipantGone {
        /// Which call.
        call: CallId,
        /// Who.
        id: String,
    },
    /// A recording is so now.
    Recording(RecordingRow),
    /// Nothing is to be known of it any more.
    RecordingGone(RecordingId),
    /// A chunk is stored.
    Chunk(ChunkRow),
    /// A chunk is nobody's any more: its files are to be deleted.
    ChunkDoomed(ChunkId),
    /// Its files have been.
    ChunkDeleted(ChunkId),
    /// A request that may be made again was made.
    Repeat(RepeatRow),
    /// Requests before that may not be made again any more.
    RepeatsGone(Timestamp),
    /// An operation was asked for. This one is added as often as it is made.
    Audit(AuditRow),
}

/// All that is in a catalog but the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// Calls.
    pub calls: Vec<CallRow>,
    /// Who is in them, in order of coming.
    pub participants: Vec<ParticipantRow>,
    /// Recordings.
    pub recordings: Vec<RecordingRow>,
    /// Their chunks, in order.
    pub chunks: Vec<ChunkRow>,
    /// Chunks whose files are to be deleted.
    pub deletions: Vec<ChunkId>,
    /// Requests that may be made again.
    pub repeats: Vec<RepeatRow>,
}
