//! A catalog is made anew in place of one that is of no use any more, which is kept aside.
//!
//! ```text
//!  catalog.db.new ◄── rows, and what can still be read of the audit
//!  catalog.db     ──► catalog.db.damaged-20260131T101500Z, with -wal and -shm
//!  catalog.db.new ──► catalog.db
//! ```
//!
//! Until the last step nothing is lost, and it may be begun again.

use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::Connection;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use tokio::time::Instant;
use tokio::time::timeout_at;

use crate::catalog::CatalogError;
use crate::catalog::Rows;
use crate::catalog::Update;
use crate::catalog::apply::apply;
use crate::catalog::inspect;
use crate::catalog::schema;

/// Longest that is spent on what can still be read of the old one.
const READ_DEADLINE: Duration = Duration::from_secs(60);

/// What SQLite has beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// What is kept of a catalog in whose place there is a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file, where it is now; None where there was none.
    pub path: Option<PathBuf>,
    /// Entries of its audit that are in the new one.
    pub n_audited: u64,
    /// Why these may not be all.
    pub audit_lost: Option<String>,
}

/// Makes a catalog anew, with recordings and their chunks. Nobody else may use it meanwhile.
///
/// # Errors
///
/// It could not be made: the one of before is there, or kept aside.
pub async fn rebuild(path: &Path, rows: Rows, now: Timestamp) -> Result<Kept, CatalogError> {
    let new = with(path, ".new");
    for left in std::iter::once(new.clone()).chain(BESIDE.map(|end| with(&new, end))) {
        match std::fs::remove_file(&left) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(&left, "removed")(error)),
            _ => (),
        }
    }
    let mut connection = schema::connect(&new).await?;
    let of_database = |cause| schema::error(&new, cause);
    fill(&mut connection, rows).await.map_err(of_database)?;
    let (n_audited, audit_lost) = match path.exists() {
        true => take_audit(path, &mut connection).await.map_err(of_database)?,
        false => (0, None),
    };
    // All of it is in the one file then.
    connection.close().await.map_err(of_database)?;
    let aside = with(path, &format!(".damaged-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    if aside.exists() {
        return Err(io(&aside, "made")(ErrorKind::AlreadyExists.into()));
    }
    // The file itself last: without it what is beside it is of no use, and the next service would begin an empty one.
    for end in BESIDE.into_iter().chain([""]) {
        let (from, to) = (with(path, end), with(&aside, end));
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(&from, "moved aside")(error)),
            _ => (),
        }
    }
    std::fs::rename(&new, path).map_err(io(path, "put in place"))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir, "synced"))?;
    Ok(Kept { path: aside.exists().then_some(aside), n_audited, audit_lost })
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

fn io(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> CatalogError {
    let path = path.to_owned();
    move |cause| CatalogError::Io { path, what, cause }
}

async fn fill(connection: &mut SqliteConnection, rows: Rows) -> sqlx::Result<()> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let recordings = rows.recordings.into_iter().map(Update::Recording);
    for update in recordings.chain(rows.chunks.into_iter().map(Update::Chunk)) {
        apply(&update, &mut transaction).await?;
    }
    transaction.commit().await
}

/// Takes what can be read of the old audit, in order; returns how much that is, and why there may be more.
async fn take_audit(old: &Path, to: &mut SqliteConnection) -> sqlx::Result<(u64, Option<String>)> {
    let until = Instant::now() + READ_DEADLINE;
    let mut transaction = to.begin_with("BEGIN IMMEDIATE").await?;
    let mut n_taken = 0;
    let lost = match timeout_at(until, SqliteConnection::connect_with(&inspect::options(old))).await {
        Err(_) => Some("it takes too long".to_owned()),
        Ok(Err(error)) => Some(error.to_string()),
        Ok(Ok(mut from)) => {
            let mut rows = query("SELECT * FROM audit ORDER BY id").fetch(&mut from);
            loop {
                match timeout_at(until, rows.try_next()).await {
                    Err(_) => break Some("it takes too long".to_owned()),
                    Ok(Ok(None)) => break None,
                    Ok(Ok(Some(row))) => match take(&row, &mut transaction).await {
                        Ok(()) => n_taken += 1,
                        Err(error) => break Some(error.to_string()),
                    },
                    Ok(Err(error)) => break Some(error.to_string()),
                }
            }
        }
    };
    transaction.commit().await?;
    Ok((n_taken, lost))
}

async fn take(row: &SqliteRow, to: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = "INSERT INTO audit (id, at_us, resource, key, operation, object, result) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let mut insert = query(sql);
    for column in ["id", "at_us"] {
        insert = insert.bind(row.try_get::<i64, _>(column)?);
    }
    for column in ["resource", "key", "operation", "object", "result"] {
        insert = insert.bind(row.try_get::<String, _>(column)?);
    }
    insert.execute(to).await.map(drop)
}
