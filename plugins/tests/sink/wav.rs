//! WAV files: bit exact, and readable after every buffer.

use gst::prelude::*;
use gstreel::messages;

use crate::foreign;
use crate::run::Dir;
use crate::run::MONO_16K;
use crate::run::Run;
use crate::run::to_bytes;
use crate::run::voice;

fn caps(rate: u32, channels: usize) -> String {
    let mask = if channels > 1 { ",channel-mask=(bitmask)0x0" } else { "" };
    format!("audio/x-raw,format=S16LE,layout=interleaved,rate={rate},channels={channels}{mask}")
}

#[test]
fn the_samples_are_those_that_came() {
    for (rate, channels, header) in [(16_000, 1, 44), (48_000, 2, 44), (16_000, 5, 68)] {
        let dir = Dir::new();
        let location = dir.file("a.wav");
        let samples = voice(12_345, channels);
        let mut run = Run::with_caps("", &location, &caps(rate, channels));
        run.push_samples(&samples, rate, channels);
        let size = header + 2 * samples.len() as u64;
        let told = run.end(12_345);
        assert_eq!(told, Some(messages::File { index: 0, location: location.clone(), size }));
        assert_eq!(std::fs::metadata(&location).expect("the file is there").len(), size);
        assert!(foreign::ffmpeg(&location) == samples, "ffmpeg, {channels} channels");
        assert!(foreign::sox(&location) == samples, "sox, {channels} channels");
        let format = foreign::ffprobe(&location, "codec_name,sample_rate,channels,duration_ts");
        assert_eq!(format, format!("pcm_s16le,{rate},{channels},12345"));
        assert_eq!(foreign::mediainfo(&location, "SamplingCount"), "12345");
        assert_eq!(foreign::mediainfo(&location, "Channel(s)"), channels.to_string());
    }
}

#[test]
fn the_file_is_readable_after_every_buffer() {
    let dir = Dir::new();
    let location = dir.file("a.wav");
    let mut run = Run::new("", &format!("numbered=false location={location}"));
    run.harness.set_src_caps_str(MONO_16K);
    assert_eq!(foreign::ffprobe(&location, "sample_rate,channels"), "16000,1");
    let samples = voice(1_000, 1);
    for (index, part) in samples.chunks(100).enumerate() {
        run.push(&to_bytes(part)).expect("the sink takes it");
        let written = 100 * (index + 1);
        assert_eq!(foreign::ffprobe(&location, "duration_ts"), written.to_string());
        assert!(foreign::sox(&location) == samples[..written], "{written} samples");
    }
}

#[test]
fn a_stop_without_eos_leaves_a_whole_file_and_no_message() {
    let dir = Dir::new();
    let location = dir.file("a.wav");
    let mut run = Run::with_caps("", &location, MONO_16K);
    run.push(&[1, 0, 2, 0, 3]).expect("the sink takes it");
    run.sink.set_state(gst::State::Ready).expect("it stops");
    assert_eq!(run.messages().0, []);
    assert_eq!(std::fs::metadata(&location).expect("the file is there").len(), 48);
    assert_eq!(foreign::sox(&location), [1, 2]);
}

#[test]
fn a_sample_torn_between_two_buffers_is_made_whole() {
    let dir = Dir::new();
    let location = dir.file("a.wav");
    let mut run = Run::with_caps("", &location, MONO_16K);
    for part in [[1].as_slice(), &[0, 2, 0, 3], &[0]] {
        run.push(part).expect("the sink takes it");
    }
    assert_eq!(run.end(3).map(|file| file.size), Some(50));
    assert_eq!(foreign::sox(&location), [1, 2, 3]);
}

#[test]
fn no_media_make_an_empty_file_that_opens() {
    let dir = Dir::new();
    let location = dir.file("a.wav");
    let mut run = Run::with_caps("", &location, MONO_16K);
    assert_eq!(run.end(0), Some(messages::File { index: 0, location: location.clone(), size: 44 }));
    assert_eq!(foreign::sox(&location), []);
    assert_eq!(foreign::ffprobe(&location, "sample_rate,channels"), "16000,1");
}

#[test]
fn there_is_room_for_as_many_samples_as_the_limit_minus_the_header_holds() {
    let dir = Dir::new();
    for (channels, header) in [(1, 44), (2, 44), (5, 68)] {
        let mut run = Run::with_caps("", &dir.file("%d.wav"), &caps(16_000, channels));
        let limit = 100_001;
        let expected = (limit - header) / (2 * channels as u64);
        // Before the file is open, and after.
        assert_eq!(run.room(limit), Some(messages::Room::Samples { samples: expected, rate: 16_000 }));
        run.push_samples(&voice(expected as usize, channels), 16_000, channels);
        assert_eq!(run.room(limit), Some(messages::Room::Samples { samples: expected, rate: 16_000 }));
        let size = run.end(expected).expect("reel-file").size;
        assert!(size <= limit && limit - size < 2 * channels as u64, "{size} of {limit}");
    }
}
