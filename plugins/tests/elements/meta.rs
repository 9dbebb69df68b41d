//! `reelmeta`: what it says of a chunk, and that it changes nothing.

use gst::prelude::*;
use gst_check::Harness;
use gstreel::messages::{Channels, Chunk, ChunkEnd, ChunkStart, Gate, PauseInterval};

use crate::rig::{Item, MONO, Output, RATE, Rig, begin_again, buffer, flush, gap, init, ms};

fn start() -> (Rig, Harness, Output) {
    let rig = Rig::new("reelmeta", &[]);
    let input = rig.mono("sink_0");
    let output = rig.output("src_0");
    (rig, input, output)
}

fn push(input: &mut Harness, n: usize, position: u64) {
    assert!(input.push(buffer(&vec![1; n], position, RATE, 1)).is_ok());
}

fn gate(paused: bool, at: u64, skipped: u64) -> gst::Event {
    init();
    Gate { paused, at: ms(at), skipped: ms(skipped) }.event()
}

/// Ends the chunk; returns what it says to the bus.
#[track_caller]
fn end(rig: &Rig, input: &mut Harness) -> Chunk {
    input.push_event(gst::event::Eos::new());
    let said = rig.said();
    assert_eq!(said.iter().filter(|s| s.name() == Chunk::NAME).count(), 1, "{said:?}");
    Chunk::read(said.iter().find(|s| s.name() == Chunk::NAME).unwrap()).expect("a readable chunk")
}

fn chunk(samples: u64) -> Chunk {
    let map = Channels::default();
    Chunk { index: 0, start: ms(0), samples, rate: RATE, channels: 1, pauses: vec![], map }
}

fn pause(start: u64, duration: u64) -> PauseInterval {
    PauseInterval { start: ms(start), duration: ms(duration) }
}

#[test]
fn a_chunk_without_anything_is_told() {
    let rig = Rig::new("reelmeta", &[]);
    let mut input = rig.input("sink_0");
    let output = rig.output("src_0");
    assert_eq!(end(&rig, &mut input), Chunk { rate: 0, channels: 0, ..chunk(0) });
    assert_eq!(output.names(), ["stream-start", "reel-chunk-end", "eos"]);
}

#[test]
fn samples_are_told_downstream_and_to_the_bus_before_eos() {
    let (rig, mut input, output) = start();
    push(&mut input, 1_600, 0);
    push(&mut input, 333, 1_600);
    assert_eq!(rig.stat("samples"), 1_933);
    assert_eq!(end(&rig, &mut input), chunk(1_933));
    let items = output.take();
    let names: Vec<_> = items.iter().map(Item::name).collect();
    assert_eq!(names, ["stream-start", "caps", "segment", "buffer", "buffer", "reel-chunk-end", "eos"]);
    let Item::Event(event) = &items[5] else { panic!("{items:?}") };
    assert_eq!(ChunkEnd::read(event.structure().unwrap()), Ok(ChunkEnd { samples: 1_933 }));
}

#[test]
fn nothing_is_changed_on_the_way() {
    let (_rig, mut input, mut output) = start();
    let buffer = buffer(&[1; 160], 77, RATE, 1);
    let address = buffer.as_ptr() as usize;
    assert!(input.push(buffer).is_ok());
    assert_eq!(output.harness.pull().expect("it came out").as_ptr() as usize, address);
    output.take();
    for event in [gate(true, 5, 0), gap(ms(1), ms(2)), gst::event::Tag::new(gst::TagList::new())] {
        assert!(input.push_event(event));
    }
    assert_eq!(output.names(), ["reel-gate", "gap", "tag"]);
}

/// Tells a chunk of the third: events and samples in their order; returns its pauses and its begin.
#[track_caller]
fn check(index: u32, items: &[Result<gst::Event, (usize, u64)>], begin: u64, pauses: &[PauseInterval]) {
    let (rig, mut input, _output) = start();
    assert!(input.push_event(ChunkStart { index }.event()));
    for item in items {
        match item {
            Ok(event) => assert!(input.push_event(event.clone())),
            Err((n, position)) => push(&mut input, *n, *position),
        }
    }
    let told = end(&rig, &mut input);
    assert_eq!((told.index, told.start, told.pauses.as_slice()), (index, ms(begin), pauses));
}

#[test]
fn a_pause_in_the_middle() {
    let items = [Err((1_600, 0)), Ok(gate(true, 100, 0)), Ok(gate(false, 300, 200)), Err((1_600, 1_600))];
    check(0, &items, 0, &[pause(100, 200)]);
}

