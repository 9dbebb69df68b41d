//! The tables, and the ways from older versions of them.

use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::ConnectOptions;
use sqlx::Connection;
use sqlx::SqlSafeStr;
use sqlx::SqliteConnection;
use sqlx::migrate::MigrateError;
use sqlx::migrate::Migration;
use sqlx::migrate::MigrationType;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::sqlite::SqliteSynchronous;

use crate::catalog::CatalogError;

/// In order, and never changed once they were released.
pub(super) const MIGRATIONS: [(&str, &str); 2] =
    [("first", include_str!("migrations/0001-first.sql")), ("terms", include_str!("migrations/0002-terms.sql"))];

/// Longest wait for somebody else who has locked the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Results of SQLite that say that the file is not what was written (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
const DAMAGED: [&str; 2] = ["11", "26"];

/// Returns how the file is opened.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What has been answered survives a power failure.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Opens the file, and brings its tables to this version. Boxed: the compiler cannot tell otherwise that it may move
/// between threads.
pub(super) fn connect(path: &Path) -> BoxFuture<'_, Result<SqliteConnection, CatalogError>> {
    let migrations = MIGRATIONS.iter().zip(1..).map(|((name, sql), version)| {
        Migration::new(version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    Box::pin(async move {
        let opened = SqliteConnection::connect_with(&options(path)).await;
        let mut connection = opened.map_err(|cause| error(path, cause))?;
        match migrator.run_direct(None, &mut connection, false).await {
            Ok(()) => Ok(connection),
            Err(MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) => Err(error(path, cause)),
            Err(cause) => Err(CatalogError::Version { path: path.to_owned(), cause: cause.to_string() }),
        }
    })
}

/// Looks through the whole file.
pub(super) async fn check(path: &Path, connection: &mut SqliteConnection) -> Result<(), CatalogError> {
    let told: String =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(connection).await.map_err(|cause| error(path, cause))?;
    match told.as_str() {
        "ok" => Ok(()),
        _ => Err(CatalogError::Damaged { path: path.to_owned(), cause: told }),
    }
}

/// Tells a damaged file from a database that cannot be used now.
pub(super) fn error(path: &Path, cause: sqlx::Error) -> CatalogError {
    let path = path.to_owned();
    let code = cause.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    // Extended codes have the plain one in their last byte.
    let plain = code.parse::<u32>().map(|code| (code & 0xff).to_string()).unwrap_or_default();
    match DAMAGED.contains(&plain.as_str()) {
        true => CatalogError::Damaged { path, cause: cause.to_string() },
        false => CatalogError::Database { path, cause },
    }
}
