//! Follows a part of a recording to its end: finishes its chunks, stores them, tells when all is there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::engine::Listener;
use crate::engine::Report;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::session::Opening;
use crate::storage::Ended;
use crate::storage::Finalised;
use crate::storage::FinishedPart;
use crate::storage::Finisher;
use crate::storage::Left;
use crate::storage::Lock;
use crate::storage::Objects;
use crate::storage::PartEnd;
use crate::storage::PartFiles;
use crate::storage::Record;
use crate::storage::finish_part;
use crate::supervisor::ChunkView;
use crate::supervisor::core::Outcome;
use crate::supervisor::input::Input;
use crate::supervisor::meter::Meter;
use crate::supervisor::task::Event;

/// Reports that may wait for who follows. Where there is no room they wait with the recording.
pub(super) const REPORTS_MAX: usize = 256;

/// How long to wait before what could not be stored is tried again: twice as long each time, to the longest.
const RETRY_MIN: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// What cannot be stored for so long stays where it was finished, and is tried again later.
const STORE_DEADLINE: Duration = Duration::from_secs(300);

/// Where a recording tells what happens to it.
pub(super) struct Told(pub(super) Sender<Report>);

impl Listener for Told {
    fn tell(&mut self, report: Report) -> Option<Report> {
        match self.0.try_send(report) {
            Err(TrySendError::Full(report)) => Some(report),
            Ok(()) | Err(TrySendError::Closed(_)) => None,
        }
    }
}

/// Who follows a recording.
pub(super) struct Follower {
    pub(super) recording: RecordingId,
    /// From 0.
    pub(super) part: u32,
    pub(super) reports: Receiver<Report>,
    pub(super) finisher: Finisher,
    /// Nobody else touches its spool.
    pub(super) lock: Lock,
    /// The directory that its files are finished in: nothing else is in it.
    pub(super) dir: PathBuf,
    pub(super) objects: Objects,
    /// As many finish chunks at a time: the disk has one head, and the cores are for calls.
    pub(super) turns: Arc<Semaphore>,
    pub(super) events: Sender<Event>,
    pub(super) meter: Arc<Meter>,
}

impl Follower {
    pub(super) async fn run(mut self) {
        let opening = self.finisher.opening().clone();
        let mut finisher = Some(self.finisher);
        // Nobody writes to it any more.
        let mut is_closed = false;
        let ended = loop {
            let (Some(report), Some(mut with)) = (self.reports.recv().await, finisher.take()) else { break None };
            self.meter.told(self.recording, &report);
            let (with, told) = match report {
                Report::Progress { .. } | Report::Entry(_) => {
                    let told = with.on(report);
                    (with, told)
                }
                report => {
                    if matches!(report, Report::Ended { .. } | Report::GivenUp(_)) {
                        let _ = self.events.send(Event::Stopped(self.recording)).await;
                    }
                    let Ok(_turn) = self.turns.acquire().await else { break None };
                    let finished = tokio::task::spawn_blocking(move || {
                        let told = with.on(report);
                        (with, told)
                    });
                    let Ok(finished) = finished.await else { break None };
                    finished
                }
            };
            match told {
                Ok(None) => finisher = Some(with),
                Ok(Some(ended)) => {
                    is_closed = true;
                    break Some((ended, with.into_parts().1));
                }
                Err(error) => {
                    let (reason, error) = (EndReason::Failed, Some(error.to_string()));
                    let unfinished = error.clone();
                    let ended = Ended { reason, error, unfinished, lost_samples: 0, tracks: Default::default() };
                    break Some((ended, with.into_parts().1));
                }
            }
        };
        // Nobody says how it ended: a bug of ours. What is on the disk can be recovered.
        let failed = || {
            let error = Some("the recording ended without a word".to_owned());
            let (unfinished, lost_samples, tracks) = (error.clone(), 0, Default::default());
            (Ended { reason: EndReason::Failed, error, unfinished, lost_samples, tracks }, Vec::new())
        };
        let (ended, chunks) = ended.unwrap_or_else(failed);
        let Ended { reason, error, unfinished, .. } = ended;
        let outcome = Outcome { part: self.part, reason, error: error.or(unfinished.clone()) };
        let (is_whole, stored) = (unfinished.is_none(), Vec::new());
        let files = PartFiles { dir: self.dir, part: self.part, stored, is_whole, is_closed };
        deliver(&opening, files, chunks, outcome, &self.objects, &self.events).await;
        drop(self.lock);
    }
}