#[test]
fn a_pause_that_began_in_an_earlier_chunk_counts_from_the_begin_of_this_one() {
    // Where it is skipped nothing of it is here; where it is replaced, what is here is.
    check(1, &[Ok(gate(true, 100, 0)), Ok(gate(false, 300, 200)), Err((1_600, 1_600))], 300, &[]);
    let items = [Ok(gate(true, 100, 0)), Err((1_600, 3_200)), Ok(gate(false, 300, 0)), Err((1_600, 4_800))];
    check(1, &items, 200, &[pause(200, 100)]);
}

#[test]
fn a_pause_still_open_at_the_end_ends_with_the_chunk() {
    check(0, &[Err((1_600, 0)), Ok(gate(true, 50, 0)), Err((1_600, 1_600))], 0, &[pause(50, 150)]);
    check(0, &[Err((1_600, 0)), Ok(gate(true, 100, 0)), Ok(gate(false, 300, 200))], 0, &[pause(100, 200)]);
}

#[test]
fn edges_that_only_repeat_are_no_pauses() {
    check(0, &[Ok(gate(false, 0, 0)), Err((1_600, 0)), Ok(gate(false, 100, 0))], 0, &[]);
}

#[test]
fn the_map_is_the_last_one_that_passed() {
    let (rig, mut input, _output) = start();
    let map = |pads: Vec<Option<u32>>| Channels { pads, without_channel: vec![9] };
    assert!(input.push_event(map(vec![None, None]).event()));
    push(&mut input, 160, 0);
    assert!(input.push_event(map(vec![Some(3), None]).event()));
    assert_eq!(end(&rig, &mut input).map, map(vec![Some(3), None]));
}

#[test]
fn unreadable_structures_pass_and_change_nothing() {
    let (rig, mut input, output) = start();
    for name in [Gate::NAME, ChunkStart::NAME, Channels::NAME] {
        assert!(input.push_event(gst::event::CustomDownstreamSticky::new(gst::Structure::new_empty(name))));
    }
    push(&mut input, 160, 0);
    assert_eq!(end(&rig, &mut input), chunk(160));
    assert_eq!(output.names()[3..6], ["reel-gate", "reel-chunk-start", "reel-channels"]);
}

#[test]
fn samples_of_other_formats_are_counted_by_their_size() {
    let cases = [("F32LE", 2, 160), ("S24LE", 3, 160), ("U8", 1, 481), ("S16BE", 2, 240)];
    for (format, channels, expected) in cases {
        let rig = Rig::new("reelmeta", &[]);
        let mut input = rig.input("sink_0");
        let _output = rig.output("src_0");
        input.set_src_caps_str(&format!(
            "audio/x-raw,format={format},layout=interleaved,rate=8000,channels={channels},channel-mask=(bitmask)0"
        ));
        let bytes = match format {
            "F32LE" => 160 * 8,
            "S24LE" => 160 * 9,
            "U8" => 480,
            _ => 240 * 4,
        };
        let mut buffer = gst::Buffer::from_slice(vec![0; bytes + 1]);
        buffer.get_mut().expect("ours").set_pts(ms(0));
        assert!(input.push(buffer).is_ok());
        let told = end(&rig, &mut input);
        assert_eq!((told.samples, told.rate, told.channels), (expected, 8_000, channels), "{format}");
    }
}

#[test]
fn media_that_is_no_raw_audio_passes_uncounted() {
    let rig = Rig::new("reelmeta", &[]);
    let mut input = rig.input("sink_0");
    let output = rig.output("src_0");
    input.set_src_caps_str("audio/mpeg,mpegversion=1,layer=3,rate=16000,channels=1");
    for pts in [None, Some(gst::ClockTime::MAX)] {
        let mut buffer = gst::Buffer::from_slice([0; 33]);
        buffer.get_mut().expect("ours").set_pts(pts);
        assert!(input.push(buffer).is_ok());
    }
    assert_eq!(end(&rig, &mut input).samples, 0);
    assert_eq!(output.names().iter().filter(|name| *name == "buffer").count(), 2);
}

#[test]
fn only_the_first_pair_is_counted() {
    let (rig, mut input, _output) = start();
    let mut second = rig.mono("sink_1");
    let output = rig.output("src_1");
    push(&mut input, 160, 0);
    push(&mut second, 480, 0);
    assert!(second.push_event(gate(true, 5, 0)));
    second.push_event(gst::event::Eos::new());
    assert_eq!(output.names(), ["stream-start", "caps", "segment", "buffer", "reel-gate", "eos"]);
    assert_eq!(end(&rig, &mut input), chunk(160));
}

