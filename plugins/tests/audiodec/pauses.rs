//! What is said in a pause is silence when it comes out, and nothing else is.

use gst::prelude::*;
use gst_check::Harness;

use crate::{MS, MULAW, PCM, buffer, harness, lost, noise, pull_all};

fn pause(h: &Harness, from_ms: u64, to_ms: u64) {
    let element = h.element().unwrap();
    element.set_property("pause-at", from_ms * MS.nseconds());
    element.set_property("resume-at", to_ms * MS.nseconds());
}

/// Returns 100 ms at 8 kHz in buffers of 20 ms, where `said` replaces what is said from 30 to 50 ms.
fn decoded(rate: i32, said: Option<i16>, pauses: &[(u64, u64)]) -> Vec<i16> {
    let mut h = harness(PCM, rate);
    pauses.iter().for_each(|(from, to)| pause(&h, *from, *to));
    let mut bytes = noise(0, 800);
    if let Some(said) = said {
        bytes[30 * 16..50 * 16].copy_from_slice(&said.to_le_bytes().repeat(160));
    }
    for (n, bytes) in bytes.chunks(320).enumerate() {
        h.push(buffer(bytes, n as u64 * 20 * MS)).unwrap();
    }
    h.push_event(gst::event::Eos::new());
    samples(&pull_all(&mut h))
}

fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
}

#[test]
fn a_pause_is_silence_and_nothing_else_is_changed() {
    let whole = decoded(8_000, None, &[]);
    let mut expected = whole.clone();
    expected[30 * 8..50 * 8].fill(0);
    assert_eq!(decoded(8_000, None, &[(30, 50)]), expected);
    // Edges between two samples count from the nearest, as a gate's do.
    expected[90 * 8..91 * 8].fill(0);
    assert_eq!(decoded(8_000, None, &[(30, 50), (90, 91)]), expected);
}

#[test]
fn a_resampler_does_not_spread_what_is_paused() {
    for rate in [16_000, 44_100, 48_000] {
        let loud = decoded(rate, Some(30_000), &[]);
        assert!(loud != decoded(rate, Some(0), &[]), "it is heard");
        assert_eq!(decoded(rate, Some(30_000), &[(30, 50)]), decoded(rate, Some(0), &[]), "{rate} Hz");
    }
}

/// Once a loss right after a pause was concealed by repeating what was said in there.
#[test]
fn a_loss_after_a_pause_is_not_concealed_by_it() {
    let concealed = |pauses: &[(u64, u64)]| {
        let mut h = harness(MULAW, 8_000);
        pauses.iter().for_each(|(from, to)| pause(&h, *from, *to));
        for n in (0..5).chain(7..10) {
            let packet: Vec<u8> = (0..160).map(|at| if at % 40 < 20 { 0x00 } else { 0x80 }).collect();
            let packet = buffer(&packet, n * 20 * MS);
            h.push(if n == 7 { lost(packet) } else { packet }).unwrap();
        }
        samples(&pull_all(&mut h))[100 * 8..140 * 8].iter().map(|sample| sample.unsigned_abs()).max().unwrap()
    };
    assert!(concealed(&[]) > 10_000);
    assert_eq!(concealed(&[(50, 100)]), 0);
    assert_eq!(concealed(&[(0, 20)]), 0, "it may still remember");
}

#[test]
fn pauses_are_recording_time_and_end_with_the_stream() {
    let mut h = harness(PCM, 8_000);
    pause(&h, 1_010, 1_015);
    // The stream's 500 ms are recording time 1 s.
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(500 * MS);
    segment.set_base(1_000 * MS);
    h.push_event(gst::event::Segment::new(&segment));
    h.push(buffer(&noise(0, 160), 500 * MS)).unwrap();
    let mut expected = samples(&noise(0, 160));
    expected[80..120].fill(0);
    assert_eq!(samples(&pull_all(&mut h)), expected);

    h.element().unwrap().set_state(gst::State::Ready).unwrap();
    assert_eq!(h.element().unwrap().property::<u64>("pause-at"), u64::MAX);
    h.play();
    h.set_src_caps_str(PCM);
    h.push_event(gst::event::Segment::new(&segment));
    h.push(buffer(&noise(0, 160), 500 * MS)).unwrap();
    assert_eq!(samples(&pull_all(&mut h)), samples(&noise(0, 160)));
}
