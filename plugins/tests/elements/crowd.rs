//! Twenty threads that push at once, in pipelines of stock sources: exact when left alone, and stopped, sought,
//! released and paused at any moment without a deadlock.

use std::sync::{Arc, Condvar, Mutex, mpsc};

use gst::prelude::*;
use gstreel::messages::Chunk;

use crate::rig::{DEADLINE, Job, MONO, init, ms, samples};

const SOURCES: usize = 20;

/// Twenty voices through one gate, joined, and cut into chunks of 50 ms.
fn line(join: &str, num_buffers: i32) -> String {
    let voice = |index: usize| {
        format!(
            "audiotestsrc name=voice{index} num-buffers={num_buffers} samplesperbuffer=160 volume=0.01 ! {MONO} \
             ! gate.sink_{index} gate.src_{index} ! join.sink_{index} "
        )
    };
    let voices: String = (0..SOURCES).map(voice).collect();
    format!(
        "{voices} reelgate name=gate mode=silence {join} name=join ! reelsplit name=split max-duration=50000000 \
         chunk=\"reelmeta ! fakesink sync=false\""
    )
}

#[derive(Debug, Default)]
struct Made {
    samples: Vec<i16>,
    /// Somebody posted an error: there may be no more.
    has_failed: bool,
}

/// A pipeline and what it has made.
struct Crowd {
    pipeline: gst::Pipeline,
    made: Arc<(Mutex<Made>, Condvar)>,
}

impl Crowd {
    fn new(line: &str) -> Self {
        init();
        let pipeline = gst::parse::launch(line).expect("a launch line that can be parsed");
        let pipeline = pipeline.downcast::<gst::Pipeline>().expect("several elements are a pipeline");
        let made = Arc::new((Mutex::default(), Condvar::new()));
        let crowd = Self { pipeline, made };
        let log = Arc::clone(&crowd.made);
        let out = crowd.element("join").static_pad("src").expect("always there");
        out.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer() {
                log.0.lock().unwrap().samples.extend(samples(buffer));
                log.1.notify_all();
            }
            gst::PadProbeReturn::Ok
        });
        let log = Arc::clone(&crowd.made);
        crowd.pipeline.bus().expect("it has one").set_sync_handler(move |_, message| {
            if message.type_() == gst::MessageType::Error {
                log.0.lock().unwrap().has_failed = true;
                log.1.notify_all();
            }
            gst::BusSyncReply::Pass
        });
        crowd
    }

    fn element(&self, name: &str) -> gst::Element {
        self.pipeline.by_name(name).expect("it is in the line")
    }

    /// Returns when `n` samples have been made, or when the pipeline cannot go on.
    #[track_caller]
    fn wait_for(&self, n: usize) {
        let is_short = |made: &mut Made| made.samples.len() < n && !made.has_failed;
        let made = self.made.0.lock().unwrap();
        let (_made, timeout) = self.made.1.wait_timeout_while(made, DEADLINE, is_short).unwrap();
        assert!(!timeout.timed_out(), "nothing more is made");
    }

    fn take(&self) -> Vec<i16> {
        std::mem::take(&mut self.made.0.lock().unwrap().samples)
    }

    /// Changes state on a thread, since a deadlock must end the test.
    fn set_state(&self, state: gst::State, what: &str) {
        let pipeline = self.pipeline.clone();
        let changed = Job::new(move || pipeline.set_state(state)).wait();
        assert!(changed.is_ok(), "{what}: to {state:?}");
    }
}

/// Returns what is made of all voices when nothing disturbs them, and what its chunks hold.
#[track_caller]
fn play(join: &str, num_buffers: i32) -> (Vec<i16>, Vec<Chunk>) {
    let crowd = Crowd::new(&line(join, num_buffers));
    crowd.set_state(gst::State::Playing, join);
    let bus = crowd.pipeline.bus().expect("it has one");
    let mut chunks = Vec::new();
    loop {
        let message = bus.timed_pop(gst::ClockTime::try_from(DEADLINE).expect("short")).expect("an end in time");
        match message.view() {
            gst::MessageView::Eos(_) => break,
            gst::MessageView::Error(error) => panic!("{error:?}"),
            gst::MessageView::Element(element) => {
                let structure = element.structure().filter(|s| s.name() == Chunk::NAME);
                chunks.extend(structure.map(|s| Chunk::read(s).expect("a readable chunk")));
            }
            _ => (),
        }
    }
    let stats = crowd.element("join").property::<gst::Structure>("stats");
    for field in ["late-samples", "overlapping-samples", "ahead-samples"] {
        assert_eq!(stats.get::<u64>(field), Ok(0), "{field}");
    }
    crowd.set_state(gst::State::Null, join);
    (crowd.take(), chunks)
}

