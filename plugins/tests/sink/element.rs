//! What every element must do: caps, EOS, flush, reset, gap, properties, queries.

use gst::prelude::*;
use gstreel::messages;

use crate::foreign;
use crate::run::Dir;
use crate::run::LAME_48;
use crate::run::MONO_16K;
use crate::run::Run;
use crate::run::init;

#[test]
fn a_change_of_caps_in_mid_stream_is_refused_and_what_is_written_stays() {
    for other in [
        "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=2,channel-mask=(bitmask)0x3",
        "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
        "audio/mpeg,mpegversion=1,layer=3,rate=16000,channels=1",
    ] {
        let dir = Dir::new();
        let mut run = Run::with_caps("", &dir.file("a.wav"), MONO_16K);
        run.push(&[1, 0, 2, 0]).expect("the sink takes it");
        let pad = run.harness.srcpad().expect("the harness pushes");
        let caps: gst::Caps = other.parse().expect("caps");
        pad.push_event(gst::event::Caps::new(&caps));
        for _ in 0..2 {
            assert_eq!(run.push(&[3, 0]), Err(gst::FlowError::NotNegotiated), "{other}");
        }
        let (_, errors) = run.messages();
        assert_eq!(errors.len(), 1, "{other}");
        assert_eq!(errors[0].kind::<gst::StreamError>(), Some(gst::StreamError::Format));
        assert_eq!(errors[0].message(), "The format changes in the middle of a file");
        run.end(2);
        assert_eq!(foreign::sox(&dir.file("a.wav")), [1, 2]);
    }
}

#[test]
fn the_same_format_in_other_caps_is_no_change() {
    let dir = Dir::new();
    let mut run = Run::with_caps("", &dir.file("a.wav"), MONO_16K);
    run.push(&[1, 0]).expect("the sink takes it");
    run.harness.set_src_caps_str(&format!("{MONO_16K},channel-mask=(bitmask)0x4"));
    run.push(&[2, 0]).expect("the sink takes it");
    assert_eq!(run.end(2).map(|file| file.size), Some(48));
}

#[test]
fn no_location_is_an_error_before_anything_starts() {
    init();
    for location in [None, Some("")] {
        let sink = gst::ElementFactory::make("reelsink").property("location", location).build().expect("it is there");
        let bus = gst::Bus::new();
        sink.set_bus(Some(&bus));
        assert!(sink.set_state(gst::State::Paused).is_err());
        let message = bus.pop_filtered(&[gst::MessageType::Error]).expect("an error");
        let gst::MessageView::Error(error) = message.view() else { panic!("filtered") };
        assert_eq!(error.error().kind::<gst::ResourceError>(), Some(gst::ResourceError::NotFound));
        assert_eq!(error.error().message(), "No file name specified for writing");
        sink.set_state(gst::State::Null).expect("it stops");
    }
}

#[test]
fn eos_without_anything_makes_an_empty_file() {
    let dir = Dir::new();
    let mut run = Run::new("", &format!("location={}", dir.file("a-%d.bin")));
    run.harness.push_event(gst::event::StreamStart::new("test"));
    run.harness.push_event(gst::event::Eos::new());
    let expected = messages::File { index: 0, location: dir.file("a-0.bin"), size: 0 };
    assert_eq!(run.messages().0, [expected]);
    assert_eq!(std::fs::read(dir.file("a-0.bin")).expect("the file is there"), []);
}

#[test]
fn the_chunks_index_stands_in_name_and_message() {
    let dir = Dir::new();
    for elements in ["", LAME_48] {
        let mut run = Run::with_caps(elements, &dir.file("a-%03d.wav"), MONO_16K);
        run.harness.push_event(messages::ChunkStart { index: 12 }.event());
        run.push(&[0; 4_000]).expect("the sink takes it");
        // Another chunk's start in the same file changes nothing.
        run.harness.push_event(messages::ChunkStart { index: 13 }.event());
        let file = run.end(2_000).expect("reel-file");
        assert_eq!((file.index, file.location), (12, dir.file("a-012.wav")));
        let names: Vec<_> = std::fs::read_dir(dir.path()).expect("the directory").collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }
}

