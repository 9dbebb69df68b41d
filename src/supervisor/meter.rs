//! What recordings do, counted for whoever watches the service. Told by the task, by those who follow recordings; asked
//! by who scrapes it. Decides nothing.
//!
//! Nothing is counted by packet or by tick: a recording tells once a second, and what became of packets is read from
//! tracks when somebody asks.

mod labels;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::catalog::RecordingRow;
use crate::catalog::Update;
use crate::engine;
use crate::engine::Counts;
use crate::engine::Report;
use crate::engine::clock::monotonic_ns;
use crate::media::Stats;
use crate::media::Track;
use crate::media::lock;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::pipeline::Levels;
use crate::session::Entry;
use crate::supervisor::input::Change;
use crate::supervisor::input::Effect;
use crate::supervisor::input::Input;
use crate::supervisor::input::MemberKey;
use crate::supervisor::input::Note;
use crate::supervisor::meter::labels::FileFormat;
use crate::supervisor::meter::labels::Outcome;
use crate::supervisor::meter::labels::Phase;
use crate::telemetry::Counters;
use crate::telemetry::Gauges;
use crate::telemetry::Histograms;
use crate::telemetry::Label;
use crate::telemetry::Metric;
use crate::telemetry::Registry;
use crate::telemetry::SECONDS;

/// Pauses and resumes of one recording that have not taken effect. They do within the hold.
const CHANGES_MAX: usize = 1_024;

/// A recording that has not ended.
#[derive(Default)]
struct Recording {
    graph: String,
    handle: Option<engine::Handle>,
    is_stopping: bool,
    is_paused: bool,
    asked_ns: i64,
    stopped_ns: Option<i64>,
    /// The most that was told of it.
    counts: Counts,
    /// When pauses and resumes were asked for that have not taken effect.
    changes: VecDeque<i64>,
    /// How loud everybody was in the last tick.
    levels: Levels,
}

impl Recording {
    fn phase(&self) -> Phase {
        match (self.is_stopping, self.is_paused, &self.handle) {
            (true, ..) => Phase::Stopping,
            (false, _, None) => Phase::Starting,
            (false, true, Some(_)) => Phase::Paused,
            (false, false, Some(_)) => Phase::Active,
        }
    }
}

/// What is there now. Its lock is taken before those of tracks.
#[derive(Default)]
struct Known {
    recordings: HashMap<RecordingId, Recording>,
    tracks: HashMap<MemberKey, Arc<Mutex<Track>>>,
    /// What became of the packets of tracks that are closed.
    closed: Stats,
}

/// Counts what recordings do, and knows those that run.
pub struct Meter {
    known: Arc<Mutex<Known>>,
    started: Counters<FileFormat>,
    ended: Counters<EndReason>,
    stored: Counters<FileFormat>,
    stored_bytes: Counters<()>,
    start: Histograms<()>,
    pause_error: Histograms<()>,
    ready: Histograms<()>,
    recorded: Counters<()>,
    paused: Counters<()>,
    concealed: Counters<()>,
    silent: Counters<()>,
    lost: Counters<()>,
    refused_rules: Counters<()>,
    catalog_behind: Gauges<()>,
}

