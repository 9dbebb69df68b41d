//! Files, as ACS's clients load and delete them.

use std::ops::Range;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::acs::Problem;
use crate::acs::documents::METADATA_VIEW;
use crate::acs::documents::view;
use crate::acs::ids;
use crate::api::Api;
use crate::api::error::problem;
use crate::api::request::Asked;
use crate::model::ChunkId;
use crate::storage::ObjectsError;
use crate::storage::Part;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Asker;
use crate::supervisor::DocumentView;
use crate::supervisor::Instant;

/// What files are, by their extension.
pub(super) const MEDIA_TYPES: [(&str, &str); 5] =
    [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("mp4", "video/mp4"), ("flac", "audio/flac"), ("ogg", "audio/ogg")];
pub(super) const ANY_MEDIA_TYPE: &str = "application/octet-stream";
pub(super) const METADATA_TYPE: &str = "application/json";

/// What of a file is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    All,
    Part(Range<u64>),
    Nothing,
}

/// Serves a part of a document, or a range of it.
pub(super) async fn read(
    api: &Api,
    caller: Asker,
    asked: &Asked,
    document: &str,
    what: &str,
) -> Result<Response, Problem> {
    let (id, DocumentView { chunk, .. }) = find(api, caller, asked.at, document, Ask::ReadDocument).await?;
    let (part, media_type) = match what {
        METADATA_VIEW => (Part::Metadata, METADATA_TYPE),
        content if content == view(&chunk.format) => (Part::Content, media_type(&chunk.format)),
        _ => return Err(Problem::NotFound("Document")),
    };
    let size = match part {
        Part::Content => chunk.size,
        Part::Metadata => api.objects.size(id, part).await.map_err(gone)?,
    };
    let wanted = wanted(asked.header("range"), size);
    let range = match &wanted {
        Wanted::Nothing => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
        Wanted::All => 0..size,
        Wanted::Part(range) => range.clone(),
    };
    // A store has no ranges that are empty.
    let body = match range.is_empty() || asked.method == axum::http::Method::HEAD {
        true => Body::empty(),
        false => {
            let read = api.objects.read(id, part, (wanted != Wanted::All).then_some(range.clone()));
            let (stored, body) = read.await.map_err(gone)?;
            if stored != size {
                // It would be cut, and taken for whole.
                tracing::error!(stored, size, "a document is not what it was");
                return Err(Problem::Internal);
            }
            Body::from_stream(body)
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if part == Part::Content
        && let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", chunk.sha256))
    {
        headers.insert(header::ETAG, tag);
    }
    if wanted != Wanted::All {
        let told = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        if let Ok(told) = HeaderValue::from_str(&told) {
            headers.insert(header::CONTENT_RANGE, told);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// Deletes a document: content and metadata.
pub(super) async fn delete(api: &Api, caller: Asker, at: Instant, document: &str) -> Result<Response, Problem> {
    let (id, _) = find(api, caller, at, document, Ask::Document).await?;
    api.supervisor.ask(caller, Ask::DeleteDocument(id), at).await.map_err(problem)?;
    Ok(StatusCode::OK.into_response())
}

async fn find(
    api: &Api,
    caller: Asker,
    at: Instant,
    name: &str,
    ask: fn(ChunkId) -> Ask,
) -> Result<(ChunkId, DocumentView), Problem> {
    let id = ChunkId(ids::read_document_id(name).ok_or(Problem::NotFound("Document"))?);
    match api.supervisor.ask(caller, ask(id), at).await.map_err(problem)? {
        // The region is a part of the name.
        Answer::Document(view) if ids::document_id(&view.region, id.0) == name => Ok((id, view)),
        _ => Err(Problem::NotFound("Document")),
    }
}

fn gone(error: ObjectsError) -> Problem {
    if error.is_not_found() {
        return Problem::NotFound("Document");
    }
    tracing::error!(%error, "a document cannot be read");
    Problem::Internal
}

fn media_type(format: &str) -> &'static str {
    MEDIA_TYPES.iter().find(|(extension, _)| *extension == format).map_or(ANY_MEDIA_TYPE, |(_, media_type)| media_type)
}

/// Reads a `Range` (RFC 9110 §14): one range of bytes; anything else asks for all, as some clients mean it.
fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Wanted::All };
    let Some((first, last)) = range.split_once('-') else { return Wanted::All };
    let number = |text: &str| match text {
        "" => Some(None),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<u64>().ok().map(Some),
        _ => None,
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) if last.is_none_or(|last| last >= first) => {
            let end = last.map_or(size, |last| last.saturating_add(1).min(size));
            if first < size { Wanted::Part(first..end) } else { Wanted::Nothing }
        }
        (Some(None), Some(Some(0))) => Wanted::Nothing,
        (Some(None), Some(Some(n))) if size > 0 => Wanted::Part(size.saturating_sub(n)..size),
        (Some(None), Some(Some(_))) => Wanted::Nothing,
        _ => Wanted::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        for (header, expected) in [
            (None, Wanted::All),
            (Some("bytes=0-9"), Wanted::Part(0..10)),
            (Some("bytes=90-"), Wanted::Part(90..100)),
            (Some("bytes=90-1000"), Wanted::Part(90..100)),
            (Some("bytes=-10"), Wanted::Part(90..100)),
            (Some("bytes=-1000"), Wanted::Part(0..100)),
            (Some("bytes=100-"), Wanted::Nothing),
            (Some("bytes=-0"), Wanted::Nothing),
            // What older clients send, what is no range, and several of them.
            (Some("bytes=undefined"), Wanted::All),
            (Some("bytes=5"), Wanted::All),
            (Some("bytes=9-5"), Wanted::All),
            (Some("bytes=0-1,5-6"), Wanted::All),
            (Some("lines=0-1"), Wanted::All),
            (Some("bytes=-"), Wanted::All),
            (Some("bytes=99999999999999999999-"), Wanted::All),
        ] {
            assert_eq!(wanted(header, 100), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Nothing);
        assert_eq!(wanted(Some("bytes=-5"), 0), Wanted::Nothing);
    }
}
