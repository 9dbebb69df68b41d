//! What every element must do: the first run and the second, EOS, bad media, levels, nobody holding it.

use gst::prelude::*;
use gst_check::Harness;
use gstreel::messages::Level;

use crate::rig::{Item, MONO, RATE, Rig, advance, begin_again, buffer, gap, ms, segment_from, time};

fn levels(rig: &Rig) -> Vec<Level> {
    let said = rig.said().into_iter().filter(|s| s.name() == Level::NAME);
    said.map(|s| Level::read(&s).expect("a readable level")).collect()
}

fn push(input: &mut Harness, samples: &[i16], position: u64) -> Result<gst::FlowSuccess, gst::FlowError> {
    input.push(buffer(samples, position, RATE, 1))
}

#[test]
fn a_second_run_is_as_the_first() {
    let rig = Rig::new("reelmixer", &[("latency", "5000000")]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    for _ in 0..2 {
        assert!(push(&mut voice, &[1; 100], 0).is_ok());
        advance(&mut timeline, 180);
        assert!(push(&mut voice, &[2; 200], 50).is_ok());
        assert_eq!((rig.stat("samples"), rig.stat("late-samples"), rig.stat("overlapping-samples")), (100, 0, 50));
        timeline.push_event(gst::event::Eos::new());
        let names = ["stream-start", "caps", "segment", "buffer", "buffer", "eos"];
        let items = output.take();
        assert_eq!(items.iter().map(Item::name).collect::<Vec<_>>(), names);
        rig.set_state(gst::State::Ready);
        assert_eq!((rig.stat("samples"), rig.stat("overlapping-samples")), (0, 0));
        rig.set_state(gst::State::Playing);
        begin_again(&mut voice, Some(MONO));
        begin_again(&mut timeline, None);
    }
}

#[test]
fn eos_of_all_ends_it_once_and_media_after_it_is_refused() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    assert!(push(&mut a, &[1; 100], 0).is_ok());
    a.push_event(gst::event::Eos::new());
    assert!(output.mono().is_empty(), "the other may still come");
    assert!(push(&mut b, &[2; 40], 0).is_ok());
    assert_eq!(output.mono(), [3; 40]);
    b.push_event(gst::event::Eos::new());
    assert_eq!(output.names(), ["buffer", "eos"]);
    assert_eq!(rig.stat("samples"), 100);
    assert_eq!(push(&mut a, &[1; 100], 100), Err(gst::FlowError::Eos));
    assert!(output.names().is_empty());
}

#[test]
fn eos_of_all_without_any_media_ends_an_empty_stream() {
    let rig = Rig::new("reelmixer", &[("rate", "8000")]);
    let output = rig.output("src");
    let mut voice = rig.input("sink_0");
    voice.push_event(gst::event::Eos::new());
    let items = output.take();
    assert_eq!(items.iter().map(Item::name).collect::<Vec<_>>(), ["stream-start", "caps", "segment", "eos"]);
    let Item::Event(caps) = &items[1] else { panic!("{items:?}") };
    let gst::EventView::Caps(caps) = caps.view() else { panic!("{caps:?}") };
    assert_eq!(caps.caps().structure(0).and_then(|s| s.get::<i32>("rate").ok()), Some(8_000));
}

#[test]
fn a_voice_that_ended_may_begin_again() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    assert!(push(&mut voice, &[1; 100], 0).is_ok());
    voice.push_event(gst::event::Eos::new());
    advance(&mut timeline, 100);
    begin_again(&mut voice, Some(MONO));
    assert!(push(&mut voice, &[2; 100], 100).is_ok());
    advance(&mut timeline, 200);
    assert_eq!(output.mono(), [[1; 100], [2; 100]].concat());
}

#[test]
fn gaps_are_silence() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    assert!(push(&mut a, &[1; 160], 0).is_ok());
    assert!(b.push_event(gap(ms(0), ms(5))));
    assert_eq!(output.mono(), [1; 80]);
    // One without a duration says where it is, one of all time no more than that.
    assert!(b.push_event(gst::event::Gap::builder(ms(7)).build()));
    assert_eq!(output.mono(), [1; 32]);
    assert!(b.push_event(gap(ms(8), gst::ClockTime::MAX)));
    assert_eq!(output.mono(), [1; 48]);
    assert!(push(&mut a, &[2; 160], 160).is_ok());
    assert_eq!(output.mono(), [2; 160]);
}

#[test]
fn media_of_any_shape_does_no_harm() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let mut voice = rig.input("sink_0");
    voice.set_src_caps_str(MONO);
    voice.push_event(segment_from(ms(1_000)));
    let at = |bytes: usize, pts: Option<gst::ClockTime>| {
        let mut buffer = gst::Buffer::from_slice(vec![1; bytes]);
        buffer.get_mut().expect("ours").set_pts(pts);
        buffer
    };
    let fine = Ok(gst::FlowSuccess::Ok);
    assert_eq!(voice.push(at(0, Some(ms(1_000)))), fine);
    // Outside the segment nothing is heard; across its begin half of it is.
    assert_eq!(voice.push(at(320, Some(ms(500)))), fine);
    assert_eq!(output.mono().len(), 0);
    assert_eq!(voice.push(at(640, Some(ms(990)))), fine);
    assert_eq!(output.mono().len(), 160);
    // Half a sample is none.
    assert_eq!(voice.push(at(33, Some(ms(1_010)))), fine);
    assert_eq!(output.mono().len(), 16);
    assert_eq!(voice.push(at(1, Some(ms(1_011)))), fine);
    for pts in [gst::ClockTime::MAX, gst::ClockTime::MAX - ms(5), gst::ClockTime::from_seconds(60)] {
        assert_eq!(voice.push(at(320, Some(pts))), fine, "{pts}");
    }
    assert_eq!(output.mono().len(), 0);
    assert_eq!(rig.stat("samples"), 176);
    assert!(rig.stat("ahead-samples") >= 160);
    assert_eq!(rig.errors(), [""; 0]);
    assert_eq!(voice.push(at(320, None)), Err(gst::FlowError::Error));
    assert_eq!(rig.errors(), ["Audio without a time-stamp"]);
}

