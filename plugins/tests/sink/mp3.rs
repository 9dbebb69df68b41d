//! MP3 files: a gapless decoder returns exactly the samples that went into the encoder.

use gst::prelude::*;
use gst_check::Harness;
use gstreel::formats::mp3;
use gstreel::messages;

use crate::foreign;
use crate::run::Dir;
use crate::run::LAME_48;
use crate::run::MONO_16K;
use crate::run::Run;
use crate::run::init;
use crate::run::to_bytes;
use crate::run::voice;

fn caps(rate: u32, channels: usize) -> String {
    let mask = if channels == 2 { ",channel-mask=(bitmask)0x3" } else { "" };
    format!("audio/x-raw,format=S16LE,layout=interleaved,rate={rate},channels={channels}{mask}")
}

/// Encodes `samples` per channel, and asserts that ffmpeg decodes as many, at the same place.
#[track_caller]
fn check(encoder: &str, rate: u32, channels: usize, samples: usize) -> (Dir, String, u64) {
    let dir = Dir::new();
    let location = dir.file("a.mp3");
    let said = voice(samples, channels);
    let mut run = Run::with_caps(encoder, &location, &caps(rate, channels));
    run.push_samples(&said, rate, channels);
    let size = run.end(samples as u64).expect("reel-file").size;
    assert_eq!(run.messages().1.len(), 0);
    let heard = foreign::ffmpeg(&location);
    assert_eq!(heard.len() / channels, samples, "{encoder} at {rate} Hz");
    if samples > 5_000 {
        let first = |all: &[i16]| -> Vec<i16> { all.iter().copied().step_by(channels).collect() };
        assert_eq!(foreign::lag(&first(&said), &first(&heard)), 0, "{encoder} at {rate} Hz");
        // Of a file of some frames mp3val says that it is too short to be one.
        foreign::mp3val(&location);
    }
    (dir, location, size)
}

/// Below it ffmpeg 5.1 forgets at the end of the stream that it still has to skip the beginning, in its own files too.
const FFMPEG_MIN: usize = 47;

#[test]
fn ffmpeg_returns_exactly_the_samples_that_went_in() {
    for samples in [FFMPEG_MIN, 575, 576, 577, 1_104, 1_105, 1_151, 1_152, 1_153, 1_600, 5_760, 16_000, 100_001] {
        let (_dir, location, size) = check(LAME_48, 16_000, 1, samples);
        let frames = mp3::frames_for(samples as u64, 576);
        assert_eq!(size, 216 * (1 + frames));
        assert_eq!(std::fs::metadata(&location).expect("the file is there").len(), size);
    }
}

#[test]
fn a_stream_of_a_few_samples_says_how_many_they_are() {
    let dir = Dir::new();
    for samples in 1..FFMPEG_MIN {
        let mut run = Run::with_caps(LAME_48, &dir.file("a.mp3"), MONO_16K);
        run.push_samples(&voice(samples, 1), 16_000, 1);
        assert_eq!(run.end(samples as u64).map(|file| file.size), Some(4 * 216));
        let bytes = std::fs::read(dir.file("a.mp3")).expect("the file is there");
        let trim = u32::from_be_bytes([0, bytes[154], bytes[155], bytes[156]]);
        assert_eq!((trim >> 12, trim & 0xFFF), (576, 3 * 576 - 576 - samples as u32));
    }
}

#[test]
fn other_bit_rates_and_sample_rates_are_as_exact() {
    let cases = [
        (16_000, 1, 32),
        (16_000, 1, 64),
        (16_000, 1, 128),
        (16_000, 2, 48),
        (8_000, 1, 8),
        (8_000, 1, 32),
        (22_050, 1, 64),
        (44_100, 2, 128),
        (48_000, 1, 64),
        (48_000, 2, 320),
    ];
    for (rate, channels, kbits) in cases {
        let encoder = format!("lamemp3enc target=bitrate bitrate={kbits} cbr=true encoding-engine-quality=fast");
        for samples in [FFMPEG_MIN, 1_153, 50_001] {
            let (_dir, location, _) = check(&encoder, rate, channels, samples);
            assert_eq!(foreign::ffprobe(&location, "sample_rate,channels"), format!("{rate},{channels}"));
            let per_frame = if rate < 32_000 { 576 } else { 1_152 };
            let frames = mp3::frames_for(samples as u64, per_frame);
            // ffprobe has the duration from the tag's count of frames.
            let seconds = (frames * u64::from(per_frame)) as f64 / f64::from(rate);
            assert_eq!(foreign::ffprobe(&location, "duration"), format!("{seconds:.6}"), "{kbits} kbit/s, {rate} Hz");
            if samples > 5_000 {
                assert_eq!(
                    foreign::ffprobe(&location, "nb_read_packets"),
                    frames.to_string(),
                    "{kbits} kbit/s, {rate} Hz"
                );
            }
        }
    }
}

