//! The composition root: puts rooms together for a command. Decides nothing that a room could.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::config::EngineSettings;
use crate::engine::clock::monotonic_ns;
use crate::engine::{Engine, EngineError, Job, Participant, Recording, Report, Script, Setup, Start, Ticks, Until};
use crate::engine::{Settings, TrackCounts, run};
use crate::graph::{Limits, Plan};
use crate::model::{Blame, EndReason, ParticipantNumber, PauseMode};
use crate::pipeline::{Levels, Options};
use crate::session::journal::VERSION;
use crate::session::{Entry, Journal, JournalError, Ledger, Opening};
use crate::storage::{Finalised, Spool, StorageError, finalise, finish_rest};

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
    progress: impl FnMut(Duration, &Levels),
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
    let zero_ns = monotonic_ns();
    let opening = opening(&plan, request.pause_mode, zero_ns);
    let ledger = Ledger::new(opening.clone());
    let setup = Setup { plan, options, opening, journal, close_deadline: request.settings.close_timeout };
    // The journal's name first: whatever is recorded is of no use without it.
    let begun = spool.sync().map_err(RecordError::from).and_then(|()| Ok(Recording::begin(setup)?));
    let recording = begun.inspect_err(|_| spool.discard())?;
    let until = request.duration.map_or(Until::MediaEnds, Until::Time);
    let script = Script { participants: request.participants, pauses: request.pauses, until };
    let job = Job::new(recording, script, zero_ns);
    let (mut recorded, failed) = match request.pace {
        Pace::Virtual => record_all(&spool, ledger, job, request.settings.tick, go_on, progress)?,
        Pace::Live { hold } => {
            let (reports_to, reports) = mpsc::sync_channel(REPORTS_MAX);
            let directory = spool.open()?;
            let start = Start { job, zero_ns, hold, reports: Box::new(reports_to), directory };
            record_live(&spool, ledger, start, reports, request.settings, &*go_on, progress)?
        }
    };
    finish(&spool, &mut recorded, failed);
    Ok(recorded)
}

/// Makes a recording whose media is all there, on a thread of its own; chunks are finalised on the caller's.
fn record_all(
    spool: &Spool,
    ledger: Ledger,
    mut job: Job,
    tick: Duration,
    go_on: Arc<dyn Fn() -> bool + Send + Sync>,
    progress: impl FnMut(Duration, &Levels),
) -> Result<(Recorded, Failed), RecordError> {
    let (sender, reports) = mpsc::sync_channel(REPORTS_MAX);
    let worker = std::thread::Builder::new().name("reel-worker-0".to_owned()).spawn(move || {
        // Whoever finalises is there until this thread ends. Nobody must wait so that progress can be shown.
        run(&mut job, tick, &*go_on, |report| match report {
            Report::Progress { .. } => drop(sender.try_send(report)),
            _ => drop(sender.send(report)),
        });
    });
    let worker = worker.map_err(RecordError::Thread)?;
    let ended = follow(spool, ledger, &reports, progress, || ());
    if worker.join().is_err() {
        return Err(RecordError::Worker);
    }
    ended
}

/// Makes a recording of what happens now.
fn record_live(
    spool: &Spool,
    ledger: Ledger,
    start: Start,
    reports: mpsc::Receiver<Report>,
    settings: EngineSettings,
    go_on: &dyn Fn() -> bool,
    progress: impl FnMut(Duration, &Levels),
) -> Result<(Recorded, Failed), RecordError> {
    let engine = Engine::start(Settings { workers: 1, tick: settings.tick, stall: settings.stall_timeout })?;
    let handle = engine.record(start)?;
    let stop_when_asked = || {
        if !go_on() {
            handle.stop();
        }
    };
    let (mut recorded, failed) = follow(spool, ledger, &reports, progress, stop_when_asked)?;
    recorded.ticks = Some(engine.ticks());
    Ok((recorded, failed))
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

/// Finalises chunks as they are completed, until the recording has ended. `ask` is called now and then.
fn follow(
    spool: &Spool,
    mut ledger: Ledger,
    reports: &mpsc::Receiver<Report>,
    mut progress: impl FnMut(Duration, &Levels),
    ask: impl Fn(),
) -> Result<(Recorded, Failed), RecordError> {
    let (mut chunks, mut failed) = (Vec::new(), Failed::new());
    let (mut horizon, unfinished) = (Duration::ZERO, None);
    loop {
        ask();
        let report = match reports.recv_timeout(ASK) {
            Ok(report) => report,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Err(RecordError::Worker),
        };
        match report {
            Report::Progress { at, levels } => {
                horizon = at;
                progress(at, &levels);
            }
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
            Report::Ended { reason, lost_samples, tracks } => {
                let error = ledger.end.as_ref().and_then(|(_, _, error)| error.clone());
                let ticks = None;
                return Ok((
                    Recorded { ledger, chunks, reason, error, unfinished, lost_samples, tracks, ticks },
                    failed,
                ));
            }
            Report::GivenUp(why) => {
                spool.detach_chunks()?;
                let error = why.to_string();
                ledger.apply(&Entry::Failed { at: horizon, error: error.clone() });
                let (reason, error, tracks, ticks) = (EndReason::Failed, Some(error), BTreeMap::new(), None);
                let end = Entry::Ended { at: horizon, reason, error: error.clone() };
                ledger.apply(&end);
                let lost_samples = 0;
                return Ok((
                    Recorded { ledger, chunks, reason, error, unfinished, lost_samples, tracks, ticks },
                    failed,
                ));
            }
        }
    }
}

fn opening(plan: &Plan, pause_mode: PauseMode, zero_ns: i64) -> Opening {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
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
        monotonic_zero: Duration::from_nanos(zero_ns.unsigned_abs()),
    }
}
