//! Flushes: from upstream by one voice or all, and by a seek from downstream.

use gst::prelude::*;

use crate::rig::{Item, Job, MONO, RATE, Rig, advance, buffer, flush, init, ms, segment};

fn seek(flags: gst::SeekFlags) -> gst::Event {
    gst::event::Seek::new(1.0, flags, gst::SeekType::Set, ms(0), gst::SeekType::None, gst::ClockTime::NONE)
}

#[test]
fn a_flush_of_the_only_voice_begins_anew_at_zero() {
    let rig = Rig::new("reelmixer", &[("max-lead", "700000000")]);
    let output = rig.output("src");
    let mut voice = rig.mono("sink_0");
    assert!(voice.push(buffer(&[1; 1_600], 0, RATE, 1)).is_ok());
    assert_eq!(output.mono(), [1; 1_600]);
    let start = gst::event::FlushStart::new();
    let seqnum = start.seqnum();
    voice.push_event(start);
    assert_eq!(output.names(), ["flush-start"], "downstream may block who pushes: it is told at once");
    voice.push_event(gst::event::FlushStop::builder(true).seqnum(seqnum).build());
    voice.push_event(segment());
    assert!(voice.push(buffer(&[2; 160], 0, RATE, 1)).is_ok());
    let items = output.take();
    let names: Vec<_> = items.iter().map(Item::name).collect();
    assert_eq!(names, ["flush-stop", "stream-start", "caps", "segment", "buffer"]);
    let Item::Event(segment) = &items[3] else { panic!("{items:?}") };
    assert_eq!(segment.seqnum(), seqnum);
    let Item::Buffer(first) = &items[4] else { panic!("{items:?}") };
    assert_eq!((first.pts(), crate::rig::samples(first)), (Some(ms(0)), vec![2; 160]));
    assert_eq!(rig.stat("samples"), 1_760);
    assert_eq!(rig.element.property::<u64>("max-lead"), 700_000_000);
}

#[test]
fn what_was_not_out_is_gone_after_a_flush_of_all() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    assert!(a.push(buffer(&[1; 1_600], 0, RATE, 1)).is_ok());
    assert!(b.push(buffer(&[10; 800], 0, RATE, 1)).is_ok());
    assert_eq!(output.mono(), [11; 800]);
    for input in [&mut a, &mut b] {
        flush(input);
    }
    assert_eq!(output.names(), ["flush-start", "flush-stop"]);
    assert!(a.push(buffer(&[2; 1_000], 0, RATE, 1)).is_ok());
    assert!(b.push(buffer(&[20; 1_000], 0, RATE, 1)).is_ok());
    assert_eq!(output.mono(), [22; 1_000]);
    assert_eq!((rig.stat("late-samples"), rig.stat("overlapping-samples")), (0, 0));
}

#[test]
fn a_flush_of_one_voice_is_its_own_affair() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    for (input, sample) in [(&mut a, 1), (&mut b, 2)] {
        assert!(input.push(buffer(&[sample; 160], 0, RATE, 1)).is_ok());
    }
    assert_eq!(output.mono(), [3; 160]);
    flush(&mut a);
    assert!(a.push(buffer(&[4; 80], 160, RATE, 1)).is_ok());
    assert!(b.push(buffer(&[8; 80], 160, RATE, 1)).is_ok());
    assert_eq!(output.mono(), [12; 80]);
}

#[test]
fn voices_that_flush_at_the_same_time_flush_downstream_once() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    for input in [&mut a, &mut b] {
        assert!(input.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
    }
    output.take();
    a.push_event(gst::event::FlushStart::new());
    assert!(output.names().is_empty());
    b.push_event(gst::event::FlushStart::new());
    assert_eq!(output.names(), ["flush-start"]);
    for input in [&mut a, &mut b] {
        input.push_event(gst::event::FlushStop::new(true));
        input.push_event(segment());
    }
    assert_eq!(output.names(), ["flush-stop"]);
    for input in [&mut a, &mut b] {
        assert!(input.push(buffer(&[2; 160], 0, RATE, 1)).is_ok());
    }
    assert_eq!(output.mono(), [4; 160]);
}

#[test]
fn with_a_timeline_its_flush_is_what_begins_anew() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    assert!(voice.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
    advance(&mut timeline, 160);
    flush(&mut voice);
    assert!(voice.push(buffer(&[2; 160], 160, RATE, 1)).is_ok());
    advance(&mut timeline, 320);
    assert_eq!(output.mono(), [[1; 160], [2; 160]].concat());
    flush(&mut voice);
    flush(&mut timeline);
    assert_eq!(output.names(), ["flush-start", "flush-stop"]);
    assert!(voice.push(buffer(&[3; 160], 0, RATE, 1)).is_ok());
    advance(&mut timeline, 160);
    assert_eq!(output.media(RATE, 1), (Some(0), vec![3; 160]));
}

