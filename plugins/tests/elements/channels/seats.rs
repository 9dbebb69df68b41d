//! Who is on which channel, from which sample on, and when that is told.

use gst::glib;
use gst::prelude::*;
use gst_check::Harness;
use gstreel::messages::{Channels, Pause};

use crate::rig::{Item, Output, RATE, Rig, advance, buffer, ms};

/// Below the threshold, and well above it.
const QUIET: i16 = 1;
const LOUD: i16 = 5_000;

fn push(input: &mut Harness, n: usize, sample: i16, position: u64) {
    assert!(input.push(buffer(&vec![sample; n], position, RATE, 1)).is_ok());
}

fn map(pads: &[i64], without: &[u32]) -> Channels {
    Channels { pads: pads.iter().map(|pad| u32::try_from(*pad).ok()).collect(), without_channel: without.to_vec() }
}

/// All samples that came out, by channel, and each map with the position before whose sample it was told.
#[track_caller]
fn heard(output: &Output, n_channels: usize) -> (Vec<Vec<i16>>, Vec<(usize, Channels)>) {
    let (mut channels, mut maps) = (vec![Vec::new(); n_channels], Vec::new());
    for item in output.take() {
        match item {
            Item::Event(event) => {
                let structure = event.structure().filter(|s| s.name() == Channels::NAME);
                maps.extend(structure.map(|s| (channels[0].len(), Channels::read(s).expect("a readable map"))));
                if event.has_name(Channels::NAME) {
                    assert_eq!(event.type_(), gst::EventType::CustomDownstreamSticky);
                }
            }
            Item::Buffer(buffer) => {
                for (index, sample) in crate::rig::samples(&buffer).into_iter().enumerate() {
                    channels[index % n_channels].push(sample);
                }
            }
        }
    }
    (channels, maps)
}

#[test]
fn channels_come_in_the_order_of_first_voice_with_look_back() {
    let rig = Rig::new("reelchannels", &[("max-channels", "3")]);
    let output = rig.output("src");
    let (mut late, mut early, mut timeline) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.timeline());
    for tick in 0..10 {
        let at = tick * 1_600;
        push(&mut late, 1_600, if tick < 5 { QUIET } else { LOUD }, at);
        push(&mut early, 1_600, if tick < 2 { QUIET } else { -LOUD }, at);
        advance(&mut timeline, at + 1_600);
    }
    timeline.push_event(gst::event::Eos::new());
    let (channels, maps) = heard(&output, 3);
    // Three frames of 20 ms after 8 000 and 3 200 make a voice; the channel begins 200 ms before their end.
    let (late_from, early_from) = (8_000 + 960 - 3_200, 3_200 + 960 - 3_200);
    let expected =
        [(0, map(&[-1, -1, -1], &[])), (early_from, map(&[1, -1, -1], &[])), (late_from, map(&[1, 0, -1], &[]))];
    assert_eq!(maps, expected);
    let channel = |from: usize, loud_from: usize, loud: i16| {
        let expected = [vec![0; from], vec![QUIET; loud_from - from], vec![loud; 16_000 - loud_from]].concat();
        assert_eq!(expected.len(), 16_000);
        expected
    };
    assert_eq!(channels[0], channel(early_from, 3_200, -LOUD));
    assert_eq!(channels[1], channel(late_from, 8_000, LOUD));
    assert_eq!(channels[2], [0; 16_000]);
    let said: Vec<_> =
        rig.said().iter().filter(|s| s.name() == Channels::NAME).map(|s| Channels::read(s).unwrap()).collect();
    assert_eq!(said, expected.map(|(_, map)| map), "the engine hears the same as the stream");
}

