//! MP3 recordings: exact in length and place, as ffmpeg hears them, and as large as their limit allows.
//!
//! MP3 is lossy, so samples are compared by their signal-to-noise ratio; everything that is counted is compared
//! exactly. The truth beside each MP3 is the WAV recording of the same call.

use std::time::Duration;

use crate::model::Party;
use crate::support::RATE;
use crate::support::call::{Call, Recording};
use crate::support::judge;
use crate::support::signal::{lag, snr_db};
use crate::support::sound;
use crate::unmixed;

/// Bytes of a frame at 16 kHz and 48 kbit/s, and samples in it.
const FRAME_BYTES: u64 = 216;
const FRAME_SAMPLES: usize = 576;

const COURSES: [&str; 3] = ["", "--pause 1s-2.5s", "--pause 1s-2.5s --pause-mode tone"];

fn call() -> Call {
    let party = |seed, join_ms, n| Party {
        samples: sound::speech(seed, n),
        join: Duration::from_millis(join_ms),
        ..Party::default()
    };
    unmixed::call(&[party(0, 0, 8 * RATE + 123), party(1, 300, 2 * RATE), party(2, 1_700, 30_001)])
}

fn size(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).expect("the file is there").len()
}

/// Asserts that each chunk decodes to exactly its samples, at their place; returns all of them.
#[track_caller]
fn check(call: &Call, what: &str) -> (Recording, Vec<i16>) {
    let recording = call.record("mixed-mp3");
    let truth = call.record("mixed-wav");
    let mut heard = Vec::new();
    for (chunk, file) in recording.files().iter().enumerate() {
        let decoded = judge::decoded(file);
        assert_eq!(decoded.len(), recording.samples(chunk), "{what}: chunk {chunk}");
        // Of a file of some frames mp3val says that it is too short to be one.
        if decoded.len() > 10 * FRAME_SAMPLES {
            judge::mp3val(file);
        }
        heard.extend(decoded);
    }
    let said: Vec<_> = truth.wavs().iter().flat_map(|wav| wav.samples.clone()).collect();
    assert_eq!(heard.len(), said.len(), "{what}: samples in all");
    assert_eq!(lag(&said, &heard, 1_200), 0, "{what}");
    (recording, heard)
}

#[test]
fn joined_chunks_are_as_long_as_the_uncut_recording_and_in_place() {
    for course in COURSES {
        let call = call().args(course);
        let (whole, _) = check(&call, course);
        assert_eq!(whole.files().len(), 1);
        for limit in
            ["--chunk-duration 1.7s", "--chunk-size 20KiB", "--chunk-size 10KiB", "--chunk-duration 333333333ns"]
        {
            let (cut, heard) = check(&call.clone().args(limit), &format!("{course} {limit}"));
            assert!(cut.files().len() > 1);
            assert_eq!(heard.len(), whole.samples(0), "{course} {limit}");
        }
    }
}

#[test]
fn one_more_sample_would_have_been_too_large() {
    let size_of = |n: usize| size(&Call::new().with("anna", &sound::speech(0, n)).record("mixed-mp3").file());
    for (limit, bytes) in
        [("20KiB", 20_480), ("10KiB", 10_240), ("10151B", 10_151), ("10152B", 10_152), ("4KiB", 4_096)]
    {
        let cut = call().args(&format!("--chunk-size {limit}")).record("mixed-mp3");
        let files = cut.files();
        for (index, file) in files.iter().enumerate().take(files.len() - 1) {
            let (size, n) = (size(file), cut.samples(index));
            assert!(size <= bytes && size + FRAME_BYTES > bytes, "{limit}: {size} bytes");
            assert_eq!((size, size % FRAME_BYTES), (size_of(n), 0), "{limit}: a call of {n} samples");
            assert!(size_of(n + 1) > bytes, "{limit}: {n} samples and one more");
        }
        assert!(size(files.last().expect("there are chunks")) <= bytes);
    }
}

#[test]
fn at_the_borders_of_chunks_it_sounds_as_in_their_middle() {
    // Speech, cut in 29 places.
    let said = sound::speech(0, 18 * RATE);
    let call = Call::new().with("anna", &said);
    let whole = judge::decoded(&call.record("mixed-mp3").file());
    let (_, cut) = check(&call.args("--chunk-duration 600ms"), "speech");
    let chunk = RATE * 6 / 10;
    // A frame's length on each side of all borders, in one stretch; and as much from the middles.
    let around = |samples: &[i16], from: usize| -> Vec<i16> {
        let places = (1..29).map(|n| n * chunk + from);
        places.flat_map(|at| samples[at - FRAME_SAMPLES..at + FRAME_SAMPLES].to_vec()).collect()
    };
    let snr = |heard: &[i16], from| snr_db(&around(&said, from), &around(heard, from));
    let (border, middle) = (snr(&cut, 0), snr(&cut, chunk / 2));
    let uncut = snr(&whole, 0);
    println!("speech in MP3: borders {border:.1} dB, middles {middle:.1} dB; uncut at the borders {uncut:.1} dB");
    assert!(middle > 8.0, "in the middle of chunks: {middle:.1} dB");
    // Each chunk has an encoder of its own, without the bits that others save up for loud frames.
    assert!(border > uncut - 1.5, "at the borders {border:.1} dB, uncut at the same places {uncut:.1} dB");
    assert!(border > middle - 3.0, "at the borders {border:.1} dB, in the middle {middle:.1} dB");
}

/// Once the frame of the info tag, which needs more room than a frame of 32 kbit/s has, made it an average.
#[test]
fn a_constant_bit_rate_is_told_as_it_is_however_low() {
    let call = Call::new().with("anna", &sound::speech(0, 3 * RATE));
    for bit_rate in [16, 32, 48, 64] {
        let path = call.path(&format!("at-{bit_rate}.toml"));
        let text = include_str!("../../pipelines/mixed-mp3.toml");
        std::fs::write(&path, text.replace("bitrate = 48", &format!("bitrate = {bit_rate}")))
            .expect("it can be written");
        let recording = call.record(path.to_str().expect("a path of text"));
        let told = &recording.chunks()[0]["metadata"]["recordingInfo"]["audioConfiguration"]["bitRate"];
        assert_eq!(*told, bit_rate * 1_000);
    }
}
