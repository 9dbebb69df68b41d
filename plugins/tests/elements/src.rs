//! `reelsrc`: methods, what a stream begins with, EOS, the second run.

use gst::prelude::*;
use gstreel::ReelSrc;

use crate::rig::{Item, MONO, Output, RATE, Rig, buffer, ms};

fn door(rig: &Rig) -> ReelSrc {
    rig.element.clone().downcast().expect("it is a door")
}

fn mono() -> gst::Caps {
    MONO.parse().expect("caps")
}

fn list(position: u64) -> gst::BufferList {
    let mut list = gst::BufferList::new();
    list.get_mut().expect("ours").add(buffer(&[1; 160], position, RATE, 1));
    list
}

/// A running door with one track and its timeline.
fn run() -> (Rig, ReelSrc, gst::Pad, Output, Output) {
    let rig = Rig::new("reelsrc", &[]);
    let door = door(&rig);
    let pad = door.request_pad_simple("audio_0").expect("a track");
    let (track, mut timeline) = (rig.output("audio_0"), rig.output("timeline"));
    timeline.harness.play();
    (rig, door, pad, track, timeline)
}

#[test]
fn a_stream_begins_with_its_events_in_their_order_once() {
    let (_rig, door, pad, track, timeline) = run();
    for position in [0, 160] {
        assert_eq!(door.push(&pad, &mono(), list(position)), Ok(gst::FlowSuccess::Ok));
    }
    assert_eq!(track.names(), ["stream-start", "caps", "segment", "buffer", "buffer"]);
    let other: gst::Caps = "audio/x-mulaw,rate=8000,channels=1".parse().expect("caps");
    assert_eq!(door.push(&pad, &other, list(320)), Ok(gst::FlowSuccess::Ok));
    assert_eq!(track.names(), ["caps", "buffer"]);
    assert_eq!(door.advance(ms(100)), Ok(()));
    assert_eq!(timeline.names(), ["stream-start", "segment", "gap"]);
}

#[test]
fn a_horizon_goes_forward_only_and_leaves_no_hole() {
    let (_rig, door, _pad, track, timeline) = run();
    for horizon in [100, 60, 100, 250] {
        assert_eq!(door.advance(ms(horizon)), Ok(()));
    }
    let gaps = timeline.take().into_iter().filter_map(|item| match item {
        Item::Event(event) => match event.view() {
            gst::EventView::Gap(gap) => Some(gap.get()),
            _ => None,
        },
        Item::Buffer(_) => None,
    });
    assert_eq!(gaps.collect::<Vec<_>>(), [(ms(0), Some(ms(100))), (ms(100), Some(ms(150)))]);
    assert!(track.names().is_empty(), "a horizon is no news of a track");
}

#[test]
fn a_gap_says_whether_media_is_missing() {
    let (_rig, door, pad, track, _timeline) = run();
    // Nothing was there that could be missing, and caps could not come after it.
    door.gap(&pad, ms(0), ms(20), true);
    assert!(track.names().is_empty());
    assert_eq!(door.push(&pad, &mono(), list(320)), Ok(gst::FlowSuccess::Ok));
    assert_eq!(track.names(), ["stream-start", "caps", "segment", "buffer"]);
    for (lost, flags) in [(true, gst::GapFlags::DATA), (false, gst::GapFlags::empty())] {
        door.gap(&pad, ms(30), ms(20), lost);
        let items = track.take();
        let [Item::Event(event)] = items.as_slice() else { panic!("{items:?}") };
        let gst::EventView::Gap(gap) = event.view() else { panic!("{event:?}") };
        assert_eq!((gap.get(), gap.gap_flags()), ((ms(30), Some(ms(20))), flags));
    }
}

#[test]
fn a_track_ends_once_and_takes_nothing_after_it() {
    let (_rig, door, pad, track, timeline) = run();
    door.end_track(&pad);
    door.end_track(&pad);
    assert_eq!(track.names(), ["stream-start", "segment", "eos"]);
    assert_eq!(door.push(&pad, &mono(), list(0)), Err(gst::FlowError::Eos));
    door.end();
    assert!(track.names().is_empty());
    assert_eq!(timeline.names(), ["stream-start", "segment", "eos"]);
}

