//! One participant's branch: from the door to the recording's elements.

use gst::prelude::*;
use gstreel::ReelSrc;

use crate::graph::Plan;
use crate::pipeline::PipelineError;
use crate::pipeline::build;
use crate::pipeline::build::MadeNodes;

/// A participant's branch, in a running pipeline.
#[derive(Debug)]
pub(super) struct Participant {
    /// Pad of the door that this participant's audio goes in by.
    pub(super) audio: gst::Pad,
    made: MadeNodes,
    /// Pads of recording nodes that were requested for this participant.
    requested: Vec<(gst::Element, gst::Pad)>,
    /// Caps of the last push.
    pub(super) caps: Option<gst::Caps>,
}

impl Participant {
    /// Builds the branch of participant `index` and links it; `pin` is the channel it must have.
    pub(super) fn join(
        plan: &Plan,
        pipeline: &gst::Pipeline,
        src: &ReelSrc,
        recording: &MadeNodes,
        index: u32,
        pin: Option<u32>,
    ) -> Result<Self, PipelineError> {
        let door = format!("audio_{index}");
        let audio = src.request_pad_simple(&door).ok_or(PipelineError::Link { node: door, detail: "taken".into() })?;
        let mut branch = Self { audio, made: MadeNodes::new(), requested: Vec::new(), caps: None };
        let built = branch.build(plan, pipeline, recording, index, pin);
        built.inspect_err(|_| branch.take_down(pipeline, src))?;
        Ok(branch)
    }

    fn build(
        &mut self,
        plan: &Plan,
        pipeline: &gst::Pipeline,
        recording: &MadeNodes,
        index: u32,
        pin: Option<u32>,
    ) -> Result<(), PipelineError> {
        build::participant_nodes(plan, pipeline.upcast_ref(), &self.audio, index, &mut self.made)?;
        self.link_to_recording(plan, recording, index, pin)?;
        // From the sink end up, so that nobody pushes into an element that does not run.
        for (id, made) in self.made.iter().rev() {
            let failed = |_| PipelineError::State { node: plan.node(*id).name.clone() };
            made.elements().rev().try_for_each(|element| element.sync_state_with_parent().map_err(failed))?;
        }
        Ok(())
    }

    fn link_to_recording(
        &mut self,
        plan: &Plan,
        recording: &MadeNodes,
        index: u32,
        pin: Option<u32>,
    ) -> Result<(), PipelineError> {
        for (node, to_pad, id, from_pad) in build::participant_outputs(plan) {
            let (from, to) = (self.made.get(&id), recording.get(&node.id));
            let sink = to.and_then(|to| to.sink_pad(to_pad, index));
            if let (Some(to), Some(sink)) = (to, &sink) {
                if let Some(channel) = pin.filter(|_| sink.has_property("channel")) {
                    sink.set_property("channel", channel as i32);
                }
                self.requested.push((to.element.clone(), sink.clone()));
            }
            build::link(node, from.and_then(|from| from.src_pad(from_pad)), sink)?;
        }
        Ok(())
    }

    /// Returns the elements that take what the participant sends: they make silence of what is said in a pause.
    pub(super) fn decoders(&self, plan: &Plan) -> impl Iterator<Item = &gst::Element> {
        plan.decoders().filter_map(|node| Some(&self.made.get(&node.id)?.element))
    }

    /// Returns how far this branch's media is behind what was pushed, as its elements say. All are asked: many pass the
    /// question on, and forget the answer of what is not live.
    pub(super) fn told_latency(&self) -> gst::ClockTime {
        let elements = self.made.values().flat_map(|made| made.elements());
        let told = elements.flat_map(|element| element.src_pads()).filter_map(|pad| {
            let mut query = gst::query::Latency::new();
            pad.query(&mut query).then(|| query.result().1)
        });
        told.max().unwrap_or_default()
    }

    /// Takes the branch out of the pipeline; what it had given stays in the recording.
    pub(super) fn take_down(&self, pipeline: &gst::Pipeline, src: &ReelSrc) {
        for made in self.made.values() {
            for element in made.elements() {
                let _ = element.set_state(gst::State::Null);
                let _ = pipeline.remove(element);
            }
        }
        for (element, pad) in &self.requested {
            element.release_request_pad(pad);
        }
        src.release_request_pad(&self.audio);
    }
}
