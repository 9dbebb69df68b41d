//! What every element must do: flush, the first run and the second, stop in mid-stream, bad media, nobody holding it.

use gst::prelude::*;

use crate::rig::{Item, MONO, RATE, begin_again, buffer, flush, ms};
use crate::split::chunks::{PLAIN, Splitter, push, push_all};

#[test]
fn a_second_run_begins_with_the_first_chunk() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    for run in 1..=2 {
        push_all(&mut input, 3_000, 1_000);
        input.push_event(gst::event::Eos::new());
        let chunks = splitter.chunks();
        assert_eq!(chunks.len(), 2 * run);
        assert_eq!(chunks.iter().map(|chunk| chunk.index).collect::<Vec<_>>(), [0, 1].repeat(run));
        assert_eq!(chunks[2 * run - 2].samples().len(), 1_600);
        assert_eq!(splitter.rig.said().iter().filter(|s| s.name() == "eos").count(), 1);
        splitter.rig.set_state(gst::State::Ready);
        assert_eq!((splitter.rig.stat("chunks"), splitter.rig.stat("samples"), splitter.n_branches()), (0, 0, 0));
        if run == 1 {
            splitter.rig.set_state(gst::State::Playing);
            begin_again(&mut input, Some(MONO));
        }
    }
}

#[test]
fn stopped_in_mid_stream_it_holds_no_branch() {
    for (state, description) in [
        (gst::State::Ready, PLAIN),
        (gst::State::Null, PLAIN),
        (gst::State::Null, "queue ! reelmeta ! fakesink sync=false async=false"),
    ] {
        let splitter = Splitter::new(&[("max-duration", "100000000")], description);
        let mut input = splitter.rig.mono("sink_0");
        push_all(&mut input, 4_000, 1_600);
        splitter.rig.set_state(state);
        assert_eq!(splitter.n_branches(), 0);
        assert_eq!(push(&mut input, 160, 4_000), Err(gst::FlowError::Flushing));
        splitter.rig.said();
        assert!(splitter.chunks().iter().all(|chunk| chunk.bin.upgrade().is_none()));
    }
}

#[test]
fn a_flush_resets_time_and_keeps_the_chunk_and_what_is_in_it() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    assert!(push(&mut input, 1_000, 0).is_ok());
    flush(&mut input);
    assert!(push(&mut input, 1_000, 0).is_ok());
    let chunks = splitter.chunks();
    let after: Vec<_> = chunks[0].names().into_iter().skip_while(|name| name != "flush-start").collect();
    assert_eq!(after, ["flush-start", "flush-stop", "segment", "buffer", "eos"]);
    assert_eq!(chunks.iter().map(|chunk| chunk.samples().len()).collect::<Vec<_>>(), [1_600, 400]);
    assert_eq!(splitter.rig.stat("samples"), 2_000);
}

#[test]
fn a_branch_that_is_flushed_when_it_should_end_is_not_waited_for() {
    let splitter = Splitter::new(&[], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    assert!(push(&mut input, 160, 0).is_ok());
    let pad = splitter.chunks()[0].bin.upgrade().and_then(|bin| bin.sink_pads().first().and_then(|pad| pad.peer()));
    assert!(pad.expect("it is linked").push_event(gst::event::FlushStart::new()));
    input.push_event(gst::event::Eos::new());
    assert_eq!(splitter.rig.said().iter().filter(|s| s.name() == "eos").count(), 1);
    assert_eq!(splitter.n_branches(), 0);
}

#[test]
fn media_after_the_end_is_a_chunk_with_an_end_of_its_own() {
    let splitter = Splitter::new(&[], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    for run in 1..=3 {
        assert!(push(&mut input, 160, 0).is_ok());
        input.push_event(gst::event::Eos::new());
        assert_eq!(splitter.rig.said().iter().filter(|s| s.name() == "eos").count(), 1);
        assert_eq!(splitter.chunks().len(), run);
        match run {
            1 => flush(&mut input),
            _ => begin_again(&mut input, Some(MONO)),
        }
    }
}

#[test]
fn media_of_any_shape_does_no_harm() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    let at = |bytes: usize, pts: Option<gst::ClockTime>| {
        let mut buffer = gst::Buffer::from_slice(vec![1; bytes]);
        buffer.get_mut().expect("ours").set_pts(pts);
        buffer
    };
    let fine = Ok(gst::FlowSuccess::Ok);
    assert_eq!(input.push(at(0, Some(ms(0)))), fine);
    assert_eq!(input.push(at(1, Some(ms(0)))), fine);
    assert_eq!(input.push(at(33, Some(ms(1)))), fine);
    for pts in [gst::ClockTime::MAX, gst::ClockTime::MAX - ms(1)] {
        assert_eq!(input.push(at(8_000, Some(pts))), fine);
    }
    assert_eq!(splitter.rig.stat("samples"), 16 + 8_000);
    assert_eq!(splitter.rig.errors(), [""; 0]);
    assert_eq!(input.push(at(320, None)), Err(gst::FlowError::Error));
    assert_eq!(splitter.rig.errors(), ["Media without a time-stamp"]);
}

#[test]
fn a_whole_buffer_goes_on_without_a_copy() {
    let splitter = Splitter::new(&[("max-duration", "1000000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    let mut buffer = buffer(&[1; 1_600], 0, RATE, 1);
    buffer.get_mut().expect("ours").set_flags(gst::BufferFlags::DISCONT);
    let address = buffer.as_ptr() as usize;
    assert!(input.push(buffer).is_ok());
    let chunks = splitter.chunks();
    let Some(Item::Buffer(out)) = chunks[0].items.last() else { panic!("{chunks:?}") };
    assert_eq!((out.as_ptr() as usize, out.flags().contains(gst::BufferFlags::DISCONT)), (address, true));
}

#[test]
fn nobody_holds_it() {
    let splitter = Splitter::new(&[("max-duration", "100000000")], PLAIN);
    let mut input = splitter.rig.mono("sink_0");
    push_all(&mut input, 4_000, 1_600);
    let Splitter { rig, .. } = splitter;
    rig.drop_all(vec![input], vec![]);
}
