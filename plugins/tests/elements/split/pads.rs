//! Caps, queries and events of the splitter's pad.

use std::sync::{Arc, Mutex};

use gst::prelude::*;

use crate::rig::{Job, MONO, RATE, buffer, gap, ms};
use crate::split::chunks::{PLAIN, Splitter, push};

#[test]
fn other_caps_are_refused_whatever_the_branch_takes() {
    for caps in [
        "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
        "audio/x-raw,format=S16LE,layout=non-interleaved,rate=16000,channels=2,channel-mask=(bitmask)3",
        "audio/x-mulaw,rate=16000,channels=1",
    ] {
        let splitter = Splitter::new(&[], PLAIN);
        let mut input = splitter.rig.input("sink_0");
        input.set_src_caps_str(caps);
        let result = input.push(buffer(&[1; 160], 0, RATE, 1));
        assert_eq!(result, Err(gst::FlowError::NotNegotiated), "{caps}");
        assert_eq!(splitter.chunks()[0].samples().len(), 0);
    }
}

#[test]
fn caps_are_what_can_be_cut_and_the_branch_takes() {
    let all = Splitter::new(&[], PLAIN);
    let _input = all.rig.input("sink_0");
    let some = Splitter::new(&[], "capsfilter caps=audio/x-raw,rate=8000 ! fakesink sync=false async=false");
    let mut refused = some.rig.input("sink_0");
    let caps = |splitter: &Splitter| splitter.rig.element.static_pad("sink_0").expect("requested").query_caps(None);
    let template = all.rig.element.pad_template("sink_%u").expect("it has one");
    assert_eq!(caps(&all), *template.caps());
    assert!(!caps(&some).can_intersect(&MONO.parse::<gst::Caps>().expect("caps")));
    assert!(caps(&some).is_subset(template.caps()));
    refused.set_src_caps_str(MONO);
    assert_eq!(push(&mut refused, 160, 0), Err(gst::FlowError::NotNegotiated));
}

#[test]
fn events_go_to_the_branch_that_is_there_and_come_back_from_it() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    assert!(push(&mut input, 1_700, 0).is_ok());
    assert!(input.push_event(gap(ms(107), ms(10))));
    assert!(input.push_event(gst::event::CustomDownstream::new(gst::Structure::new_empty("test-event"))));
    let chunks = splitter.chunks();
    assert_eq!(chunks[0].names().last().map(String::as_str), Some("eos"));
    assert_eq!(chunks[1].names()[5..], ["gap", "test-event"]);
    while input.try_pull_upstream_event().is_some() {}
    let pad = chunks[1].bin.upgrade().and_then(|bin| bin.sink_pads().first().cloned()).expect("it is there");
    let event = gst::event::CustomUpstream::new(gst::Structure::new_empty("test-event"));
    assert!(pad.push_event(event));
    assert!(input.try_pull_upstream_event().is_some_and(|event| event.has_name("test-event")));
    input.set_upstream_latency(ms(20));
    let mut query = gst::query::Latency::new();
    assert!(pad.peer_query(&mut query));
    assert_eq!(query.result().1, ms(20));
}

#[test]
fn a_seek_of_the_bin_reaches_upstream() {
    let splitter = Splitter::new(&[], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    assert!(push(&mut input, 160, 0).is_ok());
    while input.try_pull_upstream_event().is_some() {}
    let none = gst::ClockTime::NONE;
    let seek =
        gst::event::Seek::new(1.0, gst::SeekFlags::empty(), gst::SeekType::Set, ms(0), gst::SeekType::None, none);
    assert!(splitter.rig.element.send_event(seek));
    assert_eq!(input.try_pull_upstream_event().map(|event| event.type_()), Some(gst::EventType::Seek));
}

#[test]
fn a_branch_may_be_taken_down_while_a_seek_goes_up() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    assert!(push(&mut input, 160, 0).is_ok());
    // A source that is sought waits for its thread, which may be about to end a chunk.
    let input = Arc::new(Mutex::new(input));
    let pushed = Arc::new(Mutex::new(None));
    let pad = splitter.rig.element.static_pad("sink_0").expect("requested");
    let (source, result) = (Arc::clone(&input), Arc::clone(&pushed));
    pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        if info.event().is_some_and(|event| event.type_() == gst::EventType::Seek) {
            let source = Arc::clone(&source);
            *result.lock().unwrap() = Job::new(move || push(&mut source.lock().unwrap(), 4_800, 160)).wait_here();
        }
        gst::PadProbeReturn::Ok
    });
    let none = gst::ClockTime::NONE;
    let seek =
        gst::event::Seek::new(1.0, gst::SeekFlags::empty(), gst::SeekType::Set, ms(0), gst::SeekType::None, none);
    assert!(splitter.rig.element.send_event(seek));
    assert_eq!(*pushed.lock().unwrap(), Some(Ok(gst::FlowSuccess::Ok)));
    assert_eq!(splitter.chunks().len(), 4);
}

#[test]
fn there_is_one_pad() {
    let splitter = Splitter::new(&[], PLAIN);
    let pad = splitter.rig.element.request_pad_simple("sink_%u").expect("the first");
    assert!(splitter.rig.element.request_pad_simple("sink_%u").is_none());
    splitter.rig.element.release_request_pad(&pad);
    // One that comes when the splitter runs begins its first chunk with its first sample.
    splitter.rig.set_state(gst::State::Playing);
    assert_eq!(splitter.chunks().len(), 0);
    let mut input = splitter.rig.mono("sink_0");
    assert!(push(&mut input, 160, 0).is_ok());
    splitter.check(&[160]);
}
