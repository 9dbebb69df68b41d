//! One measurement: a recorder that records so many calls, after it has warmed up, for a while.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use std::time::Instant;

use reelgraph::media::HOLD;
use serde_json::Value;

use crate::child::Child;
use crate::child::wait_for;
use crate::ffmpeg::Ffmpeg;
use crate::process::Used;
use crate::process::kernel_drops;
use crate::sender::Senders;
use crate::workload::Workload;

/// A datagram of each party must have come by then.
const ARRIVAL: Duration = Duration::from_secs(30);

/// How long recorders that tell nothing are given until senders have begun.
const SENDERS: Duration = Duration::from_secs(2);

/// Datagrams of a party after which its sender has begun.
const BEGUN: u64 = 10;

/// Samples of a packet at 16 kHz.
const PACKET: u64 = 320;

/// Packets of a party, each second.
const PACKETS_PER_SECOND: f64 = 50.0;

/// Who records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorder {
    Ours,
    Stock,
    Ffmpeg,
}

impl Recorder {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "Reelgraph",
            Self::Stock => "stock GStreamer",
            Self::Ffmpeg => "ffmpeg",
        }
    }
}

/// What all measurements have in common.
pub(crate) struct Bench {
    /// Where files go while they are recorded.
    pub(crate) dir: PathBuf,
    pub(crate) speech: PathBuf,
    pub(crate) warm_up: Duration,
    /// How long, and how often that: the cheapest tells what a recorder takes, as the floor is the cheapest of runs.
    pub(crate) window: Duration,
    pub(crate) windows: usize,
    /// Somebody wants it to end.
    pub(crate) stop: Arc<AtomicBool>,
}

/// How late ticks were, in ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lateness {
    pub(crate) p50: u64,
    pub(crate) p999: u64,
    pub(crate) worst: u64,
}

/// What one recorder took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) recorder: Recorder,
    pub(crate) workload: Workload,
    /// How many recordings there were.
    pub(crate) n: usize,
    /// How many were refused.
    pub(crate) n_refused: usize,
    /// How long they were measured.
    pub(crate) held: Duration,
    /// For 20 ms of one recording.
    pub(crate) cpu_us: f64,
    pub(crate) switches_per_second: f64,
    pub(crate) threads: usize,
    pub(crate) bytes: f64,
    pub(crate) lateness: Option<Lateness>,
    pub(crate) kernel_drops: u64,
    /// Of all that was sent, at 16 kHz.
    pub(crate) missing: Option<u64>,
    /// Length of the files, of the time that was recorded.
    pub(crate) kept: f64,
    /// Packets that came in time, of those that senders should have sent.
    pub(crate) came: Option<f64>,
    /// How late the latest packet was sent.
    pub(crate) sent_late: Duration,
}

impl Taken {
    /// Whether all that was sent came, and is in the files: else what it took says nothing.
    pub(crate) fn kept_up(&self) -> bool {
        let is_whole = |share: f64| share > 0.99;
        let is_kept = match self.recorder {
            Recorder::Ours => is_whole(self.kept),
            // Its files begin when the first packets have come.
            Recorder::Stock => self.kept > 0.95,
            Recorder::Ffmpeg => true,
        };
        let is_late = self.lateness.is_some_and(|lateness| u128::from(lateness.p999) >= HOLD.as_millis());
        let is_missing = self.kernel_drops > 0 || self.missing.is_some_and(|missing| missing > 0);
        is_kept && self.came.is_none_or(is_whole) && !is_late && !is_missing && self.n_refused == 0
    }
}

/// A recorder that runs.
enum Running {
    Told(Child),
    Ffmpeg(Ffmpeg),
}

