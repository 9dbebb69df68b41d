//! Recordings: how they are started, controlled and found.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::acs::Problem;
use crate::acs::documents;
use crate::acs::documents::ChunkDocument;
use crate::acs::ids;
use crate::api::Api;
use crate::api::asking;
use crate::api::asking::ask;
use crate::api::asking::chunk_documents;
use crate::api::asking::recording;
use crate::api::asking::recording_id;
use crate::api::asking::repeat;
use crate::api::openapi::Also;
use crate::api::openapi::Refused;
use crate::api::openapi::Repeatable;
use crate::api::v1::call_id;
use crate::api::v1::check_name;
use crate::api::v1::malformed;
use crate::api::v1::query;
use crate::api::v1::read;
use crate::api::v1::serve;
use crate::catalog::ChunkRow;
use crate::catalog::RecordingRow;
use crate::model::AtMaxPause;
use crate::model::RecordingId;
use crate::model::Terms;
use crate::model::units::parse_duration;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::AskedTerms;
use crate::supervisor::Asker;
use crate::supervisor::Filter;
use crate::supervisor::Phase;
use crate::supervisor::RecordingView;
use crate::supervisor::StartAsk;
use crate::supervisor::WhichCall;

/// Participants that may be given a channel.
const PINS_MAX: usize = 64;

/// Channels that participants can be given, from 0.
const CHANNELS: u32 = 64;

/// Most recordings of an answer, and how many they are where nobody says.
const LIST_MAX: usize = 1_000;
const LIST: usize = 100;

/// A recording that starts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRecording {
    /// Name of the graph: a shipped one, or one of graphs-dir.
    #[schema(example = "mixed-mp3")]
    graph: String,
    /// Who has which channel of an unmixed recording.
    #[serde(default)]
    pins: Vec<Pin>,
    /// Words that it is found by.
    #[serde(default)]
    #[schema(max_items = 16)]
    tags: Vec<String>,
    /// Longest pause, "1s" to "168h".
    #[schema(example = "10m")]
    max_pause: Option<String>,
    /// What happens then.
    at_max_pause: Option<WhenPaused>,
    /// Longest time, pauses included, "1s" to "168h".
    #[schema(example = "4h")]
    max_duration: Option<String>,
    /// It begins paused.
    #[serde(default)]
    pause_on_start: bool,
}

/// Who has a channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Pin {
    #[schema(min_length = 1)]
    participant_id: String,
    /// From 0.
    #[schema(maximum = 63)]
    channel: u32,
}

/// What happens to a recording that is paused for too long.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum WhenPaused {
    Resume,
    Stop,
}

/// Which recordings are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Somebody who was in them.
    participant_id: Option<String>,
    /// Key of their call.
    call_key: Option<String>,
    /// They began then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// They began before.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// A tag of theirs.
    tag: Option<String>,
    /// They come after that one: `next` of the page before.
    after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Recordings, in order of beginning.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    recordings: Vec<Recording>,
    /// What `after` is for those that follow, if some do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Where a recording stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Standing {
    Recording,
    Paused,
    Stopping,
    Ended,
}

/// A recording.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recording {
    id: String,
    call_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_key: Option<String>,
    graph: String,
    state: Standing,
    tags: Vec<String>,
    /// Who was in it, by participantId.
    participants: Vec<String>,
    #[schema(format = DateTime)]
    started_at: String,
    /// How it ended, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<End>,
    /// Its files, when it has ended.
    chunks: Vec<Chunk>,
}

/// How a recording ended.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct End {
    #[schema(example = "stopped")]
    reason: &'static str,
    /// Something went wrong: what, the service's log tells.
    failed: bool,
    /// When all of it was ready.
    #[schema(format = DateTime)]
    ready_at: String,
    /// When its files are deleted.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A file of a recording.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    document_id: String,
    index: u32,
    /// Extension of the file.
    format: String,
    bytes: u64,
    /// Of the content, in hexadecimal digits.
    sha256: String,
    duration_ms: u64,
    /// Where the content is, for signed requests.
    content_location: String,
    /// Where the metadata is.
    metadata_location: String,
}

