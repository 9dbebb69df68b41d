//! Recordings, as ACS's clients control them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;

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
use crate::api::request::Asked;
use crate::model::Content;
use crate::model::RecordingId;
use crate::supervisor::Ask;
use crate::supervisor::AskedTerms;
use crate::supervisor::Asker;
use crate::supervisor::CallName;
use crate::supervisor::Phase;
use crate::supervisor::RecordingView;
use crate::supervisor::StartAsk;
use crate::supervisor::WhichCall;

/// Serves an operation on recordings.
pub(super) async fn serve(api: &Api, caller: Asker, asked: &Asked, what: Operation) -> Result<Response, Problem> {
    match what {
        Operation::Start => start(api, caller, asked).await,
        Operation::State(id) => {
            let view = asking::recording(api, caller, asked, asking::recording_id(caller, &id)?).await?;
            let state = match (view.phase, view.row.paused) {
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
    let call = match start.call {
        Locator::Server(name) => CallName::Key(name),
        Locator::Group(name) => CallName::Group(name),
        Locator::Room(name) => CallName::Room(name),
        Locator::Connection(name) => CallName::Connection(name),
    };
    let graph = format!("{}-{}", start.channel, start.format);
    let start = StartAsk {
        call: WhichCall::Named(call),
        alone: true,
        graph,
        pins: start.pins,
        paused: start.pause_on_start,
        terms: AskedTerms::default(),
        rule: None,
        repeat: asking::repeat(asked, "")?,
    };
    asking::start(api, caller, asked, start, |RecordingId(recording), _| {
        let id = ids::recording_id(caller.resource.0, recording);
        Ok(Json(RecordingStateDocument::new(id, RecordingState::Inactive)).into_response())
    })
    .await
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
        errors: view.row.end.iter().filter(|end| end.error.is_some()).map(|_| ErrorBody::of_recording()).collect(),
        recording_start_time: documents::time(view.row.started_at),
        recording_duration_ms: documents::milliseconds(duration),
        session_end_reason: SessionEndReason::of(view.row.end.as_ref().map(|end| end.reason)),
        recording_expiration_time: match &view.row.end {
            Some(end) => documents::time(end.expires_at),
            None => documents::NEVER.to_owned(),
        },
    }
}
