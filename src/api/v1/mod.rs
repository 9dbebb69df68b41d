//! The service's own API: JSON below `/api/v1`, asked for with a key or a signature.
//!
//! Entry point: [`routes`], which has each route and what `/openapi.json` says of it in one place.

mod audit;
mod calls;
mod participants;
mod recordings;

use std::sync::Arc;

use axum::extract::Request;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::acs::Problem;
use crate::api::Api;
use crate::api::error::refuse;
use crate::api::request::Asked;
use crate::model::CallId;
use crate::model::NAME_BYTES_MAX;
use crate::supervisor::Asker;

/// Returns the routes, and what is said of them.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default()
        .routes(routes!(calls::create, calls::list))
        .routes(routes!(calls::show, calls::end))
        .routes(routes!(calls::levels))
        .routes(routes!(participants::add))
        .routes(routes!(participants::rename, participants::remove))
        .routes(routes!(recordings::start))
        .routes(routes!(recordings::list))
        .routes(routes!(recordings::show, recordings::stop))
        .routes(routes!(recordings::pause))
        .routes(routes!(recordings::resume))
        .routes(routes!(audit::list))
}

/// Refuses a verb that a path does not have: to those who may ask.
pub(super) async fn refuse_method(State(api): State<Arc<Api>>, request: Request) -> Response {
    let told = "The path does not have this method.";
    serve(&api, request, async |_, _, _| Err(Problem::Unsupported(told.to_owned()))).await
}

/// Refuses paths that are no text, before a route would: to those who may ask.
pub(super) async fn refuse_path(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if percent_decode_str(request.uri().path()).decode_utf8().is_ok() {
        return next.run(request).await;
    }
    serve(&api, request, async |_, _, _| Err(Problem::NotFound("Resource"))).await
}

/// Takes a request whole, lets it in, and answers it.
async fn serve(
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

fn read<T: for<'a> Deserialize<'a>>(asked: &Asked) -> Result<T, Problem> {
    serde_json::from_slice(&asked.body)
        .map_err(|error| Problem::InvalidArgument(format!("The body is malformed: {error}.")))
}

/// Reads what stands behind the question mark.
fn query<T: for<'a> Deserialize<'a>>(asked: &Asked) -> Result<T, Problem> {
    let read = axum::extract::Query::<T>::try_from_uri(&asked.uri);
    read.map(|axum::extract::Query(query)| query).map_err(|error| malformed(&error.body_text()))
}

fn malformed(told: &str) -> Problem {
    Problem::InvalidArgument(format!("The query is malformed: {told}."))
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
