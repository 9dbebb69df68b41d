//! What the catalog keeps of calls and recordings. Pure.

use crate::catalog::CallRow;
use crate::catalog::NameRow;
use crate::catalog::ParticipantRow;
use crate::catalog::Update;
use crate::model::CallId;
use crate::supervisor::CallName;
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

/// Returns what is to be saved of a recording, and of its chunks if it has ended.
pub(super) fn updates(recording: &Recording) -> Vec<Update> {
    let chunks = recording.chunks.iter().filter(|_| recording.row.end.is_some()).cloned().map(Update::Chunk);
    std::iter::once(Update::Recording(recording.row.clone())).chain(chunks).collect()
}

impl Core {
    /// Returns all that a catalog without anything in it is to know.
    pub(in crate::supervisor) fn all_updates(&self) -> Vec<Update> {
        let calls = self.calls.iter().flat_map(|(id, call)| {
            let participant = |participant| Update::Participant(participant_row(*id, participant));
            let participants = call.participants.iter().map(participant);
            std::iter::once(Update::Call(call_row(*id, call))).chain(participants)
        });
        let known = self.recordings.values().filter(|recording| recording.phase > Phase::Starting);
        let recordings = known.flat_map(updates);
        calls.chain(recordings).chain(self.repeated.values().cloned().map(Update::Repeat)).collect()
    }
}
