//! One update, as SQL that SQLite and PostgreSQL both understand.

use sqlx::SqliteConnection;
use sqlx::query;

use crate::catalog::AuditRow;
use crate::catalog::CallRow;
use crate::catalog::ChunkRow;
use crate::catalog::ParticipantRow;
use crate::catalog::RecordingRow;
use crate::catalog::RepeatRow;
use crate::catalog::Update;

/// Makes an update, inside a transaction.
pub(super) async fn apply(update: &Update, to: &mut SqliteConnection) -> sqlx::Result<()> {
    match update {
        Update::Call(row) => call(row, to).await,
        Update::CallGone(id) => {
            for sql in [
                "DELETE FROM participants WHERE call = $1",
                "DELETE FROM call_names WHERE call = $1",
                "DELETE FROM calls WHERE id = $1",
            ] {
                query(sql).bind(id.to_string()).execute(&mut *to).await?;
            }
            Ok(())
        }
        Update::Participant(row) => participant(row, to).await,
        Update::ParticipantGone { call, id } => {
            let sql = "DELETE FROM participants WHERE call = $1 AND id = $2";
            query(sql).bind(call.to_string()).bind(id).execute(to).await.map(drop)
        }
        Update::Recording(row) => recording(row, to).await,
        Update::RecordingGone(id) => {
            query("DELETE FROM recordings WHERE id = $1").bind(id.to_string()).execute(to).await.map(drop)
        }
        Update::Chunk(row) => chunk(row, to).await,
        Update::ChunkDoomed(id) => {
            let sql = "INSERT INTO deletions (chunk) VALUES ($1) ON CONFLICT (chunk) DO NOTHING";
            query(sql).bind(id.to_string()).execute(&mut *to).await?;
            query("DELETE FROM chunks WHERE id = $1").bind(id.to_string()).execute(to).await.map(drop)
        }
        Update::ChunkDeleted(id) => {
            query("DELETE FROM deletions WHERE chunk = $1").bind(id.to_string()).execute(to).await.map(drop)
        }
        Update::Repeat(row) => repeat(row, to).await,
        Update::RepeatsGone(before) => {
            let sql = "DELETE FROM repeats WHERE at_us < $1";
            query(sql).bind(before.as_microsecond()).execute(to).await.map(drop)
        }
        Update::Audit(row) => audit(row, to).await,
    }
}

async fn call(row: &CallRow, to: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = "INSERT INTO calls (id, resource, created_us) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    let (id, resource) = (row.id.to_string(), row.resource.to_string());
    query(sql).bind(&id).bind(&resource).bind(row.created_at.as_microsecond()).execute(&mut *to).await?;
    for name in &row.names {
        let sql = "INSERT INTO call_names (resource, kind, name, call) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (resource, kind, name) DO UPDATE SET call = excluded.call";
        query(sql).bind(&resource).bind(&name.kind).bind(&name.name).bind(&id).execute(&mut *to).await?;
    }
    Ok(())
}

async fn participant(row: &ParticipantRow, to: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = "INSERT INTO participants (call, id, track, port, joined_us, display_name) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (call, id) DO UPDATE SET \
               track = excluded.track, port = excluded.port, joined_us = excluded.joined_us, \
               display_name = excluded.display_name";
    let track = serde_json::to_string(&row.track).expect("settings are plain data");
    let insert = query(sql).bind(row.call.to_string()).bind(&row.id).bind(track);
    let insert = insert.bind(i64::from(row.port)).bind(row.joined_at.as_microsecond());
    insert.bind(row.display_name.as_deref()).execute(to).await.map(drop)
}

async fn recording(row: &RecordingRow, to: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = "INSERT INTO recordings (id, resource, call, graph, pins, started_us, paused, paused_us, stopping, \
               reason, error, ready_us, expires_us, about) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
               ON CONFLICT (id) DO UPDATE SET pins = excluded.pins, about = excluded.about, \
               paused = excluded.paused, paused_us = excluded.paused_us, \
               stopping = excluded.stopping, reason = excluded.reason, error = excluded.error, \
               ready_us = excluded.ready_us, expires_us = excluded.expires_us";
    let pins = serde_json::to_string(&row.pins).expect("pins are plain data");
    let about = serde_json::to_string(&row.about).expect("words and numbers are plain data");
    let end = row.end.as_ref();
    query(sql)
        .bind(row.id.to_string())
        .bind(row.resource.to_string())
        .bind(row.call.to_string())
        .bind(&row.graph)
        .bind(pins)
        .bind(row.started_at.as_microsecond())
        .bind(i64::from(row.paused))
        .bind(row.paused_at.as_microsecond())
        .bind(row.stopping.map(|reason| reason.as_str()))
        .bind(end.map(|end| end.reason.as_str()))
        .bind(end.and_then(|end| end.error.as_deref()))
        .bind(end.map(|end| end.ready_at.as_microsecond()))
        .bind(end.map(|end| end.expires_at.as_microsecond()))
        .bind(about)
        .execute(to)
        .await
        .map(drop)
}

async fn chunk(row: &ChunkRow, to: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = "INSERT INTO chunks (id, recording, chunk_index, format, size, sha256, duration_us) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET \
               size = excluded.size, sha256 = excluded.sha256, duration_us = excluded.duration_us";
    query(sql)
        .bind(row.id.to_string())
        .bind(row.recording.to_string())
        .bind(i64::from(row.index))
        .bind(&row.format)
        .bind(i64::try_from(row.size).unwrap_or(i64::MAX))
        .bind(&row.sha256)
        .bind(i64::try_from(row.duration.as_micros()).unwrap_or(i64::MAX))
        .execute(to)
        .await
        .map(drop)
}

async fn repeat(row: &RepeatRow, to: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = "INSERT INTO repeats (resource, id, body, recording, at_us) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (resource, id) DO UPDATE SET \
               body = excluded.body, recording = excluded.recording, at_us = excluded.at_us";
    let insert = query(sql).bind(row.resource.to_string()).bind(&row.id).bind(row.body.to_vec());
    insert.bind(row.recording.to_string()).bind(row.at.as_microsecond()).execute(to).await.map(drop)
}

async fn audit(row: &AuditRow, to: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = "INSERT INTO audit (at_us, resource, key, operation, object, result) VALUES ($1, $2, $3, $4, $5, $6)";
    let insert = query(sql).bind(row.at.as_microsecond()).bind(row.resource.to_string()).bind(row.key);
    insert.bind(row.operation).bind(&row.object).bind(row.result).execute(to).await.map(drop)
}
