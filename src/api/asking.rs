//! What both APIs ask the supervisor for: recordings by their names, and where their files are.

use axum::http::HeaderValue;
use axum::response::Response;
use sha2::Digest;
use sha2::Sha256;

use crate::acs::Problem;
use crate::acs::documents::ChunkDocument;
use crate::acs::ids;
use crate::api::Api;
use crate::api::error::REPEATED;
use crate::api::error::problem;
use crate::api::request::Asked;
use crate::model::RecordingId;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Asker;
use crate::supervisor::RecordingView;
use crate::supervisor::Repeat;
use crate::supervisor::StartAsk;

/// Longest id of a request that may be made again.
const REPEAT_BYTES_MAX: usize = 128;

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

/// Reads as what a request about `what` may be made again; None where it may not.
pub(super) fn repeat(asked: &Asked, what: &str) -> Result<Option<Repeat>, Problem> {
    let Some(id) = asked.header("repeatability-request-id") else { return Ok(None) };
    if !(1..=REPEAT_BYTES_MAX).contains(&id.len()) {
        return Err(Problem::InvalidArgument("Repeatability-Request-ID must have 1 to 128 bytes.".to_owned()));
    }
    let body = Sha256::new().chain_update(what).chain_update(&asked.body).finalize().into();
    Ok(Some(Repeat { id: id.to_owned(), body }))
}

/// Starts a recording, and answers with `answer` of its id and of how it is; None where a request is made again whose
/// recording is gone.
pub(super) async fn start(
    api: &Api,
    caller: Asker,
    asked: &Asked,
    start: StartAsk,
    answer: impl FnOnce(RecordingId, Option<RecordingView>) -> Result<Response, Problem>,
) -> Result<Response, Problem> {
    let is_repeatable = start.repeat.is_some();
    let Answer::Started(recording, view) = ask(api, caller, asked, Ask::Start(start)).await? else {
        return Err(Problem::Internal);
    };
    let mut response = answer(recording, view.map(|view| *view))?;
    if is_repeatable {
        response.headers_mut().insert(REPEATED, HeaderValue::from_static("accepted"));
    }
    Ok(response)
}

/// Returns where the chunks of a recording are, in order.
pub(super) fn chunk_documents(api: &Api, view: &RecordingView) -> Vec<ChunkDocument> {
    let last = view.chunks.len().saturating_sub(1);
    let documents = view.chunks.iter().enumerate().map(|(at, chunk)| {
        let id = ids::document_id(&view.region, chunk.id.0);
        ChunkDocument::new(&api.content_base, id, chunk.index, &chunk.format, chunk.duration, at == last)
    });
    documents.collect()
}
