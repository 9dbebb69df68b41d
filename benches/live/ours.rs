//! Reelgraph as a recorder: so many recordings on one engine, as a server will have them, in a process of its own.
//!
//! It finalises nothing: what is measured is recording.

use std::io::BufRead;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;
use reelgraph::config::Config;
use reelgraph::config::EngineSettings;
use reelgraph::engine::Engine;
use reelgraph::engine::EngineError;
use reelgraph::engine::Handle;
use reelgraph::engine::Job;
use reelgraph::engine::Participant;
use reelgraph::engine::Recording;
use reelgraph::engine::Report;
use reelgraph::engine::Script;
use reelgraph::engine::Settings;
use reelgraph::engine::Setup;
use reelgraph::engine::Source;
use reelgraph::engine::Start;
use reelgraph::engine::Ticks;
use reelgraph::engine::Until;
use reelgraph::engine::clock::monotonic_ns;
use reelgraph::graph;
use reelgraph::graph::Plan;
use reelgraph::graph::shipped::shipped;
use reelgraph::ingest::rtp::Port;
use reelgraph::ingest::rtp::Readers;
use reelgraph::media;
use reelgraph::media::HOLD;
use reelgraph::media::Payloads;
use reelgraph::media::Track;
use reelgraph::model::PauseMode;
use reelgraph::pipeline::Installed;
use reelgraph::pipeline::Options;
use reelgraph::session::Journal;
use reelgraph::session::Opening;
use reelgraph::session::journal::VERSION;
use reelgraph::storage::Lock;
use reelgraph::storage::Spool;
use serde_json::json;

use crate::child::say;
use crate::process::Used;
use crate::workload::Workload;

/// Reports on their way to the one thread that takes them.
const REPORTS_MAX: usize = 65_536;

/// How often a recording is tried that is refused, and how long between.
const RETRIES: usize = 10;
const RETRY: Duration = Duration::from_millis(500);

/// Recordings that say nothing for so long say nothing any more.
const SILENCE: Duration = Duration::from_secs(60);

/// What recordings have told when they ended.
#[derive(Debug, Default)]
struct Told {
    n_ended: usize,
    n_given_up: usize,
    stats: media::Stats,
    overlapping: u64,
    concealed: u64,
    lost_samples: u64,
}

/// Everything that runs.
struct Recorder {
    workload: Workload,
    plan: Arc<Plan>,
    config: EngineSettings,
    engine: Engine,
    readers: Readers,
    tracks: Vec<Arc<Mutex<Track>>>,
    recordings: Vec<Handle>,
    spools: Vec<(Spool, Lock)>,
    /// When recordings began.
    zeros_ns: Vec<i64>,
    stopped_ns: i64,
    /// Resident before the first recording.
    empty_bytes: u64,
}

/// Records `n` calls that come to `port` and the ports after it, until told to stop.
pub(crate) fn run(workload: Workload, n: usize, port: u16, dir: &Path) -> anyhow::Result<()> {
    let (sender, reports) = mpsc::sync_channel(REPORTS_MAX);
    let told = std::thread::spawn(move || take(&reports));
    let mut recorder = Recorder::start(workload)?;
    let n_refused = recorder.record(n, port, dir, &sender)?;
    drop(sender);
    say(&json!({ "recordings": recorder.recordings.len(), "refused": n_refused, "emptyBytes": recorder.empty_bytes }));
    let mut ticks = Ticks::default();
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "mark" => {
                let now = recorder.engine.ticks();
                recorder.mark(&now.since(&ticks));
                ticks = now;
            }
            _ => break,
        }
    }
    recorder.stop();
    let told = told.join().map_err(|_| anyhow::Error::msg("who takes reports has panicked"))?;
    recorder.end(&told);
    Ok(())
}

/// Takes what all recordings say, on one thread, until all have ended.
fn take(reports: &Receiver<Report>) -> Told {
    let mut told = Told::default();
    while let Ok(report) = reports.recv_timeout(SILENCE) {
        match report {
            Report::Ended { lost_samples, tracks, .. } => {
                told.n_ended += 1;
                told.lost_samples += lost_samples;
                for counts in tracks.values() {
                    told.overlapping += counts.audio.overlapping;
                    told.concealed += counts.audio.concealed;
                    counts.packets.iter().for_each(|packets| told.stats.add(&packets.stats));
                }
            }
            Report::GivenUp(_) => told.n_given_up += 1,
            Report::Progress { .. } | Report::ChunkComplete { .. } | Report::Entry(_) => (),
        }
    }
    told
}

impl Recorder {
    fn start(workload: Workload) -> anyhow::Result<Self> {
        let text = shipped(workload.graph).context("no such graph")?.text;
        let plan = graph::check(workload.graph, text, &Installed).map_err(|e| anyhow::Error::msg(format!("{e:?}")))?;
        let config = Config::default().engine;
        let workers = available_parallelism().map_or(1, usize::from);
        let engine = Engine::start(Settings { workers, tick: config.tick, stall: config.stall_timeout })?;
        let empty_bytes = Used::by(&[std::process::id()]).resident_bytes;
        Ok(Self {
            workload,
            plan: Arc::new(plan),
            config,
            engine,
            readers: Readers::start(workers)?,
            tracks: Vec::new(),
            recordings: Vec::new(),
            spools: Vec::new(),
            zeros_ns: Vec::new(),
            stopped_ns: 0,
            empty_bytes,
        })
    }

