//! What is recorded and what is not, to the sample, and what is said about it.

use gst::prelude::*;
use gst_check::Harness;
use gstreel::messages::{Gate, Pause};

use crate::rig::{Item, MONO, Output, RATE, Rig, begin_again, buffer, gap, ms, segment_from, time};

/// Samples that tell their position.
fn count(range: std::ops::Range<u64>) -> Vec<i16> {
    range.map(|position| (position % 30_000) as i16).collect()
}

/// Pushes buffers of `n` samples from position `from` up to `until`.
fn push(input: &mut Harness, from: u64, until: u64, n: u64) {
    for position in (from..until).step_by(n as usize) {
        let samples = count(position..(position + n).min(until));
        assert!(input.push(buffer(&samples, position, RATE, 1)).is_ok());
    }
}

fn edges(items: &[Item]) -> Vec<Gate> {
    let event = |item: &Item| match item {
        Item::Event(event) => event.structure().filter(|s| s.name() == Gate::NAME).map(|s| Gate::read(s).unwrap()),
        Item::Buffer(_) => None,
    };
    items.iter().filter_map(event).collect()
}

/// All samples of the buffers, which must be contiguous from position `from` on.
#[track_caller]
fn media(items: &[Item], mut from: u64) -> Vec<i16> {
    let mut all = Vec::new();
    for item in items {
        let Item::Buffer(buffer) = item else { continue };
        let samples = crate::rig::samples(buffer);
        assert_eq!(buffer.pts(), Some(time(from, RATE)));
        from += samples.len() as u64;
        assert_eq!(buffer.duration(), Some(time(from, RATE) - buffer.pts().unwrap()));
        all.extend(samples);
    }
    all
}

fn start(properties: &[(&str, &str)]) -> (Rig, Harness, Output) {
    let rig = Rig::new("reelgate", properties);
    let input = rig.mono("sink_0");
    let output = rig.output("src_0");
    (rig, input, output)
}

/// A pause from sample 3 000 to 5 500 of 8 000, in buffers of any size.
#[track_caller]
fn check(mode: &str, skipped: u64, expected: impl Fn() -> Vec<i16>) {
    for n in [8_000, 1_600, 500, 333, 1] {
        let (rig, mut input, output) = start(&[("mode", mode), ("pause-at", "187500000"), ("resume-at", "343750000")]);
        push(&mut input, 0, 8_000, n);
        let items = output.take();
        assert_eq!(media(&items, 0), expected(), "{mode} in buffers of {n}");
        let edges = edges(&items);
        let of = |paused, at, skipped| Gate { paused, at: time(at, RATE), skipped: time(skipped, RATE) };
        assert_eq!(edges, [of(true, 3_000, 0), of(false, 5_500, skipped)], "{mode} in buffers of {n}");
        assert_eq!((rig.stat("paused-samples"), rig.stat("moved-edges")), (2_500, 0));
    }
}

#[test]
fn a_skipped_pause_closes_the_gap() {
    check("skip", 2_500, || [count(0..3_000), count(5_500..8_000)].concat());
}

#[test]
fn a_silent_pause_is_as_long_as_it_was() {
    check("silence", 0, || [count(0..3_000), vec![0; 2_500], count(5_500..8_000)].concat());
}

#[test]
fn a_tone_stands_in_the_place_of_a_pause() {
    let tone = |at: u64| (f64::sin(std::f64::consts::TAU * 400.0 * at as f64 / f64::from(RATE)) * 1_600.0) as i16;
    check("tone", 0, || [count(0..3_000), (3_000..5_500).map(tone).collect(), count(5_500..8_000)].concat());
}

#[test]
fn the_edge_stands_right_before_the_sample_that_it_concerns() {
    let (_rig, mut input, output) = start(&[("pause-at", "187500000"), ("resume-at", "343750000")]);
    push(&mut input, 0, 8_000, 8_000);
    let names = ["stream-start", "caps", "segment", "buffer", "reel-gate", "reel-gate", "buffer"];
    assert_eq!(output.names(), names);
}

#[test]
fn pausing_twice_and_resuming_twice_changes_nothing() {
    let (rig, mut input, output) = start(&[]);
    for (property, at_ms) in
        [("resume-at", 10), ("pause-at", 100), ("pause-at", 120), ("resume-at", 200), ("resume-at", 300)]
    {
        rig.element.set_property(property, at_ms * 1_000_000u64);
    }
    push(&mut input, 0, 8_000, 1_600);
    assert_eq!(media(&output.take(), 0), [count(0..1_600), count(3_200..8_000)].concat());
    assert_eq!(rig.stat("moved-edges"), 0);
}

