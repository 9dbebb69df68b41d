//! Records inside the test's own process, from memory: for calls by the hundred.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reelgraph::app::{self, Pace, Recorded, Request};
use reelgraph::config::Config;
use reelgraph::config::EngineSettings;
use reelgraph::engine;
use reelgraph::engine::{Frame, Job, Participant, Pulled, Report, Script, Setup, Source, Track, TrackError, Until};
use reelgraph::graph::{self, Limits, Plan, shipped};
use reelgraph::model::{EndReason, PauseMode};
use reelgraph::pipeline::{Installed, Options};
use reelgraph::session::{Journal, Opening};

use crate::model::{Party, Pause};
use crate::support::RATE;
use crate::support::sound::Random;

/// A track of samples, in frames of all sizes up to 100 ms.
struct Memory {
    samples: Vec<i16>,
    at: usize,
    sizes: Random,
}

impl Track for Memory {
    fn next_frame(&mut self, _until: Duration) -> Result<Pulled, TrackError> {
        let left = self.samples.len() - self.at;
        let n = left.min(1 + (self.sizes.next() % (RATE as u64 / 10)) as usize);
        if n == 0 {
            return Ok(Pulled::End);
        }
        let bytes: Vec<u8> = self.samples[self.at..self.at + n].iter().flat_map(|s| s.to_le_bytes()).collect();
        let time = |at: usize| gst::ClockTime::from_nseconds(at as u64 * 1_000_000_000 / RATE as u64);
        let mut buffer = gst::Buffer::from_mut_slice(bytes);
        let fields = buffer.get_mut().expect("a buffer of our own");
        fields.set_pts(time(self.at));
        fields.set_duration(time(self.at + n) - time(self.at));
        self.at += n;
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("rate", RATE as i32)
            .field("channels", 1);
        Ok(Pulled::Frame(Frame { buffer, caps: caps.build() }))
    }

    fn declared_duration(&self) -> Option<Duration> {
        None
    }
}

/// The course of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Course {
    pub(crate) parties: Vec<Party>,
    pub(crate) pauses: Vec<Pause>,
    pub(crate) mode: PauseMode,
    pub(crate) limits: Limits,
    pub(crate) duration: Option<Duration>,
    pub(crate) tick: Duration,
}

/// Returns a shipped graph, checked.
fn plan(name: &str) -> Plan {
    static START: LazyLock<()> = LazyLock::new(|| {
        gst::init().expect("GStreamer starts");
        gstreel::plugin_register_static().expect("the plugin registers");
    });
    LazyLock::force(&START);
    let text = shipped::shipped(name).expect("a shipped graph").text;
    graph::check(&format!("{name}.toml"), text, &Installed).expect("shipped graphs are right")
}

/// Returns who takes part; sizes of frames are random by `seed`. Only unmixed graphs have channels to pin to.
fn participants(graph: &str, course: &Course, seed: u64) -> Vec<Participant> {
    let participant = |(number, party): (usize, &Party)| Participant {
        name: format!("p{number}"),
        source: Source::Pulled(Box::new(Memory {
            samples: party.samples.clone(),
            at: 0,
            sizes: Random::new(seed + number as u64),
        })),
        join: party.join,
        leave: party.leave,
        pin: party.pin.filter(|_| graph == "unmixed-wav").map(|pin| pin as u32),
    };
    course.parties.iter().enumerate().map(participant).collect()
}

/// Records a call; sizes of frames are random by `seed`.
pub(crate) fn record(graph: &str, course: &Course, seed: u64, out: PathBuf) -> Recorded {
    let request = Request {
        plan: plan(graph),
        participants: participants(graph, course, seed),
        pauses: course.pauses.clone(),
        pause_mode: course.mode,
        duration: course.duration,
        limits: course.limits,
        out,
        pace: Pace::Virtual,
        settings: EngineSettings { tick: course.tick, ..Config::default().engine },
    };
    app::record(request, Arc::new(|| true), |_, _| ()).expect("the call is recorded")
}

/// Records a call into a directory of files as the engine leaves them, with its journal: nothing is finalised.
pub(crate) fn record_into_spool(graph: &str, course: &Course, dir: &Path) {
    let plan = Arc::new(plan(graph));
    let journal = Journal::create(&dir.join("journal")).expect("the journal can be made");
    let (chunks, extension) = (dir.to_owned(), plan.media.format().extension().to_owned());
    let options = Options {
        chunk_file: Box::new(move |index| chunks.join(format!("{index:03}.{extension}"))),
        limits: course.limits,
        pause_mode: course.mode,
        reserved_channels: Vec::new(),
    };
    let opening = Opening {
        version: 1,
        recording_id: uuid::Uuid::from_u128(1),
        call_id: uuid::Uuid::from_u128(2),
        owner: None,
        first_chunk: 0,
        graph: graph.to_owned(),
        content: "audio".to_owned(),
        channel_type: plan.media.channel().as_str().to_owned(),
        format: plan.media.format().extension().to_owned(),
        pause_mode: course.mode,
        started_at: "2024-11-30T00:00:00Z".parse().unwrap(),
        boot_id: "b".to_owned(),
        monotonic_zero: Duration::ZERO,
    };
    let setup = Setup { plan, options, opening, journal, close_deadline: Duration::from_secs(5) };
    let recording = engine::Recording::begin(setup).expect("the call is recorded");
    let script = Script {
        participants: participants(graph, course, 0),
        pauses: course.pauses.clone(),
        until: course.duration.map_or(Until::MediaEnds, Until::Time),
    };
    let mut job = Job::new(recording, script, 0);
    let mut ended = false;
    engine::run(&mut job, course.tick, &|| true, |report| {
        ended |= matches!(report, Report::Ended { reason: EndReason::MediaEnded, lost_samples: 0, .. });
    });
    assert!(ended, "the call was not recorded to its end");
}
