//! What is said in a pause reaches nothing: no file, no spool, no journal, no log.
//!
//! A tone of 3 kHz sounds in the pauses only. Where bytes are sound (or would be, if something of it were there) it is
//! listened for; where they are text, its samples are searched for in every spelling. And nothing at all may depend on
//! it: with the tone and without, files and journals are equal byte for byte.

use std::path::Path;
use std::time::Duration;

use reelgraph::model::PauseMode;

use crate::inside;
use crate::inside::Course;
use crate::model;
use crate::model::{Party, Pause, position};
use crate::support::RATE;
use crate::support::call::{Call, Recording};
use crate::support::judge;
use crate::support::signal::{from_bytes, loudest_tone_db};
use crate::support::sound;
use crate::support::wav::{self, Wav};

const MARKER_HZ: f64 = 3_000.0;

/// Amplitude of the marker: −7.4 dBFS, not so loud that it is limited.
const AMPLITUDE: f64 = 14_000.0;
const AMPLITUDE_DB: f64 = -7.4;

/// One unit of 16 bits: what is below it is not there.
const NOTHING_DB: f64 = -90.0;

/// Where the call is paused, in milliseconds.
const PAUSES_MS: [(u64, u64); 2] = [(500, 1_000), (1_750, 2_050)];
const LENGTH: usize = 3 * RATE;

fn pauses() -> Vec<Pause> {
    PAUSES_MS.map(|(from, to)| (Duration::from_millis(from), Duration::from_millis(to))).to_vec()
}

/// Returns the marker: at its loudest from the first sample on, so that a single one that slips through is heard.
fn marker(n: usize) -> Vec<i16> {
    sound::tone(MARKER_HZ, RATE, n, AMPLITUDE)
}

/// Returns `around` with the marker in all pauses, as far as `guard` samples from their edges.
fn marked(around: &[i16], guard: usize) -> Vec<i16> {
    let mut samples = around.to_vec();
    for (from, to) in pauses() {
        let inside = position(from) + guard..position(to) - guard;
        let n = inside.len();
        samples.splice(inside, marker(n));
    }
    samples
}

/// Returns a hum that fades out before each pause and in after it: a hum that is cut off sounds at 3 kHz, too.
fn hum() -> Vec<i16> {
    const FADE: usize = RATE / 10;
    let edges: Vec<usize> = pauses().into_iter().flat_map(|(from, to)| [position(from), position(to)]).collect();
    let is_paused = |at: usize| edges.chunks(2).any(|edge| (edge[0]..edge[1]).contains(&at));
    let gain = |at: usize| {
        let nearest = edges.iter().map(|edge| edge.abs_diff(at)).chain([LENGTH - at]).min().unwrap_or(0).min(FADE);
        let angle = std::f64::consts::FRAC_PI_2 * nearest as f64 / FADE as f64;
        if is_paused(at) { 0.0 } else { angle.sin().powi(2) }
    };
    let tone = sound::tone(440.0, RATE, LENGTH, 6_000.0);
    tone.iter().enumerate().map(|(at, sample)| (f64::from(*sample) * gain(at)) as i16).collect()
}

fn pause_args(mode: &str) -> String {
    let pauses = PAUSES_MS.map(|(from, to)| format!("--pause {from}ms-{to}ms"));
    format!("{} --pause-mode {mode}", pauses.join(" "))
}

/// Returns the tone's level in the sound of a media file.
#[track_caller]
fn heard_db(file: &Path) -> f64 {
    let is_wav = file.extension().is_some_and(|extension| extension == "wav");
    match is_wav {
        true => {
            let wav = Wav::read(file);
            let levels = (0..wav.channels).map(|channel| loudest_tone_db(&wav.channel(channel), MARKER_HZ));
            levels.fold(f64::MIN, f64::max)
        }
        false => loudest_tone_db(&judge::decoded(file), MARKER_HZ),
    }
}

/// Returns the tone's level in bytes, taken as samples from the first byte on, and from the second.
fn in_bytes_db(bytes: &[u8]) -> f64 {
    let level = |bytes| loudest_tone_db(&from_bytes(bytes), MARKER_HZ);
    level(bytes).max(level(&bytes[1..]))
}

/// Samples of the marker that are searched for: more than once round, at any phase.
const SPELLED_SAMPLES: usize = 8;

