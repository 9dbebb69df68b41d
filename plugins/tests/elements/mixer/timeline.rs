//! With `timeline`: it alone says how far to go.

use gst::prelude::*;
use gst_check::Harness;

use crate::rig::{Item, MONO, RATE, Rig, advance, buffer, gap, ms, segment, segment_from};

fn push(input: &mut Harness, samples: &[i16], position: u64) {
    assert!(input.push(buffer(samples, position, RATE, 1)).is_ok());
}

#[test]
fn output_stays_behind_the_timeline_by_latency() {
    let rig = Rig::new("reelmixer", &[("latency", "20000000")]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    push(&mut voice, &[7; 1_600], 0);
    assert!(output.mono().is_empty(), "media alone is no reason");
    for (horizon, n) in [(1_600, 1_280), (1_599, 0), (1_600, 0), (1_920, 320), (2_000, 80)] {
        assert!(advance(&mut timeline, horizon));
        assert_eq!(output.mono().len(), n, "horizon {horizon}");
    }
    assert!(timeline.push_event(gst::event::Eos::new()));
    assert_eq!(output.names(), ["buffer", "eos"]);
    assert_eq!(rig.stat("samples"), 2_000);
}

#[test]
fn latency_may_change_while_playing() {
    let rig = Rig::new("reelmixer", &[("latency", "50000000")]);
    let output = rig.output("src");
    let mut timeline = rig.timeline();
    for (latency_ms, horizon, n) in
        [(50, 1_600, 800), (100, 2_000, 0), (100, 2_400, 0), (100, 2_500, 100), (0, 2_500, 1_600)]
    {
        rig.element.set_property("latency", latency_ms * 1_000_000u64);
        assert!(advance(&mut timeline, horizon));
        assert_eq!(output.mono().len(), n, "latency {latency_ms} ms, horizon {horizon}");
    }
}

#[test]
fn late_samples_are_cut_counted_and_never_moved() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    advance(&mut timeline, 1_000);
    let samples: Vec<i16> = (0..400).collect();
    push(&mut voice, &samples, 900);
    push(&mut voice, &samples, 100);
    advance(&mut timeline, 1_300);
    assert_eq!(output.mono(), [vec![0; 1_000], samples[100..].to_vec()].concat());
    assert_eq!(rig.stat("late-samples"), 100);
    assert_eq!(rig.stat("overlapping-samples"), 400);
}

#[test]
fn a_stalled_pad_never_blocks() {
    let rig = Rig::new("reelmixer", &[("max-lead", "0")]);
    let output = rig.output("src");
    let (mut voice, _stalled, mut timeline) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.timeline());
    for tick in 0..20 {
        push(&mut voice, &[tick as i16; 1_600], tick * 1_600);
    }
    advance(&mut timeline, 32_000);
    let expected: Vec<i16> = (0..20).flat_map(|tick| [tick; 1_600]).collect();
    assert_eq!(output.mono(), expected);
}

#[test]
fn participants_come_and_go() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let mut timeline = rig.timeline();
    let mut a = rig.mono("sink_0");
    push(&mut a, &[1; 100], 0);
    advance(&mut timeline, 100);
    let mut b = rig.mono("sink_1");
    push(&mut a, &[1; 100], 100);
    push(&mut b, &[10; 50], 150);
    // What a participant has given stays when they leave.
    drop(b);
    advance(&mut timeline, 200);
    let mut again = rig.mono("sink_1");
    push(&mut again, &[20; 100], 200);
    drop(a);
    advance(&mut timeline, 300);
    assert_eq!(output.mono(), [vec![1; 150], vec![11; 50], vec![20; 100]].concat());
    assert_eq!((rig.stat("late-samples"), rig.stat("overlapping-samples")), (0, 0));
}

#[test]
fn nobody_at_all_is_silence_at_the_rate_that_is_asked_for() {
    let cases = [("0", "", 16_000), ("0", "audio/x-raw,rate=(int){8000,44100}", 8_000), ("24000", "", 24_000)];
    for (property, downstream, expected) in cases {
        let rig = Rig::new("reelmixer", &[("rate", property)]);
        let mut output = rig.output("src");
        if !downstream.is_empty() {
            output.harness.set_sink_caps_str(downstream);
        }
        let mut timeline = rig.timeline();
        timeline.push_event(gap(ms(0), ms(100)));
        let (first, silence) = output.media(expected, 1);
        assert_eq!((first, silence), (Some(0), vec![0; expected as usize / 10]), "rate={property} before {downstream}");
    }
}

#[test]
fn whatever_comes_on_the_timeline_counts_by_its_running_time() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let mut timeline = rig.input("timeline");
    timeline.push_event(segment_from(ms(5_000)));
    let mut tick = gst::Buffer::new();
    let fields = tick.get_mut().expect("ours");
    fields.set_pts(ms(5_000));
    fields.set_duration(ms(10));
    assert!(timeline.push(tick).is_ok());
    assert_eq!(output.mono().len(), 160);
    assert!(timeline.push_event(gap(ms(5_010), ms(10))));
    assert_eq!(output.mono().len(), 160);
    assert!(timeline.push(gst::Buffer::new()).is_ok(), "no time, no news");
    assert_eq!(output.mono().len(), 0);
}

#[test]
fn the_end_of_voices_is_not_the_end() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    push(&mut voice, &[1; 160], 0);
    voice.push_event(gst::event::Eos::new());
    advance(&mut timeline, 320);
    assert_eq!(output.mono(), [[1; 160], [0; 160]].concat());
    timeline.push_event(gst::event::Eos::new());
    assert_eq!(output.names(), ["eos"]);
}

#[test]
fn releasing_the_timeline_follows_the_slowest_pad_again() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b, timeline) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.timeline());
    push(&mut a, &[1; 100], 0);
    drop(timeline);
    assert!(output.mono().is_empty());
    push(&mut b, &[2; 60], 0);
    assert_eq!(output.mono(), [3; 60]);
}

#[test]
fn downstreams_refusal_comes_back_by_the_timeline() {
    let rig = Rig::new("reelmixer", &[]);
    let pad = rig.element.static_pad("src").expect("always there");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    assert!(pad.peer().is_none());
    push(&mut voice, &[1; 160], 0);
    assert!(!advance(&mut timeline, 160), "nobody takes it");
}

#[test]
fn a_stream_begins_with_its_events_and_its_own_segment() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let mut voice = rig.input("sink_0");
    voice.set_src_caps_str(MONO);
    voice.push_event(segment_from(ms(3_000)));
    voice.push(buffer(&[5; 160], 48_000, RATE, 1)).expect("it takes it");
    let items = output.take();
    assert_eq!(items.iter().map(Item::name).collect::<Vec<_>>(), ["stream-start", "caps", "segment", "buffer"]);
    let (Item::Event(event), Item::Buffer(buffer)) = (&items[2], &items[3]) else { panic!("{items:?}") };
    let expected = segment();
    let (gst::EventView::Segment(own), gst::EventView::Segment(zero)) = (event.view(), expected.view()) else {
        panic!("{event:?}")
    };
    assert_eq!(own.segment(), zero.segment());
    assert_eq!(buffer.pts(), Some(ms(0)));
}
