//! Requests as they are counted: by what was asked for, by how it was answered, by why it was refused.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::Response;

use crate::acs::Problem;
use crate::acs::routes::Operation;
use crate::acs::routes::operation;
use crate::telemetry::Counters;
use crate::telemetry::Histograms;
use crate::telemetry::Label;
use crate::telemetry::Metric;
use crate::telemetry::Registry;
use crate::telemetry::SECONDS;

/// Makes labels of words.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident $label:literal { $($value:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $name { $($value,)+ }

        impl Label for $name {
            const NAME: &'static str = $label;
            const ALL: &'static [Self] = &[$(Self::$value,)+];

            fn word(self) -> &'static str {
                match self { $(Self::$value => $word,)+ }
            }
        }
    };
}

label! {
    /// What is asked for.
    Asks "operation" {
        Start = "start",
        State = "state",
        Change = "change",
        Result = "result",
        Download = "download",
        Delete = "delete",
        Calls = "calls",
        Participants = "participants",
        Recordings = "recordings",
        Audit = "audit",
        Health = "health",
        Other = "other",
    }
}

label! {
    /// First digit of a status.
    Class "class" {
        Done = "2xx",
        Moved = "3xx",
        Refused = "4xx",
        Failed = "5xx",
    }
}

label! {
    /// Why a request is refused.
    Rejection "reason" {
        Unauthenticated = "unauthenticated",
        NotFound = "not_found",
        InvalidArgument = "invalid_argument",
        Unsupported = "unsupported",
        CallNotEstablished = "call_not_established",
        DuplicateRecording = "duplicate_recording",
        Conflict = "conflict",
        WrongFormat = "wrong_format",
        TooMany = "too_many",
        NoCapacity = "no_capacity",
        Internal = "internal",
    }
}

impl Rejection {
    /// Returns why: an answer has it as an extension.
    pub(super) fn of(problem: &Problem) -> Self {
        match problem {
            Problem::Unauthenticated(_) => Self::Unauthenticated,
            Problem::NotFound(_) => Self::NotFound,
            Problem::InvalidArgument(_) | Problem::Repeated => Self::InvalidArgument,
            Problem::Unsupported(_) => Self::Unsupported,
            Problem::CallNotEstablished(_) => Self::CallNotEstablished,
            Problem::DuplicateRecording => Self::DuplicateRecording,
            Problem::Conflict(_) => Self::Conflict,
            Problem::WrongFormat(_) => Self::WrongFormat,
            Problem::TooMany(_) => Self::TooMany,
            Problem::NoCapacity(_) => Self::NoCapacity,
            Problem::Internal => Self::Internal,
        }
    }
}

impl Asks {
    /// Returns what a request asks for, whatever names are in its path.
    fn of(request: &Request) -> Self {
        let pattern = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        match pattern {
            Some("/healthz") => return Self::Health,
            Some("/api/v1/audit") => return Self::Audit,
            Some(path) if path.contains("/recordings") => return Self::Recordings,
            Some(path) if path.contains("/participants") => return Self::Participants,
            Some(path) if path.starts_with("/api/v1/calls") => return Self::Calls,
            Some(_) | None => (),
        }
        match operation(request.method().as_str(), request.uri().path()) {
            Some(Operation::Start) => Self::Start,
            Some(Operation::State(_)) => Self::State,
            Some(Operation::Pause(_) | Operation::Resume(_) | Operation::Stop(_)) => Self::Change,
            Some(Operation::Result(_)) => Self::Result,
            Some(Operation::Read { .. }) => Self::Download,
            Some(Operation::Delete(_)) => Self::Delete,
            Some(Operation::NotServed) | None => Self::Other,
        }
    }
}

/// Counts requests.
#[derive(Debug)]
pub struct Requests {
    requests: Counters<(Asks, Class)>,
    seconds: Histograms<Asks>,
    rejected: Counters<Rejection>,
}

impl Requests {
    /// Registers all that requests are counted by.
    pub fn register(registry: &Registry) -> Arc<Self> {
        Arc::new(Self {
            requests: registry.counters(Metric::HttpRequests),
            seconds: registry.histograms(Metric::HttpRequestSeconds, SECONDS),
            rejected: registry.counters(Metric::RequestsRejected),
        })
    }
}

/// Counts a request when it is answered.
pub(super) async fn count(State(requests): State<Arc<Requests>>, request: Request, next: Next) -> Response {
    let (asks, begun) = (Asks::of(&request), Instant::now());
    let response = next.run(request).await;
    let class = match response.status().as_u16() {
        500.. => Class::Failed,
        400.. => Class::Refused,
        300.. => Class::Moved,
        _ => Class::Done,
    };
    requests.requests.add((asks, class), 1.0);
    requests.seconds.observe(asks, begun.elapsed().as_secs_f64());
    if let Some(why) = response.extensions().get::<Rejection>() {
        requests.rejected.add(*why, 1.0);
    }
    response
}