#[test]
fn a_resume_before_its_pause_and_a_pause_before_the_last_resume_move_to_it() {
    let (rig, mut input, output) = start(&[]);
    for (property, at_ms) in [
        ("pause-at", 100),
        ("resume-at", 50),
        ("pause-at", 200),
        ("resume-at", 300),
        ("pause-at", 250),
        ("resume-at", 400),
    ] {
        rig.element.set_property(property, at_ms * 1_000_000u64);
    }
    push(&mut input, 0, 8_000, 1_600);
    assert_eq!(media(&output.take(), 0), [count(0..3_200), count(6_400..8_000)].concat());
    assert_eq!(rig.stat("moved-edges"), 2);
}

#[test]
fn an_edge_in_the_past_takes_effect_at_once_and_is_counted() {
    let (rig, mut input, output) = start(&[]);
    push(&mut input, 0, 1_600, 1_600);
    rig.element.set_property("pause-at", 20_000_000u64);
    push(&mut input, 1_600, 3_200, 1_600);
    rig.element.set_property("resume-at", 150_000_000u64);
    push(&mut input, 3_200, 4_800, 1_600);
    let items = output.take();
    assert_eq!(media(&items, 0), [count(0..1_600), count(3_200..4_800)].concat());
    assert_eq!(edges(&items).iter().map(|edge| edge.at).collect::<Vec<_>>(), [ms(100), ms(200)]);
    assert_eq!(rig.stat("moved-edges"), 2);
    assert_eq!(rig.element.property::<u64>("pause-at"), 20_000_000, "a property is what was written");
}

#[test]
fn paused_before_the_first_buffer_holds_from_the_first_sample_on() {
    for mode in ["skip", "silence"] {
        let (_rig, mut input, output) = start(&[("mode", mode), ("pause-at", "0"), ("resume-at", "100000000")]);
        push(&mut input, 0, 3_200, 160);
        let items = output.take();
        let paused = if mode == "skip" { vec![] } else { vec![0; 1_600] };
        assert_eq!(media(&items, 0), [paused, count(1_600..3_200)].concat(), "{mode}");
        assert_eq!(edges(&items)[0], Gate { paused: true, at: ms(0), skipped: ms(0) });
    }
}

#[test]
fn eos_while_paused_ends_the_interval_there() {
    let (_rig, mut input, output) = start(&[("pause-at", "50000000")]);
    push(&mut input, 0, 3_200, 1_600);
    output.take();
    input.push_event(gst::event::Eos::new());
    let items = output.take();
    assert_eq!(items.iter().map(Item::name).collect::<Vec<_>>(), ["reel-gate", "eos"]);
    assert_eq!(edges(&items), [Gate { paused: false, at: ms(200), skipped: ms(150) }]);
}

#[test]
fn all_pairs_pause_at_the_same_instant_whatever_their_rate() {
    let rates = [8_000u32, 11_025, 16_000, 44_100, 48_000];
    let rig = Rig::new("reelgate", &[("pause-at", "333333333"), ("resume-at", "666666667")]);
    // A harness that goes takes its element to NULL.
    let mut harnesses = Vec::new();
    for (index, rate) in rates.into_iter().enumerate() {
        let mut input = rig.input(&format!("sink_{index}"));
        input.set_src_caps_str(&format!(
            "audio/x-raw,format=S16LE,layout=interleaved,rate={rate},channels=2,channel-mask=(bitmask)3"
        ));
        let output = rig.output(&format!("src_{index}"));
        let samples: Vec<i16> = (0..rate).flat_map(|at| [(at % 30_000) as i16, -1]).collect();
        assert!(input.push(buffer(&samples, 0, rate, 2)).is_ok());
        let (first, recorded) = output.media(rate, 2);
        assert_eq!(first, Some(0));
        let at = |ns: f64| (ns * 1e-9 * f64::from(rate)).round() as usize * 2;
        let expected = [&samples[..at(333_333_333.0)], &samples[at(666_666_667.0)..]].concat();
        assert!(recorded == expected, "{rate} Hz: {} samples, {} expected", recorded.len(), expected.len());
        harnesses.push((input, output));
    }
}