/// A splitter whose sinks have one name would leave the last chunk alone, for it tells caps before it tells the index.
#[test]
fn a_later_chunk_without_a_number_in_its_name_leaves_the_first_ones_file() {
    let dir = Dir::new();
    std::fs::write(dir.file("call.wav"), "precious").expect("a file for the test");
    for elements in ["", LAME_48] {
        let mut run = Run::with_caps(elements, &dir.file("call.wav"), MONO_16K);
        run.harness.push_event(messages::ChunkStart { index: 1 }.event());
        // Encoders hold the first samples back.
        let refused = (0..10).find_map(|_| run.push(&[0; 4_000]).err());
        assert_eq!(refused, Some(gst::FlowError::Error), "{elements}");
        let errors = run.messages().1;
        assert_eq!(errors.len(), 1, "{elements}");
        assert_eq!(errors[0].kind::<gst::ResourceError>(), Some(gst::ResourceError::OpenWrite));
        assert_eq!(run.end(2_000), None, "{elements}");
        assert_eq!(std::fs::read(dir.file("call.wav")).expect("the file is there"), b"precious", "{elements}");
    }
}

#[test]
fn a_name_that_is_not_numbered_is_taken_as_it_stands() {
    let dir = Dir::new();
    let mut run = Run::new("", &format!("numbered=false location={}", dir.file("100%d.wav")));
    run.harness.set_src_caps_str(MONO_16K);
    run.push(&[1, 0]).expect("the sink takes it");
    assert_eq!(run.end(1).map(|file| file.location), Some(dir.file("100%d.wav")));
    assert_eq!(foreign::sox(&dir.file("100%d.wav")), [1]);
}

#[test]
fn a_chunk_without_media_has_its_index_too() {
    let dir = Dir::new();
    let mut run = Run::with_caps(LAME_48, &dir.file("a-%03d.mp3"), MONO_16K);
    run.harness.push_event(messages::ChunkStart { index: 3 }.event());
    assert_eq!(run.end(0), Some(messages::File { index: 3, location: dir.file("a-003.mp3"), size: 0 }));
}

#[test]
fn a_flush_loses_nothing_and_a_gap_adds_nothing() {
    let dir = Dir::new();
    let mut run = Run::with_caps("", &dir.file("a.wav"), MONO_16K);
    run.push(&[1, 0]).expect("the sink takes it");
    let gap = gst::event::Gap::builder(gst::ClockTime::ZERO).duration(gst::ClockTime::SECOND).build();
    assert!(run.harness.push_event(gap));
    run.harness.push_event(gst::event::FlushStart::new());
    run.harness.push_event(gst::event::FlushStop::new(true));
    run.harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    run.push(&[2, 0]).expect("the sink takes it");
    assert_eq!(run.end(2).map(|file| file.size), Some(48));
    assert_eq!(foreign::sox(&dir.file("a.wav")), [1, 2]);
}

#[test]
fn a_flush_after_eos_does_not_open_the_file_again() {
    let dir = Dir::new();
    let mut run = Run::with_caps("", &dir.file("a.wav"), MONO_16K);
    run.push(&[1, 0]).expect("the sink takes it");
    run.end(1);
    run.harness.push_event(gst::event::FlushStart::new());
    run.harness.push_event(gst::event::FlushStop::new(true));
    run.harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    assert_eq!(run.push(&[2, 0]), Err(gst::FlowError::Eos));
    run.harness.push_event(gst::event::Eos::new());
    let (files, errors) = run.messages();
    assert_eq!((files.len(), errors.len()), (0, 0));
    assert_eq!(foreign::sox(&dir.file("a.wav")), [1]);
}

#[test]
fn buffers_before_their_segment_are_written() {
    let dir = Dir::new();
    let mut run = Run::with_caps("", &dir.file("a.wav"), MONO_16K);
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::from_seconds(10));
    run.harness.push_event(gst::event::Segment::new(&segment));
    let mut buffer = gst::Buffer::from_slice([1, 0]);
    let fields = buffer.get_mut().expect("a buffer of our own");
    fields.set_pts(gst::ClockTime::from_seconds(1));
    fields.set_duration(gst::ClockTime::from_seconds(1));
    run.harness.push(buffer).expect("the sink takes it");
    assert_eq!(run.end(1).map(|file| file.size), Some(46));
}

