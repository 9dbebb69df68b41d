//! The unmodified SDKs of ACS control recordings of live calls here, and load what was recorded. What they loaded is
//! judged by what is in it.

#[path = "../support/mod.rs"]
mod support;

mod server;

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::server::Server;
use crate::support::program::Program;
use crate::support::serial;
use crate::support::serial::FRAME;
use crate::support::signal;
use crate::support::wav::Wav;

/// Frames that an edge may cut, or that stand too near to it to be read.
const EDGES: usize = 3;

/// Returns where the SDKs are, each version in an environment of its own.
fn environments() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop")
}

/// Lets a version of the SDK tell the story; returns what it told.
#[track_caller]
fn tell(server: &Server, version: &str, kind: &str, options: &[&OsStr]) -> Value {
    let python = environments().join(format!("py-{version}/bin/python"));
    assert!(python.exists(), "{} is not there: scripts/interop installs it", python.display());
    let out = server.path(&format!("{version}-{kind}"));
    std::fs::create_dir_all(&out).expect("the temporary directory can be written");
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/story.py"));
    command.args(["--endpoint", &server.endpoint, "--reelgraph", env!("CARGO_BIN_EXE_reelgraph"), "--kind", kind]);
    command.arg("--keys").arg(server.keys()).arg("--out").arg(&out).args(options);
    let output = Program::start(&mut command).finish();
    assert!(output.status.success(), "{version} {kind}: {}\n{}", output.stderr, server.log());
    serde_json::from_str(&output.stdout).expect("one JSON document")
}

/// Numbers that somebody's frames have in a recording, in order.
fn numbers(samples: &[i16]) -> Vec<u16> {
    serial::read(samples).into_iter().filter_map(|frame| frame.number).collect()
}

/// All numbers follow on each other but where the recording was paused: at a sample, for so many milliseconds. There as
/// many are missing as the pause is long.
#[track_caller]
fn check_serial(name: &str, samples: &[i16], pause: (usize, u64)) {
    let (at, pause_ms) = pause;
    // Each by itself: the frames behind a pause stand on another grid.
    let [before, after] = [&samples[..at], &samples[at..]].map(numbers);
    for (part, samples) in [(&before, at), (&after, samples.len() - at)] {
        assert!(part.windows(2).all(|pair| pair[1] == pair[0] + 1), "{name}: {part:?}");
        assert!(part.len() + EDGES >= samples / FRAME, "{name}: {} frames in {samples} samples", part.len());
    }
    let (last, first) = (before.last().expect("frames"), after.first().expect("frames"));
    let missing_ms = u64::from(first - last - 1) * 20;
    // A frame that an edge cuts says nothing.
    assert!(missing_ms.abs_diff(pause_ms) <= 40, "{name}: {missing_ms} ms are missing for {pause_ms} ms");
}

#[track_caller]
fn check(recording: &Value) {
    let text =
        |pointer: &str| recording.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}"));
    let name = text("/name");
    let metadata = &recording["metadata"];
    let pauses = metadata["pauseResumeIntervals"].as_array().expect("an array");
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("a time");
    let begin = time(&metadata["chunkStartTime"]);
    let pause = |pause: &Value| {
        (time(&pause["startTime"]).duration_since(begin), pause["duration"].as_u64().expect("milliseconds"))
    };
    let pauses: Vec<_> = pauses.iter().map(pause).collect();
    let duration_ms = metadata["chunkDuration"].as_u64().expect("milliseconds");
    assert_eq!(recording["result"]["recordingDurationMs"], duration_ms, "{name}");
    let path = Path::new(text("/path"));
    match name {
        "defaults" => {
            assert_eq!(path.extension().and_then(|extension| extension.to_str()), Some("mp3"));
            assert_eq!(metadata["recordingInfo"]["audioConfiguration"]["bitRate"], 48_000, "{metadata}");
            let decoded = server::decode(path);
            assert!((decoded.len() / 16).abs_diff(duration_ms as usize) <= 1, "{name}: {} samples", decoded.len());
            assert!(signal::rms_db(&decoded) > -30.0, "{name}: nothing is heard");
        }
        "mixed" => {
            let wav = Wav::read(path);
            assert_eq!(wav.channels, 1, "{name}");
            assert!((wav.frames() / 16).abs_diff(duration_ms as usize) <= 1, "{name}: {} frames", wav.frames());
            assert!(signal::rms_db(&wav.samples) > -30.0, "{name}: nothing is heard");
        }
        "pinned" => {
            let wav = Wav::read(path);
            let participants = metadata["participants"].as_array().expect("an array");
            let channel = |id: &str| {
                let found = participants.iter().find(|participant| participant["participantId"] == id);
                found.and_then(|participant| participant["channel"].as_u64()).expect("a channel") as usize
            };
            assert_eq!((wav.channels, channel("8:acs:ada"), channel("4:+14255550123")), (3, 2, 0), "{metadata}");
            // The first pause was there from the start: nothing is before it.
            let [(from, first_ms), (again, second_ms)] = pauses[..] else { panic!("{metadata}") };
            assert!(from.is_zero(), "{metadata}");
            let at = (again.as_micros() as usize - first_ms as usize * 1_000) * 16 / 1_000;
            for channel in [0, 2] {
                check_serial(&format!("{name}, channel {channel}"), &wav.channel(channel), (at, second_ms));
            }
            assert!(wav.channel(1).iter().all(|sample| *sample == 0), "{name}: nobody is on channel 1");
        }
        other => panic!("{other} is no recording of the story"),
    }
}

#[track_caller]
fn check_story(version: &str) {
    let server = Server::start();
    for kind in ["sync", "aio"] {
        let told = tell(&server, version, kind, &[]);
        assert_eq!((&told["version"], &told["kind"]), (&version.into(), &kind.into()));
        let recordings = told["recordings"].as_array().expect("an array");
        recordings.iter().for_each(check);
        println!(
            "Python {version} {kind}: {} recordings started, paused, resumed, stopped, loaded, deleted",
            recordings.len()
        );
    }
    server.end();
}

#[test]
fn python_1_6_0_records_here() {
    check_story("1.6.0");
}

#[test]
fn python_1_5_0_records_here() {
    check_story("1.5.0");
}

#[test]
fn what_was_recorded_is_there_when_the_service_was_killed() {
    let server = Server::start();
    let kept = server.path("kept.json");
    let tell = |server: &Server, option: &str| tell(server, "1.5.0", "sync", &[option.as_ref(), kept.as_ref()]);
    tell(&server, "--keep");
    let server = server.kill_and_start_again();
    tell(&server, "--find");
    server.end();
}