#[test]
fn an_edge_counts_from_the_pair_that_has_come_farthest() {
    let rig = Rig::new("reelgate", &[]);
    let (mut ahead, mut behind) = (rig.mono("sink_0"), rig.mono("sink_1"));
    let outputs = [rig.output("src_0"), rig.output("src_1")];
    push(&mut ahead, 0, 3_200, 1_600);
    push(&mut behind, 0, 1_600, 1_600);
    rig.element.set_property("pause-at", 120_000_000u64);
    push(&mut ahead, 3_200, 4_800, 1_600);
    push(&mut behind, 1_600, 4_800, 1_600);
    for output in outputs {
        assert_eq!(media(&output.take(), 0), count(0..3_200));
    }
    assert_eq!(rig.stat("moved-edges"), 1);
}

#[test]
fn elements_above_hear_of_an_edge_before_its_media() {
    let (rig, mut input, _output) = start(&[("pause-at", "500000000")]);
    let heard = |input: &mut Harness| -> Vec<(bool, gst::ClockTime)> {
        let events = std::iter::from_fn(|| input.try_pull_upstream_event());
        let pauses = events.filter_map(|event| {
            event.structure().filter(|s| s.name() == Pause::NAME).map(|s| Pause::read(s).expect("readable"))
        });
        pauses.map(|pause| (pause.pause, pause.at)).collect()
    };
    assert_eq!(heard(&mut input), [(true, ms(500))], "what was set before anybody was there");
    rig.element.set_property("resume-at", 600_000_000u64);
    rig.element.set_property("resume-at", 700_000_000u64);
    assert_eq!(heard(&mut input), [(false, ms(600))]);
    push(&mut input, 0, 16_000, 1_600);
    rig.element.set_property("pause-at", 100_000_000u64);
    assert_eq!(heard(&mut input), [(true, ms(1_000))], "an edge that was moved is told as it is");
    begin_again(&mut input, Some(MONO));
    assert_eq!(heard(&mut input), [(true, ms(500)), (false, ms(600)), (true, ms(1_000))]);
}

#[test]
fn gaps_pass_in_recorded_time_and_go_with_a_pause() {
    let (_rig, mut input, output) = start(&[("pause-at", "100000000"), ("resume-at", "200000000")]);
    let cases = [
        (0, 50, Some((0, 50))),
        (80, 50, Some((80, 20))),
        (120, 50, None),
        (120, 100, Some((100, 20))),
        (80, 220, Some((80, 120))),
        (300, 50, Some((200, 50))),
    ];
    for (start, duration, expected) in cases {
        let event = gst::event::Gap::builder(ms(start)).duration(ms(duration)).gap_flags(gst::GapFlags::DATA).build();
        assert!(input.push_event(event));
        let gaps = output.take().into_iter().filter_map(|item| match item {
            Item::Event(event) => match event.view() {
                gst::EventView::Gap(gap) => Some((gap.get().0, gap.get().1, gap.gap_flags())),
                _ => None,
            },
            Item::Buffer(_) => None,
        });
        let expected = expected.map(|(start, duration)| (ms(start), Some(ms(duration)), gst::GapFlags::DATA));
        assert_eq!(gaps.collect::<Vec<_>>(), Vec::from_iter(expected), "{start} + {duration}");
    }
}

#[test]
fn a_pause_in_a_hole_of_the_media_is_told() {
    let (_rig, mut input, output) = start(&[("pause-at", "150000000"), ("resume-at", "180000000")]);
    push(&mut input, 0, 1_600, 1_600);
    push(&mut input, 3_200, 4_800, 1_600);
    let items = output.take();
    assert_eq!(edges(&items).last(), Some(&Gate { paused: false, at: ms(180), skipped: ms(30) }));
    let Some(Item::Buffer(last)) = items.last() else { panic!("{items:?}") };
    assert_eq!(last.pts(), Some(ms(170)));
}

#[test]
fn edges_are_recording_time_whatever_the_segment() {
    let (_rig, mut input, output) = start(&[("pause-at", "50000000"), ("resume-at", "100000000")]);
    input.push_event(segment_from(ms(1_000)));
    assert!(input.push(buffer(&count(0..3_200), 16_000, RATE, 1)).is_ok());
    assert_eq!(media(&output.take(), 0), [count(0..800), count(1_600..3_200)].concat());
    assert!(input.push_event(gap(ms(1_200), ms(10))));
}