    /// Begins `n` recordings; returns how many were refused.
    fn record(&mut self, n: usize, port: u16, dir: &Path, reports: &SyncSender<Report>) -> anyhow::Result<usize> {
        for index in 0..n {
            let first = port + (2 * self.workload.parties * index) as u16;
            let tracks = self.bind(first)?;
            match self.begin_in_time(&tracks, &dir.join(format!("{index:04}")), reports)? {
                Some((handle, zero_ns, spool, lock)) => {
                    self.recordings.push(handle);
                    self.zeros_ns.push(zero_ns);
                    self.spools.push((spool, lock));
                }
                None => return Ok(n - index),
            }
            self.tracks.extend(tracks);
        }
        Ok(0)
    }

    fn bind(&self, first: u16) -> anyhow::Result<Vec<Arc<Mutex<Track>>>> {
        let settings = media::Settings { payloads: Payloads::of(self.workload.codec), source: None, ssrc: None };
        (0..self.workload.parties as u16)
            .map(|party| {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, first + 2 * party));
                let port = Port::bind(address, Arc::new(Mutex::new(Track::new(settings))))?;
                let port = Arc::new(port.with_control());
                self.readers.add(Arc::clone(&port))?;
                Ok(port.track())
            })
            .collect()
    }

    /// As [`Self::begin`], again and again as a client does that is told to come later.
    fn begin_in_time(
        &self,
        tracks: &[Arc<Mutex<Track>>],
        dir: &Path,
        reports: &SyncSender<Report>,
    ) -> anyhow::Result<Option<(Handle, i64, Spool, Lock)>> {
        for turn in 0..RETRIES {
            if let Some(begun) = self.begin(tracks, &dir.join(turn.to_string()), reports)? {
                return Ok(Some(begun));
            }
            std::thread::sleep(RETRY);
        }
        Ok(None)
    }

    /// Begins one recording as the program does; None where the engine has no time for it.
    fn begin(
        &self,
        tracks: &[Arc<Mutex<Track>>],
        dir: &Path,
        reports: &SyncSender<Report>,
    ) -> anyhow::Result<Option<(Handle, i64, Spool, Lock)>> {
        let (spool, lock) = Spool::claim(dir, &self.plan.name, self.workload.output.extension())?;
        let journal = Journal::create(&spool.journal())?;
        let chunks = spool.clone();
        let options = Options {
            chunk_file: Box::new(move |index| chunks.chunk(index)),
            limits: self.plan.limits,
            pause_mode: PauseMode::Skip,
            reserved_channels: Vec::new(),
        };
        let zero_ns = monotonic_ns();
        let opening = opening(&self.plan, zero_ns);
        let plan = Arc::clone(&self.plan);
        let setup = Setup { plan, options, opening, journal, close_deadline: self.config.close_timeout };
        spool.sync()?;
        let recording = Recording::begin(setup)?;
        let participant = |(number, track): (usize, &Arc<Mutex<Track>>)| Participant {
            name: format!("party-{number}"),
            source: Source::Live(Arc::clone(track)),
            join: Duration::ZERO,
            leave: None,
            pin: None,
        };
        let participants = tracks.iter().enumerate().map(participant).collect();
        let job = Job::new(recording, Script { participants, pauses: Vec::new(), until: Until::MediaEnds }, zero_ns);
        let directory = spool.open()?;
        match self.engine.record(Start { job, zero_ns, hold: HOLD, reports: Box::new(reports.clone()), directory }) {
            Ok(handle) => Ok(Some((handle, zero_ns, spool, lock))),
            Err(EngineError::NoCapacity) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Says what has come so far, and how ticks went since the last time.
    fn mark(&self, ticks: &Ticks) {
        let received = |track: &Arc<Mutex<Track>>| track.lock().unwrap().stats().received;
        let counts: Vec<u64> = self.tracks.iter().map(received).collect();
        say(&json!({
            "received": counts.iter().sum::<u64>(),
            "receivedLeast": counts.iter().min(),
            "ticks": ticks.n,
            "busyNs": ticks.busy_ns,
            "p50": ticks.lateness_ms(0.5),
            "p999": ticks.lateness_ms(0.999),
            "worst": ticks.worst_ns.div_ceil(1_000_000),
        }));
    }

    /// Stops all recordings; the last of their reports is the last one for all.
    fn stop(&mut self) {
        self.stopped_ns = monotonic_ns();
        self.recordings.drain(..).for_each(|handle| handle.stop());
    }

    /// Says what came of it all.
    fn end(&self, told: &Told) {
        let stats = &told.stats;
        let recorded_ns: i64 = self.zeros_ns.iter().map(|zero_ns| self.stopped_ns - zero_ns).sum();
        say(&json!({
            "recordedNs": recorded_ns,
            "ended": told.n_ended,
            "givenUp": told.n_given_up,
            "lost": stats.lost,
            "late": stats.late,
            "overflow": stats.overflow,
            "received": stats.received,
            "placed": stats.placed,
            "duplicate": stats.duplicate,
            "foreign": stats.foreign,
            "kernelDrops": stats.kernel_drops,
            "overlapping": told.overlapping,
            "concealed": told.concealed,
            "lostSamples": told.lost_samples,
            "bytes": self.spools.iter().map(|(spool, _)| length(&spool.chunk(0))).sum::<u64>(),
        }));
    }
}

fn length(path: &PathBuf) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn opening(plan: &Plan, zero_ns: i64) -> Opening {
    Opening {
        version: VERSION,
        recording_id: uuid::Uuid::new_v4(),
        call_id: uuid::Uuid::new_v4(),
        owner: None,
        first_chunk: 0,
        graph: plan.name.clone(),
        content: plan.media.content().as_str().to_owned(),
        channel_type: plan.media.channel().as_str().to_owned(),
        format: plan.media.format().extension().to_owned(),
        pause_mode: PauseMode::Skip,
        started_at: jiff::Timestamp::now(),
        boot_id: String::new(),
        monotonic_zero: Duration::from_nanos(zero_ns.unsigned_abs()),
    }
}