#[test]
fn a_click_is_no_voice() {
    let rig = Rig::new("reelchannels", &[("max-channels", "1")]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    for at in (0..16_000).step_by(1_600) {
        push(&mut voice, 640, LOUD, at);
        push(&mut voice, 960, QUIET, at + 640);
        advance(&mut timeline, at + 1_600);
    }
    timeline.push_event(gst::event::Eos::new());
    assert_eq!(heard(&output, 1), (vec![vec![0; 16_000]], vec![(0, map(&[-1], &[]))]));
}

#[test]
fn the_sixth_voice_is_told_and_counted_but_not_recorded() {
    let rig = Rig::new("reelchannels", &[]);
    let output = rig.output("src");
    let mut voices: Vec<_> = (0..6).map(|index| rig.mono(&format!("sink_{index}"))).collect();
    let mut timeline = rig.timeline();
    for (index, voice) in voices.iter_mut().enumerate() {
        push(voice, 3_200, 1_000 * (index as i16 + 1), 0);
    }
    advance(&mut timeline, 3_200);
    timeline.push_event(gst::event::Eos::new());
    let (channels, maps) = heard(&output, 5);
    for (index, channel) in channels.iter().enumerate() {
        assert_eq!(*channel, [1_000 * (index as i16 + 1); 3_200]);
    }
    assert_eq!(maps, [(0, map(&[0, 1, 2, 3, 4], &[5]))]);
    assert_eq!(rig.stat("pads-without-channel"), 1);
}

#[test]
fn sixty_four_voices_have_sixty_four_channels() {
    let rig = Rig::new("reelchannels", &[("max-channels", "64")]);
    let output = rig.output("src");
    let mut voices: Vec<_> = (0..65).map(|index| rig.mono(&format!("sink_{index}"))).collect();
    let mut timeline = rig.timeline();
    for (index, voice) in voices.iter_mut().enumerate() {
        push(voice, 3_200, 1_000 + index as i16, 0);
    }
    advance(&mut timeline, 3_200);
    timeline.push_event(gst::event::Eos::new());
    let (channels, maps) = heard(&output, 64);
    for (index, channel) in channels.iter().enumerate() {
        assert_eq!(*channel, [1_000 + index as i16; 3_200]);
    }
    assert_eq!(maps, [(0, map(&Vec::from_iter(0..64), &[64]))]);
}

#[test]
fn a_pinned_pad_is_there_from_its_first_sample_and_nobody_else_is() {
    let rig = Rig::new("reelchannels", &[("max-channels", "3"), ("reserved-channels", "<0>")]);
    let output = rig.output("src");
    // Pinned before the start, by the property of the pad.
    rig.element.request_pad_simple("sink_7").expect("free").set_property("channel", 2);
    let (mut pinned, mut voice, mut other) = (rig.mono("sink_7"), rig.mono("sink_0"), rig.mono("sink_1"));
    let mut timeline = rig.timeline();
    push(&mut pinned, 3_200, QUIET, 0);
    push(&mut voice, 3_200, LOUD, 0);
    push(&mut other, 3_200, LOUD, 0);
    advance(&mut timeline, 3_200);
    timeline.push_event(gst::event::Eos::new());
    let (channels, maps) = heard(&output, 3);
    assert_eq!(channels, [vec![0; 3_200], vec![LOUD; 3_200], vec![QUIET; 3_200]]);
    assert_eq!(maps, [(0, map(&[-1, 0, 7], &[1]))]);
}

#[test]
fn a_reserved_channel_is_for_who_comes_with_a_pin() {
    let rig = Rig::new("reelchannels", &[("max-channels", "2"), ("reserved-channels", "<0>")]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    push(&mut voice, 8_000, LOUD, 0);
    advance(&mut timeline, 8_000);
    // While playing; the output is at 4 480, since it stays 220 ms behind.
    let mut late = rig.mono("sink_1");
    rig.element.static_pad("sink_1").expect("requested").set_property("channel", 0);
    push(&mut late, 1_600, QUIET, 8_000);
    push(&mut voice, 1_600, LOUD, 8_000);
    advance(&mut timeline, 9_600);
    timeline.push_event(gst::event::Eos::new());
    let (channels, maps) = heard(&output, 2);
    assert_eq!(channels[0], [[0; 8_000].as_slice(), &[QUIET; 1_600]].concat());
    assert_eq!(channels[1], [LOUD; 9_600]);
    assert_eq!(maps, [(0, map(&[-1, 0], &[])), (4_480, map(&[1, 0], &[]))]);
}

#[test]
fn a_pin_gives_a_channel_to_who_had_none_and_moves_nobody() {
    let rig = Rig::new("reelchannels", &[("max-channels", "2"), ("reserved-channels", "<1>")]);
    let output = rig.output("src");
    let (mut first, mut second, mut timeline) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.timeline());
    for at in [0, 8_000] {
        push(&mut first, 8_000, LOUD, at);
        push(&mut second, 8_000, LOUD, at);
        advance(&mut timeline, at + 8_000);
        let pin = |pad: &str, channel: i32| rig.element.static_pad(pad).unwrap().set_property("channel", channel);
        assert_eq!(rig.stat("pads-without-channel"), u64::from(at == 0));
        pin("sink_0", 1);
        pin("sink_1", 1);
        pin("sink_1", 63);
    }
    timeline.push_event(gst::event::Eos::new());
    assert_eq!(rig.stat("pads-without-channel"), 0);
    let (channels, maps) = heard(&output, 2);
    assert_eq!(channels, [vec![LOUD; 16_000], [[0; 4_480].as_slice(), &[LOUD; 11_520]].concat()]);
    assert_eq!(maps, [(0, map(&[0, -1], &[1])), (4_480, map(&[0, 1], &[]))]);
}

#[test]
fn a_voice_in_a_pause_gets_no_channel_by_it() {
    let rig = Rig::new("reelchannels", &[("max-channels", "1")]);
    let mut output = rig.output("src");
    let (mut rude, mut polite, mut timeline) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.timeline());
    for (pause, at) in [(true, ms(0)), (false, ms(500))] {
        output.harness.push_upstream_event(Pause { pause, at }.event());
    }
    push(&mut rude, 8_000, LOUD, 0);
    push(&mut polite, 8_000, LOUD, 8_000);
    advance(&mut timeline, 16_000);
    timeline.push_event(gst::event::Eos::new());
    let (channels, maps) = heard(&output, 1);
    assert_eq!(maps, [(0, map(&[-1], &[])), (8_000 + 960 - 3_200, map(&[1], &[]))]);
    assert_eq!(channels[0], [[0; 8_000], [LOUD; 8_000]].concat());
    // It goes on up: who decodes may want to know as well.
    let passed = std::iter::from_fn(|| rude.try_pull_upstream_event()).filter(|event| event.has_name(Pause::NAME));
    assert_eq!(passed.count(), 2);
}

