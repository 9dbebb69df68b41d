//! What is noted of what is asked: who asked for what, and what came of it. Pure.
//!
//! What changes something is noted, and what gives media away; looking at calls and recordings is not.

use jiff::Timestamp;

use crate::acs::ids;
use crate::catalog::AuditRow;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Refusal;

/// What the audit says of what was done.
const ACCEPTED: &str = "accepted";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// In whose name.
    pub resource: ResourceId,
    /// With which of its keys: `primary` or `secondary`.
    pub key: &'static str,
}

/// Returns what is to be noted of what was asked; None where that is nothing.
pub(super) fn noted(asker: Asker, ask: &Ask, at: Timestamp) -> Option<AuditRow> {
    let named = |RecordingId(id): &RecordingId| ids::recording_id(asker.resource.0, *id);
    let (operation, object) = match ask {
        Ask::Calls | Ask::Call(_) | Ask::Recorded(_) | Ask::Recordings(_) => return None,
        Ask::Recording(_) | Ask::Document(_) => return None,
        // What it is done to is there when it is done.
        Ask::CreateCall(_) => ("create-call", String::new()),
        Ask::Start(_) => ("start-recording", String::new()),
        Ask::EndCall(call) => ("end-call", call.to_string()),
        Ask::AddParticipant { call, .. } => ("add-participant", call.to_string()),
        Ask::RenameParticipant { call, .. } => ("rename-participant", call.to_string()),
        Ask::RemoveParticipant { call, .. } => ("remove-participant", call.to_string()),
        Ask::Pause(recording) => ("pause-recording", named(recording)),
        Ask::Resume(recording) => ("resume-recording", named(recording)),
        Ask::Stop(recording) => ("stop-recording", named(recording)),
        Ask::ReadDocument(document) => ("read-document", document.0.simple().to_string()),
        Ask::DeleteDocument(document) => ("delete-document", document.0.simple().to_string()),
    };
    Some(AuditRow { at, resource: asker.resource, key: asker.key, operation, object, result: ACCEPTED })
}

/// Returns a row with what came of it.
pub(super) fn answered(mut row: AuditRow, answer: &Result<Answer, Refusal>) -> AuditRow {
    match answer {
        Ok(Answer::Call(view)) => row.object = view.id.to_string(),
        Ok(Answer::Started(recording, _)) => row.object = ids::recording_id(row.resource.0, recording.0),
        Ok(_) => (),
        Err(refusal) => row.result = refusal.word(),
    }
    row
}