/// A tone as the source makes it.
fn tone(num_buffers: i32) -> Vec<i16> {
    let line = format!(
        "audiotestsrc num-buffers={num_buffers} samplesperbuffer=160 volume=0.01 ! {MONO} \
         ! identity name=join ! fakesink"
    );
    let crowd = Crowd::new(&line);
    crowd.set_state(gst::State::Playing, "tone");
    crowd.wait_for(num_buffers as usize * 160);
    crowd.set_state(gst::State::Null, "tone");
    crowd.take()
}

#[test]
fn twenty_threads_are_mixed_to_the_sample() {
    let (mixed, chunks) = play("reelmixer", 105);
    let expected: Vec<i16> = tone(105).into_iter().map(|sample| sample * SOURCES as i16).collect();
    assert!(mixed == expected && mixed.iter().any(|sample| *sample > 5_000));
    assert_eq!(chunks.iter().map(|chunk| chunk.samples).sum::<u64>(), 105 * 160);
    assert_eq!(chunks.len(), 21);
    assert!(chunks[..21].iter().enumerate().all(|(index, chunk)| chunk.start == ms(50 * index as u64)));
}

#[test]
fn twenty_threads_have_twenty_channels() {
    let (made, chunks) = play("reelchannels max-channels=20 voice-threshold=-60", 105);
    let tone = tone(105);
    for channel in 0..SOURCES {
        let one: Vec<i16> = made.iter().skip(channel).step_by(SOURCES).copied().collect();
        assert!(one == tone, "channel {channel}");
    }
    let pads: Vec<_> = (0..SOURCES as u32).map(Some).collect();
    assert!(chunks.iter().all(|chunk| chunk.map.pads == pads && chunk.channels == SOURCES as u32));
}

/// The same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Lets a crowd run and disturbs it at random moments, which are counted in samples.
fn round(join: &str, seed: u64) {
    let mut dice = Dice(seed);
    let crowd = Crowd::new(&line(join, -1));
    let what = format!("{join}, seed {seed}");
    println!("{what}");
    crowd.set_state(gst::State::Playing, &what);
    let mut reached = 0;
    for _ in 0..dice.roll(4) {
        reached += dice.roll(4_000);
        crowd.wait_for(reached);
        match dice.roll(5) {
            0 => {
                let pipeline = crowd.pipeline.clone();
                // It may come to nothing where a chunk ends at that very moment; it must come back.
                let _ = Job::new(move || pipeline.seek_simple(gst::SeekFlags::FLUSH, ms(0))).wait();
            }
            1 => {
                // Its source fails or stops by that; who joins would wait for one that only the gate has let go.
                let name = format!("sink_{}", dice.roll(SOURCES));
                for element in ["join", "gate"].map(|name| crowd.element(name)) {
                    let Some(pad) = element.static_pad(&name) else { continue };
                    Job::new(move || element.release_request_pad(&pad)).wait();
                }
            }
            2 => crowd.element("gate").set_property("pause-at", 1_000_000 * dice.roll(500) as u64),
            3 => crowd.element("gate").set_property("resume-at", 1_000_000 * dice.roll(500) as u64),
            _ => {
                crowd.set_state([gst::State::Paused, gst::State::Ready][dice.roll(2)], &what);
                crowd.set_state(gst::State::Playing, &what);
            }
        }
    }
    crowd.set_state(gst::State::Null, &what);
    let Crowd { pipeline, .. } = crowd;
    pipeline.bus().expect("it has one").set_flushing(true);
    let (gone, goes) = mpsc::channel();
    let join = pipeline.by_name("join").expect("it is in the line");
    join.add_weak_ref_notify(move || {
        let _ = gone.send(());
    });
    drop(join);
    drop(pipeline);
    // GStreamer finishes some state changes on a thread of its own, which then holds the pipeline a little longer.
    assert!(goes.recv_timeout(DEADLINE).is_ok(), "{what}: somebody still holds it");
}

#[test]
fn a_mixing_crowd_can_be_disturbed_at_any_moment() {
    (0..50).for_each(|seed| round("reelmixer", seed));
}

#[test]
fn a_crowd_on_channels_can_be_disturbed_at_any_moment() {
    (50..100).for_each(|seed| round("reelchannels max-channels=5", seed));
}