impl Bench {
    /// Lets `n` calls be recorded, and measures what that takes.
    pub(crate) fn measure(&self, recorder: Recorder, workload: Workload, n: usize, port: u16) -> anyhow::Result<Taken> {
        let dir = tempfile::tempdir_in(&self.dir)?;
        let (mut running, started) = Running::start(recorder, workload, n, port, dir.path())?;
        let n = count(&started, "recordings") as usize;
        let pids = running.pids();
        let senders = Senders::start(&self.speech, workload.codec, port, n * workload.parties, dir.path())?;
        let sending = Instant::now();
        running.wait_for_senders();
        std::thread::sleep(self.warm_up);
        let marked = running.mark()?;
        let (begun, before) = (Instant::now(), Used::by(&pids));
        let cpu_us = (0..self.windows).map(|_| self.window_us(&pids, n)).fold(f64::MAX, f64::min);
        let (passed, after) = (begun.elapsed(), Used::by(&pids));
        let said = running.mark()?;
        let last_port = port + (2 * n * workload.parties) as u16;
        let drops = kernel_drops(port..last_port);
        let came = |now: u64| {
            let expected = (n * workload.parties) as f64 * passed.as_secs_f64() * PACKETS_PER_SECOND;
            (now - count(&marked, "received")) as f64 / expected
        };
        let ended = running.stop(sending)?;
        let sent_late = senders.stop();
        let recorded = n as f64 * passed.as_secs_f64();
        let kept = count(&ended, "bytes") as f64 / workload.output.bytes_per_second();
        if let Some(problem) = problem(&ended, n) {
            eprintln!("  {}: {problem}: {ended}", recorder.name());
        }
        Ok(Taken {
            recorder,
            workload,
            n,
            n_refused: count(&started, "refused") as usize,
            held: passed,
            cpu_us,
            switches_per_second: (after.switches - before.switches) as f64 / recorded,
            threads: after.threads,
            bytes: after.resident_bytes.saturating_sub(count(&started, "emptyBytes")) as f64 / n as f64,
            lateness: said.get("ticks").map(|_| Lateness {
                p50: count(&said, "p50"),
                p999: count(&said, "p999"),
                worst: count(&said, "worst"),
            }),
            kernel_drops: drops,
            missing: ended.get("lost").map(|_| missing(&ended, workload)),
            kept: kept / (count(&ended, "recordedNs") as f64 / 1e9),
            came: said.get("received").and_then(Value::as_u64).map(came),
            sent_late,
        })
    }

    /// Lets a window pass; returns the CPU time in µs that 20 ms of one of `n` recordings took in it.
    fn window_us(&self, pids: &[u32], n: usize) -> f64 {
        let (begun, before) = (Instant::now(), Used::by(pids));
        std::thread::sleep(self.window);
        let packets = n as f64 * begun.elapsed().as_secs_f64() * PACKETS_PER_SECOND;
        (Used::by(pids).cpu_ns - before.cpu_ns) as f64 / 1e3 / packets
    }
}

impl Running {
    fn start(recorder: Recorder, workload: Workload, n: usize, port: u16, dir: &Path) -> anyhow::Result<(Self, Value)> {
        let kind = match recorder {
            Recorder::Ours => "ours",
            Recorder::Stock => "stock",
            Recorder::Ffmpeg => {
                let ffmpeg = Ffmpeg::start(workload, n, port, dir)?;
                return Ok((Self::Ffmpeg(ffmpeg), serde_json::json!({ "recordings": n })));
            }
        };
        let args = [kind.to_owned(), workload.key.to_owned(), n.to_string(), port.to_string()];
        let mut child = Child::start(&[&args[..], &[dir.display().to_string()]].concat())?;
        let started = child.answer()?;
        Ok((Self::Told(child), started))
    }

    fn pids(&self) -> Vec<u32> {
        match self {
            Self::Told(child) => vec![child.pid()],
            Self::Ffmpeg(ffmpeg) => ffmpeg.pids(),
        }
    }

    fn mark(&mut self) -> anyhow::Result<Value> {
        match self {
            Self::Told(child) => child.ask("mark"),
            Self::Ffmpeg(_) => Ok(Value::Null),
        }
    }

    /// Waits until all senders have begun, as far as that is known.
    fn wait_for_senders(&mut self) {
        let begun = Instant::now();
        let has_begun = |said: Value| said.get("receivedLeast").and_then(Value::as_u64).is_none_or(|n| n >= BEGUN);
        wait_for(ARRIVAL, || self.mark().is_ok_and(has_begun));
        std::thread::sleep(SENDERS.saturating_sub(begun.elapsed()));
    }

    fn stop(&mut self, sending: Instant) -> anyhow::Result<Value> {
        match self {
            Self::Told(child) => child.ask("stop"),
            Self::Ffmpeg(ffmpeg) => Ok(ffmpeg.stop(sending)),
        }
    }
}

fn count(said: &Value, name: &str) -> u64 {
    said.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Samples that were sent and are not in the files, or not in their place.
fn missing(ended: &Value, workload: Workload) -> u64 {
    let packets: u64 = ["lost", "late", "overflow"].iter().map(|name| count(ended, name)).sum();
    let of_decoder = count(ended, "overlapping") * if workload.codec.clock_rate() == 8_000 { 2 } else { 1 };
    packets * PACKET + of_decoder + count(ended, "lostSamples")
}

/// Returns what is wrong with how recordings ended, if anything is.
fn problem(ended: &Value, n: usize) -> Option<&'static str> {
    match ended.get("ended").and_then(Value::as_u64) {
        Some(n_ended) if n_ended != n as u64 => Some("not all recordings ended"),
        _ if count(ended, "givenUp") > 0 => Some("recordings were given up"),
        _ => None,
    }
}

const _: () = assert!(PACKET * 50 == 16_000);
