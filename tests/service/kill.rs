//! The service is killed again and again while calls go on: nothing that was on the disk is lost, and recordings go on
//! by themselves.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::fsck::fsck;
use crate::machine;
use crate::story;
use crate::support::metadata;
use crate::support::program;
use crate::support::program::Program;
use crate::support::serial;
use crate::support::server::Server;
use crate::support::sound::Random;
use crate::support::wav::Wav;
use crate::told;

/// Calls that are recorded at the same time.
const CALLS: usize = 50;

const KILLS: usize = 50;

/// The latest kill after the service is ready.
const AFTER_MS_MAX: usize = 2_500;

/// Most that a kill may cost of a recording that ran (DESIGN §10).
const LOSS_MAX_NS: u64 = 1_000_000_000;

/// How long the callers are heard at the end.
const HEARD: Duration = Duration::from_secs(2);

/// The first recording is paused in some of the service's lives.
const PAUSED: std::ops::Range<usize> = 10..14;

/// Somebody who speaks numbers without end.
struct Sender {
    _program: Program,
    log: PathBuf,
}

impl Sender {
    fn start(dir: &Path, port: u16) -> Self {
        let (to, log) = (format!("rtp://127.0.0.1:{port}"), dir.join(format!("{port}.log")));
        let mut command = program::command(["send", "--serial", "--to", &to, "--log"]);
        Self { _program: Program::start(command.arg(&log)), log }
    }
}

/// When each number was sent, in ns of the monotonic clock.
type Sent = BTreeMap<u16, u64>;

fn sent(log: &Path) -> Sent {
    let text = std::fs::read_to_string(log).expect("a log");
    // The last line may be on its way.
    let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let entry = |line: &str| line.split_once(' ').and_then(|(n, ns)| Some((n.parse().ok()?, ns.parse().ok()?)));
    lines.map(|line| entry(line).expect("a number and a time")).collect()
}

fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// A life of the service: from the end of the one before.
struct Life {
    killed_ns: u64,
}

/// Returns how many recordings have begun since then, by their journals.
fn n_begun(recordings: &Path, since_ns: u64) -> usize {
    let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let spools = entries(recordings).flat_map(|part| entries(&part).collect::<Vec<_>>());
    spools.filter(|spool| metadata::monotonic_zero_ns(spool).is_some_and(|zero_ns| zero_ns > since_ns)).count()
}

/// Tells the service something; returns what it told.
#[track_caller]
fn tell(server: &Server, what: &[&str]) -> String {
    let mut command = story(server, "kill.py");
    command.args(what).arg("--kept").arg(server.path("kept.json"));
    told(server, command)
}

/// What was lost of a recording by each kill, and how long it took to go on, in ns.
struct Judged {
    losses: Vec<u64>,
    resumed: Vec<u64>,
}

/// Judges a recording by the numbers in its chunks.
#[track_caller]
fn judge(name: &str, chunks: &[Vec<u16>], sent: &Sent, lives: &[Life]) -> Judged {
    let all: Vec<u16> = chunks.concat();
    assert!(all.is_sorted_by(|a, b| a < b), "{name}: what was said is there twice, or in another order: {all:?}");
    let sent_ns = |number: &u16| *sent.get(number).unwrap_or_else(|| panic!("{name}: {number} was never sent"));
    let (mut losses, mut resumed) = (Vec::new(), Vec::new());
    for (index, life) in lives.iter().enumerate() {
        let begin_ns = index.checked_sub(1).and_then(|before| lives.get(before)).map_or(0, |life| life.killed_ns);
        let in_life = |number: &&u16| (begin_ns..life.killed_ns).contains(&sent_ns(number));
        let numbers: Vec<u16> = all.iter().filter(in_life).copied().collect();
        let Some((first, last)) = numbers.first().zip(numbers.last()) else {
            // Some are killed before they look who is heard; in the last one all were.
            assert!(index + 1 < lives.len(), "{name}: it has not gone on");
            continue;
        };
        // Of what was heard at all nothing is missing: nothing is, or it is all behind its last word.
        assert_eq!(numbers.len(), usize::from(last - first) + 1, "{name}, life {index}: {numbers:?}");
        let (_, last_sent_ns) = sent.iter().rfind(|(_, ns)| **ns < life.killed_ns).expect("somebody spoke");
        losses.push(last_sent_ns - sent_ns(last));
        if index > 0 {
            resumed.push(sent_ns(first).saturating_sub(begin_ns));
        }
    }
    Judged { losses, resumed }
}

