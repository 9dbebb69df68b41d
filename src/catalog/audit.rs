//! Reads what was asked for.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::Connection;
use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::query;

use crate::catalog::Catalog;
use crate::catalog::CatalogError;
use crate::catalog::load::time;
use crate::catalog::schema;
use crate::model::ResourceId;

/// Which rows are read, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of whom.
    pub resource: ResourceId,
    /// Only those behind this one.
    pub after: i64,
    /// Only those from then on.
    pub from: Timestamp,
    /// Only those before.
    pub to: Timestamp,
    /// So many at most.
    pub limit: u32,
}

/// An operation that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Grows from row to row.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// `primary` or `secondary`.
    pub key: String,
    /// What.
    pub operation: String,
    /// What it was done to; empty where that is nothing.
    pub object: String,
    /// What came of it.
    pub result: String,
}

/// Reads the audit, whoever writes it.
#[derive(Debug, Clone)]
pub struct AuditLog(Arc<Path>);

impl Catalog {
    /// Returns who reads the audit. The writer ends though somebody has it.
    pub fn audit_log(&self) -> AuditLog {
        AuditLog(self.path().into())
    }
}

impl AuditLog {
    /// Returns what a resource has asked for.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn read(&self, which: AuditQuery) -> Result<Vec<Audited>, CatalogError> {
        let path = &*self.0;
        let read = async {
            let options = schema::options(path).create_if_missing(false).read_only(true);
            let mut connection = SqliteConnection::connect_with(&options).await?;
            let sql = "SELECT * FROM audit WHERE resource = $1 AND id > $2 AND at_us >= $3 AND at_us < $4 \
                       ORDER BY id LIMIT $5";
            let rows = query(sql)
                .bind(which.resource.to_string())
                .bind(which.after)
                .bind(which.from.as_microsecond())
                .bind(which.to.as_microsecond())
                .bind(i64::from(which.limit))
                .fetch_all(&mut connection)
                .await?;
            let audited = |row| {
                Ok(Audited {
                    id: Row::try_get(row, "id")?,
                    at: time(row, "at_us")?,
                    key: row.try_get("key")?,
                    operation: row.try_get("operation")?,
                    object: row.try_get("object")?,
                    result: row.try_get("result")?,
                })
            };
            rows.iter().map(audited).collect::<sqlx::Result<Vec<_>>>()
        };
        read.await.map_err(|cause| schema::error(path, cause))
    }
}
