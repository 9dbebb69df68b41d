//! Reads a catalog whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::catalog::About;
use crate::catalog::CallRow;
use crate::catalog::CatalogError;
use crate::catalog::ChunkRow;
use crate::catalog::EndRow;
use crate::catalog::NameRow;
use crate::catalog::ParticipantRow;
use crate::catalog::RecordingRow;
use crate::catalog::RepeatRow;
use crate::catalog::Rows;
use crate::catalog::schema;
use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;

/// Returns all rows but the audit's.
pub(super) async fn load(path: &Path, from: &mut SqliteConnection) -> Result<Rows, CatalogError> {
    let read = async {
        let mut names: BTreeMap<CallId, Vec<NameRow>> = BTreeMap::new();
        for row in &query("SELECT call, kind, name FROM call_names").fetch_all(&mut *from).await? {
            let name = NameRow { kind: row.try_get("kind")?, name: row.try_get("name")? };
            names.entry(CallId(id(row, "call")?)).or_default().push(name);
        }
        let calls = query("SELECT * FROM calls ORDER BY created_us, id").fetch_all(&mut *from).await?;
        let participants = query("SELECT * FROM participants ORDER BY joined_us, id").fetch_all(&mut *from).await?;
        let recordings = query("SELECT * FROM recordings").fetch_all(&mut *from).await?;
        let chunks = query("SELECT * FROM chunks ORDER BY recording, chunk_index").fetch_all(&mut *from).await?;
        let deletions = query("SELECT chunk FROM deletions").fetch_all(&mut *from).await?;
        let repeats = query("SELECT * FROM repeats").fetch_all(&mut *from).await?;
        Ok(Rows {
            calls: calls.iter().map(|row| call(row, &mut names)).collect::<sqlx::Result<_>>()?,
            participants: participants.iter().map(participant).collect::<sqlx::Result<_>>()?,
            recordings: recordings.iter().map(recording).collect::<sqlx::Result<_>>()?,
            chunks: chunks.iter().map(chunk).collect::<sqlx::Result<_>>()?,
            deletions: deletions.iter().map(|row| id(row, "chunk").map(ChunkId)).collect::<sqlx::Result<_>>()?,
            repeats: repeats.iter().map(repeat).collect::<sqlx::Result<_>>()?,
        })
    };
    read.await.map_err(|cause| match cause {
        // What stands there was not written by this program.
        sqlx::Error::ColumnDecode { .. } => CatalogError::Damaged { path: path.to_owned(), cause: cause.to_string() },
        cause => schema::error(path, cause),
    })
}

fn call(row: &SqliteRow, names: &mut BTreeMap<CallId, Vec<NameRow>>) -> sqlx::Result<CallRow> {
    let id = CallId(id(row, "id")?);
    let names = names.remove(&id).unwrap_or_default();
    Ok(CallRow { id, resource: resource(row)?, names, created_at: time(row, "created_us")? })
}

fn participant(row: &SqliteRow) -> sqlx::Result<ParticipantRow> {
    Ok(ParticipantRow {
        call: CallId(id(row, "call")?),
        id: row.try_get("id")?,
        display_name: row.try_get("display_name")?,
        track: json(row, "track")?,
        port: number(row, "port")?,
        joined_at: time(row, "joined_us")?,
    })
}

fn recording(row: &SqliteRow) -> sqlx::Result<RecordingRow> {
    let end = match reason(row, "reason")? {
        None => None,
        Some(reason) => {
            let (ready_at, expires_at) = (time(row, "ready_us")?, time(row, "expires_us")?);
            Some(EndRow { reason, error: row.try_get("error")?, ready_at, expires_at })
        }
    };
    Ok(RecordingRow {
        id: RecordingId(id(row, "id")?),
        resource: resource(row)?,
        call: CallId(id(row, "call")?),
        graph: row.try_get("graph")?,
        pins: json(row, "pins")?,
        started_at: time(row, "started_us")?,
        paused: row.try_get::<i64, _>("paused")? != 0,
        paused_at: time(row, "paused_us")?,
        about: about(row)?,
        stopping: reason(row, "stopping")?,
        end,
    })
}

fn chunk(row: &SqliteRow) -> sqlx::Result<ChunkRow> {
    Ok(ChunkRow {
        id: ChunkId(id(row, "id")?),
        recording: RecordingId(id(row, "recording")?),
        index: number(row, "chunk_index")?,
        format: row.try_get("format")?,
        size: number(row, "size")?,
        sha256: row.try_get("sha256")?,
        duration: Duration::from_micros(number(row, "duration_us")?),
    })
}

fn repeat(row: &SqliteRow) -> sqlx::Result<RepeatRow> {
    let body: Vec<u8> = row.try_get("body")?;
    Ok(RepeatRow {
        resource: resource(row)?,
        id: row.try_get("id")?,
        body: body.try_into().map_err(|_| malformed("body", "no SHA-256"))?,
        recording: RecordingId(id(row, "recording")?),
        at: time(row, "at_us")?,
    })
}

fn resource(row: &SqliteRow) -> sqlx::Result<ResourceId> {
    id(row, "resource").map(ResourceId)
}

fn id(row: &SqliteRow, column: &'static str) -> sqlx::Result<Uuid> {
    let text: &str = row.try_get(column)?;
    Uuid::try_parse(text).map_err(|error| malformed(column, error))
}

/// Returns a time.
pub(super) fn time(row: &SqliteRow, column: &'static str) -> sqlx::Result<Timestamp> {
    Timestamp::from_microsecond(row.try_get(column)?).map_err(|error| malformed(column, error))
}

fn number<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> sqlx::Result<T> {
    let number: i64 = row.try_get(column)?;
    T::try_from(number).map_err(|_| malformed(column, format!("{number} is out of range")))
}

fn json<T: DeserializeOwned>(row: &SqliteRow, column: &'static str) -> sqlx::Result<T> {
    serde_json::from_str(row.try_get(column)?).map_err(|error| malformed(column, error))
}

/// Returns what is known of a recording; of one from before that was kept, nothing.
fn about(row: &SqliteRow) -> sqlx::Result<About> {
    match row.try_get::<Option<&str>, _>("about")? {
        Some(_) => json(row, "about"),
        None => Ok(About::default()),
    }
}

fn reason(row: &SqliteRow, column: &'static str) -> sqlx::Result<Option<EndReason>> {
    let text: Option<String> = row.try_get(column)?;
    let read = |text| serde_json::from_value(serde_json::Value::String(text));
    text.map(read).transpose().map_err(|error| malformed(column, error))
}

fn malformed(column: &'static str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() }
}