#[test]
fn pauses_that_a_gate_knew_before_the_start_count() {
    let rig = Rig::new("reelchannels", &[("max-channels", "1")]);
    let pipeline = gst::Pipeline::new();
    let make = |factory: &str| gst::ElementFactory::make(factory).build().expect("it is registered");
    let (gate, sink) = (make("reelgate"), make("fakesink"));
    sink.set_property("async", false);
    gate.set_property("pause-at", 0u64);
    gate.set_property("resume-at", 500_000_000u64);
    pipeline.add_many([&rig.element, &gate, &sink]).expect("new elements");
    let (joined, gated) = (rig.element.static_pad("src").unwrap(), gate.request_pad_simple("sink_0").unwrap());
    joined.link(&gated).expect("they fit");
    gate.link(&sink).expect("they fit");
    assert!(pipeline.set_state(gst::State::Playing).is_ok());
    let (mut rude, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    push(&mut rude, 8_000, LOUD, 0);
    advance(&mut timeline, 8_000);
    push(&mut rude, 8_000, QUIET, 8_000);
    advance(&mut timeline, 16_000);
    assert_eq!(map(&[-1], &[]), last_map(&gate.static_pad("sink_0").unwrap()));
    push(&mut rude, 8_000, LOUD, 16_000);
    advance(&mut timeline, 24_000);
    assert_eq!(map(&[0], &[]), last_map(&gate.static_pad("sink_0").unwrap()));
    assert!(pipeline.set_state(gst::State::Null).is_ok());
}

fn last_map(pad: &gst::Pad) -> Channels {
    let mut found = None;
    pad.sticky_events_foreach(|event| {
        let map = event.structure().filter(|s| s.name() == Channels::NAME);
        found = found.take().or(map.map(|s| Channels::read(s).expect("readable")));
        std::ops::ControlFlow::Continue(gst::EventForeachAction::Keep)
    });
    found.expect("a map is sticky")
}

#[test]
fn who_comes_again_has_the_same_channel() {
    let rig = Rig::new("reelchannels", &[("max-channels", "2")]);
    let output = rig.output("src");
    let (first, mut second, mut timeline) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.timeline());
    let mut first = Some(first);
    push(first.as_mut().unwrap(), 8_000, LOUD, 0);
    push(&mut second, 8_000, -LOUD, 0);
    advance(&mut timeline, 8_000);
    drop(first.take());
    push(&mut second, 8_000, -LOUD, 8_000);
    advance(&mut timeline, 16_000);
    let mut again = rig.mono("sink_0");
    push(&mut again, 8_000, QUIET, 16_000);
    push(&mut second, 8_000, -LOUD, 16_000);
    advance(&mut timeline, 24_000);
    timeline.push_event(gst::event::Eos::new());
    let (channels, maps) = heard(&output, 2);
    assert_eq!(channels[0], [[LOUD; 8_000], [0; 8_000], [QUIET; 8_000]].concat());
    assert_eq!(channels[1], [-LOUD; 24_000]);
    assert_eq!(maps, [(0, map(&[0, 1], &[]))]);
}

