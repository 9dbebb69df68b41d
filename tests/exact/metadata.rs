//! The metadata beside each chunk, against the files and against the course of the call.

use std::time::Duration;

use serde_json::Value;

use crate::model::{Party, position};
use crate::support::RATE;
use crate::support::call::Recording;
use crate::support::judge;
use crate::support::sound;
use crate::unmixed;

fn parties() -> Vec<Party> {
    let party = |seed, join_ms, n| Party {
        samples: sound::noise(seed, n, 5_000),
        join: Duration::from_millis(join_ms),
        ..Party::default()
    };
    vec![party(1, 0, 5 * RATE), party(2, 300, 2 * RATE), party(3, 2_700, 30_001)]
}

fn instant(text: &Value) -> jiff::Timestamp {
    text.as_str().expect("a time").parse().expect("ISO 8601")
}

/// Returns recording time of an instant, in nanoseconds.
fn since_start(recording: &Recording, text: &Value) -> i128 {
    let start = instant(&recording.chunks()[0]["metadata"]["chunkStartTime"]);
    instant(text).as_nanosecond() - start.as_nanosecond()
}

/// Pauses of a chunk: start in recording time, duration; milliseconds.
fn pauses(recording: &Recording, metadata: &Value) -> Vec<(i128, u64)> {
    let intervals = metadata["pauseResumeIntervals"].as_array().expect("a list of intervals");
    let interval = |pause: &Value| {
        (since_start(recording, &pause["startTime"]) / 1_000_000, pause["duration"].as_u64().expect("milliseconds"))
    };
    intervals.iter().map(interval).collect()
}

/// Where a chunk is to begin, how long it is to be, and its pauses; all in milliseconds.
type Expected = (i128, u64, &'static [(i128, u64)]);

/// Asserts what all chunks say of themselves, and that it is what ffprobe says of their files.
#[track_caller]
fn check(graph: &str, course: &str, expected: &[Expected]) {
    let recording = unmixed::call(&parties()).args(course).record(graph);
    let what = format!("{graph} {course}");
    assert_eq!(recording.chunks().len(), expected.len(), "{what}");
    for (index, (chunk, (start, duration, intervals))) in recording.chunks().iter().zip(expected).enumerate() {
        let metadata = &chunk["metadata"];
        let file = &recording.files()[index];
        assert_eq!(since_start(&recording, &metadata["chunkStartTime"]), start * 1_000_000, "{what}: chunk {index}");
        assert_eq!(metadata["chunkDuration"], *duration, "{what}: chunk {index}");
        assert_eq!(pauses(&recording, metadata), *intervals, "{what}: chunk {index}");
        // ffprobe counts an MP3's frames, delay and padding too: what it decodes is what plays.
        let seconds = match graph {
            "mixed-mp3" => judge::decoded(file).len() as f64 / RATE as f64,
            _ => judge::ffprobe(file, "format=duration").parse().expect("seconds"),
        };
        assert!((seconds * 1_000.0 - *duration as f64).abs() < 1.0, "{what}: chunk {index}: {seconds} s");
        let written = std::fs::read(chunk["metadataFile"].as_str().expect("a path")).expect("the file is there");
        assert_eq!(&serde_json::from_slice::<Value>(&written).expect("JSON"), metadata, "{what}: chunk {index}");
        let sha256 = judge::report("sha256sum", "-b", file);
        assert_eq!(chunk["sha256"].as_str(), sha256.split_whitespace().next(), "{what}: chunk {index}");
        assert_eq!(chunk["sizeBytes"], std::fs::metadata(file).expect("the file is there").len(), "{what}");
    }
}

#[test]
fn each_chunk_says_when_it_began_how_long_it_is_and_what_was_paused() {
    const NONE: &[(i128, u64)] = &[];
    for graph in ["mixed-wav", "mixed-mp3", "unmixed-wav"] {
        check(graph, "", &[(0, 5_000, NONE)]);
        check(graph, "--chunk-duration 2s", &[(0, 2_000, NONE), (2_000, 2_000, NONE), (4_000, 1_000, NONE)]);
        check(graph, "--pause 1s-2s --pause 3.5s-4s", &[(0, 3_500, &[(1_000, 1_000), (3_500, 500)])]);
        check(graph, "--pause 0-1s", &[(0, 4_000, &[(0, 1_000)])]);
        check(graph, "--pause 4s-9s", &[(0, 4_000, &[(4_000, 1_000)])]);
        // The pause is in the first chunk; the second begins a second later in recording time.
        let cut_after = [(0, 2_000, &[(1_500, 1_000)][..]), (3_000, 2_000, NONE)];
        check(graph, "--chunk-duration 2s --pause 1.5s-2.5s", &cut_after);
        // The chunk is full when the pause begins: the next one begins when it ends.
        let cut_at = [(0, 2_000, &[(2_000, 1_000)][..]), (3_000, 2_000, NONE)];
        check(graph, "--chunk-duration 2s --pause 2s-3s", &cut_at);
        // A pause that leaves silence belongs to the chunks that it is in.
        let shared = [(0, 2_000, &[(1_500, 500)][..]), (2_000, 2_000, &[(2_000, 500)]), (4_000, 1_000, NONE)];
        check(graph, "--chunk-duration 2s --pause 1.5s-2.5s --pause-mode silence", &shared);
    }
}

#[test]
fn each_chunk_lists_who_was_there_when_it_was_recorded() {
    let mut parties = parties();
    parties[1].leave = Some(Duration::from_millis(1_500));
    let recording = unmixed::call(&parties).args("--chunk-duration 2s").record("unmixed-wav");
    let listed = |chunk: &Value| -> Vec<(String, Option<u64>)> {
        let rows = chunk["metadata"]["participants"].as_array().expect("a list of participants");
        rows.iter().map(|row| (row["participantId"].as_str().unwrap_or("?").into(), row["channel"].as_u64())).collect()
    };
    let row = |name: &str, channel| (name.to_owned(), Some(channel));
    let expected = [
        vec![row("anna", 0), row("bert", 1)],
        vec![row("anna", 0), row("cleo", 2)],
        vec![row("anna", 0), row("cleo", 2)],
    ];
    assert_eq!(recording.chunks().iter().map(listed).collect::<Vec<_>>(), expected);
    let seconds = |row: &Value| (row["joinedSeconds"].as_f64(), row["leftSeconds"].as_f64());
    let told: Vec<_> = recording.json["participants"].as_array().expect("a list").iter().map(seconds).collect();
    assert_eq!(told, [(Some(0.0), None), (Some(0.3), Some(1.5)), (Some(2.7), None)]);
}

#[test]
fn times_of_pauses_are_told_to_the_sample() {
    let course = "--pause 1000031251ns-1234567891ns";
    let recording = unmixed::call(&parties()).args(course).record("mixed-wav");
    let pause = &recording.chunks()[0]["metadata"]["pauseResumeIntervals"][0];
    let start = position(Duration::from_nanos(1_000_031_251)) as i128 * 1_000_000_000 / RATE as i128;
    assert_eq!(since_start(&recording, &pause["startTime"]), start);
    assert_eq!(pause["duration"], 235);
}
