//! Who is in a call, and what is heard of them.

use std::net::SocketAddr;
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

use crate::acs::Problem;
use crate::api::Api;
use crate::api::asking::ask;
use crate::api::openapi::Also;
use crate::api::openapi::Refused;
use crate::api::v1::call_id;
use crate::api::v1::check_name;
use crate::api::v1::read;
use crate::api::v1::serve;
use crate::ingest::rtp::Offer;
use crate::ingest::rtp::Query;
use crate::media::Settings;
use crate::model::NAME_BYTES_MAX;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::ParticipantView;

/// Somebody who comes. What they send is told by `track` or by `sdp`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewParticipant {
    #[schema(min_length = 1)]
    participant_id: String,
    /// What people call them.
    display_name: Option<String>,
    /// As behind the question mark of `rtp://…?codec=opus&pt=111`.
    #[schema(example = "codec=opus&pt=111")]
    track: Option<String>,
    /// An SDP offer; the answer is in the participant that comes back.
    sdp: Option<String>,
}

/// What somebody is called from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rename {
    /// "": nothing.
    display_name: String,
}

/// Somebody in a call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Participant {
    participant_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// Where RTP is received: address and port.
    #[schema(value_type = String)]
    rtp: SocketAddr,
    /// The SDP answer, where an offer was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    sdp: Option<String>,
}

impl From<ParticipantView> for Participant {
    fn from(ParticipantView { id, display_name, address }: ParticipantView) -> Self {
        Self { participant_id: id, display_name, rtp: address, sdp: None }
    }
}

/// Adds somebody to a call, and listens for them.
#[utoipa::path(post, path = "/api/v1/calls/{call}/participants", tag = "participants",
    params(("call" = Uuid, Path)), request_body = NewParticipant,
    responses((status = 201, description = "They are heard.", body = Participant), Refused, Also<404>, Also<409>))]
pub(super) async fn add(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let call = call_id(&id)?;
        let NewParticipant { participant_id: participant, display_name, track, sdp } = read(&asked)?;
        check_name(&participant)?;
        let (track, offer) = match (track, sdp) {
            (Some(track), None) => (settings(&track)?, None),
            (None, Some(sdp)) => {
                let told = |error| Problem::InvalidArgument(format!("The SDP cannot be answered: {error}."));
                let offer = Offer::read(&sdp).map_err(told)?;
                (offer.settings(), Some(offer))
            }
            _ => return Err(Problem::InvalidArgument("One of track and sdp must tell what is sent.".to_owned())),
        };
        let display_name = read_display_name(display_name.unwrap_or_default())?;
        let Answer::Participant(view) =
            ask(api, caller, &asked, Ask::AddParticipant { call, participant, display_name, track }).await?
        else {
            return Err(Problem::Internal);
        };
        let sdp = offer.map(|offer| offer.answer(view.address));
        Ok((StatusCode::CREATED, Json(Participant { sdp, ..view.into() })).into_response())
    })
    .await
}

/// Changes what somebody is called.
#[utoipa::path(patch, path = "/api/v1/calls/{call}/participants/{participant}", tag = "participants",
    params(("call" = Uuid, Path), ("participant" = String, Path)), request_body = Rename,
    responses((status = 200, description = "They are called so.", body = Participant), Refused, Also<404>))]
pub(super) async fn rename(
    State(api): State<Arc<Api>>,
    Path((id, participant)): Path<(String, String)>,
    request: Request,
) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let call = call_id(&id)?;
        let display_name = read_display_name(read::<Rename>(&asked)?.display_name)?;
        match ask(api, caller, &asked, Ask::RenameParticipant { call, participant, display_name }).await? {
            Answer::Participant(view) => Ok(Json(Participant::from(view)).into_response()),
            _ => Err(Problem::Internal),
        }
    })
    .await
}

/// Removes somebody from a call.
#[utoipa::path(delete, path = "/api/v1/calls/{call}/participants/{participant}", tag = "participants",
    params(("call" = Uuid, Path), ("participant" = String, Path)),
    responses((status = 204, description = "They have left."), Refused, Also<404>))]
pub(super) async fn remove(
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

/// Reads what is sent, as addresses of RTP have it behind their question mark.
fn settings(track: &str) -> Result<Settings, Problem> {
    let read = Query::parse(track).and_then(|query| query.settings(None));
    read.map_err(|error| Problem::InvalidArgument(format!("The track is malformed: {error}.")))
}

fn read_display_name(name: String) -> Result<Option<String>, Problem> {
    match name.len() {
        0 => Ok(None),
        1..=NAME_BYTES_MAX => Ok(Some(name)),
        _ => Err(Problem::InvalidArgument("displayName must have up to 1024 bytes.".to_owned())),
    }
}
