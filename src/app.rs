//! The composition root: puts rooms together for a command. Decides nothing that a room could.

pub mod fsck;
mod graphs;
mod names;
mod observe;
mod reload;
mod rules;
pub mod serve;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::config::EngineSettings;
use crate::engine::{Engine, EngineError, Job, Participant, Report, Script, Start, Ticks, Until};
use crate::engine::{Settings, TrackCounts, run};
use crate::graph::{Limits, Plan};
use crate::model::{EndReason, ParticipantNumber, PauseMode};
use crate::pipeline::Levels;
use crate::session::Ledger;
use crate::storage::{BeginError, Begun, Ended, Finalised, Finisher, NewRecording, StorageError, begin};

/// Reports that may wait for the finaliser. Of one chunk there are a handful; where so many wait all the same, a
/// recording that has all its media waits for the disk, and a live one keeps them for later.
const REPORTS_MAX: usize = 1024;

/// How often a live recording is asked whether it is to go on.
const ASK: Duration = Duration::from_millis(50);

/// How time passes in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as the machine can: all media is there.
    Virtual,
    /// As a call happens, and behind it by `hold`, in which late packets find their place.
    Live {
        /// How far behind.
        hold: Duration,
    },
}

/// A recording to be made.
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
    /// How time passes.
    pub pace: Pace,
    /// How it is run.
    pub settings: EngineSettings,
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
    /// What became of everybody's media.
    pub tracks: BTreeMap<ParticipantNumber, TrackCounts>,
    /// How ticks went, of a live recording.
    pub ticks: Option<Ticks>,
}

/// Why a recording could not be made at all. Reads after "failed to record: ".
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It did not begin.
    #[error(transparent)]
    Begin(#[from] BeginError),
    /// The files.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No worker takes it.
    #[error(transparent)]
    Engine(#[from] EngineError),
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
        matches!(self, Self::Begin(error) if error.is_callers())
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
    progress: impl FnMut(Duration, &Levels),
) -> Result<Recorded, RecordError> {
    let new = NewRecording {
        plan: Arc::new(request.plan),
        limits: request.limits,
        pause_mode: request.pause_mode,
        reserved_channels: request.participants.iter().filter_map(|participant| participant.pin).collect(),
        close_deadline: request.settings.close_timeout,
        recording_id: uuid::Uuid::new_v4(),
        call_id: uuid::Uuid::new_v4(),
        owner: None,
        first_chunk: 0,
    };
    let Begun { recording, finisher, spool, lock: _lock, zero_ns } = begin(new, &request.out, None)?;
    let until = request.duration.map_or(Until::MediaEnds, Until::Time);
    let script = Script { participants: request.participants, pauses: request.pauses, until };
    let job = Job::new(recording, script, zero_ns);
    match request.pace {
        Pace::Virtual => record_all(finisher, job, request.settings.tick, go_on, progress),
        Pace::Live { hold } => {
            let (reports_to, reports) = mpsc::sync_channel(REPORTS_MAX);
            let directory = spool.open()?;
            let start = Start { job, zero_ns, hold, reports: Box::new(reports_to), directory };
            record_live(finisher, start, reports, request.settings, &*go_on, progress)
        }
    }
}

/// Makes a recording whose media is all there, on a thread of its own; chunks are finalised on the caller's.
fn record_all(
    finisher: Finisher,
    mut job: Job,
    tick: Duration,
    go_on: Arc<dyn Fn() -> bool + Send + Sync>,
    progress: impl FnMut(Duration, &Levels),
) -> Result<Recorded, RecordError> {
    let (sender, reports) = mpsc::sync_channel(REPORTS_MAX);
    let worker = std::thread::Builder::new().name("reel-worker-0".to_owned()).spawn(move || {
        // Whoever finalises is there until this thread ends. Nobody must wait so that progress can be shown.
        run(&mut job, tick, &*go_on, |report| match report {
            Report::Progress { .. } => drop(sender.try_send(report)),
            _ => drop(sender.send(report)),
        });
    });
    let worker = worker.map_err(RecordError::Thread)?;
    let recorded = follow(finisher, &reports, progress, || ());
    if worker.join().is_err() {
        return Err(RecordError::Worker);
    }
    recorded
}

/// Makes a recording of what happens now.
fn record_live(
    finisher: Finisher,
    start: Start,
    reports: mpsc::Receiver<Report>,
    settings: EngineSettings,
    go_on: &dyn Fn() -> bool,
    progress: impl FnMut(Duration, &Levels),
) -> Result<Recorded, RecordError> {
    let engine = Engine::start(Settings { workers: 1, tick: settings.tick, stall: settings.stall_timeout })?;
    let handle = engine.record(start)?;
    let stop_when_asked = || {
        if !go_on() {
            handle.stop();
        }
    };
    let recorded = follow(finisher, &reports, progress, stop_when_asked)?;
    Ok(Recorded { ticks: Some(engine.ticks()), ..recorded })
}

/// Finalises chunks as they are completed, until the recording has ended. `ask` is called now and then.
fn follow(
    mut finisher: Finisher,
    reports: &mpsc::Receiver<Report>,
    mut progress: impl FnMut(Duration, &Levels),
    ask: impl Fn(),
) -> Result<Recorded, RecordError> {
    loop {
        ask();
        let report = match reports.recv_timeout(ASK) {
            Ok(report) => report,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Err(RecordError::Worker),
        };
        if let Report::Progress { at, levels, .. } = &report {
            progress(*at, levels);
        }
        if let Some(Ended { reason, error, unfinished, lost_samples, tracks }) = finisher.on(report)? {
            let (ledger, chunks) = finisher.into_parts();
            let ticks = None;
            return Ok(Recorded { ledger, chunks, reason, error, unfinished, lost_samples, tracks, ticks });
        }
    }
}
