//! Finishes what parts of recordings have left, stores it, tells so, and takes away what is of no use any more.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;

use crate::catalog::ChunkRow;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::session::Opening;
use crate::storage::Finalised;
use crate::storage::FinishedPart;
use crate::storage::Left;
use crate::storage::Objects;
use crate::storage::PartEnd;
use crate::storage::PartFiles;
use crate::storage::Record;
use crate::storage::finish_part;
use crate::storage::look;
use crate::supervisor::core::Outcome;
use crate::supervisor::input::Input;
use crate::supervisor::task::Event;

/// Recordings whose chunks are finished at a time: the disk has one head, and the cores are for calls.
const TURNS: usize = 2;

/// Chunks that are stored at a time: calls that go on are not to wait behind all that is left from before.
const STORES: usize = 8;

/// How long to wait before what could not be stored is tried again: twice as long each time, to the longest.
const RETRY_MIN: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// What cannot be stored for so long stays where it was finished, and is tried again later.
const STORE_DEADLINE: Duration = Duration::from_secs(300);

/// How long to wait before what could not be finished or stored is tried again.
const FINISH_AGAIN: Duration = Duration::from_secs(300);

/// What finishes parts.
#[derive(Clone)]
pub(super) struct Finishing {
    objects: Objects,
    turns: Arc<Semaphore>,
    stores: Arc<Semaphore>,
    events: Sender<Event>,
}

impl Finishing {
    /// Stores files in `objects`, and tells of it by `events`.
    pub(super) fn new(objects: Objects, events: Sender<Event>) -> Self {
        let [turns, stores] = [TURNS, STORES].map(|n| Arc::new(Semaphore::new(n)));
        Self { objects, turns, stores, events }
    }

    /// Does what is slow when it is its turn; None where it panicked.
    pub(super) async fn in_turn<T: Send + 'static>(&self, slow: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _turn = self.turns.acquire().await.ok()?;
        tokio::task::spawn_blocking(slow).await.ok()
    }

    /// Tells the task. Where that is not there any more it has ended, and all recordings with it.
    pub(super) async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// Finishes a part that was left from before, and delivers it.
    pub(super) async fn finish(&self, left: Left) {
        let Left { dir, part, ledger, .. } = left;
        let opening = ledger.opening.clone();
        let from = dir.clone();
        let (ledger, chunks, unfinished) = match self.in_turn(move || finish_part(&from)).await {
            Some(Ok(FinishedPart { ledger, chunks, unfinished })) => {
                (ledger, chunks, unfinished.map(|error| error.to_string()))
            }
            Some(Err(error)) => (ledger, Vec::new(), Some(error.to_string())),
            None => (ledger, Vec::new(), Some("finishing it panicked".to_owned())),
        };
        let (reason, error) = ledger.end.map_or((EndReason::Recovered, None), |(_, reason, error)| (reason, error));
        let (is_whole, stored) = (unfinished.is_none(), Vec::new());
        let outcome = Outcome { part, reason, error: error.or(unfinished), is_whole };
        self.deliver(&opening, PartFiles { dir, part, stored, is_whole, is_closed: true }, chunks, outcome).await;
    }

    /// Stores the chunks of a part that has ended, and tells so. What could not be finished or stored stays where it
    /// is.
    pub(super) async fn deliver(
        &self,
        opening: &Opening,
        mut files: PartFiles,
        chunks: Vec<Finalised>,
        mut outcome: Outcome,
    ) {
        let recording = RecordingId(opening.recording_id);
        let mut rows = Vec::new();
        let deadline = tokio::time::Instant::now() + STORE_DEADLINE;
        for chunk in chunks {
            let end = PartEnd { part: outcome.part, reason: outcome.reason, error: outcome.error.as_deref() };
            let record = Record::new(opening, end, &chunk, Timestamp::now());
            let stored = tokio::time::timeout_at(deadline, self.store(&record, &chunk)).await;
            let unstored = match stored {
                Ok(true) => {
                    rows.push(row(recording, &chunk));
                    files.stored.extend([chunk.path, chunk.metadata_path]);
                    continue;
                }
                Ok(false) => "another chunk has the number of one, which stays where it is",
                Err(_) => "a chunk could not be stored",
            };
            files.is_whole = false;
            outcome.error.get_or_insert(unstored.to_owned());
        }
        if let Some(error) = &outcome.error {
            tracing::error!(%error, %recording, "a recording could not be made to its end");
        }
        outcome.is_whole = files.is_whole;
        let input = Box::new(Input::PartEnded { recording, chunks: rows, outcome });
        self.tell(Event::PartEnded { recording, files, input }).await;
    }

    /// Stores a chunk, trying again and again. Returns false where another one is stored in its place: what is stored
    /// is not replaced, whoever counted wrong.
    async fn store(&self, record: &Record, chunk: &Finalised) -> bool {
        let mut pause = RETRY_MIN;
        loop {
            let turn = self.stores.acquire().await;
            if self.objects.holds_other(record).await {
                return false;
            }
            let put = self.objects.put(record, &chunk.path, &chunk.metadata_path).await;
            drop(turn);
            let Err(error) = put else { return true };
            tracing::error!(%error, "a chunk cannot be stored; it is tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        }
    }

    /// Takes away what is stored, and tries again what is not, later.
    pub(super) async fn discard(self, parts: Vec<PartFiles>) {
        if parts.is_empty() {
            return;
        }
        let discarded = tokio::task::spawn_blocking(move || {
            parts.iter().for_each(PartFiles::discard);
            parts
        });
        let Ok(parts) = discarded.await else { return };
        let rest: Vec<_> = parts.into_iter().filter(|part| !part.is_whole && part.is_closed).collect();
        if rest.is_empty() {
            return;
        }
        tokio::time::sleep(FINISH_AGAIN).await;
        for PartFiles { dir, part, .. } in rest {
            match tokio::task::spawn_blocking(move || look(&dir, part, |_| false)).await {
                Ok(Ok(Some(left))) => self.finish(left).await,
                Ok(Ok(None)) | Err(_) => (),
                Ok(Err(error)) => tracing::error!(%error, "a recording cannot be finished"),
            }
        }
    }
}

fn row(recording: RecordingId, chunk: &Finalised) -> ChunkRow {
    ChunkRow {
        id: chunk.document,
        recording,
        index: chunk.metadata.chunk_index,
        format: chunk.metadata.recording_info.format.clone(),
        size: chunk.size,
        sha256: chunk.sha256.clone(),
        duration: chunk.media.duration(),
    }
}
