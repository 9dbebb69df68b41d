//! Caps, queries and events of the mixer's pads.

use gst::prelude::*;

use crate::rig::{MONO, RATE, Rig, buffer, ms};

#[test]
fn other_caps_are_refused() {
    for caps in [
        "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
        "audio/x-raw,format=S16BE,layout=interleaved,rate=16000,channels=1",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=2,channel-mask=(bitmask)3",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=96000,channels=1",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1",
        "audio/x-mulaw,rate=16000,channels=1",
    ] {
        let rig = Rig::new("reelmixer", &[]);
        let output = rig.output("src");
        let (mut first, mut second) = (rig.mono("sink_0"), rig.input("sink_1"));
        second.set_src_caps_str(caps);
        assert_eq!(second.push(gst::Buffer::from_slice([0; 320])), Err(gst::FlowError::NotNegotiated), "{caps}");
        drop(second);
        assert!(first.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
        assert_eq!(output.mono(), [1; 160], "the others go on");
    }
}

#[test]
fn a_segment_without_time_is_an_error() {
    let rig = Rig::new("reelmixer", &[]);
    let mut voice = rig.mono("sink_0");
    voice.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::format::Bytes>::new()));
    assert_eq!(rig.errors(), ["Only media with time-stamps can be joined"]);
}

/// The rates that a lane may have.
fn rates(rig: &Rig, lane: &str) -> String {
    let pad = rig.element.static_pad(lane).expect("requested");
    let caps = pad.query_caps(None);
    let rates: Vec<String> =
        caps.iter().map(|s| s.value("rate").expect("a rate").serialize().expect("text").to_string()).collect();
    rates.join(" ")
}

#[test]
fn a_lane_may_have_the_rate_that_all_have() {
    let rig = Rig::new("reelmixer", &[]);
    let mut output = rig.output("src");
    let (_first, _second) = (rig.input("sink_0"), rig.input("sink_1"));
    assert_eq!(rates(&rig, "sink_0"), "[ 8000, 48000 ]");
    output.harness.set_sink_caps_str("audio/x-raw,rate=(int)8000; audio/x-raw,rate=(int)[24000,96000],channels=1");
    assert_eq!(rates(&rig, "sink_0"), "8000 [ 24000, 48000 ]");
    output.harness.set_sink_caps_str(MONO);
    let _third = rig.mono("sink_2");
    assert_eq!(rates(&rig, "sink_0"), "16000");

    let rig = Rig::new("reelmixer", &[("rate", "24000")]);
    let _first = rig.input("sink_0");
    assert_eq!(rates(&rig, "sink_0"), "24000");
}

#[test]
fn latency_is_the_largest_of_all_inputs() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    a.set_upstream_latency(ms(20));
    b.set_upstream_latency(ms(60));
    let mut query = gst::query::Latency::new();
    assert!(output.harness.sinkpad().expect("it listens").peer_query(&mut query));
    assert_eq!(query.result(), (true, ms(60), None));
}

#[test]
fn what_a_voice_alone_says_stays_and_what_is_unknown_goes_on() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let mut voice = rig.mono("sink_0");
    assert!(voice.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
    output.take();
    assert!(voice.push_event(gst::event::Tag::new(gst::TagList::new())));
    assert!(output.names().is_empty());
    let unknown = gst::Structure::new_empty("test-event");
    assert!(voice.push_event(gst::event::CustomDownstream::new(unknown.clone())));
    assert!(voice.push_event(gst::event::CustomDownstreamSticky::new(unknown)));
    assert_eq!(output.names(), ["test-event", "test-event"]);
}

#[test]
fn events_from_downstream_reach_everybody() {
    let rig = Rig::new("reelmixer", &[]);
    let mut output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    let event = gst::event::CustomUpstream::new(gst::Structure::new_empty("test-event"));
    assert!(output.harness.push_upstream_event(event));
    for input in [&mut a, &mut b] {
        let found = std::iter::from_fn(|| input.try_pull_upstream_event()).any(|event| event.has_name("test-event"));
        assert!(found);
    }
}

#[test]
fn pads_have_the_names_that_are_asked_for() {
    let rig = Rig::new("reelmixer", &[]);
    let request = |name: &str| rig.element.request_pad_simple(name).map(|pad| pad.name().to_string());
    assert_eq!(request("sink_4").as_deref(), Some("sink_4"));
    for name in ["sink_007", "sink_+7", "sink_2147483648", "sink_4294967295"] {
        assert_eq!(request(name), None, "{name}");
    }
    assert_eq!(request("sink_%u").as_deref(), Some("sink_0"));
    assert_eq!(request("sink_%u").as_deref(), Some("sink_1"));
    assert_eq!(request("timeline").as_deref(), Some("timeline"));
}
