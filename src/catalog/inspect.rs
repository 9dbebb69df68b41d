//! Looks whether a catalog is what was written, and changes nothing of it.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::Connection;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;

use crate::catalog::CatalogError;
use crate::catalog::Rows;
use crate::catalog::load::load;
use crate::catalog::schema;
use crate::catalog::schema::MIGRATIONS;

/// Longest wait for somebody else who has locked the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns how a file is opened that is only read, whatever it is.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false).read_only(true);
    options.busy_timeout(BUSY_TIMEOUT).disable_statement_logging()
}

/// Looks through a whole catalog that nobody writes to; returns what is in it.
///
/// # Errors
///
/// It is not there, is damaged, is of another version, or cannot be read.
pub async fn inspect(path: &Path) -> Result<Rows, CatalogError> {
    if !path.exists() {
        return Err(CatalogError::Missing { path: path.to_owned() });
    }
    let of_database = |cause| schema::error(path, cause);
    let mut connection = SqliteConnection::connect_with(&options(path)).await.map_err(of_database)?;
    let damaged = |cause: String| CatalogError::Damaged { path: path.to_owned(), cause };
    // One line, "ok", where it is.
    let told: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(10)").fetch_all(&mut connection).await.map_err(of_database)?;
    if told != ["ok"] {
        return Err(damaged(told.join("; ")));
    }
    let version = sqlx::query_scalar::<_, Option<i64>>("SELECT MAX(version) FROM _sqlx_migrations WHERE success");
    // The file is a database, but not one of this program.
    let version = version.fetch_one(&mut connection).await.map_err(|cause| damaged(cause.to_string()))?;
    match version.unwrap_or_default().cmp(&(MIGRATIONS.len() as i64)) {
        std::cmp::Ordering::Less => Err(CatalogError::Older { path: path.to_owned() }),
        std::cmp::Ordering::Equal => load(path, &mut connection).await,
        std::cmp::Ordering::Greater => {
            let cause = format!("version {} is not known", version.unwrap_or_default());
            Err(CatalogError::Version { path: path.to_owned(), cause })
        }
    }
}
