//! Calls: their names, and how loud who is in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::acs::Problem;
use crate::acs::ids;
use crate::api::Api;
use crate::api::asking::ask;
use crate::api::openapi::Also;
use crate::api::openapi::Refused;
use crate::api::v1::call_id;
use crate::api::v1::check_name;
use crate::api::v1::participants::Participant;
use crate::api::v1::read;
use crate::api::v1::serve;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Asker;
use crate::supervisor::CallName;
use crate::supervisor::CallView;

/// A call that begins. Each name is one of the resource's own; without a callKey the call is given one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewCall {
    /// The call's key, which ACS calls the server call id.
    #[schema(min_length = 1)]
    call_key: Option<String>,
    #[schema(min_length = 1)]
    call_connection_id: Option<String>,
    #[schema(min_length = 1)]
    group_call_id: Option<String>,
    #[schema(min_length = 1)]
    room_id: Option<String>,
    #[schema(min_length = 1)]
    correlation_id: Option<String>,
}

/// A call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call {
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
    #[schema(format = DateTime)]
    created_at: String,
    participants: Vec<Participant>,
    /// Ids of its recordings that have not ended.
    recordings: Vec<String>,
}

/// How loud somebody is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Level {
    participant_id: String,
    /// Loudness of the last tick: 0 is as loud as can be.
    dbfs: f64,
}

/// Begins a call.
#[utoipa::path(post, path = "/api/v1/calls", tag = "calls", request_body = Option<NewCall>,
    responses((status = 201, description = "It has begun.", body = Call), Refused, Also<409>))]
pub(super) async fn create(State(api): State<Arc<Api>>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let NewCall { call_key, call_connection_id, group_call_id, room_id, correlation_id } =
            match asked.body.is_empty() {
                true => NewCall::default(),
                false => read::<Option<NewCall>>(&asked)?.unwrap_or_default(),
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

/// Lists calls that have not ended, in order of beginning.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls",
    responses((status = 200, description = "All of them.", body = [Call]), Refused))]
pub(super) async fn list(State(api): State<Arc<Api>>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| match ask(api, caller, &asked, Ask::Calls).await? {
        Answer::Calls(views) => {
            let calls: Vec<_> = views.into_iter().map(|view| call(caller, view)).collect();
            Ok(Json(calls).into_response())
        }
        _ => Err(Problem::Internal),
    })
    .await
}

/// Shows a call.
#[utoipa::path(get, path = "/api/v1/calls/{call}", tag = "calls", params(("call" = Uuid, Path)),
    responses((status = 200, description = "The call.", body = Call), Refused, Also<404>))]
pub(super) async fn show(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| match ask(api, caller, &asked, Ask::Call(call_id(&id)?)).await? {
        Answer::Call(view) => Ok(Json(call(caller, view)).into_response()),
        _ => Err(Problem::Internal),
    })
    .await
}

/// Ends a call, and its recordings with it.
#[utoipa::path(delete, path = "/api/v1/calls/{call}", tag = "calls", params(("call" = Uuid, Path)),
    responses((status = 204, description = "It has ended."), Refused, Also<404>))]
pub(super) async fn end(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        ask(api, caller, &asked, Ask::EndCall(call_id(&id)?)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Tells how loud everybody is who is recorded now: who is not, or only by recordings that are paused, is left out.
#[utoipa::path(get, path = "/api/v1/calls/{call}/levels", tag = "calls", params(("call" = Uuid, Path)),
    responses((status = 200, description = "Those who are recorded.", body = [Level]), Refused, Also<404>))]
pub(super) async fn levels(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let Answer::Recorded(recorded) = ask(api, caller, &asked, Ask::Recorded(call_id(&id)?)).await? else {
            return Err(Problem::Internal);
        };
        let mut loudest: BTreeMap<String, f64> = BTreeMap::new();
        for view in recorded {
            let levels = api.meter.levels(view.recording);
            for (number, participant_id) in view.members {
                let Some(dbfs) = levels.get(&number).copied().filter(|dbfs| dbfs.is_finite()) else { continue };
                let known = loudest.entry(participant_id).or_insert(dbfs);
                *known = known.max(dbfs);
            }
        }
        let levels = loudest.into_iter().map(|(participant_id, dbfs)| Level { participant_id, dbfs });
        Ok(Json(levels.collect::<Vec<_>>()).into_response())
    })
    .await
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
        participants: view.participants.into_iter().map(Participant::from).collect(),
        recordings: view.recordings.into_iter().map(|id| ids::recording_id(caller.resource.0, id.0)).collect(),
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
    call
}
