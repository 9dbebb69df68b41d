//! What was asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::Request;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

use crate::acs::Problem;
use crate::api::Api;
use crate::api::openapi::Refused;
use crate::api::v1::malformed;
use crate::api::v1::query;
use crate::api::v1::serve;
use crate::catalog::AuditQuery;
use crate::catalog::Audited;

/// Most rows of an answer, and how many they are where nobody says.
const LIMIT_MAX: u32 = 1_000;
const LIMIT: u32 = 100;

/// Which rows are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// They were asked for then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// They were asked for before.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// They come after that one: `next` of the page before.
    after: Option<i64>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Rows of the audit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditPage)]
pub(super) struct Page {
    entries: Vec<Entry>,
    /// What `after` is for the rows that follow, if some may.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// An operation that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: i64,
    #[schema(format = DateTime)]
    at: String,
    /// With which of the resource's keys: primary or secondary.
    key: String,
    operation: String,
    /// What it was done to, if that is something.
    #[serde(skip_serializing_if = "String::is_empty")]
    object: String,
    /// accepted, or why not.
    result: String,
}

/// Lists what a resource has asked for, in order.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Wanted),
    responses((status = 200, description = "A page of it.", body = Page), Refused))]
pub(super) async fn list(State(api): State<Arc<Api>>, request: Request) -> Response {
    serve(&api, request, async |api, caller, asked| {
        let wanted: Wanted = query(&asked)?;
        let limit = wanted.limit.unwrap_or(LIMIT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(malformed(&format!("limit must be 1 to {LIMIT_MAX}")));
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
