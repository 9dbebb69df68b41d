//! Caps of the pads of `reelchannels`.

use gst::prelude::*;

use crate::rig::{Item, MONO, RATE, Rig, buffer};

#[test]
fn other_caps_are_refused() {
    for caps in [
        "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=2,channel-mask=(bitmask)3",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1",
    ] {
        let rig = Rig::new("reelchannels", &[]);
        let (mut first, mut second) = (rig.mono("sink_0"), rig.input("sink_1"));
        second.set_src_caps_str(caps);
        assert_eq!(second.push(gst::Buffer::from_slice([0; 320])), Err(gst::FlowError::NotNegotiated), "{caps}");
        assert!(first.push(buffer(&[1; 160], 0, RATE, 1)).is_ok());
    }
}

#[test]
fn voices_stand_at_no_place_in_the_room() {
    for (n, expected) in [(1, ""), (2, "0"), (5, "0"), (64, "0")] {
        let rig = Rig::new("reelchannels", &[("max-channels", &n.to_string())]);
        let output = rig.output("src");
        let mut voice = rig.mono("sink_0");
        voice.push_event(gst::event::Eos::new());
        let items = output.take();
        let Some(Item::Event(event)) = items.get(1) else { panic!("{items:?}") };
        let gst::EventView::Caps(caps) = event.view() else { panic!("{event:?}") };
        let s = caps.caps().structure(0).expect("fixed caps");
        let mask = s.get::<gst::Bitmask>("channel-mask").map(|mask| mask.0.to_string()).unwrap_or_default();
        assert_eq!((s.get::<i32>("channels"), mask.as_str()), (Ok(n), expected));
    }
}

#[test]
fn a_lane_has_the_rate_of_the_output_but_not_its_channels() {
    let rig = Rig::new("reelchannels", &[]);
    let mut output = rig.output("src");
    let _voice = rig.input("sink_0");
    output.harness.set_sink_caps_str("audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=5");
    let caps = rig.element.static_pad("sink_0").expect("requested").query_caps(None);
    assert!(caps.is_fixed() && caps.can_intersect(&MONO.parse::<gst::Caps>().expect("caps")), "{caps}");
}
