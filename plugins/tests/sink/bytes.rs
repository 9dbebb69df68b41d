//! Everything that is neither WAV nor MP3: bytes as they come, where `BYTES` segments say.

use gst::prelude::*;

use crate::foreign;
use crate::run::Dir;
use crate::run::MONO_16K;
use crate::run::Run;
use crate::run::init;
use crate::run::voice;

/// Runs a launch line to its EOS.
#[track_caller]
fn launch(line: &str) {
    init();
    let pipeline = gst::parse::launch(line).expect("a launch line that can be parsed");
    let bus = pipeline.bus().expect("pipelines have a bus");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &kinds);
    pipeline.set_state(gst::State::Null).expect("it stops");
    assert_eq!(message.map(|message| message.type_()), Some(gst::MessageType::Eos), "{line}");
}

#[test]
fn flacenc_rewrites_its_header() {
    let dir = Dir::new();
    let location = dir.file("a.flac");
    let said = voice(20_001, 1);
    let mut run = Run::with_caps("flacenc", &location, MONO_16K);
    run.push_samples(&said, 16_000, 1);
    run.end(20_001);
    foreign::run("flac", &["--test", "--silent", &location]);
    let (total, _) = foreign::run("metaflac", &["--show-total-samples", &location]);
    assert_eq!(String::from_utf8_lossy(&total).trim(), "20001");
    assert!(foreign::ffmpeg(&location) == said, "FLAC is lossless");
}

#[test]
fn wavenc_rewrites_its_header() {
    let dir = Dir::new();
    let location = dir.file("a.wav");
    let said = voice(5_000, 1);
    let mut run = Run::with_caps("wavenc", &location, MONO_16K);
    run.push_samples(&said, 16_000, 1);
    run.end(5_000);
    assert!(foreign::sox(&location) == said, "samples");
    assert_eq!(foreign::ffprobe(&location, "duration_ts"), "5000");
}

#[test]
fn every_muxer_gets_the_file_that_filesink_would_write() {
    let dir = Dir::new();
    let (ours, theirs) = (dir.file("ours"), dir.file("theirs"));
    let source = "audiotestsrc num-buffers=100 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 ! audioconvert";
    for (encode, codec) in [
        ("vorbisenc ! oggmux", "vorbis"),
        ("vorbisenc ! matroskamux", "vorbis"),
        ("lamemp3enc ! qtmux", "mp3"),
        ("lamemp3enc ! xingmux", "mp3"),
        ("lamemp3enc ! id3v2mux", "mp3"),
    ] {
        // One muxer for both: some write random numbers and the date.
        let fork = format!("tee name=t t. ! queue ! reelsink location={ours} t. ! queue ! filesink location={theirs}");
        launch(&format!("{source} ! {encode} ! {fork}"));
        let bytes = std::fs::read(&ours).expect("the file is there");
        assert!(!bytes.is_empty() && bytes == std::fs::read(&theirs).expect("the file is there"), "{encode}");
        assert_eq!(foreign::ffprobe(&ours, "codec_name,sample_rate"), format!("{codec},48000"));
    }
}

#[test]
fn bytes_go_where_their_segment_begins() {
    let dir = Dir::new();
    let mut run = Run::new("", &format!("location={}", dir.file("a.bin")));
    let at = |run: &mut Run, start: u64| {
        let mut segment = gst::FormattedSegment::<gst::format::Bytes>::new();
        segment.set_start(gst::format::Bytes::from_u64(start));
        run.harness.push_event(gst::event::Segment::new(&segment));
    };
    run.harness.push_event(gst::event::StreamStart::new("test"));
    at(&mut run, 0);
    run.push(b"0123456789").expect("the sink takes it");
    at(&mut run, 3);
    run.push(b"abc").expect("the sink takes it");
    run.push(b"d").expect("the sink takes it");
    let position = || -> Option<u64> {
        let position = run.harness.srcpad()?.peer_query_position::<gst::format::Bytes>()?;
        Some(*position)
    };
    assert_eq!(position(), Some(7));
    at(&mut run, 12);
    run.push(b"z").expect("the sink takes it");
    assert_eq!(run.end(0).map(|file| file.size), Some(13));
    assert_eq!(std::fs::read(dir.file("a.bin")).expect("the file is there"), b"012abcd789\0\0z");
}

#[test]
fn raw_audio_of_another_format_is_bytes() {
    let dir = Dir::new();
    let caps = "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1";
    let mut run = Run::with_caps("", &dir.file("a.raw"), caps);
    run.push(&[1, 2, 3, 4]).expect("the sink takes it");
    run.end(1);
    assert_eq!(std::fs::read(dir.file("a.raw")).expect("the file is there"), [1, 2, 3, 4]);
}
