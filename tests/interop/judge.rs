//! Judges what an SDK loaded: by its sound, and by what it says of itself.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::RATE;
use crate::support::serial;
use crate::support::serial::FRAME;
use crate::support::signal;
use crate::support::sound;
use crate::support::wav;
use crate::support::wav::Wav;

/// Who sends numbered frames, and who a tone.
const ADA: &str = "8:acs:ada";
const BOB: &str = "4:+14255550123";

/// Bob's tone: whole periods in the file that he sends again and again, and none of those that numbers are made of.
const TONE_HZ: f64 = 440.0;
const TONE_DB: f64 = -20.0;

/// G.711 and MP3 leave a tone as loud as it was, to so much.
const TONE_TOLERANCE_DB: f64 = 1.0;

/// Ada's frames and Bob's tone together: 16 tones of 0.027 and one of 0.1 of full scale.
const BOTH_DB: f64 = -19.7;

/// Frames that an edge may cut, or that stand too near to it to be read.
const EDGES: usize = 3;

/// A stretch in which a tone is looked for.
const WINDOW: usize = RATE / 10;

/// Writes the file that Bob sends.
pub(crate) fn write_tone(dir: &Path) -> PathBuf {
    let path = dir.join("tone.wav");
    wav::write(&path, RATE as u32, 1, &sound::tone(TONE_HZ, RATE, 2 * RATE, 0.1 * 32_768.0));
    path
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

/// The tone is there all the time, but where the recording was paused.
#[track_caller]
fn check_tone(name: &str, samples: &[i16], at: usize) {
    for part in [&samples[..at], &samples[at..]] {
        for window in part.chunks_exact(WINDOW) {
            let level = signal::tone_db(window, RATE, TONE_HZ);
            assert!((level - TONE_DB).abs() <= TONE_TOLERANCE_DB, "{name}: the tone is at {level} dB");
        }
    }
}

/// Both are heard, over the whole of it.
#[track_caller]
fn check_both(name: &str, samples: &[i16], duration_ms: usize) {
    assert!((samples.len() * 1_000 / RATE).abs_diff(duration_ms) <= 1, "{name}: {} samples", samples.len());
    let tone = signal::loudest_tone_db(samples, TONE_HZ);
    assert!((tone - TONE_DB).abs() <= TONE_TOLERANCE_DB + 1.0, "{name}: Bob's tone is at {tone} dB");
    let level = signal::rms_db(samples);
    assert!((level - BOTH_DB).abs() <= TONE_TOLERANCE_DB, "{name}: both are at {level} dB");
}

/// Asserts that what an SDK loaded of a recording is what was said in its call.
#[track_caller]
pub(crate) fn check(sdk: &str, recording: &Value) {
    let text =
        |pointer: &str| recording.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}"));
    let (kind, path) = (text("/name"), Path::new(text("/path")));
    let name = &format!("{sdk}, {kind}");
    let metadata = &recording["metadata"];
    let duration_ms = metadata["chunkDuration"].as_u64().expect("milliseconds");
    assert_eq!(recording["result"]["recordingDurationMs"], duration_ms, "{name}");
    let extension = path.extension().and_then(|extension| extension.to_str());
    assert_eq!(extension, Some(if kind == "defaults" { "mp3" } else { "wav" }), "{name}");
    match kind {
        "defaults" => {
            assert_eq!(metadata["recordingInfo"]["audioConfiguration"]["bitRate"], 48_000, "{metadata}");
            check_both(name, &decode(path), duration_ms as usize);
        }
        "mixed" => {
            let wav = Wav::read(path);
            assert_eq!(wav.channels, 1, "{name}");
            check_both(name, &wav.samples, duration_ms as usize);
        }
        // Ada's channel was asked for, or that of both by their order.
        "pinned" => check_channels(name, path, metadata, 2, 0),
        "ordered" => check_channels(name, path, metadata, 1, 0),
        other => panic!("{other} is no recording of the story"),
    }
}

#[track_caller]
fn check_channels(name: &str, path: &Path, metadata: &Value, ada: usize, bob: usize) {
    let wav = Wav::read(path);
    let participants = metadata["participants"].as_array().expect("an array");
    let channel = |id: &str| {
        let found = participants.iter().find(|participant| participant["participantId"] == id);
        found.and_then(|participant| participant["channel"].as_u64()).expect("a channel") as usize
    };
    assert_eq!((wav.channels, channel(ADA), channel(BOB)), (ada + 1, ada, bob), "{name}: {metadata}");
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("a time");
    let begin = time(&metadata["chunkStartTime"]);
    let pauses = metadata["pauseResumeIntervals"].as_array().expect("an array");
    let pauses = pauses.iter().map(|pause| {
        (time(&pause["startTime"]).duration_since(begin), pause["duration"].as_u64().expect("milliseconds"))
    });
    let mut pauses: Vec<_> = pauses.collect();
    let mut before_ms = 0;
    if name.ends_with("pinned") {
        // It was there from the start: nothing is before it.
        let (from, duration_ms) = pauses.remove(0);
        assert!(from.is_zero(), "{name}: {metadata}");
        before_ms = duration_ms;
    }
    let [(from, duration_ms)] = pauses[..] else { panic!("{name}: {metadata}") };
    let at = (from.as_micros() as usize - before_ms as usize * 1_000) * 16 / 1_000;
    check_serial(&format!("{name}, Ada"), &wav.channel(ada), (at, duration_ms));
    check_tone(&format!("{name}, Bob"), &wav.channel(bob), at);
    for nobody in (0..wav.channels).filter(|channel| ![ada, bob].contains(channel)) {
        assert!(wav.channel(nobody).iter().all(|sample| *sample == 0), "{name}: somebody is on channel {nobody}");
    }
}

/// Decodes a file by ffmpeg: 16 kHz, one channel.
#[track_caller]
fn decode(path: &Path) -> Vec<i16> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "s16le", "-ac", "1", "-ar", "16000", "-"])
        .output()
        .expect("ffmpeg is installed");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    signal::from_bytes(&output.stdout)
}