#[test]
fn eos_before_a_flush_does_not_count_after_it() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let mut voice = rig.mono("sink_0");
    assert!(voice.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
    voice.push_event(gst::event::Eos::new());
    flush(&mut voice);
    output.take();
    assert!(voice.push(buffer(&[2; 160], 0, RATE, 1)).is_ok());
    voice.push_event(gst::event::Eos::new());
    assert_eq!(output.names(), ["stream-start", "caps", "segment", "buffer", "eos"]);
}

#[test]
fn a_seek_goes_to_all_and_flushes_downstream_before() {
    let rig = Rig::new("reelmixer", &[]);
    let mut output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    for input in [&mut a, &mut b] {
        assert!(input.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
        while input.try_pull_upstream_event().is_some() {}
    }
    output.take();
    assert!(output.harness.push_upstream_event(seek(gst::SeekFlags::FLUSH)));
    assert_eq!(output.names(), ["flush-start", "flush-stop"], "nobody flushed by it: that is made up for");
    for input in [&mut a, &mut b] {
        let events: Vec<_> = std::iter::from_fn(|| input.try_pull_upstream_event()).map(|e| e.type_()).collect();
        assert_eq!(events, [gst::EventType::Seek]);
    }
    assert!(output.harness.push_upstream_event(seek(gst::SeekFlags::empty())));
    assert!(output.names().is_empty());
}

/// Returns a pipeline of `n` endless sources that is at its first buffer, and the mixed samples that reach its sink,
/// each run after a flush by itself.
fn prerolled(n: u32) -> (gst::Pipeline, std::sync::Arc<std::sync::Mutex<Vec<Vec<i16>>>>) {
    init();
    let pipeline = gst::Pipeline::new();
    let make = |factory: &str| gst::ElementFactory::make(factory).build().expect("it is installed");
    let (mixer, sink) = (make("reelmixer"), make("fakesink"));
    sink.set_property("sync", true);
    pipeline.add_many([&mixer, &sink]).expect("new elements");
    mixer.link(&sink).expect("they fit");
    for _ in 0..n {
        let (source, filter) = (make("audiotestsrc"), make("capsfilter"));
        source.set_property_from_str("wave", "silence");
        source.set_property("samplesperbuffer", 160);
        filter.set_property("caps", MONO.parse::<gst::Caps>().expect("caps"));
        pipeline.add_many([&source, &filter]).expect("new elements");
        gst::Element::link_many([&source, &filter, &mixer]).expect("they fit");
    }
    let runs = std::sync::Arc::new(std::sync::Mutex::new(vec![Vec::new()]));
    let log = std::sync::Arc::clone(&runs);
    let what = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_FLUSH;
    sink.static_pad("sink").expect("always there").add_probe(what, move |_, info| {
        let mut log = log.lock().unwrap();
        match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let samples = crate::rig::samples(buffer);
                assert_eq!(buffer.pts(), Some(crate::rig::time(log.last().map_or(0, Vec::len) as u64, RATE)));
                log.last_mut().expect("there is one").extend(samples);
            }
            Some(gst::PadProbeData::Event(event)) if event.type_() == gst::EventType::FlushStop => log.push(Vec::new()),
            _ => (),
        }
        gst::PadProbeReturn::Ok
    });
    assert!(pipeline.set_state(gst::State::Paused).is_ok());
    let (result, _, _) = pipeline.state(gst::ClockTime::from_seconds(20));
    assert!(result.is_ok(), "the first buffer comes");
    (pipeline, runs)
}

#[test]
fn a_seek_in_a_pipeline_whose_sink_holds_the_sources_plays_it_all_again() {
    for n in [1, 2, 20] {
        let (pipeline, runs) = prerolled(n);
        let bus = pipeline.bus().expect("it has one");
        let seeker = pipeline.clone();
        let set = gst::SeekType::Set;
        let is_done =
            Job::new(move || seeker.seek(1.0, gst::SeekFlags::FLUSH, set, ms(0), set, ms(300)).is_ok()).wait();
        assert!(is_done, "{n} sources seek");
        assert!(pipeline.set_state(gst::State::Playing).is_ok());
        let end = [gst::MessageType::Eos, gst::MessageType::Error];
        let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &end);
        assert_eq!(message.expect("an end in time").type_(), gst::MessageType::Eos);
        let stopper = pipeline.clone();
        assert!(Job::new(move || stopper.set_state(gst::State::Null).is_ok()).wait());
        let runs = runs.lock().unwrap();
        assert_eq!(runs.last().map(Vec::len), Some(30 * 160), "{n} sources");
    }
}
