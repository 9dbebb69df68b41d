//! The tables of "Call Recording overview", to the digit, as ffprobe, sox and mediainfo see the files.

use crate::support::RATE;
use crate::support::call::{Call, Recording};
use crate::support::judge;
use crate::support::sound;
use crate::support::wav::Wav;

/// A minute of speech.
const MINUTE: usize = 60 * RATE;

#[track_caller]
fn record(graph: &str, n_parties: usize) -> Recording {
    let mut call = Call::new();
    for party in 0..n_parties {
        call = call.with(&format!("p{party}"), &sound::speech(party, MINUTE));
    }
    match (graph, n_parties) {
        // Who has no channel is not recorded, which is a fault of the recording.
        ("unmixed-wav", 6) => call.record_with_faults(graph),
        _ => call.record(graph),
    }
}

/// Asserts what other programs say of a WAV file with a minute on each channel.
#[track_caller]
fn check_wav(recording: &Recording, channels: u64) {
    let (path, bit_rate) = (recording.file(), 256_000 * channels);
    let bytes = std::fs::metadata(&path).expect("the file is there").len();
    let data = bytes - Wav::read(&path).overhead as u64;
    assert_eq!(data, 1_920_000 * channels, "1.92 MB a minute and channel");
    assert_eq!(judge::soxi(&path), [MINUTE as u64, 16_000, channels, 16]);
    let stream = judge::ffprobe(&path, "stream=codec_name,sample_rate,channels,bit_rate,duration");
    assert_eq!(stream, format!("pcm_s16le,16000,{channels},60.000000,{bit_rate}"));
    assert_eq!(judge::mediainfo(&path, "BitRate"), bit_rate.to_string());
    assert_eq!(judge::mediainfo(&path, "Channels"), channels.to_string());
    let told = &recording.chunks()[0]["metadata"]["recordingInfo"]["audioConfiguration"];
    assert_eq!([&told["sampleRate"], &told["bitRate"], &told["channels"]], [16_000, bit_rate, channels]);
}

#[test]
fn mixed_wav_is_1_92_mb_a_minute() {
    check_wav(&record("mixed-wav", 3), 1);
}

#[test]
fn unmixed_wav_is_1_92_mb_a_minute_and_channel_up_to_five() {
    for (parties, channels) in [(1, 1), (2, 2), (5, 5), (6, 5)] {
        check_wav(&record("unmixed-wav", parties), channels);
    }
}

#[test]
fn mixed_mp3_is_0_36_mb_a_minute() {
    let recording = record("mixed-mp3", 3);
    let path = recording.file();
    let bytes = std::fs::metadata(&path).expect("the file is there").len();
    // 48 kbit/s are 360 000 bytes a minute; beside them: the last frame's padding, the encoder's delay of two frames,
    // the frame of the info tag.
    assert_eq!(bytes, (60u64 * 16_000).div_ceil(576) * 216 + 3 * 216);
    assert!((bytes as f64 / 1e6 - 0.36).abs() < 0.005, "{bytes} bytes are 0.36 MB");
    let stream = judge::ffprobe(&path, "stream=codec_name,sample_rate,channels,bit_rate");
    assert_eq!(stream, "mp3,16000,1,48000");
    let mediainfo = ["BitRate_Mode", "BitRate", "Channels"].map(|field| judge::mediainfo(&path, field));
    assert_eq!(mediainfo, ["CBR", "48000", "1"]);
    assert_eq!(judge::decoded(&path).len(), MINUTE);
    let told = &recording.chunks()[0]["metadata"]["recordingInfo"];
    assert_eq!([&told["contentType"], &told["channelType"], &told["format"]], ["audio", "mixed", "mp3"]);
    let told = &told["audioConfiguration"];
    assert_eq!([&told["sampleRate"], &told["bitRate"], &told["channels"]], [16_000, 48_000, 1]);
    judge::mp3val(&path);
}
