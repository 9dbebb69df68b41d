//! Recordings, as ACS's clients control them.

use axum::Json;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use sha2::Digest;
use sha2::Sha256;

use crate::acs::ErrorBody;
use crate::acs::Problem;
use crate::acs::documents;
use crate::acs::documents::RecordingState;
use crate::acs::documents::RecordingStateDocument;
use crate::acs::documents::ResultDocument;
use crate::acs::documents::SessionEndReason;
use crate::acs::documents::StorageInfo;
use crate::acs::ids;
use crate::acs::routes::Operation;
use crate::acs::start::Locator;
use crate::acs::start::StartRecording;
use crate::api::Api;
use crate::api::asking;
use crate::api::error::problem;
use crate::api::error::refuse;
use crate::api::request::Asked;
use crate::model::Content;
use crate::model::RecordingId;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::AskedTerms;
use crate::supervisor::Asker;
use crate::supervisor::CallName;
use crate::supervisor::Phase;
use crate::supervisor::RecordingView;
use crate::supervisor::Refusal;
use crate::supervisor::Repeat;
use crate::supervisor::StartAsk;
use crate::supervisor::WhichCall;

const REPEATABLE: HeaderName = HeaderName::from_static("repeatability-result");

/// Longest id of a request that may be made again.
const REPEAT_BYTES_MAX: usize = 128;

/// Serves an operation on recordings.
pub(super) async fn serve(api: &Api, caller: Asker, asked: &Asked, what: Operation) -> Result<Response, Problem> {
    match what {
        Operation::Start => start(api, caller, asked).await,
        Operation::State(id) => {
            let view = asking::recording(api, caller, asked, asking::recording_id(caller, &id)?).await?;
            let state = match (view.phase, view.paused) {
                (Phase::Recording, false) => RecordingState::Active,
                (Phase::Recording, true) => RecordingState::Inactive,
                _ => return Err(Problem::NotFound("Recording")),
            };
            Ok(Json(RecordingStateDocument::new(id, state)).into_response())
        }
        Operation::Pause(id) => change(api, caller, asked, &id, Ask::Pause, StatusCode::ACCEPTED).await,
        Operation::Resume(id) => change(api, caller, asked, &id, Ask::Resume, StatusCode::ACCEPTED).await,
        Operation::Stop(id) => change(api, caller, asked, &id, Ask::Stop, StatusCode::NO_CONTENT).await,
        Operation::Result(id) => {
            let view = asking::recording(api, caller, asked, asking::recording_id(caller, &id)?).await?;
            Ok(Json(result(api, id, &view)).into_response())
        }
        Operation::Read { .. } | Operation::Delete(_) | Operation::NotServed => Err(Problem::NotFound("Recording")),
    }
}

async fn start(api: &Api, caller: Asker, asked: &Asked) -> Result<Response, Problem> {
    let start = StartRecording::read(&asked.body)?;
    if start.content == Content::AudioVideo {
        return Err(Problem::WrongFormat("Video is not recorded here yet.".to_owned()));
    }
    let repeat = asked.header("repeatability-request-id");
    if repeat.is_some_and(|id| id.is_empty() || id.len() > REPEAT_BYTES_MAX) {
        return Err(Problem::InvalidArgument("Repeatability-Request-ID must have 1 to 128 bytes.".to_owned()));
    }
    let repeat = repeat.map(|id| Repeat { id: id.to_owned(), body: Sha256::digest(&asked.body).into() });
    let is_repeatable = repeat.is_some();
    let call = match start.call {
        Locator::Server(name) => CallName::Key(name),
        Locator::Group(name) => CallName::Group(name),
        Locator::Room(name) => CallName::Room(name),
        Locator::Connection(name) => CallName::Connection(name),
    };
    let graph = format!("{}-{}", start.channel, start.format);
    let ask = Ask::Start(StartAsk {
        call: WhichCall::Named(call),
        alone: true,
        graph,
        pins: start.pins,
        paused: start.pause_on_start,
        terms: AskedTerms::default(),
        rule: None,
        repeat,
    });
    let recording = match api.supervisor.ask(caller, ask, asked.at).await {
        Ok(Answer::Started(RecordingId(recording))) => recording,
        Ok(_) => return Err(Problem::Internal),
        Err(Refusal::RequestDiffers) => {
            let mut response = refuse(&problem(Refusal::RequestDiffers), Some(asked.path()));
            response.headers_mut().insert(REPEATABLE, HeaderValue::from_static("rejected"));
            return Ok(response);
        }
        Err(refusal) => return Err(problem(refusal)),
    };
    let id = ids::recording_id(caller.resource.0, recording);
    let mut response = Json(RecordingStateDocument::new(id, RecordingState::Inactive)).into_response();
    if is_repeatable {
        response.headers_mut().insert(REPEATABLE, HeaderValue::from_static("accepted"));
    }
    Ok(response)
}

async fn change(
    api: &Api,
    caller: Asker,
    asked: &Asked,
    id: &str,
    ask: fn(RecordingId) -> Ask,
    done: StatusCode,
) -> Result<Response, Problem> {
    asking::ask(api, caller, asked, ask(asking::recording_id(caller, id)?)).await?;
    Ok(done.into_response())
}

fn result(api: &Api, recording_id: String, view: &RecordingView) -> ResultDocument {
    let duration = view.chunks.iter().map(|chunk| chunk.duration).sum();
    ResultDocument {
        recording_id,
        recording_storage_info: StorageInfo { recording_chunks: asking::chunk_documents(api, view) },
        errors: view.end.iter().filter(|end| end.error.is_some()).map(|_| ErrorBody::of_recording()).collect(),
        recording_start_time: documents::time(view.started_at),
        recording_duration_ms: documents::milliseconds(duration),
        session_end_reason: SessionEndReason::of(view.end.as_ref().map(|end| end.reason)),
        recording_expiration_time: match &view.end {
            Some(end) => documents::time(end.expires_at),
            None => documents::NEVER.to_owned(),
        },
    }
}
