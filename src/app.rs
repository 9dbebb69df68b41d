//! The composition root: puts rooms together for a command. Decides nothing that a room could.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use crate::config::Config;
use crate::engine::{Clock, EngineError, LiveClock, Participant, Recording, Report, Script, Setup, VirtualClock, run};
use crate::graph::{Limits, Plan};
use crate::model::{EndReason, PauseMode};
use crate::pipeline::Options;
use crate::session::journal::VERSION;
use crate::session::{Entry, Journal, JournalError, Ledger, Opening};
use crate::storage::{Finalised, Spool, StorageError, finalise, finish_rest};

/// Reports that may wait for the finaliser: chunks are as good as never that many.
const REPORTS_MAX: usize = 1024;

/// A recording to be made of tracks that are known beforehand.
pub struct Request {
    /// What is recorded.
    pub plan: Plan,
    /// Who takes part, and what happens when.
    pub participants: Vec<Participant>,
    /// Pauses: from, to.
    pub pauses: Vec<(Duration, Duration)>,
    /// What a pause leaves.
    pub pause_mode: PauseMode,
    /// When it ends; else when everybody's media has ended.
    pub duration: Option<Duration>,
    /// When a chunk ends.
    pub limits: Limits,
    /// Where its files go.
    pub out: PathBuf,
    /// As slowly as a call happens, else as fast as the machine can.
    pub real_time: bool,
    /// How it is run.
    pub config: Config,
}

/// A recording that has been made.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// What is known of it.
    pub ledger: Ledger,
    /// Its files, in order.
    pub chunks: Vec<Finalised>,
    /// Why it ended.
    pub reason: EndReason,
    /// What went wrong, if it could not go on.
    pub error: Option<String>,
    /// Why there are chunks that could not be finished, if there are: they are in the spool.
    pub unfinished: Option<String>,
    /// Samples that came too late for their place.
    pub lost_samples: u64,
}

/// Why a recording could not be made at all. Reads after "failed to record: ".
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The files.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The pipeline or the journal.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The worker's thread.
    #[error("the worker cannot be started: {0}")]
    Thread(std::io::Error),
    /// The worker died of a bug.
    #[error("the worker ended without a word; what is on disk can be finished with `reelgraph recover`")]
    Worker,
}

/// Makes a recording. `go_on` is asked at every tick; `progress` is told recording time as it passes.
///
/// The recording is driven on a thread of its own; chunks are finalised on the caller's.
///
/// # Errors
///
/// Nothing could be recorded.
pub fn record(
    request: Request,
    go_on: Arc<dyn Fn() -> bool + Send + Sync>,
    mut progress: impl FnMut(Duration),
) -> Result<Recorded, RecordError> {
    let plan = Arc::new(request.plan);
    let extension = plan.media.format().extension().to_owned();
    let (spool, _lock) = Spool::claim(&request.out, &plan.name, &extension)?;
    let journal = Journal::create(&spool.journal()).inspect_err(|_| drop(spool.remove()))?;
    let chunk_spool = spool.clone();
    let options = Options {
        chunk_file: Box::new(move |index| chunk_spool.chunk(index)),
        limits: request.limits,
        pause_mode: request.pause_mode,
        reserved_channels: request.participants.iter().filter_map(|participant| participant.pin).collect(),
    };
    let opening = opening(&plan, request.pause_mode);
    let setup = Setup { plan, options, opening, journal, close_deadline: request.config.close_timeout };
    let begun = Recording::begin(setup);
    let mut recording = begun.inspect_err(|_| drop(spool.remove()))?;
    let script = Script {
        participants: request.participants,
        pauses: request.pauses,
        duration: request.duration,
        tick: request.config.tick,
    };
    let (sender, reports) = mpsc::sync_channel(REPORTS_MAX);
    let real_time = request.real_time;
    let worker = std::thread::Builder::new().name("reel-worker-0".to_owned()).spawn(move || {
        let mut clock: Box<dyn Clock> = if real_time { Box::new(LiveClock::start()) } else { Box::new(VirtualClock) };
        run(&mut recording, script, clock.as_mut(), &*go_on, |report| {
            // Whoever finalises waits for the end of this thread: it is there.
            let _ = sender.send(report);
        });
    });
    let worker = worker.map_err(RecordError::Thread)?;
    let ended = follow(&spool, &reports, &mut progress);
    if worker.join().is_err() {
        return Err(RecordError::Worker);
    }
    let mut recorded = ended?;
    finish(&spool, &mut recorded);
    Ok(recorded)
}

/// Finishes what the end of the recording has left in the spool, and takes the spool away.
fn finish(spool: &Spool, recorded: &mut Recorded) {
    match finish_rest(spool, &mut recorded.ledger) {
        Ok(chunks) => recorded.chunks.extend(chunks),
        Err(error) => recorded.unfinished = Some(error.to_string()),
    }
    recorded.chunks.sort_by_key(|chunk| chunk.media.index);
    if recorded.unfinished.is_none()
        && let Err(error) = spool.remove()
    {
        tracing::warn!(%error, "the spool stays");
    }
}

/// Finalises chunks as they are completed, until the recording has ended.
fn follow(
    spool: &Spool,
    reports: &mpsc::Receiver<Report>,
    progress: &mut impl FnMut(Duration),
) -> Result<Recorded, RecordError> {
    let mut journal = Journal::append_to(&spool.journal())?;
    let mut chunks = Vec::new();
    while let Ok(report) = reports.recv() {
        match report {
            Report::Progress(horizon) => progress(horizon),
            Report::ChunkComplete { index, only, ledger } => {
                let media = ledger.chunks.get(&index).and_then(|row| row.media.clone());
                let finalised = media.map_or(Ok(None), |media| finalise(spool, &ledger, media, only));
                // What goes wrong here is tried again at the end, when the disk may have room.
                match finalised {
                    Ok(finalised) => {
                        chunks.extend(finalised);
                        if let Err(error) = journal.append(&Entry::Finalised { index }) {
                            tracing::warn!(%error, index, "a finished chunk is not noted");
                        }
                    }
                    Err(error) => tracing::warn!(%error, index, "a chunk cannot be finished yet"),
                }
            }
            Report::Ended { reason, ledger, lost_samples } => {
                let error = ledger.end.as_ref().and_then(|(_, _, error)| error.clone());
                return Ok(Recorded { ledger: *ledger, chunks, reason, error, unfinished: None, lost_samples });
            }
        }
    }
    Err(RecordError::Worker)
}

fn opening(plan: &Plan, pause_mode: PauseMode) -> Opening {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    // Monotonic time since boot, as the kernel tells it: the journal is of no use to another boot's clock.
    let uptime = read("/proc/uptime");
    let uptime = uptime.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    Opening {
        version: VERSION,
        recording_id: uuid::Uuid::new_v4(),
        call_id: uuid::Uuid::new_v4(),
        graph: plan.name.clone(),
        content: plan.media.content().as_str().to_owned(),
        channel_type: plan.media.channel().as_str().to_owned(),
        format: plan.media.format().extension().to_owned(),
        pause_mode,
        started_at: jiff::Timestamp::now(),
        boot_id: read("/proc/sys/kernel/random/boot_id").trim().to_owned(),
        monotonic_zero: Duration::try_from_secs_f64(uptime).unwrap_or_default(),
    }
}