#[test]
fn wobbling_stamps_are_contiguous_and_jumps_are_silence() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let mut voice = rig.mono("sink_0");
    for (position, sample) in [(0, 1), (325, 2), (635, 3), (1_000, 4)] {
        assert!(push(&mut voice, &[sample; 320], position).is_ok());
    }
    let expected = [vec![1; 320], vec![2; 320], vec![3; 320], vec![0; 40], vec![4; 320]].concat();
    assert_eq!(output.mono(), expected);
    assert_eq!((rig.stat("late-samples"), rig.stat("overlapping-samples")), (0, 0));
}

#[test]
fn each_buffer_says_how_loud_each_pad_was_in_it() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut loud, mut half, _silent) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.mono("sink_5"));
    let mut timeline = rig.timeline();
    // The first is a tick ahead of the others.
    assert!(push(&mut loud, &[-32_768; 3_200], 0).is_ok());
    assert!(push(&mut half, &[16_384; 800], 0).is_ok());
    advance(&mut timeline, 1_600);
    advance(&mut timeline, 3_200);
    let levels = levels(&rig);
    assert_eq!(levels.iter().map(|level| level.at).collect::<Vec<_>>(), [ms(0), ms(100)]);
    assert_eq!(levels[0].rms_db.iter().map(|(pad, _)| *pad).collect::<Vec<_>>(), [0, 1, 5]);
    // Half as loud in half of the buffer: −6.02 − 3.01.
    assert!((levels[0].rms_db[1].1 + 9.0309).abs() < 1e-4, "{levels:?}");
    assert_eq!([levels[0].rms_db[0], levels[0].rms_db[2]], [(0, 0.0), (5, -200.0)]);
    assert_eq!(levels[1].rms_db, [(0, 0.0), (1, -200.0), (5, -200.0)]);
    assert_eq!(output.mono().len(), 3_200);
    drop(half);
    assert!(push(&mut loud, &[-32_768; 100], 3_200).is_ok());
    advance(&mut timeline, 3_300);
    assert_eq!(self::levels(&rig)[0].rms_db, [(0, 0.0), (5, -200.0)], "who has left is not told");
}

#[test]
fn levels_can_be_switched_off_for_the_next_run() {
    let rig = Rig::new("reelmixer", &[("post-levels", "false")]);
    let _output = rig.output("src");
    let mut voice = rig.mono("sink_0");
    assert!(push(&mut voice, &[1; 160], 0).is_ok());
    assert!(levels(&rig).is_empty());
    rig.element.set_property("post-levels", true);
    assert!(push(&mut voice, &[1; 160], 160).is_ok());
    assert!(levels(&rig).is_empty(), "not in mid-stream");
    rig.set_state(gst::State::Ready);
    rig.set_state(gst::State::Playing);
    begin_again(&mut voice, Some(MONO));
    assert!(push(&mut voice, &[1; 160], 0).is_ok());
    assert_eq!(levels(&rig).len(), 1);
}

#[test]
fn the_limiter_counts_what_it_has_changed() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    for (input, samples) in [(&mut a, [16_000, 20_000, -32_768]), (&mut b, [384, 20_000, -32_768])] {
        assert!(push(input, &samples, 0).is_ok());
    }
    let mixed = output.mono();
    assert_eq!((mixed[0], rig.stat("limited-samples")), (16_384, 2));
    assert!((20_000..32_767).contains(&mixed[1]) && (-32_767..-20_000).contains(&mixed[2]), "{mixed:?}");
}

#[test]
fn a_long_jump_comes_in_pieces_of_a_second() {
    let rig = Rig::new("reelmixer", &[("rate", "8000")]);
    let output = rig.output("src");
    let mut timeline = rig.timeline();
    timeline.push_event(gap(ms(0), gst::ClockTime::from_seconds(60)));
    let items = output.take();
    let buffers = items.iter().filter_map(|item| match item {
        Item::Buffer(buffer) => Some((buffer.size(), buffer.pts())),
        Item::Event(_) => None,
    });
    let expected: Vec<_> = (0..60).map(|second| (16_000, Some(time(second * 8_000, 8_000)))).collect();
    assert_eq!(buffers.collect::<Vec<_>>(), expected);
}

#[test]
fn nobody_holds_it() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    assert!(push(&mut voice, &[1; 160], 0).is_ok());
    advance(&mut timeline, 160);
    rig.drop_all(vec![voice, timeline], vec![output]);
}
