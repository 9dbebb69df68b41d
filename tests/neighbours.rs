//! Recordings beside one that fails: it ends alone, and twenty neighbours on the same worker lose nothing.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use reelgraph::engine::clock::monotonic_ns;
use reelgraph::engine::{Engine, GivenUp, Handle, Job, Participant, Recording, Report, Script, Settings, Setup, Until};
use reelgraph::engine::{Source, Start};
use reelgraph::graph::{self, Limits, Plan, shipped};
use reelgraph::ingest::rtp::{Port, Readers};
use reelgraph::media::{Codec, HOLD, Payloads, Settings as TrackSettings, Track};
use reelgraph::model::{EndReason, PauseMode};
use reelgraph::pipeline::{Installed, Options};
use reelgraph::session::{Journal, Opening};

use crate::support::serial;
use crate::support::wav::Wav;

mod support;

/// How many neighbours there are.
const NEIGHBOURS: usize = 20;

/// What they record.
const SECONDS: u64 = 6;

/// Shorter than a call would have it, longer than any healthy tick.
const STALL: Duration = Duration::from_secs(1);

/// Nothing here takes so long.
const DEADLINE: Duration = Duration::from_secs(60);

fn start() {
    static START: LazyLock<()> = LazyLock::new(|| {
        gst::init().expect("GStreamer starts");
        gstreel::plugin_register_static().expect("our elements are registered");
        gstfaulty::plugin_register_static().expect("the faulty element is registered");
    });
    LazyLock::force(&START);
}

fn plan(name: &str, text: &str) -> Arc<Plan> {
    Arc::new(graph::check(&format!("{name}.toml"), text, &Installed).expect("the graph is right"))
}

fn healthy() -> Arc<Plan> {
    plan("mixed-wav", shipped::shipped("mixed-wav").expect("it is shipped").text)
}

/// The same with an element that has a fault, behind the splitter or in a participant's branch.
fn faulty(fault: &str, scope: &str) -> Arc<Plan> {
    let text = shipped::shipped("mixed-wav").expect("it is shipped").text;
    let properties = format!("properties = {{ fault = \"{fault}\", after = 10 }}\n");
    let text = match scope {
        "chunk" => {
            let node = format!("[chunk.faulty]\nelement = \"faultyfilter\"\ninputs = [\"meta\"]\n{properties}\n");
            text.replace("element = \"reelsink\"\ninputs = [\"meta\"]", "element = \"reelsink\"\ninputs = [\"faulty\"]")
                .replace("[chunk.file]", &format!("{node}[chunk.file]"))
        }
        _ => {
            let node =
                format!("[participant.faulty]\nelement = \"faultyfilter\"\ninputs = [\"decode\"]\n{properties}\n");
            text.replace("\"sink_%u\" = \"decode\"", "\"sink_%u\" = \"faulty\"")
                .replace("[recording.mix]", &format!("{node}[recording.mix]"))
        }
    };
    plan(&format!("{fault}-in-{scope}"), &text)
}

/// A recording that was begun.
struct Begun {
    handle: Handle,
    reports: Receiver<Report>,
    file: PathBuf,
}