#[test]
fn a_variable_bit_rate_has_a_xing_tag_that_counts_frames_and_bytes() {
    for encoder in ["lamemp3enc target=quality quality=4", "lamemp3enc target=bitrate bitrate=48 cbr=false"] {
        let (_dir, location, _) = check(encoder, 16_000, 1, 100_001);
        let summary = foreign::mp3val(&location);
        assert!(summary.contains("Xing"), "{summary}");
        assert_eq!(foreign::mediainfo(&location, "BitRate_Mode"), "VBR");
    }
}

#[test]
fn the_tags_own_checksums_are_right() {
    let (_dir, location, _) = check(LAME_48, 16_000, 1, 16_000);
    let bytes = std::fs::read(location).expect("the file is there");
    // CRC-16/ARC, bit by bit from its definition.
    let crc = |bytes: &[u8]| {
        bytes.iter().fold(0u16, |crc, byte| {
            (0..8).fold(crc ^ u16::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xA001 } else { 0 })
        })
    };
    assert_eq!(bytes[165..167], crc(&bytes[216..]).to_be_bytes(), "music");
    assert_eq!(bytes[167..169], crc(&bytes[..167]).to_be_bytes(), "tag");
}

#[test]
fn no_media_make_an_empty_file() {
    let dir = Dir::new();
    let location = dir.file("a.mp3");
    let mut run = Run::with_caps(LAME_48, &location, MONO_16K);
    assert_eq!(run.end(0), Some(messages::File { index: 0, location: location.clone(), size: 0 }));
    assert_eq!(std::fs::read(location).expect("the file is there"), []);
    assert_eq!(run.messages().1.len(), 0);
}

/// Returns what a decoder makes of a file of unknown length: all but encoder's and decoder's delay.
fn decodable(frames: u64) -> usize {
    (frames * 576 - 576 - 529) as usize
}

#[test]
fn eos_without_a_count_cuts_nothing_recorded() {
    let dir = Dir::new();
    let location = dir.file("a.mp3");
    let said = voice(16_000, 1);
    let mut run = Run::with_caps(LAME_48, &location, MONO_16K);
    run.push_samples(&said, 16_000, 1);
    run.harness.push_event(gst::event::Eos::new());
    let heard = foreign::ffmpeg(&location);
    assert_eq!(heard.len(), decodable(30));
    assert_eq!(foreign::lag(&said, &heard), 0);
}

/// LAME drained in mid-file puts its ends there twice, and resampled samples are more than were counted before it: what
/// is left of the frames when delay and count are taken away is audio too.
#[test]
fn frames_that_the_count_does_not_explain_are_not_cut() {
    let dir = Dir::new();
    let location = dir.file("a.mp3");
    let resampled = format!("audioresample ! audio/x-raw,rate=16000 ! {LAME_48}");
    for (encoder, rate, parts, frames) in [(LAME_48, 16_000, 2, 18), (resampled.as_str(), 8_000, 1, 16)] {
        let mut run = Run::with_caps(encoder, &location, &caps(rate, 1));
        for part in 0..parts {
            let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
            segment.set_base(gst::ClockTime::from_mseconds(250 * part));
            run.harness.push_event(gst::event::Segment::new(&segment));
            run.push_samples(&voice(4_000, 1), rate, 1);
        }
        let size = run.end(4_000 * parts).expect("reel-file").size;
        assert_eq!(size, 216 * (1 + frames), "{encoder}");
        assert_eq!(foreign::ffmpeg(&location).len(), decodable(frames), "{encoder}");
        foreign::mp3val(&location);
    }
}

#[test]
fn a_stop_without_eos_counts_what_is_there() {
    let dir = Dir::new();
    let location = dir.file("a.mp3");
    let said = voice(16_000, 1);
    let mut run = Run::with_caps(LAME_48, &location, MONO_16K);
    run.push_samples(&said, 16_000, 1);
    run.sink.set_state(gst::State::Ready).expect("it stops");
    assert_eq!(run.messages().0, []);
    let frames = std::fs::metadata(&location).expect("the file is there").len() / 216 - 1;
    assert!((20..30).contains(&frames), "LAME holds back its last frames until EOS, {frames} were written");
    assert_eq!(foreign::ffmpeg(&location).len(), decodable(frames));
    assert_eq!(foreign::ffprobe(&location, "nb_read_packets"), frames.to_string());
    foreign::mp3val(&location);
}

#[test]
fn a_killed_recorders_file_is_repaired_to_all_its_whole_frames() {
    let dir = Dir::new();
    let (killed, repaired) = (dir.file("a.mp3"), dir.file("b.mp3"));
    let said = voice(16_000, 1);
    let mut run = Run::with_caps(LAME_48, &killed, MONO_16K);
    run.push_samples(&said, 16_000, 1);
    let bytes = std::fs::read(&killed).expect("the file is there while it is written");
    assert_eq!(foreign::ffprobe(&killed, "codec_name,sample_rate,channels"), "mp3,16000,1");
    for torn in [0, 1, 100, 215] {
        let mut bytes = bytes[..bytes.len() - torn].to_vec();
        let mut scan = mp3::Scan::default();
        bytes.chunks(1_000).for_each(|slice| scan.push(slice));
        let repair = scan.finish();
        bytes.truncate(repair.file_len as usize);
        let tag = repair.tag.expect("the tag says no counts yet");
        bytes[..tag.len()].copy_from_slice(&tag);
        std::fs::write(&repaired, &bytes).expect("a file for the test");
        let heard = foreign::ffmpeg(&repaired);
        assert_eq!((heard.len() as u64, heard.len()), (repair.samples, decodable(repair.frames)));
        assert_eq!(foreign::lag(&said, &heard), 0);
        foreign::mp3val(&repaired);
    }
}

