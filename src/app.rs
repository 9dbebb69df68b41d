//! The composition root: puts rooms together for a command. Decides nothing that a room could.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::engine::{Clock, EngineError, LiveClock, Participant, Recording, Report, Script, Setup, VirtualClock, run};
use crate::graph::{Limits, Plan};
use crate::model::{Blame, EndReason, PauseMode};
use crate::pipeline::Options;
use crate::session::journal::VERSION;
use crate::session::{Journal, JournalError, Ledger, Opening};
use crate::storage::{Finalised, Spool, StorageError, finalise, finish_rest};

/// Reports that may wait for the finaliser. Of one chunk there are a handful; where so many wait all the same, the
/// recording waits for the disk.
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

impl RecordError {
    /// Returns whether who asked has asked for what the graph cannot do.
    pub fn is_callers(&self) -> bool {
        matches!(self, Self::Engine(EngineError::Pipeline(error)) if error.blame() == Blame::Caller)
    }
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
    progress: impl FnMut(Duration),
) -> Result<Recorded, RecordError> {
    let plan = Arc::new(request.plan);
    let extension = plan.media.format().extension().to_owned();
    let (spool, _lock) = Spool::claim(&request.out, &plan.name, &extension)?;
    let journal = Journal::create(&spool.journal()).inspect_err(|_| spool.discard())?;
    let chunk_spool = spool.clone();
    let options = Options {
        chunk_file: Box::new(move |index| chunk_spool.chunk(index)),
        limits: request.limits,
        pause_mode: request.pause_mode,
        reserved_channels: request.participants.iter().filter_map(|participant| participant.pin).collect(),
    };
    let zero = Instant::now();
    let opening = opening(&plan, request.pause_mode);
    let ledger = Ledger::new(opening.clone());
    let setup = Setup { plan, options, opening, journal, close_deadline: request.config.close_timeout };
    // The journal's name first: whatever is recorded is of no use without it.
    let begun = spool.sync().map_err(RecordError::from).and_then(|()| Ok(Recording::begin(setup)?));
    let mut recording = begun.inspect_err(|_| spool.discard())?;
    let script = Script {
        participants: request.participants,
        pauses: request.pauses,
        duration: request.duration,
        tick: request.config.tick,
    };
    let (sender, reports) = mpsc::sync_channel(REPORTS_MAX);
    let real_time = request.real_time;
    let worker = std::thread::Builder::new().name("reel-worker-0".to_owned()).spawn(move || {
        let mut clock: Box<dyn Clock> =
            if real_time { Box::new(LiveClock::since(zero)) } else { Box::new(VirtualClock) };
        // Whoever finalises is there until this thread ends. Nobody must wait so that progress can be shown.
        run(&mut recording, script, clock.as_mut(), &*go_on, |report| match report {
            Report::Progress(_) => drop(sender.try_send(report)),
            _ => drop(sender.send(report)),
        });
    });
    let worker = worker.map_err(RecordError::Thread)?;
    let ended = follow(&spool, ledger, reports, progress);
    if worker.join().is_err() {
        return Err(RecordError::Worker);
    }
    let (mut recorded, failed) = ended?;
    finish(&spool, &mut recorded, failed);
    Ok(recorded)
}

/// Chunks that could not be finished when they were completed, and why.
type Failed = Vec<(u32, StorageError)>;

/// Finishes what the end of the recording has left in the spool, and takes the spool away.
fn finish(spool: &Spool, recorded: &mut Recorded, failed: Failed) {
    let finished = finish_rest(spool, &mut recorded.ledger, &mut recorded.chunks).and_then(|()| {
        // In its place, but it may not be on the disk.
        let is_missing = |index: &u32| recorded.chunks.iter().all(|chunk| chunk.media.index != *index);
        failed.into_iter().find(|(index, _)| is_missing(index)).map_or(Ok(()), |(_, error)| Err(error))
    });
    if let Err(error) = finished.and_then(|()| spool.remove()) {
        recorded.unfinished = Some(error.to_string());
    } else if recorded.chunks.is_empty() && recorded.error.is_none() {
        recorded.reason = EndReason::Failed;
        recorded.error = Some("the graph has written no file".to_owned());
    }
}

/// Finalises chunks as they are completed, until the recording has ended.
fn follow(
    spool: &Spool,
    mut ledger: Ledger,
    reports: mpsc::Receiver<Report>,
    mut progress: impl FnMut(Duration),
) -> Result<(Recorded, Failed), RecordError> {
    let (mut chunks, mut failed) = (Vec::new(), Failed::new());
    while let Ok(report) = reports.recv() {
        match report {
            Report::Progress(horizon) => progress(horizon),
            Report::Entry(entry) => ledger.apply(&entry),
            Report::ChunkComplete { index, only } => {
                let media = ledger.chunks.get(&index).and_then(|row| row.media.clone());
                match media.map_or(Ok(None), |media| finalise(spool, &ledger, media, only)) {
                    Ok(finalised) => chunks.extend(finalised),
                    // It is tried again at the end, when the disk may have room.
                    Err(error) => {
                        tracing::warn!(%error, index, "a chunk cannot be finished yet");
                        failed.push((index, error));
                    }
                }
            }
            Report::Ended { reason, lost_samples } => {
                let error = ledger.end.as_ref().and_then(|(_, _, error)| error.clone());
                return Ok((Recorded { ledger, chunks, reason, error, unfinished: None, lost_samples }, failed));
            }
        }
    }
    Err(RecordError::Worker)
}

fn opening(plan: &Plan, pause_mode: PauseMode) -> Opening {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let monotonic = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
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
        monotonic_zero: Duration::try_from(monotonic).unwrap_or_default(),
    }
}
