//! Begins a recording, and gives it to a worker. Blocks on the disk, and on elements that are built.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::channel;

use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Handle;
use crate::engine::Job;
use crate::engine::Participant;
use crate::engine::Report;
use crate::engine::Script;
use crate::engine::Source;
use crate::engine::Start;
use crate::engine::Until;
use crate::graph::Plan;
use crate::media::HOLD;
use crate::media::Track;
use crate::model::PauseMode;
use crate::session::Owner;
use crate::storage;
use crate::storage::Begun;
use crate::storage::Finisher;
use crate::storage::Lock;
use crate::storage::NewRecording;
use crate::supervisor::Refusal;
use crate::supervisor::follow::REPORTS_MAX;
use crate::supervisor::follow::Told;
use crate::supervisor::input::Begin;
use crate::supervisor::input::Member;

/// A recording that runs.
pub(super) struct Started {
    pub(super) handle: Handle,
    pub(super) finisher: Finisher,
    pub(super) lock: Lock,
    pub(super) reports: Receiver<Report>,
}

/// Begins what was asked for, in a directory of its own. Where it does not begin the directory may be left.
pub(super) fn begin(
    asked: Begin,
    plan: Arc<Plan>,
    members: Vec<(Member, Arc<Mutex<Track>>)>,
    dir: &Path,
    close_deadline: Duration,
    engine: &Engine,
) -> Result<Started, Refusal> {
    let new = NewRecording {
        limits: plan.limits,
        plan,
        pause_mode: PauseMode::Skip,
        reserved_channels: asked.pins,
        close_deadline,
        recording_id: asked.recording.0,
        call_id: asked.call.0,
        first_chunk: asked.first_chunk,
        owner: Some(Owner { resource: asked.resource.0, region: asked.region }),
    };
    let begun = storage::begin(new, dir, Some(asked.at_ns)).map_err(|error| match error.is_callers() {
        true => Refusal::NoGraph(error.to_string()),
        false => Refusal::Failed(error.to_string()),
    })?;
    let Begun { recording, finisher, spool, lock, zero_ns } = begun;
    let participant = |(member, track): (Member, Arc<Mutex<Track>>)| Participant {
        name: member.id,
        source: Source::Live(track),
        join: Duration::ZERO,
        leave: None,
        pin: member.pin,
    };
    let participants = members.into_iter().map(participant).collect();
    let pauses = if asked.paused { vec![(Duration::ZERO, Duration::MAX)] } else { Vec::new() };
    let job = Job::new(recording, Script { participants, pauses, until: Until::Stopped }, zero_ns);
    let directory = spool.open().map_err(|error| Refusal::Failed(error.to_string()))?;
    let (sender, reports) = channel(REPORTS_MAX);
    let start = Start { job, zero_ns, hold: HOLD, reports: Box::new(Told(sender)), directory };
    let handle = engine.record(start).map_err(|error| match error {
        EngineError::NoCapacity => Refusal::NoCapacity(error.to_string()),
        error => Refusal::Failed(error.to_string()),
    })?;
    Ok(Started { handle, finisher, lock, reports })
}