/// Starts a recording of a call, beside others that it may have.
#[utoipa::path(post, path = "/api/v1/calls/{call}/recordings", tag = "recordings",
    params(("call" = Uuid, Path), Repeatable), request_body = NewRecording,
    responses((status = 201, description = "It records.", body = Recording, headers(
        ("Repeatability-Result" = String, description = "accepted, where the request has an id."))),
        Refused, Also<404>, Repeatable))]
pub(super) async fn start(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let call = WhichCall::Id(call_id(&id)?);
        let new: NewRecording = read(&asked)?;
        let (terms, pins) = (terms(&new)?, pins(new.pins)?);
        let (graph, paused) = (new.graph, new.pause_on_start);
        let repeat = repeat(&asked, &id)?;
        let start = StartAsk { call, alone: false, graph, pins, paused, terms, rule: None, repeat };
        asking::start(api, caller, &asked, start, |_, view| {
            let view = view.ok_or(Problem::NotFound("Recording"))?;
            Ok((StatusCode::CREATED, Json(recording_of(api, caller, view))).into_response())
        })
        .await
    })
    .await
}

/// Lists recordings, in order of beginning.
#[utoipa::path(get, path = "/api/v1/recordings", tag = "recordings", params(Wanted),
    responses((status = 200, description = "A page of them.", body = Page), Refused, Also<404>))]
pub(super) async fn list(State(api): State<Arc<Api>>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let Wanted { participant_id: participant, call_key, from, to, tag, after, limit } = query(&asked)?;
        let limit = limit.unwrap_or(LIST);
        if !(1..=LIST_MAX).contains(&limit) {
            return Err(malformed(&format!("limit must be 1 to {LIST_MAX}")));
        }
        let after = after.map(|id| recording_id(caller, &id).map_err(|_| malformed("after is no recording")));
        let filter = Filter { participant, call_key, from, to, tag, after: after.transpose()?, limit };
        match ask(api, caller, &asked, Ask::Recordings(filter)).await? {
            Answer::Recordings(views, are_more) => {
                let views = views.into_iter().map(|view| recording_of(api, caller, view));
                let recordings: Vec<_> = views.collect();
                let next = recordings.last().map(|last| last.id.clone()).filter(|_| are_more);
                Ok(Json(Page { recordings, next }).into_response())
            }
            _ => Err(Problem::Internal),
        }
    })
    .await
}

/// Shows a recording.
#[utoipa::path(get, path = "/api/v1/recordings/{recording}", tag = "recordings",
    params(("recording" = String, Path)),
    responses((status = 200, description = "The recording.", body = Recording), Refused, Also<404>))]
pub(super) async fn show(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let view = recording(api, caller, &asked, recording_id(caller, &id)?).await?;
        Ok(Json(recording_of(api, caller, view)).into_response())
    })
    .await
}

/// Stops a recording.
#[utoipa::path(delete, path = "/api/v1/recordings/{recording}", tag = "recordings",
    params(("recording" = String, Path)),
    responses((status = 204, description = "Its last file is being finished."), Refused, Also<404>))]
pub(super) async fn stop(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    change(&api, &id, request, Ask::Stop).await
}

/// Pauses a recording at the instant at which the request arrived.
#[utoipa::path(post, path = "/api/v1/recordings/{recording}/pause", tag = "recordings",
    params(("recording" = String, Path)),
    responses((status = 204, description = "It is paused."), Refused, Also<404>, Also<409>))]
pub(super) async fn pause(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    change(&api, &id, request, Ask::Pause).await
}