/// Returns eight of the marker's samples in every spelling that a dump may have.
fn spellings() -> Vec<(String, Vec<u8>)> {
    let period = marker(RATE);
    let mut spellings = Vec::new();
    // 3 kHz at 16 kHz come round after 16 samples.
    for phase in 0..16 {
        let samples = &period[phase..phase + SPELLED_SAMPLES];
        let le: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let be: Vec<u8> = samples.iter().flat_map(|sample| sample.to_be_bytes()).collect();
        let float: Vec<u8> = samples.iter().flat_map(|s| (f32::from(*s) / 32_768.0).to_le_bytes()).collect();
        let text = |separator: &str, spell: &dyn Fn(&u8) -> String| {
            le.iter().map(spell).collect::<Vec<_>>().join(separator).into_bytes()
        };
        spellings.extend([
            ("hexadecimal".into(), text("", &|byte| format!("{byte:02x}"))),
            ("hexadecimal, upper case".into(), text("", &|byte| format!("{byte:02X}"))),
            ("memory dump".into(), text(" ", &|byte| format!("{byte:02x}"))),
            ("list of bytes".into(), text(", ", &|byte| byte.to_string())),
        ]);
        for separator in [", ", ",", " "] {
            let list: Vec<_> = samples.iter().map(ToString::to_string).collect();
            spellings.push(("list of samples".into(), list.join(separator).into_bytes()));
        }
        spellings.extend([("S16LE".into(), le), ("S16BE".into(), be), ("F32LE".into(), float)]);
    }
    spellings
}

/// Returns the spelling in which the marker stands in bytes.
fn spelled_in(bytes: &[u8]) -> Option<String> {
    let found = |(_, spelling): &(String, Vec<u8>)| bytes.windows(spelling.len()).any(|window| window == spelling);
    spellings().into_iter().find(found).map(|(name, _)| name)
}

/// Asserts that the marker is in none of a recording's files.
#[track_caller]
fn check(what: &str, recording: &Recording) {
    for file in recording.files() {
        let level = heard_db(&file);
        assert!(level <= NOTHING_DB, "{what}: {level:.1} dBFS in {}", file.display());
    }
    for entry in std::fs::read_dir(&recording.out).expect("the directory is there") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("the file is there");
        assert_eq!(spelled_in(&bytes), None, "{what}: {}", path.display());
    }
}

#[test]
fn the_marker_is_found_where_it_is_recorded() {
    let call = Call::new().with("anna", &marked(&hum(), 0));
    for graph in ["mixed-wav", "unmixed-wav", "mixed-mp3"] {
        let recording = call.record(graph);
        let level = heard_db(&recording.file());
        assert!((level - AMPLITUDE_DB).abs() < 0.5, "{graph}: {level:.1} dBFS");
        if graph != "mixed-mp3" {
            let bytes = std::fs::read(recording.file()).expect("the file is there");
            assert_eq!(spelled_in(&bytes).as_deref(), Some("S16LE"), "{graph}");
            assert!(
                in_bytes_db(&bytes) > AMPLITUDE_DB - 0.5 && in_bytes_db(&bytes[1..]) > AMPLITUDE_DB - 0.5,
                "{graph}: in its bytes"
            );
        }
    }
    // A single sample that slips through at the edge of a pause is found.
    let late = call.args("--pause 0.5000625s-1s --pause 1.75s-2.05s").record("mixed-wav");
    assert!(heard_db(&late.file()) > NOTHING_DB + 20.0, "{:.1} dBFS", heard_db(&late.file()));
}

/// Returns a graph in which each participant's voice comes again 300 ms later, which no time-stamp says.
fn echoing(call: &Call) -> String {
    let text = r#"
        graph = { content = "audio", channel = "mixed", format = "wav" }
        participant.decode = { element = "reelaudiodec", inputs = ["@audio"], caps = "audio/x-raw,rate=16000" }
        participant.float = { element = "audioconvert", inputs = ["decode"], caps = "audio/x-raw,format=F32LE" }
        recording.mix = { element = "reelmixer", inputs = { "sink_%u" = "int", timeline = "@timeline" } }
        recording.gate = { element = "reelgate", inputs = ["mix"] }
        recording.split = { element = "reelsplit", inputs = ["gate"] }
        chunk.meta = { element = "reelmeta", inputs = ["split"] }
        chunk.file = { element = "reelsink", inputs = ["meta"] }

        [participant.echo]
        element = "audioecho"
        inputs = ["float"]
        properties = { max-delay = 300_000_000, delay = 300_000_000, intensity = 0.9 }

        [participant.int]
        element = "audioconvert"
        inputs = ["echo"]
        caps = "audio/x-raw,format=S16LE"
        properties = { dithering = "none" }
    "#;
    let path = call.path("echoing.toml");
    std::fs::write(&path, text).expect("a file can be written");
    path.into_os_string().into_string().expect("a path of text")
}

