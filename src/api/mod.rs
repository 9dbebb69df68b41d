//! HTTP: parses a request, asks the supervisor once, renders the answer.
//!
//! Entry points: [`router`], and [`listen::serve`] for where it is asked.
//!
//! ```text
//!  /calling/recordings…      recordings, as ACS's clients control them      (signed)
//!  /v1/objects/…             their files, as ACS's clients load them        (signed)
//!  /api/v1/…                 calls, participants, recordings, audit        (signed, or with a key)
//!  /openapi.json             what can be asked for                         (anybody)
//!  /healthz                  whether process and workers work               (anybody)
//! ```
//!
//! **Architecture invariant:** nothing is decided here about a call or a recording, and no field of a client's is
//! spelled but in `acs` and in `v1`.

pub mod admin;
mod answered;
mod arrival;
mod asking;
mod connect;
mod connections;
mod content;
mod error;
mod gate;
mod health;
pub mod listen;
mod observed;
mod openapi;
mod rate;
mod recordings;
mod request;
mod v1;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::acs::Problem;
use crate::acs::routes::Operation;
use crate::acs::routes::operation;
use crate::api::request::Asked;
use crate::catalog::AuditLog;
use crate::storage::Objects;
use crate::supervisor::Handle;
use crate::supervisor::Meter;
pub use gate::Gate;
pub use health::Health;
pub use observed::Requests;
pub use rate::Rates;

/// What requests are answered with.
pub struct Api {
    /// Who decides.
    pub supervisor: Handle,
    /// Knows what was asked for.
    pub audit: AuditLog,
    /// Where files are.
    pub objects: Objects,
    /// Who may ask.
    pub gate: Gate,
    /// What addresses of files begin with; no slash at its end.
    pub content_base: String,
    /// How the service is.
    pub health: Arc<Health>,
    /// Knows how loud everybody is.
    pub meter: Arc<Meter>,
    /// Counts what is asked.
    pub requests: Arc<Requests>,
}

/// Returns all routes.
pub fn router(api: Api) -> Router {
    let requests = Arc::clone(&api.requests);
    let (own, document) = OpenApiRouter::with_openapi(openapi::document()).merge(v1::routes()).split_for_parts();
    let document = document.to_json().expect("a document is plain data");
    let told = async move || ([(header::CONTENT_TYPE, "application/json")], document.clone());
    let api = Arc::new(api);
    let own = own.method_not_allowed_fallback(v1::refuse_method);
    let own = own.layer(from_fn_with_state(Arc::clone(&api), v1::refuse_path));
    Router::new()
        .route("/healthz", get(async |State(api): State<Arc<Api>>| api.health.live()))
        .route("/openapi.json", get(told))
        .merge(own)
        .fallback(serve)
        .layer(from_fn_with_state(requests, observed::count))
        .with_state(api)
}

/// Serves what ACS's clients ask for: one of their paths has a colon in it that routers do not split at.
async fn serve(State(api): State<Arc<Api>>, request: axum::extract::Request) -> Response {
    let Some(operation) = operation(request.method().as_str(), request.uri().path()) else {
        return (StatusCode::NOT_FOUND, "there is nothing here\n").into_response();
    };
    let is_content = matches!(operation, Operation::Read { .. } | Operation::Delete(_));
    let asked = match Asked::read(request).await {
        Ok(asked) => asked,
        Err(problem) => return error::refuse(&problem, None),
    };
    let target = asked.path().to_owned();
    let served = match api.gate.signed(&asked) {
        Err(problem) => Err(problem),
        Ok(caller) => match operation {
            Operation::Read { document, view } => content::read(&api, caller, &asked, &document, &view).await,
            Operation::Delete(document) => content::delete(&api, caller, asked.at, &document).await,
            Operation::NotServed => Err(Problem::Unsupported(
                "Recordings are started, paused, resumed, stopped, downloaded and deleted here, and nothing else is."
                    .to_owned(),
            )),
            operation => recordings::serve(&api, caller, &asked, operation).await,
        },
    };
    served.unwrap_or_else(|problem| match is_content {
        true => error::refuse_content(&problem),
        false => error::refuse(&problem, Some(&target)),
    })
}
