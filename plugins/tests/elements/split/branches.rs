//! Branches: who builds them, what happens where that fails, how they end.

use gst::prelude::*;

use crate::rig::{DEADLINE, Job, MONO, Rig};
use crate::split::chunks::{PLAIN, Splitter, push, push_all};

fn parse(description: &str) -> Option<gst::Bin> {
    Some(gst::parse::bin_from_description(description, true).expect("a launch line that can be parsed"))
}

#[test]
fn the_signal_is_asked_first_and_the_property_else() {
    let splitter = Splitter::with(&[("max-duration", "100000000"), ("chunk", PLAIN)], |index| {
        if index == 1 { None } else { parse(PLAIN) }
    });
    let mut input = splitter.rig.mono("sink_0");
    push_all(&mut input, 4_800, 4_800);
    let indexes: Vec<_> = splitter.chunks().iter().map(|chunk| chunk.index).collect();
    assert_eq!((indexes, splitter.rig.stat("chunks")), (vec![0, 2], 3));
}

#[test]
fn an_element_that_is_no_bin_is_a_branch_too() {
    let rig = Rig::new("reelsplit", &[("max-duration", "100000000")]);
    rig.element.connect("make-chunk", false, |_| {
        let sink = gst::ElementFactory::make("fakesink").property("async", false).property("sync", false).build();
        Some(sink.ok().to_value())
    });
    let mut input = rig.mono("sink_0");
    push_all(&mut input, 4_800, 4_800);
    input.push_event(gst::event::Eos::new());
    assert_eq!((rig.stat("chunks"), rig.said().iter().filter(|s| s.name() == "eos").count()), (3, 1));
}

#[test]
fn a_first_branch_that_nobody_builds_is_an_error_before_the_start_and_can_be_mended() {
    let rig = Rig::new("reelsplit", &[]);
    let pad = rig.element.request_pad_simple("sink_0").expect("free");
    let bad = [
        "",
        "nosuchelement",
        "fakesrc",
        "videotestsrc ! fakesink",
        "reelsink",
        "capsfilter caps=video/x-raw ! fakesink",
    ];
    for chunk in bad {
        rig.element.set_property("chunk", Some(chunk).filter(|chunk| !chunk.is_empty()));
        assert!(rig.element.set_state(gst::State::Paused).is_err(), "{chunk}");
        let errors = rig.errors();
        assert!(errors.contains(&"The first chunk could not be begun".to_owned()), "{chunk}: {errors:?}");
        let bin = rig.element.downcast_ref::<gst::Bin>().expect("it is a bin");
        assert!(bin.children().is_empty(), "{chunk}");
        rig.set_state(gst::State::Null);
    }
    drop(pad);
    rig.element.set_property("chunk", PLAIN);
    let mut input = rig.mono("sink_0");
    assert!(push(&mut input, 160, 0).is_ok());
    assert_eq!(rig.element.property::<u32>("index"), 0);
}

#[test]
fn a_branch_that_cannot_be_built_in_mid_stream_is_an_error_told_once() {
    let splitter = Splitter::with(&[("max-duration", "100000000")], |index| match index {
        0 => parse(PLAIN),
        1 => None,
        _ => parse("reelsink"),
    });
    let mut input = splitter.rig.mono("sink_0");
    assert_eq!(push(&mut input, 4_800, 0), Err(gst::FlowError::Error));
    assert_eq!(splitter.rig.errors(), ["A chunk could not be begun"]);
    assert_eq!(splitter.chunks()[0].samples().len(), 1_600);
    assert_eq!(splitter.chunks()[0].names().last().map(String::as_str), Some("eos"), "what was recorded is whole");
    // The end is the end also then.
    input.push_event(gst::event::Eos::new());
    assert!(splitter.rig.said().iter().any(|s| s.name() == "eos"));
}

