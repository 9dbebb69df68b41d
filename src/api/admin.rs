//! What whoever runs the service asks: metrics and health, and with a token what shows more or changes something.
//!
//! ```text
//!  GET /metrics                       what is counted, in the text format of Prometheus     (anybody)
//!  GET /healthz, /readyz              whether it works, whether it can take more            (anybody)
//!  GET /recordings/{id}/graph.dot     the pipeline of a recording that runs                 (with the token)
//!  PUT /log-level, /gst-debug         what is logged from now on                            (with the token)
//! ```

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::put;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::acs::ids;
use crate::acs::signature::AccessKey;
use crate::api::health::Health;
use crate::api::request::Asked;
use crate::config::host::Host;
use crate::config::host::Name;
use crate::model::RecordingId;
use crate::supervisor::Meter;
use crate::telemetry::LogError;
use crate::telemetry::Registry;
use crate::telemetry::set_gstreamer_level;
use crate::telemetry::set_level;

/// So many who ask may wait for the disk: threads that recordings begin on are not theirs.
const WAITING_MAX: usize = 4;

/// Longest that a disk may keep somebody waiting who asks how the service is.
const DEADLINE: Duration = Duration::from_secs(5);

/// What anybody may ask who comes to the listener.
const OPEN: [&str; 3] = ["/metrics", "/healthz", "/readyz"];

/// What is answered with.
pub struct Admin {
    /// What is counted.
    pub registry: Registry,
    /// Knows recordings that run.
    pub meter: Arc<Meter>,
    /// How the service is.
    pub health: Arc<Health>,
    /// Who may see more, and change something.
    pub token: AccessKey,
    /// Address that is listened at.
    pub address: IpAddr,
}

/// Returns all routes.
pub fn router(admin: Admin) -> Router {
    let admin = Arc::new(admin);
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async |State(admin): State<Arc<Admin>>| admin.health.live()))
        .route("/readyz", get(ready))
        .route("/recordings/{id}/graph.dot", get(graph))
        .route("/log-level", put(async |request: Request| change(request, set_level).await))
        .route("/gst-debug", put(async |request: Request| change(request, set_gstreamer_level).await))
        .fallback(async || (StatusCode::NOT_FOUND, "there is nothing here\n"))
        .layer(from_fn_with_state(Arc::clone(&admin), guard))
        .with_state(admin)
}

/// Lets in who calls the service by an address of it, and has the token where it takes one.
async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    if !is_by_address(&request, admin.address) {
        let text = "ask by \"localhost\" or by the address that is listened at\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let said = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_known = said.and_then(|text| text.strip_prefix("Bearer ")).is_some_and(|text| admin.token.is_base64(text));
    if !OPEN.contains(&request.uri().path()) && !is_known {
        let with = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, with, "the token stands in admin-token of data-dir\n").into_response();
    }
    next.run(request).await
}

/// Returns whether a request says that it is to this service by an address, or as to this machine. A page of a browser
/// that comes here by a name of its own (DNS rebinding) says that name. Ports are not looked at: who forwards one to
/// here asks by another.
fn is_by_address(request: &Request, listened: IpAddr) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else { return false };
    let is_ours = |host: &str| match Host::parse(host).as_ref().map(Host::name) {
        Some(Name::Dns(name)) => name == "localhost",
        Some(Name::Ip(ip)) => *ip == listened || ip.is_loopback() || listened.is_unspecified(),
        None => false,
    };
    is_ours(host) && request.uri().authority().is_none_or(|authority| is_ours(authority.as_str()))
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    waited(move || {
        let text = admin.registry.encode();
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
    })
    .await
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    waited(move || admin.health.ready()).await
}

async fn graph(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Response {
    // As logs have it, or as clients do.
    let read = Uuid::try_parse(&id).ok().or_else(|| Some(ids::read_recording_id(&id)?.1));
    let not_found = || (StatusCode::NOT_FOUND, "no such recording runs\n").into_response();
    let Some(id) = read.map(RecordingId) else { return not_found() };
    waited(move || match admin.meter.dot(id) {
        Some(dot) => ([(header::CONTENT_TYPE, "text/vnd.graphviz; charset=utf-8")], dot).into_response(),
        None => not_found(),
    })
    .await
}

/// Changes what is logged to what the body says.
async fn change(request: Request, set: fn(&str) -> Result<(), LogError>) -> Response {
    let refuse = |why: String| (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response();
    let asked = match Asked::read(request).await {
        Ok(asked) => asked,
        Err(problem) => return refuse(problem.to_string()),
    };
    let Ok(text) = std::str::from_utf8(&asked.body).map(str::trim) else { return refuse("no text".to_owned()) };
    match set(text) {
        Ok(()) => {
            tracing::warn!(what = asked.path(), to = text, "what is logged was changed");
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refuse(error.to_string()),
    }
}

/// Answers with what blocks on the disk, or on locks.
async fn waited(answer: impl FnOnce() -> Response + Send + 'static) -> Response {
    static WAITING: Semaphore = Semaphore::const_new(WAITING_MAX);
    let Ok(turn) = WAITING.try_acquire() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many ask at a time\n").into_response();
    };
    let answer = move || {
        let _turn = turn;
        answer()
    };
    match tokio::time::timeout(DEADLINE, tokio::task::spawn_blocking(answer)).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the disk does not answer\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[track_caller]
    fn check(listened: &str, host: &str, expected: bool) {
        let listened = listened.parse().expect("an address");
        let request = Request::builder().uri("/metrics").header("host", host).body(Body::empty()).expect("a request");
        assert_eq!(is_by_address(&request, listened), expected, "{host} at {listened}");
    }

    #[test]
    fn only_names_that_nobody_else_can_give_are_taken() {
        for host in ["localhost", "LOCALHOST:9464", "127.0.0.1:9464", "127.0.0.1", "[::1]:9464", "localhost:1"] {
            check("127.0.0.1", host, true);
        }
        for host in ["", "evil.example", "evil.example:9464", "10.0.0.1", "127.0.0.1.evil.example", "localhost.", "a@b"]
        {
            check("127.0.0.1", host, false);
        }
        check("10.0.0.1", "10.0.0.1:9464", true);
        check("10.0.0.1", "10.0.0.2:9464", false);
        check("0.0.0.0", "10.0.0.2:9464", true);
        check("0.0.0.0", "evil.example", false);
        let of = |builder: axum::http::request::Builder| builder.body(Body::empty()).expect("a request");
        let listened = "127.0.0.1".parse().expect("an address");
        assert!(!is_by_address(&of(Request::builder().uri("/")), listened));
        let two = Request::builder().uri("/").header("host", "localhost").header("host", "localhost");
        assert!(!is_by_address(&of(two), listened));
        let other = Request::builder().uri("http://evil.example/metrics").header("host", "localhost");
        assert!(!is_by_address(&of(other), listened));
    }
}
