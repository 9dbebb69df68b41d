//! What is told once is counted once, and never shrinks.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;

use super::*;

use crate::catalog::About;
use crate::catalog::ChunkRow;
use crate::catalog::EndRow;
use crate::media::Codec;
use crate::media::Payloads;
use crate::media::Settings;
use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::ResourceId;
use crate::supervisor::Refusal;
use crate::supervisor::input::Begin;

const SECOND_NS: i64 = 1_000_000_000;

struct Rig {
    registry: Registry,
    meter: Arc<Meter>,
    asked_ns: i64,
}

impl Rig {
    fn new() -> Self {
        let registry = Registry::default();
        let meter = Meter::register(&registry);
        Self { registry, meter, asked_ns: monotonic_ns() }
    }

    fn begin(&self, graph: &str, paused: bool) -> RecordingId {
        let (recording, call) = (RecordingId::new(), CallId::new());
        let resource = ResourceId(uuid::Uuid::nil());
        let (graph, region, at_ns) = (graph.to_owned(), "eus".to_owned(), self.asked_ns);
        let (members, pins) = (Vec::new(), Vec::new());
        self.meter.decided(&Effect::Begin(Begin {
            recording,
            resource,
            region,
            call,
            graph,
            members,
            paused,
            pins,
            at_ns,
            part: 0,
            first_chunk: 0,
        }));
        recording
    }

    fn save(&self, id: RecordingId, reason: Option<EndReason>) {
        let end = reason.map(|reason| {
            let (error, ready_at, expires_at) = (None, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
            EndRow { reason, error, ready_at, expires_at }
        });
        let row = RecordingRow {
            id,
            resource: ResourceId(uuid::Uuid::nil()),
            call: CallId::new(),
            graph: "mixed-wav".to_owned(),
            pins: Vec::new(),
            started_at: Timestamp::UNIX_EPOCH,
            paused: false,
            paused_at: Timestamp::UNIX_EPOCH,
            about: About::default(),
            stopping: None,
            end,
        };
        self.meter.decided(&Effect::Save(Update::Recording(row)));
    }

    fn change(&self, recording: RecordingId, change: Change, seconds: i64) {
        let at_ns = self.asked_ns + seconds * SECOND_NS;
        self.meter.decided(&Effect::Change { recording, at_ns, change });
    }

    fn progress(&self, recording: RecordingId, recorded: u64, paused: u64) {
        let [recorded, paused] = [recorded, paused].map(Duration::from_secs);
        let counts = Counts { recorded, paused, ..Counts::default() };
        self.meter.told(recording, &Report::Progress { at: recorded + paused, levels: BTreeMap::new(), counts });
    }

    /// Value of a series.
    #[track_caller]
    fn value(&self, series: &str) -> f64 {
        let text = String::from_utf8(self.registry.encode()).expect("it is text");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series} in {text}"))
    }

    fn active(&self) -> [f64; 4] {
        ["starting", "active", "paused", "stopping"]
            .map(|state| self.value(&format!("reelgraph_recordings_active{{state=\"{state}\"}}")))
    }
}

#[test]
fn a_recording_is_in_one_state_until_it_ends() {
    let rig = Rig::new();
    let [one, other] = [rig.begin("mixed-wav", false), rig.begin("mixed-mp3", true)];
    assert_eq!(rig.active(), [2.0, 0.0, 0.0, 0.0]);
    let begun = Err(Refusal::NoCapacity("full".to_owned()));
    rig.meter.happened(&Input::Begun { recording: other, begun });
    assert_eq!(rig.active(), [1.0, 0.0, 0.0, 0.0]);
    let at_ns = rig.asked_ns;
    rig.meter.decided(&Effect::Stop { recording: one, at_ns, reason: EndReason::Stopped });
    rig.meter.happened(&Input::Stopped { recording: one });
    assert_eq!(rig.active(), [0.0, 0.0, 0.0, 1.0]);
    for (index, format) in ["wav", "wav", "\" or anything"].into_iter().enumerate() {
        let (id, sha256, duration) = (ChunkId::new(), String::new(), Duration::ZERO);
        let index = index as u32;
        let row = ChunkRow { id, recording: one, index, format: format.to_owned(), size: 44, sha256, duration };
        rig.meter.decided(&Effect::Save(Update::Chunk(row)));
    }
    // What is saved of it before its end ends nothing.
    rig.save(one, None);
    assert_eq!(rig.active(), [0.0, 0.0, 0.0, 1.0]);
    rig.save(one, Some(EndReason::CallEnded));
    assert_eq!(rig.active(), [0.0; 4]);
    assert_eq!(rig.value("reelgraph_recordings_ended_total{reason=\"call-ended\"}"), 1.0);
    assert_eq!(rig.value("reelgraph_chunks_stored_total{format=\"wav\"}"), 2.0);
    assert_eq!(rig.value("reelgraph_chunks_stored_total{format=\"other\"}"), 1.0);
    assert_eq!(rig.value("reelgraph_stored_bytes_total"), 132.0);
    assert_eq!(rig.value("reelgraph_recording_ready_seconds_count"), 1.0);
}

#[test]
fn time_is_counted_as_it_passes_and_once() {
    let rig = Rig::new();
    let [one, other] = [rig.begin("mixed-wav", false), rig.begin("mixed-wav", false)];
    rig.progress(one, 1, 0);
    rig.progress(other, 1, 0);
    rig.progress(one, 2, 1);
    rig.progress(one, 2, 1);
    let counted = || [rig.value("reelgraph_recorded_seconds_total"), rig.value("reelgraph_paused_seconds_total")];
    assert_eq!(counted(), [3.0, 1.0]);
    // What was counted stays counted, whatever becomes of the recording.
    rig.save(one, Some(EndReason::Failed));
    rig.progress(one, 9, 9);
    assert_eq!(counted(), [3.0, 1.0]);
}

#[test]
fn pauses_are_measured_against_when_they_were_asked_for() {
    let rig = Rig::new();
    // The first pause is how it begins.
    let recording = rig.begin("mixed-wav", true);
    let entry = |entry| rig.meter.told(recording, &Report::Entry(entry));
    entry(Entry::Paused { at: Duration::ZERO });
    rig.change(recording, Change::Resume, 1);
    rig.change(recording, Change::Pause, 2);
    entry(Entry::Resumed { at: Duration::from_secs(1) });
    entry(Entry::Paused { at: Duration::from_millis(2_500) });
    assert_eq!(rig.value("reelgraph_pause_effect_error_seconds_count"), 2.0);
    assert_eq!(rig.value("reelgraph_pause_effect_error_seconds_sum"), 0.5);
    assert_eq!(rig.value("reelgraph_pause_effect_error_seconds_bucket{le=\"0.001\"}"), 1.0);
}

#[test]
fn packets_stay_counted_when_their_track_is_closed() {
    let rig = Rig::new();
    let settings = Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None };
    let track = Arc::new(Mutex::new(Track::new(settings)));
    rig.meter.opened(MemberKey(1), Some(Arc::clone(&track)));
    let address: SocketAddr = ([127, 0, 0, 1], 4_000).into();
    let told = || {
        let malformed = rig.value("reelgraph_packets_total{outcome=\"malformed\"}");
        [rig.value("reelgraph_packets_received_total"), malformed]
    };
    assert_eq!(told(), [0.0, 0.0]);
    lock(&track).receive(&[0; 3], address, 0);
    assert_eq!(told(), [1.0, 1.0]);
    rig.meter.decided(&Effect::CloseTrack(MemberKey(1)));
    assert_eq!(told(), [1.0, 1.0]);
}