/// What is said in a call, by everybody the same, at some rate.
struct Said {
    rate: usize,
    samples: Vec<i16>,
    /// Options of ffmpeg for what it is given in.
    codec: &'static str,
}

impl Said {
    /// Noise, and in all pauses the marker or silence. The mixer and the gate see it at 16 kHz: what is paused of their
    /// samples is paused of these.
    fn new(rate: usize, codec: &'static str, is_marked: bool) -> Self {
        let mut samples = sound::noise(5, 3 * rate, 4_000);
        let marker = sound::tone(MARKER_HZ, rate, 3 * rate, AMPLITUDE);
        let paused = pauses().into_iter().map(|(from, to)| position(from) * rate..position(to) * rate);
        for range in paused.map(|range| range.start.div_ceil(RATE)..range.end.div_ceil(RATE)) {
            range.for_each(|at| samples[at] = if is_marked { marker[at] } else { 0 });
        }
        Self { rate, samples, codec }
    }

    /// Records four people: one comes between the pauses, one inside the second, one shortly before its end.
    fn record(&self, graph: Option<&str>, tick: &str, args: &str) -> Vec<Vec<u8>> {
        let mut call = Call::new().tick(tick).args(args);
        if !args.contains("--duration") {
            call = call.args("--duration 3s");
        }
        for (name, join_ms) in [("anna", 0), ("bert", 1_100), ("cleo", 1_900), ("dora", 2_036)] {
            let (plain, coded) = (call.path("plain.wav"), call.path(&format!("{name}.wav")));
            wav::write(&plain, self.rate as u32, 1, &self.samples[join_ms * self.rate / 1_000..]);
            judge::convert(&plain, self.codec, &coded);
            call = call.with_file(name, &coded).args(&format!("--join {name}={join_ms}ms"));
        }
        let example = |name| format!("{}/pipelines/examples/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let recording = match graph {
            None => call.record(&echoing(&call)),
            Some(shipped @ ("unmixed-wav" | "mixed-wav")) => call.record(shipped),
            Some(name) => call.record(&example(name)),
        };
        let is_ogg = |file: &Path| file.extension().is_some_and(|extension| extension == "ogg");
        // Each Ogg stream has a random number.
        let content = |file: &std::path::PathBuf| match is_ogg(file) {
            true => judge::decoded(file).into_iter().flat_map(i16::to_le_bytes).collect(),
            false => std::fs::read(file).expect("the file is there"),
        };
        recording.files().iter().map(content).collect()
    }
}

#[track_caller]
fn check_hushed(graph: Option<&str>, [with, without]: &[Said; 2], courses: &[(&str, &str)]) {
    let what = format!("{graph:?} at {} Hz, {}", with.rate, with.codec);
    let whole = [with, without].map(|said| said.record(graph, "100ms", ""));
    assert!(whole[0] != whole[1], "{what}: without pauses the marker is recorded");
    for (mode, tick) in courses {
        let [with, without] = [with, without].map(|said| said.record(graph, tick, &pause_args(mode)));
        assert!(with == without, "{what}: {mode} {tick}: a file tells what was said in a pause");
    }
}

/// Once a noise suppressor gave out 20 ms of what was said in a pause behind its end.
#[test]
fn what_holds_sound_back_does_not_hear_pauses() {
    let said = [true, false].map(|is_marked| Said::new(RATE, "", is_marked));
    for graph in [Some("mixed-flac"), Some("mixed-ogg-opus"), Some("noise-suppression"), None] {
        check_hushed(graph, &said, &[("skip", "100ms"), ("skip", "37ms"), ("silence", "200ms"), ("tone", "10ms")]);
    }
}