impl Meter {
    /// Registers all that recordings are counted by.
    pub fn register(registry: &Registry) -> Arc<Self> {
        let known = Arc::<Mutex<Known>>::default();
        let of = Arc::clone(&known);
        registry.read(Metric::RecordingsActive, move || {
            let known = known_of(&of);
            let n = |phase| known.recordings.values().filter(|recording| recording.phase() == phase).count();
            Phase::ALL.iter().map(|phase| (*phase, n(*phase) as f64)).collect()
        });
        let packets = |read: fn(&Stats) -> u64| {
            let of = Arc::clone(&known);
            move || read(&packets_of(&of)) as f64
        };
        registry.read_one(Metric::PacketsReceived, packets(|stats| stats.received));
        let (lost, most) = (packets(|stats| stats.lost), Mutex::new(0.0_f64));
        // One that came late after all is lost no more, and a counter must not shrink.
        registry.read_one(Metric::PacketsLost, move || {
            let mut most = most.lock().unwrap_or_else(PoisonError::into_inner);
            *most = most.max(lost());
            *most
        });
        registry.read_one(Metric::KernelDrops, packets(|stats| stats.kernel_drops));
        let of = Arc::clone(&known);
        registry.read(Metric::Packets, move || {
            let stats = packets_of(&of);
            Outcome::ALL.iter().map(|outcome| (*outcome, outcome.count(&stats) as f64)).collect()
        });
        Arc::new(Self {
            known,
            started: registry.counters(Metric::RecordingsStarted),
            ended: registry.counters(Metric::RecordingsEnded),
            stored: registry.counters(Metric::ChunksStored),
            stored_bytes: registry.counters(Metric::StoredBytes),
            start: registry.histograms(Metric::RecordingStart, SECONDS),
            pause_error: registry.histograms(Metric::PauseEffectError, SECONDS),
            ready: registry.histograms(Metric::RecordingReady, SECONDS),
            recorded: registry.counters(Metric::RecordedSeconds),
            paused: registry.counters(Metric::PausedSeconds),
            concealed: registry.counters(Metric::ConcealedSeconds),
            silent: registry.counters(Metric::SilentSeconds),
            lost: registry.counters(Metric::LostSeconds),
            refused_rules: registry.counters(Metric::AutoRecordRefusals),
            catalog_behind: registry.gauges(Metric::CatalogBehind),
        })
    }

    /// Returns the pipeline of a recording that runs, as GStreamer's own tools draw it. No recording waits for it.
    pub fn dot(&self, recording: RecordingId) -> Option<String> {
        let handle = self.known().recordings.get(&recording)?.handle.clone();
        handle?.dot()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        known_of(&self.known)
    }

    /// Takes note of what has happened.
    pub(super) fn happened(&self, input: &Input) {
        match input {
            Input::Begun { recording, begun: Err(_) } => drop(self.known().recordings.remove(recording)),
            Input::Stopped { recording } => self.stopped(*recording, monotonic_ns()),
            _ => (),
        }
    }

    /// Takes note of what was decided.
    pub(super) fn decided(&self, effect: &Effect) {
        match effect {
            Effect::Begin(begin) => {
                let (graph, is_paused, asked_ns) = (begin.graph.clone(), begin.paused, begin.at_ns);
                let recording = Recording { graph, is_paused, asked_ns, ..Recording::default() };
                self.known().recordings.insert(begin.recording, recording);
            }
            Effect::Change { recording, at_ns, change: change @ (Change::Pause | Change::Resume) } => {
                if let Some(known) = self.known().recordings.get_mut(recording) {
                    known.is_paused = *change == Change::Pause;
                    if known.changes.len() < CHANGES_MAX {
                        known.changes.push_back(*at_ns);
                    }
                }
            }
            Effect::Save(Update::Recording(row)) => self.ended(row),
            Effect::Save(Update::Chunk(row)) => {
                self.stored.add(FileFormat::of(&row.format), 1.0);
                self.stored_bytes.add((), row.size as f64);
            }
            Effect::Note(Note::NotRecorded { .. }) => self.refused_rules.add((), 1.0),
            Effect::Stop { recording, at_ns, .. } => self.stopped(*recording, *at_ns),
            Effect::CloseTrack(key) => {
                let mut known = self.known();
                if let Some(track) = known.tracks.remove(key) {
                    let mut stats = lock(&track).stats();
                    // What was still on its way to a recording has come to none.
                    let n_settled: u64 = Outcome::ALL.iter().map(|outcome| outcome.count(&stats)).sum();
                    stats.unrecorded += stats.received.saturating_sub(n_settled);
                    known.closed.add(&stats);
                }
            }
            _ => (),
        }
    }

