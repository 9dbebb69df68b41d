//! Records captures, and reads recordings as the frames that they hold.

use std::ops::Range;
use std::path::PathBuf;

use serde_json::Value;

use crate::packet;
use crate::packet::Captured;
use crate::support::call::Call;
use crate::support::call::Recording;
use crate::support::program;
use crate::support::program::Output;
use crate::support::serial;
use crate::support::serial::FRAME;
use crate::support::wav::Wav;

/// Returns the numbers that a recording tells, and where each frame begins.
pub(crate) fn numbers(wav: &Wav) -> Vec<(u16, usize)> {
    let frames = serial::read(&wav.channel(0));
    frames.into_iter().filter_map(|frame| Some((frame.number?, frame.at))).collect()
}

/// Asserts that these frames are there, each once, each in its place behind the first one.
#[track_caller]
pub(crate) fn check_frames(wav: &Wav, expected: impl IntoIterator<Item = u16>) {
    let found = numbers(wav);
    let told: Vec<_> = found.iter().map(|(number, _)| *number).collect();
    assert_eq!(told, expected.into_iter().collect::<Vec<_>>());
    let first = found.first().copied().unwrap_or_default();
    for (number, at) in found {
        let place = first.1 + usize::from(number - first.0) * FRAME;
        assert!(at.abs_diff(place) <= 2, "{number} is at {at} and not at {place}");
    }
}

/// Returns a counter of `packets` of all participants.
#[track_caller]
pub(crate) fn counter(json: &Value, name: &str) -> u64 {
    json["packets"][name].as_u64().unwrap_or_else(|| panic!("{name} in {}", json["packets"]))
}

/// All that was received is told to be something.
#[track_caller]
pub(crate) fn check_counted(json: &Value) {
    assert_eq!(counted(json), counter(json, "received"), "{}", json["packets"]);
}

/// Returns how many packets are told to be something.
#[track_caller]
pub(crate) fn counted(json: &Value) -> u64 {
    let outcomes =
        ["placed", "quiet", "late", "duplicate", "overflow", "unrecorded", "foreign", "unknown", "implausible"];
    outcomes.into_iter().chain(["malformed", "control"]).map(|name| counter(json, name)).sum()
}

#[track_caller]
pub(crate) fn check_counters(json: &Value, expected: &[(&str, u64)]) {
    check_counted(json);
    for (name, count) in expected {
        assert_eq!(counter(json, name), *count, "{name} in {}", json["packets"]);
    }
}

/// A call with one participant, who is heard from a capture.
pub(crate) fn call(datagrams: &[Captured], options: &str) -> Call {
    let call = Call::new();
    let path = call.path("call.pcap");
    packet::write(&path, datagrams);
    call.with_file("caller", &with_options(path, options))
}

/// A call that is heard from the bytes of a capture.
pub(crate) fn call_of_bytes(bytes: &[u8], options: &str) -> Call {
    let call = Call::new();
    let path = call.path("call.pcap");
    std::fs::write(&path, bytes).expect("the temporary directory can be written");
    call.with_file("caller", &with_options(path, options))
}

fn with_options(path: PathBuf, options: &str) -> PathBuf {
    let mut path = path.into_os_string();
    path.push(options);
    path.into()
}

/// Records a capture of which nothing may be told but its counters; exactly these frames are in it.
#[track_caller]
pub(crate) fn check(datagrams: &[Captured], options: &str, frames: Range<u16>, counters: &[(&str, u64)]) -> Recording {
    let recording = call(datagrams, options).record("mixed-wav");
    check_frames(&recording.wav(), frames.clone());
    check_counters(&recording.json, counters);
    recording
}

/// Asserts that a capture is refused, in words, and that nothing is left behind.
#[track_caller]
pub(crate) fn check_refused(call: &Call, code: i32, says: &str) -> Output {
    let out = call.path("out");
    let output = call.run(&[], "mixed-wav", &out).check_code(code);
    assert!(output.stderr.contains(says), "{}", output.stderr);
    assert_eq!(program::names(&out), [""; 0], "left behind");
    output
}