/// Once a pause that begins behind the end of the recording, and before that of the last frame, was not known.
#[test]
fn what_is_said_right_behind_the_end_is_not_heard_before_it() {
    let said = [AMPLITUDE, 0.0].map(|amplitude| {
        let mut said = Said::new(RATE, "", false);
        said.samples.splice(5 * RATE / 2.., sound::tone(MARKER_HZ, RATE, RATE / 2, amplitude));
        said
    });
    for graph in [Some("noise-suppression"), None] {
        let course = "--pause 2.5s-2.9s --duration 2.4995s";
        let [with, without] = said.each_ref().map(|said| said.record(graph, "100ms", course));
        assert!(with == without, "{graph:?}");
    }
}

/// Once a resampler spread what was said in a pause 3 ms over its edges.
#[test]
fn what_is_resampled_does_not_spread_over_the_edges_of_a_pause() {
    for (rate, codec) in [(8_000, ""), (8_000, "-c:a pcm_mulaw"), (8_000, "-c:a pcm_alaw"), (44_100, ""), (48_000, "")]
    {
        let said = [true, false].map(|is_marked| Said::new(rate, codec, is_marked));
        for graph in [Some("mixed-wav"), Some("unmixed-wav"), Some("noise-suppression"), None] {
            check_hushed(graph, &said, &[("skip", "100ms"), ("silence", "37ms")]);
        }
    }
}

/// Returns a graph that goes down to 8 kHz on its way.
fn narrow(call: &Call) -> String {
    let text = include_str!("../../pipelines/mixed-wav.toml").replace("rate=16000", "rate=8000");
    let wide = "[participant.wide]\nelement = \"audioresample\"\ninputs = [\"decode\"]\n\
                caps = \"audio/x-raw,rate=16000\"\n\n[recording.mix]";
    let text = text.replace("\"sink_%u\" = \"decode\"", "\"sink_%u\" = \"wide\"").replace("[recording.mix]", wide);
    let path = call.path("narrow.toml");
    std::fs::write(&path, text).expect("a file can be written");
    path.into_os_string().into_string().expect("a path of text")
}

/// Once a pause that began within half a sample of a frame's end, or between two samples of a decoder, kept one.
#[test]
fn no_sample_that_is_partly_in_a_pause_is_heard() {
    for (rate, graph, from_ns, to_ns) in [
        (44_100, "mixed-wav", 510_839_503, 610_839_503),
        (44_100, "unmixed-wav", 510_839_503, 610_839_503),
        (RATE, "narrow", 500_062_500, 700_062_500),
        (RATE, "narrow", 500_000_000, 700_055_000),
        (8_000, "mixed-wav", 500_055_000, 700_055_000),
    ] {
        let [from, to] = [from_ns, to_ns].map(|ns| position(Duration::from_nanos(ns)) * rate);
        let recorded = |loud: i16| {
            let mut samples = vec![100; rate];
            samples[from.div_ceil(RATE)..to.div_ceil(RATE)].fill(loud);
            let call = Call::new().args(&format!("--pause {from_ns}ns-{to_ns}ns"));
            let path = call.path("anna.wav");
            wav::write(&path, rate as u32, 1, &samples);
            let call = call.with_file("anna", &path);
            let graph = if graph == "narrow" { narrow(&call) } else { graph.to_owned() };
            call.record(&graph).wav().samples
        };
        assert!(recorded(30_000) == recorded(0), "{rate} Hz, {graph}, {from_ns} to {to_ns} ns");
    }
}

#[test]
fn the_marker_is_in_no_file_when_it_sounds_in_pauses_only() {
    for graph in ["mixed-wav", "unmixed-wav", "mixed-mp3"] {
        for mode in ["skip", "silence", "tone"] {
            for cut in ["", "--chunk-duration 300ms"] {
                let what = format!("{graph} {mode} {cut}");
                let call = |samples: &[i16]| {
                    let call = Call::new().with("anna", samples).with("bert", &hum());
                    call.args(&pause_args(mode)).args(cut).record(graph)
                };
                let (with, without) = (call(&marked(&hum(), 0)), call(&hum()));
                // MP3 makes noise of its own beside the hum, which the next test does without.
                if graph != "mixed-mp3" {
                    check(&what, &with);
                }
                let bytes = |recording: &Recording| -> Vec<_> {
                    recording.files().iter().map(|file| std::fs::read(file).expect("the file is there")).collect()
                };
                assert!(bytes(&with) == bytes(&without), "{what}: files tell what was said in a pause");
                assert_eq!(facts(&with), facts(&without), "{what}");
            }
        }
    }
}

