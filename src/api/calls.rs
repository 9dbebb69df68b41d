//! Calls, and who is in them.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::delete;
use axum::routing::get;
use axum::routing::post;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use crate::acs::Problem;
use crate::acs::ids;
use crate::api::Api;
use crate::api::error::problem;
use crate::api::error::refuse;
use crate::api::request::Asked;
use crate::ingest::rtp::Query;
use crate::media::Settings;
use crate::model::CallId;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Asker;
use crate::supervisor::CallName;
use crate::supervisor::CallView;
use crate::supervisor::ParticipantView;

/// Longest name of a call or a participant.
const NAME_BYTES_MAX: usize = 1_024;

/// A call that begins.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewCall {
    call_key: Option<String>,
    call_connection_id: Option<String>,
    group_call_id: Option<String>,
    room_id: Option<String>,
    correlation_id: Option<String>,
}

/// Somebody who comes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewParticipant {
    participant_id: String,
    display_name: Option<String>,
    /// As in `rtp://…?codec=opus&pt=111`, without the address.
    track: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    created_at: String,
    participants: Vec<Participant>,
    recordings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Participant {
    participant_id: String,
    /// Where RTP is received.
    rtp: SocketAddr,
}

/// Returns the routes.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/api/v1/calls", post(create).get(list))
        .route("/api/v1/calls/{call}", get(show).delete(end))
        .route("/api/v1/calls/{call}/participants", post(add))
        .route("/api/v1/calls/{call}/participants/{participant}", delete(remove))
}

async fn create(State(api): State<Arc<Api>>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let NewCall { call_key, call_connection_id, group_call_id, room_id, correlation_id } =
            match asked.body.is_empty() {
                true => NewCall::default(),
                false => read(&asked)?,
            };
        let call_key = call_key.unwrap_or_else(|| ids::server_call_id(Uuid::new_v4()));
        let names: Vec<_> = [
            Some(CallName::Key(call_key)),
            call_connection_id.map(CallName::Connection),
            group_call_id.map(CallName::Group),
            room_id.map(CallName::Room),
            correlation_id.map(CallName::Correlation),
        ]
        .into_iter()
        .flatten()
        .collect();
        names.iter().try_for_each(|name| check_name(name.text()))?;
        match ask(api, caller, &asked, Ask::CreateCall(names)).await? {
            Answer::Call(view) => Ok((StatusCode::CREATED, Json(call(caller, view))).into_response()),
            _ => Err(Problem::Internal),
        }
    })
    .await
}

async fn list(State(api): State<Arc<Api>>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| match ask(api, caller, &asked, Ask::Calls).await? {
        Answer::Calls(views) => {
            let calls: Vec<_> = views.into_iter().map(|view| call(caller, view)).collect();
            Ok(Json(calls).into_response())
        }
        _ => Err(Problem::Internal),
    })
    .await
}

async fn show(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| match ask(api, caller, &asked, Ask::Call(call_id(&id)?)).await? {
        Answer::Call(view) => Ok(Json(call(caller, view)).into_response()),
        _ => Err(Problem::Internal),
    })
    .await
}

async fn end(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        ask(api, caller, &asked, Ask::EndCall(call_id(&id)?)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

async fn add(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let call = call_id(&id)?;
        let NewParticipant { participant_id: participant, display_name, track } = read(&asked)?;
        check_name(&participant)?;
        let track = settings(&track)?;
        match ask(api, caller, &asked, Ask::AddParticipant { call, participant, display_name, track }).await? {
            Answer::Participant(view) => {
                let participant = Participant { participant_id: view.id, rtp: view.address };
                Ok((StatusCode::CREATED, Json(participant)).into_response())
            }
            _ => Err(Problem::Internal),
        }
    })
    .await
}

async fn remove(
    State(api): State<Arc<Api>>,
    Path((id, participant)): Path<(String, String)>,
    request: Request,
) -> Response {
    serve(&api, request, async |api, caller, asked| {
        ask(api, caller, &asked, Ask::RemoveParticipant { call: call_id(&id)?, participant }).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Takes a request whole, lets it in, and answers it.
pub(super) async fn serve(
    api: &Api,
    request: Request,
    answer: impl AsyncFnOnce(&Api, Asker, Asked) -> Result<Response, Problem>,
) -> Response {
    let asked = match Asked::read(request).await {
        Ok(asked) => asked,
        Err(problem) => return refuse(&problem, None),
    };
    let target = asked.path().to_owned();
    let answered = match api.gate.known(&asked) {
        Ok(caller) => answer(api, caller, asked).await,
        Err(problem) => Err(problem),
    };
    answered.unwrap_or_else(|problem| refuse(&problem, Some(&target)))
}

async fn ask(api: &Api, caller: Asker, asked: &Asked, what: Ask) -> Result<Answer, Problem> {
    api.supervisor.ask(caller, what, asked.at).await.map_err(problem)
}

fn read<T: for<'a> Deserialize<'a>>(asked: &Asked) -> Result<T, Problem> {
    serde_json::from_slice(&asked.body)
        .map_err(|error| Problem::InvalidArgument(format!("The body is malformed: {error}.")))
}

fn check_name(name: &str) -> Result<(), Problem> {
    match (1..=NAME_BYTES_MAX).contains(&name.len()) {
        true => Ok(()),
        false => Err(Problem::InvalidArgument("Names must have 1 to 1024 bytes.".to_owned())),
    }
}

fn call_id(text: &str) -> Result<CallId, Problem> {
    Uuid::try_parse(text).map(CallId).map_err(|_| Problem::NotFound("Call"))
}

/// Reads what is sent, as addresses of RTP have it behind their question mark.
fn settings(track: &str) -> Result<Settings, Problem> {
    let read = Query::parse(track).and_then(|query| query.settings(None));
    read.map_err(|error| Problem::InvalidArgument(format!("The track is malformed: {error}.")))
}

fn call(caller: Asker, view: CallView) -> Call {
    let mut call = Call {
        id: view.id.0,
        call_key: None,
        call_connection_id: None,
        group_call_id: None,
        room_id: None,
        correlation_id: None,
        created_at: view.created_at.to_string(),
        participants: Vec::new(),
        recordings: Vec::new(),
    };
    for name in view.names {
        let (place, text) = match name {
            CallName::Key(text) => (&mut call.call_key, text),
            CallName::Connection(text) => (&mut call.call_connection_id, text),
            CallName::Group(text) => (&mut call.group_call_id, text),
            CallName::Room(text) => (&mut call.room_id, text),
            CallName::Correlation(text) => (&mut call.correlation_id, text),
        };
        *place = Some(text);
    }
    let participant = |view: ParticipantView| Participant { participant_id: view.id, rtp: view.address };
    call.participants = view.participants.into_iter().map(participant).collect();
    call.recordings = view.recordings.into_iter().map(|id| ids::recording_id(caller.resource.0, id.0)).collect();
    call
}
