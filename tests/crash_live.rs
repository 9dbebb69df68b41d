//! `kill -9` at any moment of a live call costs a second of media at most, against the packets that had come by then.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use support::judge;
use support::metadata;
use support::ports;
use support::program;
use support::program::Program;
use support::serial;
use support::sound::Random;

/// Recordings of each graph.
const KILLS: usize = 50;

const GRAPHS: [&str; 3] = ["mixed-wav", "mixed-mp3", "unmixed-wav"];

/// Recordings that run at once, each on a sender's port.
const LANES: usize = 6;

/// The latest kill, after recording time zero.
const AFTER_MS_MAX: usize = 3_000;

/// Most that a kill may cost (DESIGN §10): the hold of 400 ms, a tick, what the file holds back, and what is left for a
/// busy machine.
const LOSS_MAX: Duration = Duration::from_secs(1);

/// Of a hundred frames so many are read from an MP3 file at least; from WAV all.
const MP3_READ: usize = 98;

/// Somebody who speaks numbers without end.
struct Sender {
    _program: Program,
    port: u16,
    log: PathBuf,
}

impl Sender {
    fn start(dir: &Path, lane: usize) -> Self {
        let (port, log) = (ports::pair(), dir.join(format!("{lane}.log")));
        let to = format!("rtp://127.0.0.1:{port}");
        let mut command = program::command(["send", "--serial", "--to", &to, "--log"]);
        let mut program = Program::start(command.arg(&log));
        assert!(program.wait_until(|| log.metadata().is_ok_and(|log| log.len() > 0)), "{:?}", program.finish());
        Self { _program: program, port, log }
    }

    /// Returns when each number was sent, by the monotonic clock.
    fn sent(&self) -> BTreeMap<u16, u64> {
        let text = std::fs::read_to_string(&self.log).expect("a log");
        // The last line may be on its way.
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let entry = |line: &str| line.split_once(' ').and_then(|(n, ns)| Some((n.parse().ok()?, ns.parse().ok()?)));
        lines.map(|line| entry(line).expect("a number and a time")).collect()
    }
}

/// A recording that is to be killed.
struct Case {
    graph: &'static str,
    out: PathBuf,
    after: Duration,
}

/// One that was.
struct Killed<'a> {
    case: &'a Case,
    lane: usize,
    /// Recording time zero and the kill, in ns of the monotonic clock.
    zero_ns: u64,
    killed_ns: u64,
}

fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Records a case on a lane until it is killed.
fn kill<'a>(case: &'a Case, lane: usize, port: u16) -> Killed<'a> {
    let Case { graph, out, after } = case;
    let source = format!("caller=rtp://127.0.0.1:{port}?codec=pcmu");
    let mut command = program::command(["record", graph, "--participant", &source, "--out"]);
    let mut recorder = Program::start(command.arg(out));
    let spool = out.join(format!(".reelgraph-{graph}"));
    let has_begun = recorder.wait_until(|| metadata::monotonic_zero_ns(&spool).is_some());
    assert!(has_begun, "{}: {:?}", out.display(), recorder.finish());
    let zero_ns = metadata::monotonic_zero_ns(&spool).expect("it was there");
    let due_ns = zero_ns + after.as_nanos() as u64;
    recorder.wait_until(|| monotonic_ns() >= due_ns);
    let killed_ns = monotonic_ns();
    assert!(recorder.kill(), "{} has ended before", out.display());
    Killed { case, lane, zero_ns, killed_ns }
}

/// Recovers a recording; returns what the kill has cost: the last packet that had been sent, less the last in the file.
#[track_caller]
fn judge(Killed { case, zero_ns, killed_ns, .. }: &Killed<'_>, sent: &BTreeMap<u16, u64>) -> Duration {
    let (graph, out) = (case.graph, &case.out);
    program::run(["recover".as_ref(), out.as_os_str()]).check_code(0);
    let format = graph.rsplit('-').next().unwrap_or_default();
    let files = metadata::finished(out, graph, format);
    let samples: Vec<i16> = files.iter().flat_map(|file| judge::decoded(&file.media)).collect();
    let numbers: Vec<u16> = serial::read(&samples).into_iter().filter_map(|frame| frame.number).collect();
    let name = format!("{} after {:?}", out.display(), case.after);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{name}: {numbers:?}");
    let (_, last_ns) = sent.range(..).rfind(|(_, ns)| *ns <= killed_ns).expect("somebody was speaking");
    let Some((first, last)) = numbers.first().zip(numbers.last()) else {
        // Nothing of it: all that came since it began is lost.
        return Duration::from_nanos(last_ns.saturating_sub(*zero_ns));
    };
    let n_spoken = usize::from(last - first) + 1;
    let n_read = if format == "mp3" { n_spoken * MP3_READ / 100 } else { n_spoken };
    assert!(numbers.len() >= n_read, "{name}: of {n_spoken} frames these are there: {numbers:?}");
    let at = sent.get(last).unwrap_or_else(|| panic!("{name}: {last} was never sent"));
    assert!(at <= killed_ns, "{name}: {last} was sent after the kill");
    Duration::from_nanos(last_ns - at)
}

#[test]
fn kills_of_live_calls_cost_a_second_at_most() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut random = Random::for_test("kills_of_live_calls");
    let mut case = |index: usize| Case {
        graph: GRAPHS[index % GRAPHS.len()],
        out: dir.path().join(index.to_string()),
        after: Duration::from_millis(random.below(AFTER_MS_MAX) as u64),
    };
    let cases: Vec<_> = (0..KILLS * GRAPHS.len()).map(&mut case).collect();
    let senders: Vec<_> = (0..LANES).map(|lane| Sender::start(dir.path(), lane)).collect();
    let (queue, killed) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for (lane, sender) in senders.iter().enumerate() {
            let (queue, killed) = (&queue, &killed);
            scope.spawn(move || {
                loop {
                    let Some(case) = queue.lock().expect("nobody panics with it").next() else { break };
                    let case = kill(case, lane, sender.port);
                    killed.lock().expect("nobody panics with it").push(case);
                }
            });
        }
    });
    // Judged when nothing is recorded any more: it needs the processors.
    let sent: Vec<_> = senders.iter().map(Sender::sent).collect();
    drop(senders);
    let killed = killed.into_inner().expect("all lanes have ended");
    assert_eq!(killed.len(), cases.len());
    let judged = |killed: &[Killed<'_>]| -> Vec<(&str, Duration, Duration)> {
        killed.iter().map(|one| (one.case.graph, judge(one, &sent[one.lane]), one.case.after)).collect()
    };
    let (one, other) = killed.split_at(killed.len() / 2);
    let losses = std::thread::scope(|scope| {
        let other = scope.spawn(|| judged(other));
        let one = judged(one);
        [one, other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))].concat()
    });
    for graph in GRAPHS {
        let mut lost: Vec<_> = losses.iter().filter(|(of, ..)| *of == graph).map(|(_, loss, _)| *loss).collect();
        lost.sort_unstable();
        let ms = |index: usize| lost[index].as_millis();
        println!(
            "lost by kill -9 of {} live recordings, {graph}: min {} ms, median {} ms, p90 {} ms, max {} ms",
            lost.len(),
            ms(0),
            ms(lost.len() / 2),
            ms(lost.len() * 9 / 10),
            ms(lost.len() - 1)
        );
    }
    for (graph, loss, after) in losses {
        assert!(loss <= LOSS_MAX, "{graph} killed after {after:?}: {loss:?} lost");
    }
}
