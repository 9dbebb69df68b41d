//! What every element must do: flush, the first run and the second, properties while playing, bad media.

use gst::prelude::*;
use gst_check::Harness;

use crate::rig::{Item, MONO, RATE, Rig, begin_again, buffer, flush, ms, segment_from};

fn push(input: &mut Harness, n: usize, position: u64) {
    assert!(input.push(buffer(&vec![1; n], position, RATE, 1)).is_ok());
}

#[test]
fn a_second_run_knows_no_edge_of_the_first() {
    let rig = Rig::new("reelgate", &[("mode", "silence")]);
    let mut input = rig.mono("sink_0");
    let output = rig.output("src_0");
    for _ in 0..2 {
        assert_eq!(rig.element.property::<u64>("pause-at"), u64::MAX);
        push(&mut input, 1_600, 0);
        assert_eq!(output.mono(), [1; 1_600]);
        rig.element.set_property("pause-at", 0u64);
        push(&mut input, 1_600, 1_600);
        assert_eq!(output.mono(), [0; 1_600]);
        assert_eq!((rig.stat("paused-samples"), rig.stat("moved-edges")), (1_600, 1));
        input.push_event(gst::event::Eos::new());
        output.take();
        rig.set_state(gst::State::Ready);
        assert_eq!((rig.stat("paused-samples"), rig.stat("moved-edges")), (0, 0));
        rig.set_state(gst::State::Playing);
        begin_again(&mut input, Some(MONO));
    }
}

#[test]
fn a_flush_resets_time_and_keeps_edges_and_settings() {
    let rig = Rig::new("reelgate", &[("mode", "skip"), ("pause-at", "100000000"), ("resume-at", "200000000")]);
    let mut input = rig.mono("sink_0");
    let output = rig.output("src_0");
    push(&mut input, 4_800, 0);
    assert_eq!(output.mono().len(), 3_200);
    for _ in 0..2 {
        flush(&mut input);
        push(&mut input, 2_000, 0);
        let items = output.take();
        let names = ["flush-start", "flush-stop", "segment", "reel-gate", "buffer", "reel-gate"];
        assert_eq!(items.iter().map(Item::name).collect::<Vec<_>>(), names);
        let Item::Buffer(first) = &items[4] else { panic!("{items:?}") };
        assert_eq!((first.pts(), first.size()), (Some(ms(0)), 3_200));
    }
    // An edge that has passed before the flush has not passed after it.
    rig.element.set_property("pause-at", 200_000_000u64);
    assert_eq!(rig.stat("moved-edges"), 0);
}

#[test]
fn the_mode_is_the_same_for_the_whole_run() {
    let rig = Rig::new("reelgate", &[("pause-at", "0")]);
    let mut input = rig.mono("sink_0");
    let output = rig.output("src_0");
    rig.element.set_property_from_str("mode", "silence");
    push(&mut input, 1_600, 0);
    assert!(output.mono().is_empty());
    rig.set_state(gst::State::Ready);
    rig.element.set_property("pause-at", 0u64);
    rig.set_state(gst::State::Playing);
    begin_again(&mut input, Some(MONO));
    push(&mut input, 1_600, 0);
    assert_eq!(output.mono(), [0; 1_600]);
}

#[test]
fn media_of_any_shape_does_no_harm() {
    let rig = Rig::new("reelgate", &[("pause-at", "3000000000")]);
    let mut input = rig.mono("sink_0");
    input.push_event(segment_from(ms(1_000)));
    let output = rig.output("src_0");
    let at = |bytes: usize, pts: Option<gst::ClockTime>| {
        let mut buffer = gst::Buffer::from_slice(vec![1; bytes]);
        buffer.get_mut().expect("ours").set_pts(pts);
        buffer
    };
    let cases = [(0, 1_000, 0), (320, 500, 0), (640, 990, 160), (33, 1_010, 16), (1, 1_011, 0), (320, 1_011, 160)];
    for (bytes, pts, n) in cases {
        assert_eq!(input.push(at(bytes, Some(ms(pts)))), Ok(gst::FlowSuccess::Ok));
        let sizes: usize = output.take().iter().map(|item| if let Item::Buffer(b) = item { b.size() } else { 0 }).sum();
        assert_eq!(sizes, 2 * n, "{bytes} bytes at {pts} ms");
    }
    for pts in [gst::ClockTime::MAX, gst::ClockTime::MAX - ms(5)] {
        assert_eq!(input.push(at(320, Some(pts))), Ok(gst::FlowSuccess::Ok));
    }
    assert_eq!(rig.errors(), [""; 0]);
    assert_eq!(input.push(at(320, None)), Err(gst::FlowError::Error));
    assert_eq!(rig.errors(), ["Media without a time-stamp"]);
}

#[test]
fn what_a_buffer_says_of_its_media_goes_with_it() {
    let rig = Rig::new("reelgate", &[("pause-at", "50000000"), ("resume-at", "60000000")]);
    let mut input = rig.mono("sink_0");
    let output = rig.output("src_0");
    for position in [0, 1_600] {
        let mut buffer = buffer(&[1; 1_600], position, RATE, 1);
        buffer.get_mut().expect("ours").set_flags(gst::BufferFlags::DISCONT | gst::BufferFlags::GAP);
        assert!(input.push(buffer).is_ok());
    }
    let flags = output.take().into_iter().filter_map(|item| match item {
        Item::Buffer(buffer) => Some(buffer.flags() & (gst::BufferFlags::DISCONT | gst::BufferFlags::GAP)),
        Item::Event(_) => None,
    });
    let both = gst::BufferFlags::DISCONT | gst::BufferFlags::GAP;
    assert_eq!(flags.collect::<Vec<_>>(), [both, gst::BufferFlags::GAP, both]);
}

#[test]
fn a_whole_buffer_goes_on_without_a_copy() {
    let rig = Rig::new("reelgate", &[]);
    let mut input = rig.mono("sink_0");
    let mut output = rig.output("src_0");
    let buffer = buffer(&[1; 1_600], 0, RATE, 1);
    let address = buffer.as_ptr() as usize;
    let log = output.take();
    assert!(input.push(buffer).is_ok());
    assert_eq!(output.harness.pull().expect("it came out").as_ptr() as usize, address);
    drop(log);
}

#[test]
fn refusals_come_back_to_who_pushes() {
    let rig = Rig::new("reelgate", &[("pause-at", "100000000")]);
    let mut input = rig.mono("sink_0");
    assert_eq!(input.push(buffer(&[1; 160], 0, RATE, 1)), Err(gst::FlowError::NotLinked));
    assert_eq!(input.push(buffer(&[1; 160], 1_600, RATE, 1)), Ok(gst::FlowSuccess::Ok), "nothing goes out in a pause");
}

#[test]
fn nobody_holds_it() {
    let rig = Rig::new("reelgate", &[]);
    let mut input = rig.mono("sink_0");
    let output = rig.output("src_0");
    push(&mut input, 1_600, 0);
    rig.drop_all(vec![input], vec![output]);
}
