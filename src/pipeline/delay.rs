//! How far a participant's branch is behind, found out by trying.
//!
//! Elements that hold media back (a noise suppressor's frame, a resampler's filter) do not all say so in a LATENCY
//! query. A mixer that did not know would send their last samples away at every tick, as late. So a branch with
//! elements that are not ours is run once beside the recording, on silence, and watched.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;
use gstreel::ReelSrc;

use crate::graph::Plan;
use crate::graph::Scope;
use crate::graph::is_own;
use crate::pipeline::PipelineError;
use crate::pipeline::build;
use crate::pipeline::build::MadeNodes;
use crate::pipeline::event;
use crate::pipeline::event::Event;

/// What is pushed: speech's own rate, in steps as small as any element's frame, long enough for any start-up.
const RATE: u32 = 16_000;
const STEP_SAMPLES: usize = 80;
const STEPS: u64 = 200;

/// Returns how far the output of a participant's branch is behind its input at most, in media time.
pub(super) fn measure(plan: &Plan) -> Result<gst::ClockTime, PipelineError> {
    // Ours answer LATENCY truly.
    if plan.scope_nodes(Scope::Participant).all(|node| is_own(&node.element)) {
        return Ok(gst::ClockTime::ZERO);
    }
    let pipeline = gst::Pipeline::new();
    let measured = Rig::build(plan, &pipeline).and_then(|rig| rig.run(&pipeline));
    // An element that gave up has said why.
    let measured = measured.map_err(|error| reason(&pipeline).unwrap_or(error));
    let _ = pipeline.set_state(gst::State::Null);
    measured
}

fn reason(pipeline: &gst::Pipeline) -> Option<PipelineError> {
    let message = pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
    match event::read(&message, pipeline)? {
        Event::ParticipantFailed { error, .. } | Event::Failed(error) => Some(error),
        _ => None,
    }
}

/// A branch on its own: a door in front, a pad that watches behind.
struct Rig {
    src: ReelSrc,
    audio: gst::Pad,
    /// End of what has come out, in nanoseconds.
    out: Arc<AtomicU64>,
    /// Links hold no reference: whoever makes a pad without a parent keeps it.
    _watchers: Vec<gst::Pad>,
}

impl Rig {
    fn build(plan: &Plan, pipeline: &gst::Pipeline) -> Result<Self, PipelineError> {
        let no_door = || PipelineError::NoElement { node: "@audio".to_owned(), element: "reelsrc".to_owned() };
        let src = gst::ElementFactory::make("reelsrc").build().map_err(|_| no_door())?;
        let src = src.downcast::<ReelSrc>().map_err(|_| no_door())?;
        let audio = src.request_pad_simple("audio_0").ok_or_else(no_door)?;
        let _ = pipeline.add(&src);
        let out = Arc::new(AtomicU64::new(0));
        let (mut made, mut watchers) = (MadeNodes::new(), Vec::new());
        build::participant_nodes(plan, pipeline.upcast_ref(), &audio, 0, &mut made)?;
        for (node, _, id, pad) in build::participant_outputs(plan) {
            let watcher = watching_pad(&out);
            build::link(node, made.get(&id).and_then(|from| from.src_pad(pad)), Some(watcher.clone()))?;
            watchers.push(watcher);
        }
        Ok(Self { src, audio, out, _watchers: watchers })
    }

    fn run(&self, pipeline: &gst::Pipeline) -> Result<gst::ClockTime, PipelineError> {
        let failed = || PipelineError::State { node: "participant".to_owned() };
        let refused = |flow| PipelineError::Refused { node: "@audio".to_owned(), flow };
        pipeline.set_state(gst::State::Playing).map_err(|_| failed())?;
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("rate", RATE as i32)
            .field("channels", 1)
            .build();
        let mut behind = gst::ClockTime::ZERO;
        for step in 0..STEPS {
            let position = step * STEP_SAMPLES as u64;
            let buffer = gstreel::samples::buffer_of(vec![0; STEP_SAMPLES], 1, position, RATE);
            let mut list = gst::BufferList::new();
            list.get_mut().expect("a new list is nobody else's").add(buffer);
            self.src.push(&self.audio, &caps, list).map_err(refused)?;
            let pushed = gstreel::samples::time_of(position + STEP_SAMPLES as u64, RATE);
            let out = gst::ClockTime::from_nseconds(self.out.load(Ordering::Relaxed));
            behind = behind.max(pushed.saturating_sub(out));
        }
        Ok(behind)
    }
}

/// Returns a sink pad that notes the end of each buffer.
fn watching_pad(out: &Arc<AtomicU64>) -> gst::Pad {
    let out = Arc::clone(out);
    let pad = gst::Pad::builder(gst::PadDirection::Sink)
        .event_function(|_, _, _| true)
        .chain_function(move |_, _, buffer| {
            let end = buffer.pts().zip(buffer.duration()).map_or(0, |(pts, duration)| (pts + duration).nseconds());
            out.fetch_max(end, Ordering::Relaxed);
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    let _ = pad.set_active(true);
    pad
}