#[test]
fn the_map_does_not_depend_on_how_the_media_comes() {
    let mut all = Vec::new();
    for n in [160, 320, 999, 1_600, 16_000] {
        let rig = Rig::new("reelchannels", &[("max-channels", "2"), ("voice-threshold", "-20")]);
        let output = rig.output("src");
        let (mut a, mut b, mut timeline) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.timeline());
        for at in (0..16_000u64).step_by(n) {
            let n = n.min(16_000 - at as usize);
            let voice = |from: u64| -> Vec<i16> {
                (at..at + n as u64).map(|at| if at < from { 3_000 } else { LOUD }).collect()
            };
            assert!(a.push(buffer(&voice(7_777), at, RATE, 1)).is_ok());
            assert!(b.push(buffer(&voice(3_333), at, RATE, 1)).is_ok());
            advance(&mut timeline, at + n as u64);
        }
        timeline.push_event(gst::event::Eos::new());
        all.push(heard(&output, 2));
    }
    assert_eq!(all[0].1.last().map(|(_, map)| map.clone()), Some(map(&[1, 0], &[])));
    assert!(all.iter().all(|one| *one == all[0]));
}

#[test]
fn gst_launch_can_pin_a_pad_that_comes_later() {
    let rig = Rig::new("reelchannels", &[]);
    let proxy = rig.element.dynamic_cast_ref::<gst::ChildProxy>().expect("it has children");
    let added = std::sync::Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let log = std::sync::Arc::clone(&added);
    proxy.connect_child_added(move |_, _: &glib::Object, name| log.lock().unwrap().push(name.to_owned()));
    let pad = rig.element.request_pad_simple("sink_3").expect("free");
    proxy.set_child_property("sink_3::channel", 4);
    assert_eq!(pad.property::<i32>("channel"), 4);
    assert_eq!(*added.lock().unwrap(), ["sink_3"]);
    assert_eq!(proxy.children_count(), 2);
}
