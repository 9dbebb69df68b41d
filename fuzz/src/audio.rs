//! Any calls, recorded: two participants through tracks, decoders and mixer (or channels) into a WAV file, on the
//! virtual clock. The file is as long as the recording, to the sample, and nothing panics.

use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::time::Duration;

use reelgraph::engine::Arrivals;
use reelgraph::engine::Job;
use reelgraph::engine::PacketTrack;
use reelgraph::engine::Participant;
use reelgraph::engine::Recording;
use reelgraph::engine::Report;
use reelgraph::engine::Script;
use reelgraph::engine::Setup;
use reelgraph::engine::Source;
use reelgraph::engine::TrackError;
use reelgraph::engine::Until;
use reelgraph::graph;
use reelgraph::graph::Plan;
use reelgraph::graph::shipped::shipped;
use reelgraph::media::Codec;
use reelgraph::media::Payloads;
use reelgraph::media::Settings;
use reelgraph::media::Track;
use reelgraph::model::PauseMode;
use reelgraph::pipeline::Installed;
use reelgraph::pipeline::Options;
use reelgraph::session::Journal;
use reelgraph::session::Opening;
use reelgraph::session::journal::VERSION;

use crate::call::Datagram;
use crate::call::MS;
use crate::call::call;

/// Any instant.
const BEGIN_NS: i64 = 1_000_000 * MS;
const LONGEST_NS: i64 = 20_000 * MS;

const SAMPLES_PER_MS: u64 = 16;

/// Header of a WAV file with up to two channels, and with more.
const HEADER_BYTES: [u64; 2] = [44, 68];

/// Media goes on so long behind its last packet, at most.
const BEHIND_MS: u64 = 2_000;

/// A participant's first packet of all may begin before the time up to which all is recorded: its beginning is lost,
/// and counted. In G.711 it may be half a second long.
const LOST_MAX: u64 = 2 * 8_208;

struct Plans {
    mixed: Arc<Plan>,
    unmixed: Arc<Plan>,
}

static PLANS: LazyLock<Plans> = LazyLock::new(|| {
    gst::init().expect("GStreamer is installed");
    gstreel::plugin_register_static().expect("the elements can be registered");
    let plan = |name: &str| {
        let text = shipped(name).expect("it is shipped").text;
        Arc::new(graph::check(name, text, &Installed).expect("it is right"))
    };
    Plans { mixed: plan("mixed-wav"), unmixed: plan("unmixed-wav") }
});

/// A call whose packets come when they are due.
struct Synthetic(std::vec::IntoIter<Datagram>, Option<Datagram>);

impl Arrivals for Synthetic {
    fn deliver(&mut self, track: &mut Track, until_ns: i64) -> Result<bool, TrackError> {
        loop {
            match self.1.take().or_else(|| self.0.next()) {
                Some(due) if due.at_ns < until_ns => track.receive(&due.bytes, due.from, due.at_ns),
                Some(later) => {
                    self.1 = Some(later);
                    return Ok(true);
                }
                None => return Ok(false),
            }
        }
    }
}

/// The first byte says what is declared and recorded, the second when it ends; the rest is two calls.
pub(crate) fn run(bytes: &[u8]) {
    let [kind, end, rest @ ..] = bytes else { return };
    let codecs = match kind & 3 {
        0 => [Codec::Pcmu, Codec::Opus],
        1 => [Codec::Opus, Codec::L16 { rate: 44_100, channels: 2 }],
        2 => [Codec::G722, Codec::L16 { rate: 16_000, channels: 1 }],
        _ => [Codec::Pcma, Codec::L16 { rate: 8_000, channels: 2 }],
    };
    let is_mixed = kind & 4 == 0;
    let plan = if is_mixed { &PLANS.mixed } else { &PLANS.unmixed };
    let duration = (*end > 0).then(|| Duration::from_millis(u64::from(*end) * 77));
    let pause = (kind & 8 != 0).then(|| (Duration::from_millis(333), Duration::from_millis(1_001)));
    let calls = rest.split_at(rest.len() / 2);
    let calls = [calls.0, calls.1].map(|bytes| call(bytes, BEGIN_NS, LONGEST_NS));
    let last_ns = calls.iter().flatten().map(|datagram| datagram.at_ns).max().unwrap_or(BEGIN_NS);
    let participants = calls.into_iter().zip(codecs).enumerate().map(|(number, (call, codec))| {
        let track = Track::new(Settings { payloads: Payloads::of(codec), source: None, ssrc: None });
        let arrivals = Synthetic(call.into_iter(), None);
        let track = PacketTrack::new(Arc::new(Mutex::new(track)), BEGIN_NS, arrivals);
        Participant {
            name: number.to_string(),
            source: Source::Pulled(Box::new(track)),
            join: Duration::ZERO,
            leave: None,
            pin: None,
        }
    });
    let until = duration.map_or(Until::MediaEnds, Until::Time);
    let script = Script { participants: participants.collect(), pauses: pause.into_iter().collect(), until };
    let dir = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" })
        .expect("a temporary directory");
    let mut job = Job::new(recording(Arc::clone(plan), dir.path()), script, 0);
    let mut lost = None;
    reelgraph::engine::run(&mut job, Duration::from_millis(100), &|| true, |report| {
        if let Report::Ended { lost_samples, .. } = report {
            lost = Some(lost_samples);
        }
    });
    let lost = lost.expect("a recording ends");
    assert!(lost <= LOST_MAX, "{lost} samples found no place");
    let at_ms = |time: Duration| (time.as_nanos() as u64 * SAMPLES_PER_MS + 500_000) / 1_000_000;
    let time = job.horizon();
    let paused = pause.map_or(0, |(from, to)| at_ms(to.min(time)).saturating_sub(at_ms(from.min(time))));
    if let Some(duration) = duration {
        assert_eq!(time, duration);
    } else {
        let longest = Duration::from_nanos((last_ns - BEGIN_NS).unsigned_abs()) + Duration::from_millis(BEHIND_MS);
        assert!(time <= longest, "{time:?} of {longest:?}");
    }
    let channels: u64 = if is_mixed { 1 } else { 5 };
    let expected = (at_ms(time) - paused) * channels * 2;
    let found = std::fs::metadata(dir.path().join("0.wav")).map_or(0, |file| file.len());
    let header = HEADER_BYTES[usize::from(!is_mixed)];
    assert!(found == header + expected || found == 0 && expected == 0, "{found} bytes, and {header} + {expected}");
}

fn recording(plan: Arc<Plan>, dir: &Path) -> Recording {
    let file = dir.to_owned();
    let options = Options {
        chunk_file: Box::new(move |index| file.join(format!("{index}.wav"))),
        limits: plan.limits,
        pause_mode: PauseMode::Skip,
        reserved_channels: Vec::new(),
    };
    let opening = Opening {
        version: VERSION,
        recording_id: uuid::Uuid::nil(),
        call_id: uuid::Uuid::nil(),
        owner: None,
        first_chunk: 0,
        graph: plan.name.clone(),
        content: "audio".to_owned(),
        channel_type: "mixed".to_owned(),
        format: "wav".to_owned(),
        pause_mode: PauseMode::Skip,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        boot_id: String::new(),
        monotonic_zero: Duration::ZERO,
    };
    let journal = Journal::create(&dir.join("journal")).expect("the directory can be written");
    let setup = Setup { plan, options, opening, journal, close_deadline: Duration::from_secs(5) };
    Recording::begin(setup).expect("a recording begins")
}
