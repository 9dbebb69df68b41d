//! Refusals as answers.

use axum::Json;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use uuid::Uuid;

use crate::acs::Problem;
use crate::api::observed::Rejection;
use crate::supervisor::Refusal;

/// What tells whether a request could be made again.
pub(super) const REPEATED: HeaderName = HeaderName::from_static("repeatability-result");

/// Returns what clients are told of a refusal.
pub(super) fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::UnknownCall => Problem::NotFound("Call"),
        Refusal::UnknownRecording => Problem::NotFound("Recording"),
        Refusal::UnknownDocument => Problem::NotFound("Document"),
        Refusal::UnknownParticipant => Problem::NotFound("Participant"),
        Refusal::AlreadyRecording => Problem::DuplicateRecording,
        Refusal::Stopping => Problem::Conflict("The recording is being stopped."),
        Refusal::CallExists(_) => Problem::Conflict("A call has that name already."),
        Refusal::ParticipantExists => Problem::Conflict("The participant is in the call already."),
        Refusal::RequestDiffers => Problem::Repeated,
        Refusal::NoGraph(what) => Problem::WrongFormat(format!("This cannot be recorded here: {what}.")),
        Refusal::TooMany(what) => Problem::TooMany(format!("The resource has as many {what} as it may.")),
        Refusal::NoCapacity(why) => Problem::NoCapacity(format!("There is no room for it now: {why}.")),
        Refusal::Failed(why) => {
            tracing::error!(%why, "a request failed");
            Problem::Internal
        }
    }
}

/// Answers that an operation on `target` is refused.
pub(super) fn refuse(problem: &Problem, target: Option<&str>) -> Response {
    answer(problem, Json(problem.document(target.unwrap_or_default())))
}

/// Answers that a download or a deletion is refused.
pub(super) fn refuse_content(problem: &Problem) -> Response {
    let status = status(problem);
    let title = status.canonical_reason().unwrap_or("Error");
    answer(problem, Json(problem.content_document(title, &Uuid::new_v4().simple().to_string())))
}

fn answer(problem: &Problem, body: impl IntoResponse) -> Response {
    let mut response = (status(problem), body).into_response();
    response.extensions_mut().insert(Rejection::of(problem));
    if *problem == Problem::Repeated {
        response.headers_mut().insert(REPEATED, HeaderValue::from_static("rejected"));
    }
    if let Some(seconds) = problem.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