#[test]
fn a_flush_forgets_media_and_pauses_but_not_which_chunk_it_is() {
    let (rig, mut input, _output) = start();
    let map = Channels { pads: vec![Some(4)], without_channel: vec![] };
    assert!(input.push_event(ChunkStart { index: 3 }.event()));
    assert!(input.push_event(map.event()));
    assert!(input.push_event(gate(true, 0, 0)));
    push(&mut input, 1_600, 0);
    flush(&mut input);
    assert_eq!(rig.stat("samples"), 0);
    push(&mut input, 160, 1_600);
    assert_eq!(end(&rig, &mut input), Chunk { index: 3, start: ms(100), map, ..chunk(160) });
}

#[test]
fn media_without_a_time_is_counted_and_what_is_not_raw_audio_is_not() {
    let (rig, mut input, _output) = start();
    assert!(input.push_event(ChunkStart { index: 1 }.event()));
    let mut timeless = buffer(&[1; 100], 0, RATE, 1);
    timeless.get_mut().expect("ours").set_pts(gst::ClockTime::NONE);
    assert!(input.push(timeless).is_ok());
    push(&mut input, 60, 16_000);
    input.set_src_caps_str("audio/x-something-else");
    push(&mut input, 1_600, 16_060);
    assert_eq!(end(&rig, &mut input), Chunk { index: 1, start: ms(1_000), ..chunk(160) });
}

#[test]
fn a_stream_that_begins_after_the_end_is_counted_anew() {
    let (rig, mut input, _output) = start();
    push(&mut input, 1_600, 0);
    assert!(input.push_event(gate(true, 50, 0)));
    assert_eq!(end(&rig, &mut input), Chunk { pauses: vec![pause(50, 50)], ..chunk(1_600) });
    begin_again(&mut input, Some(MONO));
    // Not at its end: the same stream, told again.
    push(&mut input, 100, 0);
    begin_again(&mut input, Some(MONO));
    push(&mut input, 60, 100);
    assert_eq!(end(&rig, &mut input), chunk(160));
}

#[test]
fn a_second_run_is_as_the_first() {
    let (rig, mut input, output) = start();
    for index in [7, 0] {
        if index > 0 {
            assert!(input.push_event(ChunkStart { index }.event()));
            assert!(input.push_event(gate(false, 500, 500)));
        }
        push(&mut input, 1_600, 0);
        let begin = if index > 0 { ms(500) } else { ms(0) };
        assert_eq!(end(&rig, &mut input), Chunk { index, start: begin, ..chunk(1_600) });
        assert_eq!(output.names().last().map(String::as_str), Some("eos"));
        rig.set_state(gst::State::Ready);
        assert_eq!(rig.stat("samples"), 0);
        rig.set_state(gst::State::Playing);
        // Only these: what is sticky on the harness' pad is of the first run.
        let pad = input.srcpad().expect("it pushes");
        pad.set_active(false).and_then(|()| pad.set_active(true)).expect("it forgets");
        begin_again(&mut input, Some(MONO));
    }
}

#[test]
fn refusals_come_back_and_queries_go_through() {
    let rig = Rig::new("reelmeta", &[]);
    let mut input = rig.mono("sink_0");
    assert_eq!(input.push(buffer(&[1; 160], 0, RATE, 1)), Err(gst::FlowError::NotLinked));
    input.set_upstream_latency(ms(20));
    let mut output = rig.output("src_0");
    let mut query = gst::query::Latency::new();
    assert!(output.harness.sinkpad().expect("it listens").peer_query(&mut query));
    assert_eq!(query.result().1, ms(20));
    output.harness.set_sink_caps_str("audio/x-raw,rate=8000");
    let caps = rig.element.static_pad("sink_0").expect("requested").query_caps(None);
    assert_eq!(caps, "audio/x-raw,rate=8000".parse::<gst::Caps>().expect("caps"));
    while input.try_pull_upstream_event().is_some() {}
    let seek = gst::event::Seek::new(
        1.0,
        gst::SeekFlags::empty(),
        gst::SeekType::Set,
        ms(0),
        gst::SeekType::None,
        gst::ClockTime::NONE,
    );
    assert!(output.harness.push_upstream_event(seek));
    assert_eq!(input.try_pull_upstream_event().map(|event| event.type_()), Some(gst::EventType::Seek));
}

#[test]
fn nobody_holds_it() {
    let (rig, mut input, output) = start();
    push(&mut input, 160, 0);
    rig.drop_all(vec![input], vec![output]);
}