#[test]
fn a_second_run_is_as_the_first() {
    let dir = Dir::new();
    let mut run = Run::with_caps("", &dir.file("a-%d.wav"), MONO_16K);
    let sink = run.sink.clone();
    let stats = || {
        let stats = sink.property::<gst::Structure>("stats");
        let number = |name| stats.get::<u64>(name).expect("a counter");
        (number("bytes-written"), number("writes"))
    };
    run.harness.push_event(messages::ChunkStart { index: 5 }.event());
    run.push(&[1, 0, 2, 0]).expect("the sink takes it");
    // Header, samples, header.
    assert_eq!(stats(), (44 + 4 + 44, 3));
    sink.set_state(gst::State::Ready).expect("it stops");
    assert_eq!(stats(), (44 + 4 + 44 + 44, 4));

    sink.set_state(gst::State::Playing).expect("it plays");
    assert_eq!(stats(), (0, 0));
    // What the pad remembers of the first run goes out again with the next buffer, so it is replaced before.
    let pad = run.harness.srcpad().expect("the harness pushes");
    let caps = "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1".parse::<gst::Caps>().expect("caps");
    for event in [gst::event::Caps::new(&caps), messages::ChunkStart { index: 6 }.event()] {
        pad.store_sticky_event(&event).expect("the pad keeps it");
    }
    run.push(&[3, 0]).expect("the sink takes it");
    assert_eq!(run.end(1), Some(messages::File { index: 6, location: dir.file("a-6.wav"), size: 46 }));
    assert_eq!(foreign::ffprobe(&dir.file("a-6.wav"), "sample_rate,duration_ts"), "8000,1");
    assert_eq!(foreign::sox(&dir.file("a-5.wav")), [1, 2]);
}

#[test]
fn a_location_set_while_playing_is_for_the_next_run() {
    let dir = Dir::new();
    let mut run = Run::with_caps("", &dir.file("a-%d.wav"), MONO_16K);
    run.sink.set_property("location", dir.file("b.wav"));
    run.push(&[1, 0]).expect("the sink takes it");
    assert_eq!(run.end(1).map(|file| file.location), Some(dir.file("a-0.wav")));
    assert_eq!(run.sink.property::<String>("location"), dir.file("b.wav"));
}

#[test]
fn seeking_is_for_bytes_only() {
    let dir = Dir::new();
    let seekable = |run: &Run| {
        let mut query = gst::query::Seeking::new(gst::Format::Bytes);
        assert!(run.harness.srcpad().expect("the harness pushes").peer_query(&mut query));
        query.result().0
    };
    let mut run = Run::new("", &format!("location={}", dir.file("a")));
    assert!(seekable(&run), "flacenc asks before its caps");
    run.harness.set_src_caps_str("audio/x-flac");
    assert!(seekable(&run));
    let run = Run::with_caps("", &dir.file("b"), MONO_16K);
    assert!(!seekable(&run));
}

#[test]
fn position_is_asked_of_the_element_too() {
    let dir = Dir::new();
    let mut run = Run::with_caps("", &dir.file("a.wav"), MONO_16K);
    run.push(&[0; 6]).expect("the sink takes it");
    assert_eq!(run.sink.query_position::<gst::format::Bytes>().map(|bytes| *bytes), Some(50));
}

#[test]
fn room_without_a_size_is_not_answered() {
    let dir = Dir::new();
    let run = Run::with_caps("", &dir.file("a.wav"), MONO_16K);
    let mut query = gst::query::Custom::new(gst::Structure::new_empty(messages::Room::NAME));
    assert!(!run.harness.srcpad().expect("the harness pushes").peer_query(&mut query));
}

#[test]
fn the_index_may_come_when_caps_have_opened_the_file() {
    // As `reelsplit` does it for a branch that is built in mid-stream: caps and segment first.
    let dir = Dir::new();
    for elements in ["", LAME_48] {
        let mut run = Run::new(elements, &format!("numbered=false location={}", dir.file("a.media")));
        run.harness.set_src_caps_str(MONO_16K);
        run.harness.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
        run.harness.push_event(messages::ChunkStart { index: 7 }.event());
        run.push(&[0; 4_000]).expect("the sink takes it");
        // Another chunk's start in the same file changes nothing.
        run.harness.push_event(messages::ChunkStart { index: 8 }.event());
        let file = run.end(2_000).expect("reel-file");
        assert_eq!((file.index, file.location), (7, dir.file("a.media")), "{elements}");
    }
}
