//! Caps, queries and events of the gate's pads.

use gst::prelude::*;

use crate::rig::{MONO, RATE, Rig, buffer, ms};

#[test]
fn other_caps_are_refused() {
    for caps in [
        "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
        "audio/x-raw,format=S16BE,layout=interleaved,rate=16000,channels=1",
        "audio/x-raw,format=S16LE,layout=non-interleaved,rate=16000,channels=2,channel-mask=(bitmask)3",
        "audio/x-mulaw,rate=16000,channels=1",
        "video/x-raw,format=I420,width=16,height=16,framerate=16/1",
    ] {
        let rig = Rig::new("reelgate", &[]);
        let mut input = rig.input("sink_0");
        let output = rig.output("src_0");
        input.set_src_caps_str(caps);
        let result = input.push(buffer(&[1; 160], 0, RATE, 1));
        assert_eq!(result, Err(gst::FlowError::NotNegotiated), "{caps}");
        assert!(!output.names().contains(&"buffer".to_owned()));
    }
}

#[test]
fn caps_are_those_of_the_pair() {
    let rig = Rig::new("reelgate", &[]);
    let (_a, _b) = (rig.input("sink_0"), rig.input("sink_1"));
    let mut output = rig.output("src_0");
    output.harness.set_sink_caps_str("audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=2");
    let caps = |pad: &str| rig.element.static_pad(pad).expect("requested").query_caps(None);
    assert!(!caps("sink_0").can_intersect(&MONO.parse::<gst::Caps>().expect("caps")));
    assert!(caps("sink_1").can_intersect(&MONO.parse::<gst::Caps>().expect("caps")));
}

#[test]
fn a_segment_without_time_is_an_error() {
    let rig = Rig::new("reelgate", &[]);
    let mut input = rig.mono("sink_0");
    input.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::format::Bytes>::new()));
    assert_eq!(rig.errors(), ["Only media with time-stamps can be paused"]);
}

#[test]
fn events_and_queries_go_straight_through_their_pair() {
    let rig = Rig::new("reelgate", &[]);
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    let (mut a_out, b_out) = (rig.output("src_0"), rig.output("src_1"));
    a.set_upstream_latency(ms(20));
    b.set_upstream_latency(ms(60));
    for (output, expected) in [(&a_out, ms(20)), (&b_out, ms(60))] {
        let mut query = gst::query::Latency::new();
        assert!(output.harness.sinkpad().expect("it listens").peer_query(&mut query));
        assert_eq!(query.result().1, expected);
    }
    for input in [&mut a, &mut b] {
        assert!(input.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
    }
    a_out.take();
    b_out.take();
    assert!(a.push_event(gst::event::CustomDownstream::new(gst::Structure::new_empty("test-event"))));
    assert!(a.push_event(gst::event::Tag::new(gst::TagList::new())));
    assert_eq!(a_out.names(), ["test-event", "tag"]);
    assert!(b_out.names().is_empty());
    while a.try_pull_upstream_event().is_some() || b.try_pull_upstream_event().is_some() {}
    let seek = gst::event::Seek::new(
        1.0,
        gst::SeekFlags::FLUSH,
        gst::SeekType::Set,
        ms(0),
        gst::SeekType::None,
        gst::ClockTime::NONE,
    );
    assert!(a_out.harness.push_upstream_event(seek));
    assert_eq!(a.try_pull_upstream_event().map(|event| event.type_()), Some(gst::EventType::Seek));
    assert!(b.try_pull_upstream_event().is_none());
}

#[test]
fn pairs_come_and_go() {
    let rig = Rig::new("reelgate", &[]);
    let pad = rig.element.request_pad_simple("sink_3").expect("free");
    assert!(rig.element.static_pad("src_3").is_some());
    assert_eq!(rig.element.request_pad_simple("sink_%u").map(|pad| pad.name().to_string()).as_deref(), Some("sink_0"));
    rig.element.release_request_pad(&pad);
    assert!(rig.element.static_pad("sink_3").is_none() && rig.element.static_pad("src_3").is_none());
    // While playing: a pair runs as soon as it is there.
    rig.set_state(gst::State::Playing);
    let mut input = rig.mono("sink_3");
    let output = rig.output("src_3");
    assert!(input.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
    assert_eq!(output.mono(), [1; 160]);
}
