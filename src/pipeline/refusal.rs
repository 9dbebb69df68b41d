//! Who refused media that nobody complained of: elements that only return an error leave it on the pads that it came
//! back by.

use gst::prelude::*;

use crate::graph::NodeId;
use crate::graph::Plan;
use crate::graph::Scope;
use crate::pipeline::PipelineError;
use crate::pipeline::name;
use crate::pipeline::name::Instance;

/// Returns the error of a push that was refused; `door` is where it went in, and `participant` whose media it was, or
/// None of what the recording made of them.
///
/// The one that refused takes from the last node in stream order whose src pad has seen an error.
pub(super) fn refused(plan: &Plan, pipeline: &gst::Pipeline, door: &str, participant: Option<u32>) -> PipelineError {
    let seen = pipeline.iterate_recurse().into_iter().flatten().filter_map(|element| {
        let (name, copy) = name::node_of(element.upcast_ref(), pipeline.upcast_ref())?;
        let is_there = match copy {
            Instance::Participant(of) => participant == Some(of),
            Instance::Recording | Instance::Chunk(_) => true,
        };
        let id = plan.nodes.iter().find(|node| is_there && node.name == name)?.id;
        Some((id, element.src_pads().iter().find_map(error_on)?))
    });
    match seen.max_by_key(|(id, _)| *id) {
        Some((last, flow)) => PipelineError::Refused { node: taker(plan, last), flow },
        None => PipelineError::Refused { node: door.to_owned(), flow: gst::FlowError::Error },
    }
}

fn error_on(pad: &gst::Pad) -> Option<gst::FlowError> {
    let is_error = |flow: &gst::FlowError| !matches!(flow, gst::FlowError::Flushing | gst::FlowError::Eos);
    pad.last_flow_result().err().filter(is_error)
}

/// Returns the name of the node that takes from another; where none does, of that itself.
fn taker(plan: &Plan, id: NodeId) -> String {
    let takers = plan.links_from(id).map(|(node, _)| node).next();
    let behind = if plan.splitter().id == id { plan.scope_nodes(Scope::Chunk).next() } else { takers };
    behind.unwrap_or_else(|| plan.node(id)).name.clone()
}
