//! One writer: updates in order, in as few transactions as they fit into, tried again until they are on the disk.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::Connection;
use sqlx::SqliteConnection;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::channel;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::catalog::CatalogError;
use crate::catalog::Rows;
use crate::catalog::Update;
use crate::catalog::apply::apply;
use crate::catalog::load::load;
use crate::catalog::schema;

/// What may wait while the database cannot be written: hours of a busy service.
const WAITING_MAX: usize = 262_144;

/// What is written in one transaction. What waits longer than that waits for the next.
const BATCH_MAX: usize = 512;

/// How long to wait before what could not be written is tried again: twice as long each time, to the longest.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// Tells when updates are on the disk; fails where they never will be.
pub type Saving = oneshot::Receiver<()>;

/// Updates that are written together.
struct Batch {
    updates: Vec<Update>,
    done: oneshot::Sender<()>,
}

/// The catalog, for whoever writes to it and asks it.
#[derive(Debug, Clone)]
pub struct Catalog {
    sender: Sender<Batch>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// What is to be written cannot be, and waits.
    is_behind: AtomicBool,
    /// The file was lost: the one that is there now holds nothing of what was written before.
    is_new: AtomicBool,
}

impl Catalog {
    /// Opens a catalog, or makes one, and returns all that is in it. The task ends when all handles are dropped and all
    /// is written.
    ///
    /// # Errors
    ///
    /// The file is damaged, is of a newer version, or cannot be used.
    pub async fn open(path: &Path) -> Result<(Self, Rows, JoinHandle<()>), CatalogError> {
        let mut connection = schema::connect(path).await?;
        schema::check(path, &mut connection).await?;
        let rows = load(path, &mut connection).await?;
        let (is_behind, is_new) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Arc::new(Shared { path: path.to_owned(), is_behind, is_new });
        let (sender, batches) = channel(WAITING_MAX);
        let id = file_id(path);
        let writer = Writer { shared: Arc::clone(&shared), connection: Some((connection, id)) };
        Ok((Self { sender, shared }, rows, tokio::spawn(writer.run(batches))))
    }

    /// Lets updates be written, together, behind all that were given before. None where so many wait already that
    /// these are not: the catalog is incomplete from then on, until it is rebuilt.
    pub fn save(&self, updates: Vec<Update>) -> Option<Saving> {
        let (done, saving) = oneshot::channel();
        match self.sender.try_send(Batch { updates, done }) {
            Ok(()) => Some(saving),
            Err(error) => {
                tracing::error!(%error, "the catalog is incomplete: so much waits to be written that more cannot");
                None
            }
        }
    }

    /// Returns whether what is to be written cannot be, and waits.
    pub fn is_behind(&self) -> bool {
        self.shared.is_behind.load(Relaxed)
    }

    /// Returns, once each time, whether the file was lost and a new one is written: all rows are to be saved again.
    pub fn wants_all(&self) -> bool {
        self.shared.is_new.swap(false, Relaxed)
    }

    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }
}

/// Device and inode of a file.
type FileId = Option<(u64, u64)>;

fn file_id(path: &Path) -> FileId {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

struct Writer {
    shared: Arc<Shared>,
    /// With the file that it is to.
    connection: Option<(SqliteConnection, FileId)>,
}

impl Writer {
    async fn run(mut self, mut batches: Receiver<Batch>) {
        let mut batch = Vec::new();
        while batches.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let mut pause = RETRY_MIN;
            while let Err(error) = self.write(&batch).await {
                // One that is stuck in the middle of something is of no use any more.
                self.connection = None;
                if !self.shared.is_behind.swap(true, Relaxed) {
                    tracing::error!(%error, "the catalog cannot be written; it is tried again and again");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
            if self.shared.is_behind.swap(false, Relaxed) {
                tracing::warn!("the catalog is written again");
            }
            for Batch { done, .. } in batch.drain(..) {
                // Not all wait for it.
                let _ = done.send(());
            }
        }
        if let Some((connection, _)) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the catalog was not closed");
        }
    }

    async fn write(&mut self, batch: &[Batch]) -> Result<(), CatalogError> {
        let path = &self.shared.path;
        let id = file_id(path);
        // SQLite goes on writing into a file that nobody will find again.
        if self.connection.as_ref().is_some_and(|(_, opened)| *opened != id) {
            self.connection = None;
            tracing::error!("the catalog's file was taken away; a new one is made");
        }
        let connection = match &mut self.connection {
            Some((connection, _)) => connection,
            none => {
                let connection = schema::connect(path).await?;
                let made = file_id(path);
                if made != id {
                    self.shared.is_new.store(true, Relaxed);
                }
                &mut none.insert((connection, made)).0
            }
        };
        transact(connection, batch).await.map_err(|cause| schema::error(path, cause))
    }
}

/// Boxed: the compiler cannot tell otherwise that it may move between threads.
fn transact<'a>(connection: &'a mut SqliteConnection, batch: &'a [Batch]) -> BoxFuture<'a, sqlx::Result<()>> {
    Box::pin(async move {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for Batch { updates, .. } in batch {
            for update in updates {
                apply(update, &mut transaction).await?;
            }
        }
        transaction.commit().await
    })
}