/// Returns what a recording tells, without ids and times of day.
fn facts(recording: &Recording) -> Vec<String> {
    let text = serde_json::to_string_pretty(&recording.json).expect("plain data");
    let differs = ["Id\"", "Time\"", "ile\""];
    let same = |line: &&str| !differs.iter().any(|key| line.contains(key));
    text.lines().filter(same).map(str::to_owned).collect()
}

#[test]
fn the_marker_is_in_no_byte_of_a_call_that_is_silent_otherwise() {
    // Codecs and resamplers smear what is sharp in time: there the marker stays away from the pauses' edges.
    let codecs = [
        (0, None),
        (1_600, Some(("wav", "-ar 8000 -c:a pcm_mulaw"))),
        (1_600, Some(("wav", "-ar 44100"))),
        (1_600, Some(("opus", "-c:a libopus -b:a 32k"))),
    ];
    for (guard, codec) in codecs {
        for graph in ["mixed-wav", "mixed-mp3"] {
            let call = codec.map_or_else(Call::new, |(ending, options)| Call::new().codec(ending, options));
            let call = call.with("anna", &marked(&vec![0; LENGTH], guard));
            let found = heard_db(&call.record(graph).file());
            assert!(found > AMPLITUDE_DB - 2.0, "{graph} {codec:?}: {found:.1} dBFS where it is recorded");
            let recording = call.args(&pause_args("skip")).record(graph);
            check(&format!("{graph} {codec:?}"), &recording);
            // What Opus decodes is silent to one unit, which is no silence from the second byte on.
            if graph == "mixed-wav" && codec.is_none_or(|(ending, _)| ending != "opus") {
                let bytes = std::fs::read(recording.file()).expect("the file is there");
                let data = &bytes[recording.wav().overhead..];
                assert!(in_bytes_db(data) <= NOTHING_DB, "{codec:?}: in the bytes");
            }
        }
    }
}

#[test]
fn the_marker_is_in_no_spool_and_no_journal() {
    let spool = |samples: Vec<i16>, mode| {
        let party = Party { samples, ..Party::default() };
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let course = Course {
            parties: vec![party, Party { samples: hum(), ..Party::default() }],
            pauses: pauses(),
            mode,
            tick: Duration::from_millis(100),
            ..Course::default()
        };
        inside::record_into_spool("unmixed-wav", &course, dir.path());
        let names = std::fs::read_dir(dir.path()).expect("the directory is there");
        let mut paths: Vec<_> = names.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        let file = |path: &std::path::PathBuf| (path.file_name().map(ToOwned::to_owned), std::fs::read(path).ok());
        let files: Vec<_> = paths.iter().map(file).collect();
        let level = heard_db(&paths[0]);
        (files, level)
    };
    for mode in [PauseMode::Skip, PauseMode::Silence, PauseMode::Tone] {
        let ((with, level), (without, _)) = (spool(marked(&hum(), 0), mode), spool(hum(), mode));
        assert_eq!(with.len(), 2, "a chunk and the journal");
        assert!(level <= NOTHING_DB, "{mode:?}: {level:.1} dBFS in the spool");
        assert!(with == without, "{mode:?}: the spool tells what was said in a pause");
        for (name, bytes) in with {
            assert_eq!(spelled_in(&bytes.expect("a file")), None, "{mode:?}: {name:?}");
        }
    }
    assert_eq!(model::skipped(&hum(), &pauses()).len(), 35_200);
}

#[test]
fn the_marker_is_in_no_trace_log() {
    for graph in ["mixed-wav", "unmixed-wav", "mixed-mp3"] {
        let log = |samples: &[i16], args: &str| {
            let call = Call::new().env("REELGRAPH_LOG", "trace").env("GST_DEBUG", "*:6,reel*:9");
            call.with("anna", samples).with("bert", &hum()).args(args).record_with_log(graph).log
        };
        let paused = log(&marked(&hum(), 0), &pause_args("skip"));
        assert!(paused.lines().count() > 1_000 && paused.contains("TRACE"), "{graph}: no log");
        assert_eq!(spelled_in(paused.as_bytes()), None, "{graph}");
        // Nor how loud it was.
        assert_eq!(paused.lines().find(|line| line.contains("rms-db")), None, "{graph}");
    }
}