/// Finishes a part that was left from before, and delivers it.
pub(super) async fn finish_left(left: Left, objects: Objects, turns: Arc<Semaphore>, events: Sender<Event>) {
    let Left { dir, part, ledger, .. } = left;
    let opening = ledger.opening.clone();
    let Ok(turn) = turns.acquire().await else { return };
    let from = dir.clone();
    let finished = tokio::task::spawn_blocking(move || finish_part(&from)).await;
    drop(turn);
    let (ledger, chunks, unfinished) = match finished {
        Ok(Ok(FinishedPart { ledger, chunks, unfinished })) => {
            (ledger, chunks, unfinished.map(|error| error.to_string()))
        }
        Ok(Err(error)) => (ledger, Vec::new(), Some(error.to_string())),
        Err(_) => (ledger, Vec::new(), Some("finishing it panicked".to_owned())),
    };
    let (reason, error) = ledger.end.map_or((EndReason::Recovered, None), |(_, reason, error)| (reason, error));
    let (is_whole, stored) = (unfinished.is_none(), Vec::new());
    let outcome = Outcome { part, reason, error: error.or(unfinished) };
    let files = PartFiles { dir, part, stored, is_whole, is_closed: true };
    deliver(&opening, files, chunks, outcome, &objects, &events).await;
}

/// Stores the chunks of a part that has ended, and tells so. What could not be finished or stored stays where it is.
async fn deliver(
    opening: &Opening,
    mut files: PartFiles,
    chunks: Vec<Finalised>,
    mut outcome: Outcome,
    objects: &Objects,
    events: &Sender<Event>,
) {
    let recording = RecordingId(opening.recording_id);
    let mut views = Vec::new();
    let deadline = tokio::time::Instant::now() + STORE_DEADLINE;
    for chunk in chunks {
        let end = PartEnd { part: outcome.part, reason: outcome.reason, error: outcome.error.as_deref() };
        let record = Record::new(opening, end, &chunk, Timestamp::now());
        match tokio::time::timeout_at(deadline, store(objects, &record, &chunk)).await {
            Ok(()) => {
                views.push(view(&chunk));
                files.stored.extend([chunk.path, chunk.metadata_path]);
            }
            Err(_) => {
                files.is_whole = false;
                outcome.error.get_or_insert("a chunk could not be stored".to_owned());
            }
        }
    }
    if let Some(error) = &outcome.error {
        tracing::error!(%error, %recording, "a recording could not be made to its end");
    }
    // Who is not there any more has ended, and all recordings with it.
    let input = Box::new(Input::PartEnded { recording, chunks: views, outcome });
    let _ = events.send(Event::PartEnded { recording, files, input }).await;
}

/// Stores a chunk, trying again and again.
async fn store(objects: &Objects, record: &Record, chunk: &Finalised) {
    let mut pause = RETRY_MIN;
    while let Err(error) = objects.put(record, &chunk.path, &chunk.metadata_path).await {
        tracing::error!(%error, "a chunk cannot be stored; it is tried again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_MAX);
    }
}

fn view(chunk: &Finalised) -> ChunkView {
    ChunkView {
        document: chunk.document,
        index: chunk.metadata.chunk_index,
        format: chunk.metadata.recording_info.format.clone(),
        size: chunk.size,
        sha256: chunk.sha256.clone(),
        duration: chunk.media.duration(),
    }
}