fn begin(engine: &Engine, plan: Arc<Plan>, track: Arc<Mutex<Track>>, dir: PathBuf) -> Begun {
    std::fs::create_dir(&dir).expect("a directory of its own");
    let zero_ns = monotonic_ns();
    let chunks = dir.clone();
    let options = Options {
        chunk_file: Box::new(move |index| chunks.join(format!("{index:03}.wav"))),
        limits: Limits { max_duration: None, max_size: None },
        pause_mode: PauseMode::Skip,
        reserved_channels: Vec::new(),
    };
    let opening = Opening {
        version: 1,
        recording_id: uuid::Uuid::from_u128(1),
        call_id: uuid::Uuid::from_u128(2),
        owner: None,
        first_chunk: 0,
        graph: plan.name.clone(),
        content: "audio".to_owned(),
        channel_type: "mixed".to_owned(),
        format: "wav".to_owned(),
        pause_mode: PauseMode::Skip,
        started_at: "2024-11-30T00:00:00Z".parse().expect("a time"),
        boot_id: "b".to_owned(),
        monotonic_zero: Duration::ZERO,
    };
    let journal = Journal::create(&dir.join("journal")).expect("the journal can be made");
    let setup = Setup { plan, options, opening, journal, close_deadline: Duration::from_secs(5) };
    let recording = Recording::begin(setup).expect("it begins");
    let source = Source::Live(track);
    let participant = Participant { name: "p".to_owned(), source, join: Duration::ZERO, leave: None, pin: None };
    let script = Script { participants: vec![participant], pauses: Vec::new(), until: Until::MediaEnds };
    let (sender, reports) = sync_channel(16_384);
    let job = Job::new(recording, script, zero_ns);
    let directory = std::fs::File::open(&dir).expect("it is there");
    let start = Start { job, zero_ns, hold: HOLD, reports: Box::new(sender), directory };
    Begun { handle: engine.record(start).expect("there is time"), reports, file: dir.join("000.wav") }
}

impl Begun {
    /// Waits for the end; what was told last.
    fn end(&self) -> Report {
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let report = self.reports.recv_timeout(left).expect("an end within the deadline");
            if matches!(report, Report::Ended { .. } | Report::GivenUp(_)) {
                return report;
            }
        }
    }
}

/// Returns a sender of numbered frames to `n` ports from `port` on.
fn send(port: u16, n: usize) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reelgraph"));
    let to = format!("rtp://127.0.0.1:{port}");
    command.args(["send", "--serial", "--codec", "pcmu", "--to", &to, "--streams", &n.to_string()]);
    command.args(["--duration", &format!("{SECONDS}s")]).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the sender starts")
}

/// The numbers in a file, in order.
fn numbers(file: &Path) -> Vec<u16> {
    let wav = Wav::read(file);
    serial::read(&wav.channel(0)).into_iter().filter_map(|frame| frame.number).collect()
}

/// Asserts that frames from 0 to `n` were read, once each and in order.
#[track_caller]
fn check_all_there(numbers: &[u16], n: u16, what: &str) {
    let missing: Vec<_> = (0..n).filter(|number| !numbers.contains(number)).collect();
    let disordered: Vec<_> = numbers.windows(2).filter(|pair| pair[0] >= pair[1]).collect();
    assert!(missing.is_empty() && disordered.is_empty(), "{what}: missing {missing:?}, disordered {disordered:?}");
}

#[track_caller]
fn check(fault: &str, scope: &str, port: u16, is_end: fn(&Report) -> bool) {
    start();
    let dir = tempfile::tempdir().expect("a directory");
    let engine = Engine::start(Settings { workers: 1, tick: Duration::from_millis(100), stall: STALL });
    let engine = engine.expect("the engine starts");
    let readers = Readers::start(1).expect("the reader starts");
    let begun: Vec<Begun> = (0..=NEIGHBOURS)
        .map(|index| {
            let payloads = Payloads::of(Codec::Pcmu);
            let track = Track::new(TrackSettings { payloads, source: None, ssrc: None });
            let address = ([127, 0, 0, 1], port + 2 * index as u16).into();
            let port = Port::bind(address, Arc::new(Mutex::new(track))).expect("the port is free").with_control();
            let port = Arc::new(port);
            readers.add(Arc::clone(&port)).expect("it can be read");
            // The faulty one in their midst.
            let plan = if index == NEIGHBOURS / 2 { faulty(fault, scope) } else { healthy() };
            begin(&engine, plan, port.track(), dir.path().join(format!("{index}")))
        })
        .collect();
    let mut sender = send(port, NEIGHBOURS + 1);
    let status = sender.wait().expect("the sender ends");
    assert!(status.success(), "{status}");
    let frames = (SECONDS * 50) as u16;
    for (index, begun) in begun.iter().enumerate() {
        let end = begun.end();
        if index == NEIGHBOURS / 2 {
            assert!(is_end(&end), "{fault} in {scope}: {end:?}");
            continue;
        }
        let Report::Ended { reason, lost_samples, .. } = &end else { panic!("neighbour {index}: {end:?}") };
        assert_eq!((*reason, *lost_samples), (EndReason::MediaEnded, 0), "neighbour {index}");
        check_all_there(&numbers(&begun.file), frames, &format!("neighbour {index} of {fault} in {scope}: {end:?}"));
    }
    let ticks = engine.ticks();
    println!("{fault} in {scope}: {} ticks, the latest by {} ms", ticks.n, ticks.worst_ns / 1_000_000);
}

