//! A recording begins: its directory, its journal, its pipeline. Blocks on the disk.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::engine::EngineError;
use crate::engine::Recording;
use crate::engine::Setup;
use crate::engine::clock::monotonic_ns;
use crate::graph::Limits;
use crate::graph::Plan;
use crate::model::Blame;
use crate::model::PauseMode;
use crate::pipeline::Options;
use crate::session::Journal;
use crate::session::JournalError;
use crate::session::Opening;
use crate::session::Owner;
use crate::session::journal::VERSION;
use crate::storage::Finisher;
use crate::storage::Lock;
use crate::storage::Spool;
use crate::storage::StorageError;

/// What is to be recorded, and as what.
pub struct NewRecording {
    /// What.
    pub plan: Arc<Plan>,
    /// When a chunk ends.
    pub limits: Limits,
    /// What a pause leaves.
    pub pause_mode: PauseMode,
    /// Channels that are kept for somebody.
    pub reserved_channels: Vec<u32>,
    /// Longest wait for the last chunk.
    pub close_deadline: Duration,
    /// Id of the recording.
    pub recording_id: Uuid,
    /// Id of its call.
    pub call_id: Uuid,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Chunks that it has already.
    pub first_chunk: u32,
}

/// A recording that has begun.
pub struct Begun {
    /// To be ticked.
    pub recording: Recording,
    /// To be told what happens.
    pub finisher: Finisher,
    /// Where its files are.
    pub spool: Spool,
    /// Keeps others away from it.
    pub lock: Lock,
    /// Recording time zero, in ns of the monotonic clock.
    pub zero_ns: i64,
}

/// Why a recording did not begin; nothing of it is left. Reads after "failed to record: ".
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The files.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The pipeline.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl BeginError {
    /// Returns whether who asked has asked for what the graph cannot do.
    pub fn is_callers(&self) -> bool {
        matches!(self, Self::Engine(EngineError::Pipeline(error)) if error.blame() == Blame::Caller)
    }
}

/// Begins a recording whose files go to `out`. Recording time zero is now, or when it was asked for, if that is told.
///
/// # Errors
///
/// Nothing of it could be recorded.
pub fn begin(new: NewRecording, out: &Path, asked_ns: Option<i64>) -> Result<Begun, BeginError> {
    let NewRecording { plan, limits, pause_mode, reserved_channels, close_deadline, .. } = &new;
    let (spool, lock) = Spool::claim(out, &plan.name, plan.media.format().extension())?;
    let journal = Journal::create(&spool.journal()).inspect_err(|_| spool.discard())?;
    let chunk_spool = spool.clone();
    let options = Options {
        chunk_file: Box::new(move |index| chunk_spool.chunk(index)),
        limits: *limits,
        pause_mode: *pause_mode,
        reserved_channels: reserved_channels.clone(),
    };
    let zero_ns = asked_ns.unwrap_or_else(monotonic_ns);
    let opening = opening(&new, zero_ns);
    let finisher = Finisher::new(spool.clone(), opening.clone());
    let setup = Setup { plan: Arc::clone(plan), options, opening, journal, close_deadline: *close_deadline };
    // The journal's name first: whatever is recorded is of no use without it.
    let begun = spool.sync().map_err(BeginError::from).and_then(|()| Ok(Recording::begin(setup)?));
    let recording = begun.inspect_err(|_| spool.discard())?;
    Ok(Begun { recording, finisher, spool, lock, zero_ns })
}

/// What the name of a directory ends in that is being taken away: where that is interrupted it is no part any more.
pub(super) const GONE: &str = ".gone";

/// Takes away a directory that nothing but one recording was in: it never began, or all of it is somewhere else.
pub fn discard_dir(dir: &Path) {
    let mut gone = dir.to_owned();
    if dir.extension().is_none_or(|extension| extension != &GONE[1..]) {
        gone.as_mut_os_string().push(GONE);
    }
    // Where it cannot be renamed it cannot be taken away, either.
    let taken = if gone == dir { Ok(()) } else { std::fs::rename(dir, &gone) };
    match taken.and_then(|()| std::fs::remove_dir_all(&gone)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, "the directory of a recording stays")
        }
        _ => (),
    }
}

fn opening(new: &NewRecording, zero_ns: i64) -> Opening {
    let NewRecording { plan, pause_mode, recording_id, call_id, owner, first_chunk, .. } = new;
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let since_zero = Duration::from_nanos(u64::try_from(monotonic_ns().saturating_sub(zero_ns)).unwrap_or(0));
    Opening {
        version: VERSION,
        recording_id: *recording_id,
        call_id: *call_id,
        owner: owner.clone().map(Box::new),
        first_chunk: *first_chunk,
        graph: plan.name.clone(),
        content: plan.media.content().as_str().to_owned(),
        channel_type: plan.media.channel().as_str().to_owned(),
        format: plan.media.format().extension().to_owned(),
        pause_mode: *pause_mode,
        started_at: jiff::Timestamp::now().checked_sub(since_zero).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        boot_id: boot_id.trim().to_owned(),
        monotonic_zero: Duration::from_nanos(zero_ns.unsigned_abs()),
    }
}
