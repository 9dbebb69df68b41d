//! What every element must do: flush, the first run and the second, EOS, without a timeline, nobody holding it.

use gst::prelude::*;
use gst_check::Harness;
use gstreel::messages::Channels;

use crate::rig::{Item, Job, MONO, RATE, Rig, advance, begin_again, buffer, flush, gap, ms};
use crate::waits;

fn push(input: &mut Harness, n: usize, sample: i16, position: u64) {
    assert!(input.push(buffer(&vec![sample; n], position, RATE, 1)).is_ok());
}

fn maps(items: &[Item]) -> Vec<Vec<Option<u32>>> {
    let of = |item: &Item| match item {
        Item::Event(event) => {
            event.structure().filter(|s| s.name() == Channels::NAME).map(|s| Channels::read(s).unwrap())
        }
        Item::Buffer(_) => None,
    };
    items.iter().filter_map(of).map(|map| map.pads).collect()
}

#[test]
fn a_second_run_gives_the_channels_anew() {
    let rig = Rig::new("reelchannels", &[("max-channels", "2")]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    for first in [0, 1] {
        for (index, input) in [&mut a, &mut b].into_iter().enumerate() {
            push(input, 8_000, if index == first { 5_000 } else { 1 }, 0);
        }
        for input in [&mut a, &mut b] {
            push(input, 8_000, 5_000, 8_000);
        }
        for input in [&mut a, &mut b] {
            input.push_event(gst::event::Eos::new());
        }
        let items = output.take();
        let second = 1 - first as u32;
        assert_eq!(maps(&items).last(), Some(&vec![Some(first as u32), Some(second)]));
        assert_eq!(items.last().map(Item::name).as_deref(), Some("eos"));
        assert_eq!(rig.stat("samples"), 16_000);
        rig.set_state(gst::State::Ready);
        assert_eq!(rig.stat("samples"), 0);
        rig.set_state(gst::State::Playing);
        for input in [&mut a, &mut b] {
            begin_again(input, Some(MONO));
        }
    }
}

#[test]
fn a_flush_resets_time_and_renumbers_nobody() {
    let rig = Rig::new("reelchannels", &[("max-channels", "2")]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    push(&mut b, 8_000, 5_000, 0);
    push(&mut a, 8_000, 1, 0);
    let items = output.take();
    assert_eq!(maps(&items), [vec![Some(1), None]]);
    for input in [&mut a, &mut b] {
        flush(input);
    }
    output.take();
    push(&mut a, 8_000, 5_000, 0);
    push(&mut b, 8_000, 7, 0);
    for input in [&mut a, &mut b] {
        input.push_event(gst::event::Eos::new());
    }
    let items = output.take();
    let names: Vec<_> = items.iter().map(Item::name).collect();
    assert_eq!(names[..5], ["stream-start", "caps", "segment", "reel-channels", "buffer"]);
    assert_eq!(maps(&items), [vec![Some(1), Some(0)]]);
    let Item::Buffer(first) = &items[4] else { panic!("{items:?}") };
    assert_eq!((first.pts(), &crate::rig::samples(first)[..4]), (Some(ms(0)), &[7, 5_000, 7, 5_000][..]));
}

#[test]
fn latency_is_the_largest_input_and_the_look_back() {
    let rig = Rig::new("reelchannels", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    a.set_upstream_latency(ms(20));
    b.set_upstream_latency(ms(60));
    let mut query = gst::query::Latency::new();
    assert!(output.harness.sinkpad().expect("it listens").peer_query(&mut query));
    assert_eq!(query.result(), (true, ms(60 + 220), None));
}

#[test]
fn output_stays_behind_by_the_look_back_until_the_end() {
    let rig = Rig::new("reelchannels", &[("max-channels", "1"), ("latency", "20000000")]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    push(&mut voice, 8_000, 5_000, 0);
    advance(&mut timeline, 8_000);
    assert_eq!(output.mono().len(), 8_000 - 320 - 11 * 320);
    timeline.push_event(gst::event::Eos::new());
    assert_eq!(output.names(), ["buffer", "eos"]);
    assert_eq!(rig.stat("samples"), 8_000);
}

#[test]
fn without_a_timeline_who_is_ahead_waits_for_the_slowest() {
    let rig = Rig::new("reelchannels", &[("max-channels", "2")]);
    waits::listen();
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    // 500 ms of lead, and the look-back of 220 ms, which everybody is ahead by.
    push(&mut a, 16_000, 5_000, 0);
    let job = Job::new(move || {
        let result = a.push(buffer(&[5_000; 320], 16_000, RATE, 1));
        (a, result)
    });
    waits::until_waiting(&rig.element.name(), "sink_0");
    assert!(b.push_event(gap(ms(0), ms(1_000))));
    let (_a, result) = job.wait();
    assert_eq!(result, Ok(gst::FlowSuccess::Ok));
    assert_eq!(output.media(RATE, 2).1.len(), 2 * (16_000 - 11 * 320));
}

#[test]
fn nobody_at_all_is_silence_on_all_channels() {
    let rig = Rig::new("reelchannels", &[("rate", "8000")]);
    let output = rig.output("src");
    let mut timeline = rig.timeline();
    timeline.push_event(gap(ms(0), ms(1_000)));
    timeline.push_event(gst::event::Eos::new());
    assert_eq!(output.media(8_000, 5), (Some(0), vec![0; 5 * 8_000]));
}

#[test]
fn properties_for_the_next_run_do_not_change_this_one() {
    let rig = Rig::new("reelchannels", &[("max-channels", "2")]);
    let output = rig.output("src");
    let mut voice = rig.mono("sink_0");
    push(&mut voice, 8_000, 5_000, 0);
    rig.element.set_property("max-channels", 3u32);
    rig.element.set_property("voice-threshold", 0.0);
    push(&mut voice, 8_000, 5_000, 8_000);
    voice.push_event(gst::event::Eos::new());
    assert_eq!(output.media(RATE, 2).1, [5_000, 0].repeat(16_000));
    rig.set_state(gst::State::Ready);
    rig.set_state(gst::State::Playing);
    begin_again(&mut voice, Some(MONO));
    push(&mut voice, 8_000, 5_000, 0);
    voice.push_event(gst::event::Eos::new());
    assert_eq!(output.media(RATE, 3).1, [0; 24_000]);
}

#[test]
fn nobody_holds_it() {
    let rig = Rig::new("reelchannels", &[]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    push(&mut voice, 8_000, 5_000, 0);
    advance(&mut timeline, 8_000);
    rig.drop_all(vec![voice, timeline], vec![output]);
}