fn print(what: &str, mut times: Vec<u64>) {
    times.sort_unstable();
    let ms = |index: usize| times[index] / 1_000_000;
    let (n, median, p90) = (times.len(), ms(times.len() / 2), ms(times.len() * 9 / 10));
    println!("{what}: {n} times, min {} ms, median {median} ms, p90 {p90} ms, max {} ms", ms(0), ms(n - 1));
}

#[test]
fn calls_go_on_while_the_service_is_killed_again_and_again() {
    let _machine = machine();
    let mut server = Server::start("");
    let mut random = Random::for_test("calls_go_on");
    let ports: Vec<u16> =
        serde_json::from_str(&tell(&server, &["calls", "--count", &CALLS.to_string()])).expect("ports");
    let senders: Vec<_> = ports.iter().map(|port| Sender::start(&server.path(""), *port)).collect();
    tell(&server, &["start"]);
    let (mut lives, mut pause) = (Vec::new(), [0, 0]);
    for index in 0..=KILLS {
        if index == PAUSED.start {
            tell(&server, &["pause"]);
            pause[0] = monotonic_ns();
        }
        if index == PAUSED.end {
            pause[1] = monotonic_ns();
            tell(&server, &["resume"]);
        }
        if index == KILLS {
            // All go on once more, and somebody is heard in all of them.
            let killed_ns = lives.last().map_or(0, |life: &Life| life.killed_ns);
            server.wait_until(|data| n_begun(&data.join("recordings"), killed_ns) == CALLS);
            std::thread::sleep(HEARD);
            lives.push(Life { killed_ns: monotonic_ns() });
            break;
        }
        std::thread::sleep(Duration::from_millis(random.below(AFTER_MS_MAX) as u64));
        let killed_ns = monotonic_ns();
        server = server.kill_and_start_again();
        lives.push(Life { killed_ns });
    }
    let out = server.path("out");
    std::fs::create_dir(&out).expect("the temporary directory can be written");
    let told = tell(&server, &["end", "--out", out.to_str().expect("text")]);
    let told: Vec<Value> = serde_json::from_str(&told).expect("one JSON document");
    let (mut losses, mut resumed) = (Vec::new(), Vec::new());
    assert_eq!(told.len(), CALLS);
    let n_chunks = told.iter().map(|one| one["chunks"].as_array().map_or(0, Vec::len)).sum::<usize>();
    for (index, (one, sender)) in told.iter().zip(&senders).enumerate() {
        let name = format!("call {index}, {one}");
        assert_eq!(one["reason"], "InitiatorLeft", "{name}");
        let names: Vec<_> = one["chunks"].as_array().expect("chunks").iter().filter_map(Value::as_str).collect();
        let chunk = |(place, name): (usize, &&str)| {
            let text = std::fs::read(out.join(format!("{name}.json"))).expect("metadata");
            let metadata: Value = serde_json::from_slice(&text).expect("JSON");
            assert_eq!(metadata["chunkIndex"], place, "{name}");
            let samples = Wav::read(&out.join(format!("{name}.wav"))).channel(0);
            let frames = serial::read(&samples).into_iter();
            frames.filter_map(|frame| frame.number).collect::<Vec<_>>()
        };
        let chunks: Vec<_> = names.iter().enumerate().map(chunk).collect();
        let sent = sent(&sender.log);
        if index == 0 {
            // What was said in the pause is nowhere.
            let paused = |number: &&u16| (pause[0]..pause[1]).contains(&sent[*number]);
            assert_eq!(chunks.iter().flatten().find(paused), None, "{name}: {pause:?}");
            continue;
        }
        let judged = judge(&name, &chunks, &sent, &lives);
        losses.extend(judged.losses);
        resumed.extend(judged.resumed);
    }
    let (worst, killed) = losses.iter().copied().max().zip(lives.len().checked_sub(1)).expect("there were kills");
    assert!(worst <= LOSS_MAX_NS, "{worst} ns were lost by a kill");
    println!("{CALLS} calls, {killed} kills, {n_chunks} chunks");
    print("lost by kill -9 of the service", losses);
    print("from the kill to what is recorded again", resumed);
    drop(senders);
    let log = server.log();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    // All is stored, and known to be: nothing is left of where it was recorded.
    let left = std::fs::read_dir(server.path("data/recordings")).expect("it is there").count();
    assert_eq!(left, 0, "{log}");
    // Nor of what was being stored when it was killed.
    let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let stored = entries(&server.path("data/objects")).flat_map(|document| entries(&document).collect::<Vec<_>>());
    let is_upload = |path: &PathBuf| path.to_string_lossy().contains('#');
    assert_eq!(stored.filter(is_upload).collect::<Vec<_>>(), Vec::<PathBuf>::new());
    // What the catalog says of each file is so.
    server.kill();
    fsck(&server, &[], 0);
}
