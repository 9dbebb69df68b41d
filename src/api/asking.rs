//! What both APIs ask the supervisor for: recordings by their names, and where their files are.

use crate::acs::Problem;
use crate::acs::documents::ChunkDocument;
use crate::acs::ids;
use crate::api::Api;
use crate::api::error::problem;
use crate::api::request::Asked;
use crate::model::RecordingId;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Asker;
use crate::supervisor::RecordingView;

/// Asks for something in a resource's name, as of the instant of a request.
pub(super) async fn ask(api: &Api, caller: Asker, asked: &Asked, what: Ask) -> Result<Answer, Problem> {
    api.supervisor.ask(caller, what, asked.at).await.map_err(problem)
}

/// Reads a recording's name; one that another resource's is, is none.
pub(super) fn recording_id(caller: Asker, text: &str) -> Result<RecordingId, Problem> {
    let (resource, recording) = ids::read_recording_id(text).ok_or(Problem::NotFound("Recording"))?;
    (resource == caller.resource.0).then_some(RecordingId(recording)).ok_or(Problem::NotFound("Recording"))
}

/// Returns a recording.
pub(super) async fn recording(
    api: &Api,
    caller: Asker,
    asked: &Asked,
    id: RecordingId,
) -> Result<RecordingView, Problem> {
    match ask(api, caller, asked, Ask::Recording(id)).await? {
        Answer::Recording(view) => Ok(*view),
        _ => Err(Problem::Internal),
    }
}

/// Returns where the chunks of a recording are, in order.
pub(super) fn chunk_documents(api: &Api, view: &RecordingView) -> Vec<ChunkDocument> {
    let last = view.chunks.len().saturating_sub(1);
    let documents = view.chunks.iter().enumerate().map(|(at, chunk)| {
        let id = ids::document_id(&view.region, chunk.document.0);
        ChunkDocument::new(&api.content_base, id, chunk.index, &chunk.format, chunk.duration, at == last)
    });
    documents.collect()
}