    /// Takes note of a recording that a worker has taken.
    pub(super) fn began(&self, recording: RecordingId, handle: &engine::Handle) {
        let mut known = self.known();
        let Some(known) = known.recordings.get_mut(&recording) else { return };
        known.handle = Some(handle.clone());
        self.started.add(FileFormat::of_graph(&known.graph), 1.0);
        self.start.observe((), seconds_since(known.asked_ns));
    }

    /// Takes note of a track that is heard from now on.
    pub(super) fn opened(&self, key: MemberKey, track: Option<Arc<Mutex<Track>>>) {
        self.known().tracks.extend(track.map(|track| (key, track)));
    }

    /// Takes note of whether the catalog is behind.
    pub(super) fn catalog(&self, is_behind: bool) {
        self.catalog_behind.set((), f64::from(u8::from(is_behind)));
    }

    /// Returns how loud everybody was in the last tick of a recording.
    pub fn levels(&self, recording: RecordingId) -> Levels {
        self.known().recordings.get(&recording).map(|known| known.levels.clone()).unwrap_or_default()
    }

    /// Takes note of what a recording tells.
    pub(super) fn told(&self, recording: RecordingId, report: &Report) {
        let mut known = self.known();
        let Some(known) = known.recordings.get_mut(&recording) else { return };
        if let Report::Progress { levels, .. } = report {
            known.levels.clone_from(levels);
        }
        match report {
            Report::Progress { counts, .. } | Report::Ended { counts, .. } => {
                let most = &mut known.counts;
                // What was silent may be concealed later: only what is more than ever before is counted.
                let grown = |counter: &Counters<()>, most: &mut Duration, now: Duration| {
                    counter.add((), now.saturating_sub(*most).as_secs_f64());
                    *most = now.max(*most);
                };
                grown(&self.recorded, &mut most.recorded, counts.recorded);
                grown(&self.paused, &mut most.paused, counts.paused);
                grown(&self.concealed, &mut most.concealed, counts.concealed);
                grown(&self.silent, &mut most.silent, counts.silent);
                grown(&self.lost, &mut most.lost, counts.lost);
            }
            Report::Entry(Entry::Paused { at } | Entry::Resumed { at }) => {
                // One that begins paused was not asked to pause.
                let Some(asked_ns) = known.changes.pop_front() else { return };
                let asked = u64::try_from(asked_ns - known.asked_ns).map_or(Duration::ZERO, Duration::from_nanos);
                self.pause_error.observe((), at.saturating_sub(asked).as_secs_f64());
            }
            _ => (),
        }
    }

    /// A recording is saved with its end once, when all that could be is stored.
    fn ended(&self, row: &RecordingRow) {
        let Some(end) = &row.end else { return };
        let stopped_ns = self.known().recordings.remove(&row.id).and_then(|known| known.stopped_ns);
        if let Some(stopped_ns) = stopped_ns {
            self.ready.observe((), seconds_since(stopped_ns));
        }
        self.ended.add(end.reason, 1.0);
    }

    fn stopped(&self, recording: RecordingId, at_ns: i64) {
        if let Some(known) = self.known().recordings.get_mut(&recording) {
            known.is_stopping = true;
            known.stopped_ns.get_or_insert(at_ns);
        }
    }
}

/// Also where somebody has panicked with it: what is counted is no reason to record nothing.
fn known_of(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns what became of all packets. Each track is locked for as long as it is read.
fn packets_of(known: &Mutex<Known>) -> Stats {
    let (tracks, mut stats): (Vec<_>, _) = {
        let known = known_of(known);
        (known.tracks.values().cloned().collect(), known.closed)
    };
    tracks.iter().for_each(|track| stats.add(&lock(track).stats()));
    stats
}

fn seconds_since(at_ns: i64) -> f64 {
    Duration::from_nanos(u64::try_from(monotonic_ns() - at_ns).unwrap_or(0)).as_secs_f64()
}

#[cfg(test)]
mod tests;
