//! A request with its body, and the instant at which it came.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::Uri;
use axum::http::request::Parts;
use bytes::Bytes;
use bytes::BytesMut;
use futures_util::TryStreamExt;

use crate::acs::Problem;
use crate::api::arrival::Arrival;
use crate::supervisor::Instant;

/// Largest body: hundreds of participants by name.
const BODY_BYTES_MAX: usize = 256 << 10;

/// Longest that a body may take.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// A request that has come whole.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When its head arrived.
    pub(super) at: Instant,
}

impl Asked {
    /// Takes a request's body.
    pub(super) async fn read(request: Request) -> Result<Self, Problem> {
        let at = request.extensions().get::<Arrival>().map_or_else(Instant::now, Arrival::instant);
        let (Parts { method, uri, headers, .. }, body) = request.into_parts();
        let read = tokio::time::timeout(BODY_DEADLINE, copy(body)).await;
        let body = read.map_err(|_| Problem::InvalidArgument("The body did not come in time.".to_owned()))??;
        Ok(Self { method, uri, headers, body, at })
    }

    /// Returns the path as it was on the wire, without the query.
    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    /// Returns path and query as they were on the wire.
    pub(super) fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    /// Returns a header; None where it is not there, or no text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Returns the bytes of a body. Copied as they come: each part holds the whole buffer that it was read into, and a body
/// that came byte by byte would be kept as thousands of those.
async fn copy(body: Body) -> Result<Bytes, Problem> {
    let mut parts = body.into_data_stream();
    let mut whole = BytesMut::new();
    loop {
        match parts.try_next().await {
            Ok(None) => return Ok(whole.freeze()),
            Ok(Some(part)) if whole.len() + part.len() <= BODY_BYTES_MAX => whole.extend_from_slice(&part),
            Ok(Some(_)) => return Err(Problem::InvalidArgument("The body is too large.".to_owned())),
            Err(_) => return Err(Problem::InvalidArgument("The body was cut off.".to_owned())),
        }
    }
}