#[test]
fn what_a_branch_refuses_comes_back() {
    let splitter = Splitter::new(&[], "identity error-after=2 ! fakesink sync=false async=false");
    let mut input = splitter.rig.mono("sink_0");
    assert_eq!(push(&mut input, 160, 0), Ok(gst::FlowSuccess::Ok));
    assert_eq!(push(&mut input, 160, 160), Err(gst::FlowError::Error));
    assert_eq!(splitter.rig.errors().len(), 1, "the branch's own");
    assert_eq!(splitter.rig.stat("samples"), 160);
}

#[test]
fn branches_go_when_they_are_done_and_only_one_end_is_told() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    push_all(&mut input, 8_000, 1_600);
    assert_eq!(splitter.n_branches(), 1);
    assert!(!splitter.rig.said().iter().any(|s| s.name() == "eos"));
    // Nobody holds them, now that the messages are read.
    let chunks = splitter.chunks();
    let gone: Vec<_> = chunks.iter().map(|chunk| chunk.bin.upgrade().is_none()).collect();
    assert_eq!(gone, [true, true, true, true, false]);
    input.push_event(gst::event::Eos::new());
    assert_eq!(splitter.rig.said().iter().filter(|s| s.name() == "eos").count(), 1);
    assert_eq!(splitter.n_branches(), 0);
}

#[test]
fn branches_with_threads_end_in_their_own_time() {
    let splitter = Splitter::new(&[("max-duration", "10000000")], "queue ! reelmeta ! fakesink sync=false async=false");
    let bus = splitter.rig.element.bus().expect("it was given one");
    let mut input = splitter.rig.mono("sink_0");
    push_all(&mut input, 16_000, 1_000);
    input.push_event(gst::event::Eos::new());
    let deadline = gst::ClockTime::try_from(DEADLINE).expect("a short time");
    let mut n_told = 0;
    loop {
        let message = bus.timed_pop_filtered(deadline, &[gst::MessageType::Eos, gst::MessageType::Element]);
        if message.expect("an end in time").type_() == gst::MessageType::Eos {
            break;
        }
        n_told += 1;
    }
    // The end comes after all that the branches have to say.
    assert_eq!(n_told, 100);
    splitter.check(&[160; 100]);
    let element = splitter.rig.element.clone();
    assert!(Job::new(move || element.set_state(gst::State::Null).is_ok()).wait());
    assert_eq!(splitter.n_branches(), 0);
}

#[test]
fn sinks_that_wait_for_their_first_buffer_do_not_stop_the_pipeline() {
    crate::rig::init();
    let line = "audiotestsrc num-buffers=30 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! \
                reelsplit name=split max-duration=100000000 chunk=\"wavenc ! fakesink\"";
    let pipeline = gst::parse::launch(line).expect("a launch line that can be parsed");
    assert!(pipeline.set_state(gst::State::Playing).is_ok());
    let bus = pipeline.bus().expect("it has one");
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::try_from(DEADLINE).expect("short"), &end);
    assert_eq!(message.expect("an end in time").type_(), gst::MessageType::Eos);
    let bin = pipeline.downcast_ref::<gst::Bin>().expect("a pipeline is a bin");
    let split = bin.by_name("split").expect("it is in the line");
    assert_eq!(split.property::<gst::Structure>("stats").get::<u32>("chunks"), Ok(30));
    assert!(Job::new(move || pipeline.set_state(gst::State::Null).is_ok()).wait());
}

#[test]
fn no_media_at_all_is_one_chunk_that_knows_its_index() {
    for caps in [Some(MONO), None] {
        let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
        let mut input = splitter.rig.input("sink_0");
        caps.into_iter().for_each(|caps| input.set_src_caps_str(caps));
        input.push_event(gst::event::Eos::new());
        let chunks = splitter.chunks();
        let names = chunks.iter().map(|chunk| chunk.names()).collect::<Vec<_>>();
        let before: &[&str] = if caps.is_some() { &["stream-start", "caps", "segment"] } else { &["stream-start"] };
        assert_eq!(names, [[before, &["reel-chunk-start", "eos"]].concat()]);
        assert_eq!(splitter.rig.said().iter().filter(|s| s.name() == "eos").count(), 1);
    }
}