/// Lets a recording go on from the instant at which the request arrived.
#[utoipa::path(post, path = "/api/v1/recordings/{recording}/resume", tag = "recordings",
    params(("recording" = String, Path)),
    responses((status = 204, description = "It goes on."), Refused, Also<404>, Also<409>))]
pub(super) async fn resume(State(api): State<Arc<Api>>, Path(id): Path<String>, request: Request) -> Response {
    change(&api, &id, request, Ask::Resume).await
}

async fn change(api: &Api, id: &str, request: Request, what: fn(RecordingId) -> Ask) -> Response {
    serve(api, request, async |api, caller, asked| {
        ask(api, caller, &asked, what(recording_id(caller, id)?)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

fn invalid(message: &str) -> Problem {
    Problem::InvalidArgument(message.to_owned())
}

fn terms(new: &NewRecording) -> Result<AskedTerms, Problem> {
    let tags = new.tags.clone();
    if !Terms::may_have(&tags) {
        return Err(invalid("There may be up to 16 tags of 1 to 128 bytes."));
    }
    let limit = |field: &str, said: &Option<String>| {
        let range = Terms::LIMIT_MIN..=Terms::LIMIT_MAX;
        let read = |text: &String| parse_duration(text).ok().filter(|limit| range.contains(limit));
        let told = || invalid(&format!("{field} must be a duration from \"1s\" to \"168h\"."));
        said.as_ref().map(|text| read(text).ok_or_else(told)).transpose()
    };
    Ok(AskedTerms {
        tags,
        max_pause: limit("maxPause", &new.max_pause)?,
        at_max_pause: new.at_max_pause.map(|what| match what {
            WhenPaused::Resume => AtMaxPause::Resume,
            WhenPaused::Stop => AtMaxPause::Stop,
        }),
        max_duration: limit("maxDuration", &new.max_duration)?,
    })
}

fn pins(pins: Vec<Pin>) -> Result<Vec<(String, u32)>, Problem> {
    if pins.len() > PINS_MAX {
        return Err(invalid("There may be up to 64 pins."));
    }
    let mut taken: Vec<(String, u32)> = Vec::new();
    for Pin { participant_id, channel } in pins {
        check_name(&participant_id)?;
        if channel >= CHANNELS || taken.iter().any(|(id, other)| *id == participant_id || *other == channel) {
            return Err(invalid("Each participant has one channel from 0 to 63, and no two the same."));
        }
        taken.push((participant_id, channel));
    }
    Ok(taken)
}

fn recording_of(api: &Api, caller: Asker, view: RecordingView) -> Recording {
    let documents = chunk_documents(api, &view);
    let chunk = |(chunk, document): (ChunkRow, ChunkDocument)| {
        let ChunkRow { index, format, size: bytes, sha256, duration, .. } = chunk;
        let ChunkDocument { document_id, content_location, metadata_location, .. } = document;
        let duration_ms = documents::milliseconds(duration);
        Chunk { document_id, index, format, bytes, sha256, duration_ms, content_location, metadata_location }
    };
    let RecordingRow { id, call, graph, about, paused, started_at, end, .. } = view.row;
    Recording {
        id: ids::recording_id(caller.resource.0, id.0),
        call_id: call.0,
        call_key: about.call_key,
        graph,
        state: match (view.phase, paused) {
            (Phase::Ended, _) => Standing::Ended,
            (Phase::Stopping, _) => Standing::Stopping,
            (Phase::Starting | Phase::Recording, true) => Standing::Paused,
            (Phase::Starting | Phase::Recording, false) => Standing::Recording,
        },
        tags: about.terms.tags,
        participants: about.people.into_iter().collect(),
        started_at: started_at.to_string(),
        end: end.map(|end| End {
            reason: end.reason.as_str(),
            failed: end.error.is_some(),
            ready_at: end.ready_at.to_string(),
            expires_at: end.expires_at.to_string(),
        }),
        chunks: view.chunks.into_iter().zip(documents).map(chunk).collect(),
    }
}
