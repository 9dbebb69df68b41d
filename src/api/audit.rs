//! What was asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::extract::Request;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::acs::Problem;
use crate::api::Api;
use crate::api::calls;
use crate::catalog::AuditQuery;
use crate::catalog::Audited;

/// Most rows of an answer, and how many they are where nobody says.
const LIMIT_MAX: u32 = 1_000;
const LIMIT: u32 = 100;

/// Which rows are asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    after: Option<i64>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    entries: Vec<Entry>,
    /// What `after` is for the rows that follow, if some may.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: i64,
    at: String,
    key: String,
    operation: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    object: String,
    result: String,
}

/// Lists what a resource has asked for, in order.
pub(super) async fn list(State(api): State<Arc<Api>>, request: Request) -> Response {
    calls::serve(&api, request, async |api, caller, asked| {
        let malformed = |told: String| Problem::InvalidArgument(format!("The query is malformed: {told}."));
        let Query(wanted) = Query::<Wanted>::try_from_uri(&asked.uri).map_err(|error| malformed(error.body_text()))?;
        let limit = wanted.limit.unwrap_or(LIMIT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(malformed(format!("limit must be 1 to {LIMIT_MAX}")));
        }
        let query = AuditQuery {
            resource: caller.resource,
            after: wanted.after.unwrap_or(0),
            from: wanted.from.unwrap_or(Timestamp::MIN),
            to: wanted.to.unwrap_or(Timestamp::MAX),
            limit,
        };
        let rows = api.audit.read(query).await.map_err(|error| {
            tracing::error!(%error, "the audit cannot be read");
            Problem::NoCapacity("The audit cannot be read now.".to_owned())
        })?;
        let next = rows.last().map(|row| row.id).filter(|_| rows.len() == limit as usize);
        Ok(Json(Page { entries: rows.into_iter().map(entry).collect(), next }).into_response())
    })
    .await
}

fn entry(Audited { id, at, key, operation, object, result }: Audited) -> Entry {
    Entry { id, at: at.to_string(), key, operation, object, result }
}
