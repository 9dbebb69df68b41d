//! Graphs beside the shipped four: the examples, and elements that hold media back before the mixer.

use std::path::Path;

use crate::support::RATE;
use crate::support::call::{Call, Recording};
use crate::support::judge;
use crate::support::signal::{assert_same, lag, rms_db, snr_db};
use crate::support::sound;

fn example(name: &str) -> String {
    format!("{}/pipelines/examples/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Two people of whom one comes later; the mix never gets loud.
fn call() -> Call {
    let call = Call::new().with("anna", &sound::scaled(&sound::speech(0, 5 * RATE + 123), 0.6));
    call.with("bert", &sound::scaled(&sound::speech(1, 3 * RATE), 0.6)).args("--join bert=1.0003s")
}

/// Returns what the call is in WAV.
fn truth(call: &Call) -> Vec<i16> {
    let recording = call.record("mixed-wav");
    recording.wavs().into_iter().flat_map(|wav| wav.samples).collect()
}

fn files(recording: &Recording) -> Vec<std::path::PathBuf> {
    recording.files()
}

#[test]
fn flac_holds_every_sample() {
    for course in ["", "--chunk-duration 1.7s", "--pause 1s-2.5s --chunk-size 50KiB"] {
        let call = call().args(course);
        let recording = call.record(&example("mixed-flac"));
        let mut heard = Vec::new();
        for (chunk, file) in files(&recording).iter().enumerate() {
            judge::report("flac", "-t -s", file);
            let samples = judge::decoded(file);
            assert_eq!(samples.len(), recording.samples(chunk), "{course}: chunk {chunk}");
            // The header counts them too, though it was written first.
            let header = judge::ffprobe(file, "stream=codec_name,sample_rate,channels,duration_ts");
            assert_eq!(header, format!("flac,16000,1,{}", samples.len()), "{course}: chunk {chunk}");
            heard.extend(samples);
        }
        assert_same(course, &truth(&call), &heard);
    }
}

#[test]
fn ogg_opus_is_whole_and_in_place() {
    for course in ["", "--chunk-duration 1.7s"] {
        let call = call().args(course);
        let recording = call.record(&example("mixed-ogg-opus"));
        let mut heard = Vec::new();
        for (chunk, file) in files(&recording).iter().enumerate() {
            let info = judge::report("opusinfo", "-q", file);
            assert!(!info.contains("WARNING"), "{course}: {info}");
            let samples = judge::decoded_with(file, "-ar 16000");
            assert_eq!(samples.len(), recording.samples(chunk), "{course}: chunk {chunk}");
            heard.extend(samples);
        }
        let said = truth(&call);
        assert_eq!(heard.len(), said.len(), "{course}");
        assert_eq!(lag(&said, &heard, 1_200), 0, "{course}");
        // Opus at 24 kbit/s keeps the waveform to 4.6 dB of this; sound that is a frame off is below 0 dB.
        assert!(snr_db(&said, &heard) > 3.0, "{course}: {:.1} dB", snr_db(&said, &heard));
        check_no_hole(course, &said, &heard);
    }
}

#[test]
fn noise_suppression_loses_nothing_and_suppresses_noise() {
    let speech = sound::scaled(&sound::speech(0, 6 * RATE), 0.6);
    let noise = sound::noise(7, 6 * RATE, 500);
    let noisy: Vec<i16> = speech.iter().zip(&noise).map(|(speech, noise)| speech + noise).collect();
    let mut first = None;
    for tick in ["10ms", "37ms", "100ms", "200ms"] {
        let call = Call::new().with("anna", &noisy).tick(tick);
        let recording = call.record(&example("noise-suppression"));
        let heard = judge::decoded(&recording.file());
        assert_eq!((heard.len(), recording.samples(0)), (speech.len(), speech.len()), "{tick}");
        // The suppressor works on frames of 10 ms and returns each one late.
        let late = lag(&speech[2 * RATE..4 * RATE], &heard[2 * RATE..4 * RATE], 400);
        println!("noise suppression, {tick}: {late} samples late");
        assert!((0..=160).contains(&late), "{tick}: {late} samples late");
        check_no_hole(tick, &speech, &heard);
        assert_same(tick, first.get_or_insert(heard.clone()), &heard);
    }
    let hush = Call::new().with("anna", &noise).record(&example("noise-suppression"));
    let left = judge::decoded(&hush.file());
    let (before, after) = (rms_db(&noise[3 * RATE..]), rms_db(&left[3 * RATE..]));
    assert!(after < before - 10.0, "noise of {before:.1} dBFS is left at {after:.1} dBFS");
}

/// Asserts that wherever 10 ms of speech are loud, what was heard is too: a block that came too late would be silence.
#[track_caller]
fn check_no_hole(what: &str, said: &[i16], heard: &[i16]) {
    const BLOCK: usize = RATE / 100;
    let mut n_loud = 0;
    for at in (RATE..said.len().min(heard.len()) - 3 * BLOCK).step_by(BLOCK) {
        if rms_db(&said[at..at + BLOCK]) > -30.0 {
            n_loud += 1;
            // Up to 10 ms later, and smeared by the coder.
            let level = rms_db(&heard[at..at + 2 * BLOCK]);
            assert!(level > -40.0, "{what}: {level:.1} dBFS at sample {at}");
        }
    }
    assert!(n_loud > 50, "{what}: {n_loud} loud blocks are no case");
}

/// A graph whose participants pass a resampler that holds media back and does not say so.
const DELAYING: &str = r#"
graph = { content = "audio", channel = "CHANNEL", format = "wav" }
[participant.decode]
element = "reelaudiodec"
inputs = ["@audio"]
caps = "audio/x-raw,format=S16LE,rate=48000,channels=1"
[participant.resample]
element = "audioresample"
inputs = ["decode"]
properties = { quality = 10 }
caps = "audio/x-raw,format=S16LE,rate=16000,channels=1"
[recording.join]
element = "JOIN"
inputs = { "sink_%u" = "resample", timeline = "@timeline" }
[recording.gate]
element = "reelgate"
inputs = ["join"]
[recording.split]
element = "reelsplit"
inputs = ["gate"]
[chunk.meta]
element = "reelmeta"
inputs = ["split"]
[chunk.file]
element = "reelsink"
inputs = ["meta"]
"#;

fn delaying(dir: &Path, channel: &str, join: &str) -> String {
    let path = dir.join(format!("delaying-{channel}.toml"));
    std::fs::write(&path, DELAYING.replace("CHANNEL", channel).replace("JOIN", join)).expect("a file can be written");
    path.into_os_string().into_string().expect("a path of text")
}

#[test]
fn a_resampler_before_the_mixer_costs_no_sample() {
    let said = sound::scaled(&sound::speech(0, 5 * RATE), 0.9);
    let mut first = None;
    for tick in ["10ms", "37ms", "100ms", "200ms"] {
        let call = Call::new().with("anna", &said).tick(tick);
        let graph = delaying(&call.path(""), "mixed", "reelmixer");
        let heard = call.record(&graph).wav().samples;
        check_resampled(tick, &said, &heard);
        assert_same(tick, first.get_or_insert(heard.clone()), &heard);
    }
}

#[test]
fn a_resampler_before_the_channels_costs_no_sample() {
    let (anna, bert) = (sound::speech(0, 4 * RATE), sound::speech(1, 2 * RATE));
    for tick in ["10ms", "100ms", "200ms"] {
        let call = Call::new().with("anna", &anna).with("bert", &bert).args("--join bert=1s --pin anna=0 --pin bert=1");
        let call = call.tick(tick);
        let graph = delaying(&call.path(""), "unmixed", "reelchannels");
        let wav = call.record(&graph).wav();
        check_resampled(tick, &anna, &wav.channel(0));
        check_resampled(tick, &bert, &wav.channel(1)[RATE..3 * RATE]);
    }
}

/// Asserts that sound has gone through a resampler and is whole: in each block of 10 ms it is what it was.
#[track_caller]
fn check_resampled(what: &str, said: &[i16], heard: &[i16]) {
    const BLOCK: usize = RATE / 100;
    assert_eq!(heard.len(), said.len(), "{what}");
    assert_eq!(lag(said, heard, 400), 0, "{what}");
    for at in (0..said.len() - BLOCK).step_by(BLOCK) {
        let (said, heard) = (&said[at..at + BLOCK], &heard[at..at + BLOCK]);
        // A resampler takes the last tenth of the band away, where speech has next to nothing.
        let quiet = rms_db(said) < -50.0;
        assert!(quiet || snr_db(said, heard) > 15.0, "{what}: {:.1} dB at sample {at}", snr_db(said, heard));
    }
}

#[test]
fn a_pause_behind_a_delaying_element_is_as_long_and_in_place() {
    let said = sound::scaled(&sound::speech(0, 4 * RATE), 0.9);
    let call = Call::new().with("anna", &said);
    let graph = delaying(&call.path(""), "mixed", "reelmixer");
    let whole = call.record(&graph).wav().samples;
    let paused = call.clone().args("--pause 1s-2.000031251s").record(&graph).wav().samples;
    let expected = [&whole[..RATE], &whole[2 * RATE + 1..]].concat();
    assert_eq!(paused.len(), expected.len());
    // As far as its filter reaches, the resampler hears silence in the place of the pause.
    const REACH: usize = RATE / 100;
    assert_same("before", &expected[..RATE - REACH], &paused[..RATE - REACH]);
    assert_same("after", &expected[RATE + REACH..], &paused[RATE + REACH..]);
}