#[test]
fn a_graph_that_blocks_for_ever_ends_alone() {
    check("block", "chunk", 21_000, |end| *end == Report::GivenUp(GivenUp::Stalled));
}

#[test]
fn a_branch_that_blocks_for_ever_ends_alone() {
    check("block", "participant", 21_100, |end| *end == Report::GivenUp(GivenUp::Stalled));
}

#[test]
fn a_graph_that_panics_ends_alone() {
    check("panic", "chunk", 21_200, |end| matches!(end, Report::Ended { reason: EndReason::Failed, .. }));
}

#[test]
fn a_branch_that_panics_is_silent_and_its_recording_goes_on() {
    check(
        "panic",
        "participant",
        21_300,
        |end| matches!(end, Report::Ended { reason, .. } if *reason != EndReason::Failed),
    );
}

#[test]
fn a_graph_that_refuses_ends_alone() {
    check("refuse", "chunk", 21_400, |end| matches!(end, Report::Ended { reason: EndReason::Failed, .. }));
}

#[test]
fn a_live_recording_that_is_stopped_has_all_until_then() {
    start();
    let dir = tempfile::tempdir().expect("a directory");
    let settings = Settings { workers: 1, tick: Duration::from_millis(100), stall: STALL };
    let engine = Engine::start(settings).expect("the engine starts");
    let readers = Readers::start(1).expect("the reader starts");
    let payloads = Payloads::of(Codec::Pcmu);
    let track = Arc::new(Mutex::new(Track::new(TrackSettings { payloads, source: None, ssrc: None })));
    let port = Arc::new(Port::bind(([127, 0, 0, 1], 21_500).into(), track).expect("the port is free").with_control());
    readers.add(Arc::clone(&port)).expect("it can be read");
    let begun = begin(&engine, healthy(), port.track(), dir.path().join("stopped"));
    let mut sender = send(21_500, 1);
    let until = Instant::now() + DEADLINE;
    while port.track().lock().expect("a track").stats().received < 100 {
        assert!(Instant::now() < until, "nothing comes");
        std::thread::yield_now();
    }
    let received = port.track().lock().expect("a track").stats().received;
    let level = |report| match report {
        Report::Progress { at, levels, .. } => Some((at, levels[&0])),
        _ => None,
    };
    let levels: Vec<_> = begun.reports.try_iter().filter_map(level).collect();
    let is_heard = |(at, db): &(Duration, f64)| *at >= Duration::from_secs(1) && (-60.0..0.0).contains(db);
    assert!(!levels.is_empty() && levels.iter().all(is_heard), "{levels:?}");
    begun.handle.stop();
    let end = begun.end();
    assert!(matches!(end, Report::Ended { reason: EndReason::Stopped, lost_samples: 0, .. }), "{end:?}");
    sender.kill().expect("the sender can be killed");
    sender.wait().expect("it ends");
    let numbers = numbers(&begun.file);
    check_all_there(&numbers, numbers.len() as u16, "stopped");
    // One is a sender's report; the last frame is cut where the recording was stopped.
    assert!(numbers.len() as u64 + 3 >= received, "{} of {received}", numbers.len());
}
