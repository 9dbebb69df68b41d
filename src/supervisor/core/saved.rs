//! What the catalog keeps of calls and recordings. Pure.

use crate::catalog::CallRow;
use crate::catalog::ChunkRow;
use crate::catalog::NameRow;
use crate::catalog::ParticipantRow;
use crate::catalog::RecordingRow;
use crate::catalog::Update;
use crate::model::CallId;
use crate::model::RecordingId;
use crate::supervisor::CallName;
use crate::supervisor::ChunkView;
use crate::supervisor::Phase;
use crate::supervisor::core::Call;
use crate::supervisor::core::Core;
use crate::supervisor::core::Participant;
use crate::supervisor::core::Recording;

pub(super) fn call_row(id: CallId, call: &Call) -> CallRow {
    let name = |name: &CallName| NameRow { kind: name.kind().to_owned(), name: name.text().to_owned() };
    CallRow { id, resource: call.resource, names: call.names.iter().map(name).collect(), created_at: call.created_at }
}

pub(super) fn participant_row(call: CallId, participant: &Participant) -> ParticipantRow {
    ParticipantRow {
        call,
        id: participant.member.id.clone(),
        display_name: participant.display_name.clone(),
        track: participant.track,
        port: participant.address.port(),
        joined_at: participant.joined_at,
    }
}

pub(super) fn row(id: RecordingId, recording: &Recording) -> RecordingRow {
    RecordingRow {
        id,
        resource: recording.resource,
        call: recording.call,
        graph: recording.graph.clone(),
        pins: recording.pins.clone(),
        started_at: recording.started_at,
        paused: recording.paused,
        paused_at: recording.paused_at,
        about: recording.about.clone(),
        stopping: recording.stopping,
        end: recording.end.clone(),
    }
}

pub(super) fn chunk_row(id: RecordingId, chunk: &ChunkView) -> Update {
    Update::Chunk(ChunkRow {
        id: chunk.document,
        recording: id,
        index: chunk.index,
        format: chunk.format.clone(),
        size: chunk.size,
        sha256: chunk.sha256.clone(),
        duration: chunk.duration,
    })
}

/// Returns what is to be saved of a recording, and of its chunks if it has ended.
pub(super) fn updates(id: RecordingId, recording: &Recording) -> Vec<Update> {
    let chunks = recording.chunks.iter().filter(|_| recording.end.is_some()).map(|chunk| chunk_row(id, chunk));
    std::iter::once(Update::Recording(row(id, recording))).chain(chunks).collect()
}

impl Core {
    /// Returns all that a catalog without anything in it is to know.
    pub(in crate::supervisor) fn all_updates(&self) -> Vec<Update> {
        let calls = self.calls.iter().flat_map(|(id, call)| {
            let participant = |participant| Update::Participant(participant_row(*id, participant));
            let participants = call.participants.iter().map(participant);
            std::iter::once(Update::Call(call_row(*id, call))).chain(participants)
        });
        let known = self.recordings.iter().filter(|(_, recording)| recording.phase > Phase::Starting);
        let recordings = known.flat_map(|(id, recording)| updates(*id, recording));
        calls.chain(recordings).chain(self.repeated.values().cloned().map(Update::Repeat)).collect()
    }
}
