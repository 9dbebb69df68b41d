//! Without `timeline`: output follows the slowest pad, and who is far ahead waits.

use gst::prelude::*;
use gst_check::Harness;

use crate::rig::{Job, MONO, RATE, Rig, advance, buffer};
use crate::waits;

fn push(input: &mut Harness, samples: &[i16], position: u64) {
    assert!(input.push(buffer(samples, position, RATE, 1)).is_ok());
}

#[test]
fn the_slowest_pad_says_how_far() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    push(&mut a, &[1; 500], 0);
    assert!(output.mono().is_empty());
    push(&mut b, &[2; 300], 0);
    assert_eq!(output.mono(), [3; 300]);
    push(&mut b, &[2; 300], 300);
    assert_eq!(output.mono(), [3; 200]);
    assert!(rig.element.request_pad_simple("sink_7").is_some());
    push(&mut a, &[1; 500], 500);
    assert!(output.mono().is_empty(), "a pad that came is waited for");
}

/// A thread that waits on `sink_0` to push 100 samples at 9 600, after 600 ms of ones; `sink_1` has brought nothing.
struct Waiting {
    rig: Rig,
    other: Option<Harness>,
    pad: gst::Pad,
    job: Job<(Harness, Result<gst::FlowSuccess, gst::FlowError>)>,
    output: crate::rig::Output,
}

impl Waiting {
    fn new() -> Self {
        let rig = Rig::new("reelmixer", &[]);
        waits::listen();
        let output = rig.output("src");
        let (mut ahead, other) = (rig.mono("sink_0"), rig.mono("sink_1"));
        push(&mut ahead, &[1; 9_600], 0);
        let pad = ahead.srcpad().and_then(|pad| pad.peer()).expect("it is linked");
        let job = Job::new(move || {
            let result = ahead.push(buffer(&[1; 100], 9_600, RATE, 1));
            (ahead, result)
        });
        waits::until_waiting(&rig.element.name(), "sink_0");
        assert!(output.mono().is_empty());
        Self { rig, other: Some(other), pad, job, output }
    }
}

/// Asserts that `release` ends the wait with `flow` and that so many samples are out then.
#[track_caller]
fn check(release: impl FnOnce(&mut Waiting), flow: Result<gst::FlowSuccess, gst::FlowError>, n: usize) {
    let mut waiting = Waiting::new();
    release(&mut waiting);
    let Waiting { rig, job, output, .. } = waiting;
    let (_ahead, result) = job.wait();
    assert_eq!(result, flow);
    assert_eq!(output.mono().len(), n);
    drop(rig);
}

const FINE: Result<gst::FlowSuccess, gst::FlowError> = Ok(gst::FlowSuccess::Ok);
const FLUSHING: Result<gst::FlowSuccess, gst::FlowError> = Err(gst::FlowError::Flushing);

#[test]
fn media_on_the_other_ends_the_wait() {
    check(|w| push(w.other.as_mut().expect("linked"), &[2; 1_700], 0), FINE, 1_700);
}

#[test]
fn a_gap_on_the_other_ends_the_wait() {
    let gap = crate::rig::gap(gst::ClockTime::ZERO, crate::rig::ms(200));
    check(|w| assert!(w.other.as_mut().expect("linked").push_event(gap)), FINE, 3_200);
}

#[test]
fn eos_of_the_other_ends_the_wait() {
    check(|w| assert!(w.other.as_mut().expect("linked").push_event(gst::event::Eos::new())), FINE, 9_700);
}

#[test]
fn release_of_the_other_ends_the_wait() {
    check(|w| drop(w.other.take()), FINE, 9_700);
}

#[test]
fn release_of_the_pad_itself_ends_the_wait() {
    check(
        |w| {
            let (element, pad) = (w.rig.element.clone(), w.pad.clone());
            // By a thread, since it waits until nobody pushes any more.
            Job::new(move || element.release_request_pad(&pad)).wait();
        },
        FLUSHING,
        0,
    );
}

#[test]
fn a_flush_of_the_pad_ends_the_wait() {
    check(|w| assert!(w.pad.send_event(gst::event::FlushStart::new())), FLUSHING, 0);
}

#[test]
fn a_state_change_ends_the_wait() {
    check(
        |w| {
            let element = w.rig.element.clone();
            assert!(Job::new(move || element.set_state(gst::State::Ready).is_ok()).wait());
        },
        FLUSHING,
        0,
    );
}

#[test]
fn a_larger_max_lead_ends_the_wait() {
    check(|w| w.rig.element.set_property("max-lead", 600_000_000u64), FINE, 0);
}

#[test]
fn a_timeline_ends_the_wait() {
    check(|w| drop(w.rig.element.request_pad_simple("timeline").expect("there was none")), FINE, 0);
}

#[test]
fn who_waits_goes_on_when_downstream_fails_the_other() {
    check(
        |w| {
            let pad = w.rig.element.static_pad("src").expect("always there");
            pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
                info.flow_res = Err(gst::FlowError::Error);
                gst::PadProbeReturn::Handled
            });
            let other = w.other.as_mut().expect("linked");
            assert_eq!(other.push(buffer(&[2; 9_600], 0, RATE, 1)), Err(gst::FlowError::Error));
        },
        FINE,
        9_600,
    );
}

#[test]
fn the_last_voice_that_leaves_ends_what_the_others_ended() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, b) = (rig.mono("sink_0"), rig.mono("sink_1"));
    push(&mut a, &[1; 160], 0);
    a.push_event(gst::event::Eos::new());
    assert!(output.names().is_empty());
    drop(b);
    assert_eq!(output.names(), ["stream-start", "caps", "segment", "buffer", "eos"]);
}

#[test]
fn who_releases_a_pad_is_not_held_up_by_downstream() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut a, mut b, c) = (rig.mono("sink_0"), rig.mono("sink_1"), rig.mono("sink_2"));
    let c_pad = c.srcpad().and_then(|pad| pad.peer()).expect("linked");
    let blocked = rig.element.static_pad("src").expect("always there");
    let probe = blocked.add_probe(gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER, |_, _| gst::PadProbeReturn::Ok);
    push(&mut a, &[1; 160], 0);
    push(&mut b, &[2; 80], 0);
    let element = rig.element.clone();
    Job::new(move || element.release_request_pad(&c_pad)).wait();
    blocked.remove_probe(probe.expect("a probe"));
    push(&mut b, &[2; 80], 80);
    assert_eq!(output.mono(), [3; 160]);
    drop((c.srcpad(), output));
}

#[test]
fn a_pad_released_in_mid_flush_is_as_new_when_it_comes_again() {
    let rig = Rig::new("reelmixer", &[]);
    let output = rig.output("src");
    let (mut voice, mut timeline) = (rig.mono("sink_0"), rig.timeline());
    voice.push_event(gst::event::FlushStart::new());
    drop(voice);
    let mut voice = rig.input("sink_0");
    voice.set_src_caps_str(MONO);
    push(&mut voice, &[1; 160], 0);
    advance(&mut timeline, 160);
    assert_eq!(output.mono(), [1; 160]);
}
