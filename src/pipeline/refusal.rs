//! Who refused media that nobody complained of: elements that only return an error leave it on the pads that it came
//! back by, and caps that nobody took stand where they were last taken.

use std::collections::BTreeMap;

use gst::prelude::*;

use crate::graph::NodeId;
use crate::graph::Plan;
use crate::graph::Scope;
use crate::pipeline::PipelineError;
use crate::pipeline::name;
use crate::pipeline::name::Instance;

/// Returns the error of a push that came back with `flow`; `door` is where it went in, and `participant` whose media it
/// was, or None of what the recording made of them.
///
/// The one that refused takes from the last node in stream order whose src pad has seen an error; where it did so for
/// what those behind it do not take, it is the last of these.
pub(super) fn refused(
    plan: &Plan,
    pipeline: &gst::Pipeline,
    door: &str,
    participant: Option<u32>,
    flow: gst::FlowError,
) -> PipelineError {
    let elements = elements(plan, pipeline, participant);
    let failed = elements.iter().rev().find_map(|(id, element)| {
        let srcs = element.src_pads();
        let (src, flow) = srcs.iter().find_map(|pad| Some((pad, error_on(pad)?)))?;
        Some((*id, flow, src.current_caps()))
    });
    let Some((last, flow, caps)) = failed else { return PipelineError::Refused { node: door.to_owned(), flow } };
    let mut node = taker(plan, last).unwrap_or(last);
    let pads =
        |node: NodeId, pads: fn(&gst::Element) -> Vec<gst::Pad>| elements.get(&node).map(pads).unwrap_or_default();
    let refuses =
        |node, caps: &gst::Caps| pads(node, ElementExtManual::sink_pads).iter().any(|pad| !pad.query_accept_caps(caps));
    let can_give = |node, caps: &gst::Caps| {
        let srcs = pads(node, ElementExtManual::src_pads);
        plan.splitter().id == node || srcs.iter().any(|pad| pad.pad_template_caps().can_intersect(caps))
    };
    if let (gst::FlowError::NotNegotiated, Some(caps)) = (flow, caps) {
        // A node that hands caps on refuses what those behind it do not take.
        while can_give(node, &caps) {
            let Some(next) = taker(plan, node).filter(|next| refuses(*next, &caps)) else { break };
            node = next;
        }
    }
    PipelineError::Refused { node: plan.node(node).name.clone(), flow }
}

/// The elements that media of a push may have come to, by their nodes; of a chunk's node that of the last chunk.
fn elements(plan: &Plan, pipeline: &gst::Pipeline, participant: Option<u32>) -> BTreeMap<NodeId, gst::Element> {
    let nodes = pipeline.iterate_recurse().into_iter().flatten().filter_map(|element| {
        let (name, copy) = name::parse(&element.name()).map(|(name, copy)| (name.to_owned(), copy))?;
        let is_there = match copy {
            Instance::Participant(of) => participant == Some(of),
            Instance::Recording | Instance::Chunk(_) => true,
        };
        let node = plan.nodes.iter().find(|node| is_there && node.name == name)?;
        Some((node.id, element))
    });
    nodes.collect()
}

fn error_on(pad: &gst::Pad) -> Option<gst::FlowError> {
    let is_error = |flow: &gst::FlowError| !matches!(flow, gst::FlowError::Flushing | gst::FlowError::Eos);
    pad.last_flow_result().err().filter(is_error)
}

/// Returns the first node that takes from another; None behind a sink.
fn taker(plan: &Plan, id: NodeId) -> Option<NodeId> {
    match plan.splitter().id == id {
        true => plan.scope_nodes(Scope::Chunk).next().map(|node| node.id),
        false => plan.links_from(id).map(|(node, _)| node.id).next(),
    }
}
