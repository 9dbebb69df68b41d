//! Chunks of a WAV recording: put together they are the recording, and each is as large as its limit allows.

use std::time::Duration;

use crate::model;
use crate::model::Party;
use crate::support::RATE;
use crate::support::call::{DONE, Recording};
use crate::support::signal::assert_same;
use crate::support::sound;
use crate::support::wav::Wav;
use crate::unmixed;

fn parties() -> Vec<Party> {
    let party = |seed, join_ms, n| Party {
        samples: sound::noise(seed, n, 5_000),
        join: Duration::from_millis(join_ms),
        ..Party::default()
    };
    vec![party(1, 0, 5 * RATE), party(2, 300, 2 * RATE), party(3, 1_700, 30_001)]
}

const LIMITS: [&str; 8] = [
    "--chunk-duration 1.7s",
    "--chunk-duration 100ms",
    "--chunk-duration 1000031251ns",
    "--chunk-duration 333333333ns",
    "--chunk-size 20KiB",
    "--chunk-size 10KiB",
    "--chunk-size 4097B",
    "--chunk-duration 1.7s --chunk-size 50KiB",
];

/// Courses of the call: with pauses a limit counts what is recorded.
const COURSES: [&str; 3] = ["", "--pause 1s-2.5s", "--pause 1s-2.5s --pause-mode silence"];

/// Returns a channel of all chunks, put together.
fn joined(chunks: &[Wav], channel: usize) -> Vec<i16> {
    chunks.iter().flat_map(|chunk| chunk.channel(channel)).collect()
}

/// Asserts that chunks, joined, are the uncut recording, and that their indices and names count.
#[track_caller]
fn check(graph: &str, limit: &str, course: &str) -> Recording {
    let call = unmixed::call(&parties()).args(course);
    let (whole, cut) = (call.record(graph).wav(), call.args(limit).record(graph));
    let (chunks, what) = (cut.wavs(), format!("{graph} {course} {limit}"));
    assert!(chunks.len() > 1, "{what}: one chunk is no case");
    for channel in 0..whole.channels {
        assert_same(&format!("{what}: channel {channel}"), &whole.channel(channel), &joined(&chunks, channel));
    }
    for (index, (chunk, wav)) in cut.chunks().iter().zip(&chunks).enumerate() {
        assert_eq!(chunk["metadata"]["chunkIndex"], index, "{what}");
        assert!(
            chunk["file"].as_str().is_some_and(|file| file.ends_with(&format!("{graph}-{index:03}.wav"))),
            "{what}"
        );
        assert_eq!(cut.samples(index), wav.frames(), "{what}: chunk {index}");
        assert!(wav.frames() > 0, "{what}: chunk {index} is empty");
    }
    cut
}

#[test]
fn joined_chunks_are_the_uncut_recording() {
    for graph in ["mixed-wav", "unmixed-wav"] {
        for limit in LIMITS {
            for course in COURSES {
                check(graph, limit, course);
            }
        }
    }
}

#[test]
fn a_chunk_ends_at_the_very_sample_of_its_duration() {
    for (limit, samples) in [("1.7s", 27_200), ("100ms", 1_600), ("1000031249ns", 16_000), ("1000031251ns", 16_001)] {
        for graph in ["mixed-wav", "unmixed-wav"] {
            let chunks = check(graph, &format!("--chunk-duration {limit}"), "").wavs();
            let (last, full) = chunks.split_last().expect("there are chunks");
            assert!(full.iter().all(|chunk| chunk.frames() == samples), "{graph} {limit}");
            assert!(last.frames() <= samples, "{graph} {limit}");
        }
    }
}

#[test]
fn one_more_sample_would_have_been_too_large() {
    for (limit, bytes) in [("20KiB", 20_480), ("10KiB", 10_240), ("4097B", 4_097), ("5001B", 5_001), ("12kB", 12_000)] {
        for graph in ["mixed-wav", "unmixed-wav"] {
            let cut = check(graph, &format!("--chunk-size {limit}"), "");
            let n_full = cut.files().len() - 1;
            for (file, wav) in cut.files().iter().zip(cut.wavs()).take(n_full) {
                let size = std::fs::metadata(file).expect("the file is there").len() as usize;
                assert_eq!(size, wav.overhead + wav.samples.len() * 2);
                assert!(size <= bytes && size + wav.channels * 2 > bytes, "{graph} {limit}: {size} bytes");
            }
        }
    }
}

#[test]
fn a_limit_that_is_just_reached_makes_no_second_chunk() {
    let parties = [Party { samples: sound::noise(1, 2 * RATE, 8_000), ..Party::default() }];
    for (limit, n) in [("2s", 1), ("1999937500ns", 2), ("2000062500ns", 1), ("1s", 2), ("500ms", 4)] {
        let cut = unmixed::call(&parties).args(&format!("--chunk-duration {limit}")).record("mixed-wav");
        assert_eq!(cut.files().len(), n, "{limit}");
        assert_same(limit, &parties[0].samples, &joined(&cut.wavs(), 0));
    }
}

#[test]
fn unused_channels_are_cut_off_the_only_chunk_and_off_no_other() {
    let parties = [Party { samples: sound::noise(1, 2 * RATE, 8_000), ..Party::default() }];
    // The last cases end their first chunk when the recording is being stopped already.
    for (limit, n_channels) in [("2s", vec![1]), ("1s", vec![5, 5]), ("1.7s", vec![5, 5]), ("1.9s", vec![5, 5])] {
        let cut = unmixed::call(&parties).args(&format!("--chunk-duration {limit}")).record("unmixed-wav");
        let channels: Vec<_> = cut.wavs().iter().map(|chunk| chunk.channels).collect();
        assert_eq!(channels, n_channels, "{limit}");
        let told = |chunk: &serde_json::Value| {
            chunk["metadata"]["recordingInfo"]["audioConfiguration"]["channels"].as_u64().map(|n| n as usize)
        };
        assert_eq!(cut.chunks().iter().filter_map(told).collect::<Vec<_>>(), n_channels, "{limit}");
    }
}

#[test]
fn the_model_agrees() {
    let parties = parties();
    let cut = unmixed::call(&parties).args("--chunk-duration 1.7s").record("mixed-wav");
    assert_same("joined", &model::mix(&parties, model::length(&parties)), &joined(&cut.wavs(), 0));
}

#[test]
fn the_directory_may_be_called_anything() {
    let parties = [Party { samples: sound::noise(1, RATE, 8_000), ..Party::default() }];
    for name in ["50%d", "%03u/%d", "Zoë's calls", "-", "a\"b\\c"] {
        let call = unmixed::call(&parties).args("--chunk-duration 300ms");
        let out = call.path(&format!("{name}/out"));
        let cut = Recording::read(&call, "mixed-wav", out.clone(), call.run(&[], "mixed-wav", &out), DONE);
        assert_same(name, &parties[0].samples, &joined(&cut.wavs(), 0));
        assert!(cut.files().iter().all(|file| file.starts_with(&out)), "{name}: {:?}", cut.files());
    }
}