#[test]
fn the_timeline_ends_last() {
    let rig = Rig::new("reelsrc", &[]);
    let door = door(&rig);
    let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    for name in ["audio_3", "audio_7"] {
        door.request_pad_simple(name).expect("a track");
    }
    let mut outputs = ["timeline", "audio_7", "audio_3"].map(|name| {
        let log = std::sync::Arc::clone(&order);
        let pad = door.static_pad(name).expect("there");
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |pad, info| {
            if info.event().is_some_and(|event| event.type_() == gst::EventType::Eos) {
                log.lock().unwrap().push(pad.name().to_string());
            }
            gst::PadProbeReturn::Ok
        });
        rig.output(name)
    });
    outputs[0].harness.play();
    door.end();
    assert_eq!(*order.lock().unwrap(), ["audio_3", "audio_7", "timeline"]);
}

#[test]
fn a_second_run_is_as_the_first() {
    let (rig, door, pad, track, timeline) = run();
    for _ in 0..2 {
        assert_eq!(door.push(&pad, &mono(), list(0)), Ok(gst::FlowSuccess::Ok));
        assert_eq!(door.advance(ms(100)), Ok(()));
        door.end();
        assert_eq!(track.names(), ["stream-start", "caps", "segment", "buffer", "eos"]);
        assert_eq!(timeline.names(), ["stream-start", "segment", "gap", "eos"]);
        rig.set_state(gst::State::Ready);
        // Nobody hears what is said now; it must not count as said.
        assert_eq!(door.push(&pad, &mono(), list(0)), Err(gst::FlowError::Flushing));
        assert!(door.advance(ms(500)).is_err());
        rig.set_state(gst::State::Playing);
    }
}

#[test]
fn refusals_come_back_to_who_pushes() {
    let (_rig, door, pad, track, timeline) = run();
    let [heard, told] = [&track, &timeline].map(|output| output.harness.sinkpad().expect("the harness listens"));
    pad.unlink(&heard).expect("they were linked");
    assert_eq!(door.push(&pad, &mono(), list(0)), Err(gst::FlowError::NotLinked));
    told.set_active(false).expect("a pad can be closed");
    assert_eq!(door.advance(ms(100)), Err(gst::FlowError::Error));
    // Where nobody listens, nobody refuses: a mixer may follow its slowest pad.
    door.static_pad("timeline").expect("always there").unlink(&told).expect("they were linked");
    assert_eq!(door.advance(ms(200)), Ok(()));
}

#[test]
fn tracks_come_and_go() {
    let (_rig, door, pad, track, _timeline) = run();
    assert_eq!(door.push(&pad, &mono(), list(0)), Ok(gst::FlowSuccess::Ok));
    let second = door.request_pad_simple("audio_%u").expect("the next free one");
    assert_eq!(second.name(), "audio_1");
    // The harness releases the pad.
    drop(track);
    assert!(door.static_pad("audio_0").is_none());
    let again = door.request_pad_simple("audio_0").expect("free again");
    let track = _rig.output("audio_0");
    assert_eq!(door.push(&again, &mono(), list(0)), Ok(gst::FlowSuccess::Ok));
    assert_eq!(track.names(), ["stream-start", "caps", "segment", "buffer"]);
}

#[test]
fn it_is_never_live_and_cannot_be_sought_in() {
    let (_rig, _door, _pad, mut track, _timeline) = run();
    let pad = track.harness.sinkpad().expect("the harness listens");
    let mut latency = gst::query::Latency::new();
    assert!(pad.peer_query(&mut latency));
    assert_eq!(latency.result(), (false, gst::ClockTime::ZERO, None));
    assert!(!track.harness.push_upstream_event(gst::event::Seek::new(
        1.0,
        gst::SeekFlags::FLUSH,
        gst::SeekType::Set,
        ms(0),
        gst::SeekType::None,
        gst::ClockTime::NONE,
    )));
}

#[test]
fn nobody_holds_it() {
    let (rig, door, pad, track, timeline) = run();
    assert_eq!(door.push(&pad, &mono(), list(0)), Ok(gst::FlowSuccess::Ok));
    drop((door, pad));
    rig.drop_all(vec![], vec![track, timeline]);
}