/// Returns the frames that `lamemp3enc` makes of `samples`, pushed in buffers of `tick`.
fn frames_of(encoder: &str, rate: u32, channels: usize, samples: usize, tick: usize) -> mp3::FrameCounter {
    let mut harness = Harness::new_parse(encoder);
    harness.set_src_caps_str(&caps(rate, channels));
    for part in voice(samples, channels).chunks(tick * channels) {
        harness.push(gst::Buffer::from_slice(to_bytes(part))).expect("the encoder takes it");
    }
    harness.push_event(gst::event::Eos::new());
    let mut counter = mp3::FrameCounter::default();
    while let Some(buffer) = harness.try_pull() {
        counter.push(&buffer.map_readable().expect("a readable buffer"));
    }
    assert_eq!((counter.end(), counter.skipped()), (counter.received(), 0));
    counter
}

#[test]
fn lame_makes_as_many_frames_as_the_law_says() {
    init();
    let around = |middle: usize| middle.saturating_sub(3)..middle + 4;
    let lengths = (0..150).chain((1..12).flat_map(|k| around(576 * k))).chain((0..90).map(|k| 2_000 + 337 * k));
    for samples in lengths {
        let tick = [160, 1_600, 1_601][samples % 3];
        let counted = frames_of(LAME_48, 16_000, 1, samples, tick).frames();
        assert_eq!(counted, mp3::frames_for(samples as u64, 576), "{samples} samples");
    }
}

#[test]
fn the_law_holds_at_every_rate_and_no_stream_is_longer_than_its_bit_rate() {
    init();
    let cases = [
        (8_000, 1, 8),
        (11_025, 1, 24),
        (12_000, 2, 64),
        (22_050, 1, 56),
        (24_000, 2, 160),
        (32_000, 1, 96),
        (44_100, 1, 64),
        (44_100, 2, 128),
        (44_100, 2, 320),
        (48_000, 1, 64),
    ];
    for (rate, channels, kbits) in cases {
        let encoder = format!("lamemp3enc target=bitrate bitrate={kbits} cbr=true encoding-engine-quality=fast");
        for samples in (1..30).map(|k| k * k * 71).chain([575, 576, 577, 1_151, 1_152, 1_153]) {
            let counter = frames_of(&encoder, rate, channels, samples, 1_000);
            let first = counter.first().expect("there are frames");
            assert_eq!(first.rate(), rate, "LAME resamples: the case is no case");
            let law = mp3::frames_for(samples as u64, first.samples());
            assert_eq!(counter.frames(), law, "{samples} samples at {rate} Hz, {kbits} kbit/s");
            let size = mp3::InfoTag::reserved(first).bytes().len() as u64 + counter.end();
            // One byte is what the exact length of frames with padding slots may be rounded up by.
            assert!(mp3::samples_within(first, size + 1) >= samples as u64);
            assert!(mp3::samples_within(first, size - 1) < law * u64::from(first.samples()) - 1_151);
        }
    }
}

#[test]
fn room_is_known_from_the_first_frame_on_and_is_exact() {
    let dir = Dir::new();
    for limit in [10_000, 10_151, 10_152, 10_153, 10_367, 10_368] {
        let mut run = Run::with_caps(LAME_48, &dir.file("a.mp3"), MONO_16K);
        assert_eq!(run.room(limit), Some(messages::Room::Unknown { written: 0 }));
        let said = voice(40_000, 1);
        run.push_samples(&said[..8_000], 16_000, 1);
        let Some(messages::Room::Samples { samples, rate: 16_000 }) = run.room(limit) else {
            panic!("the first frame has passed");
        };
        run.push_samples(&said[8_000..samples as usize], 16_000, 1);
        let size = run.end(samples).expect("reel-file").size;
        assert!(size <= limit && size + 216 > limit, "{size} of {limit}");
        assert_eq!(foreign::ffmpeg(&dir.file("a.mp3")).len() as u64, samples);
    }
}

#[test]
fn room_of_a_variable_bit_rate_is_unknown() {
    let dir = Dir::new();
    let mut run = Run::with_caps("lamemp3enc target=quality quality=4", &dir.file("a.mp3"), MONO_16K);
    run.push_samples(&voice(32_000, 1), 16_000, 1);
    let written = std::fs::metadata(dir.file("a.mp3")).expect("the file is there").len();
    assert_eq!(run.room(1 << 20), Some(messages::Room::Unknown { written }));
}
