//! The branch of a chunk: a bin of all chunk nodes, with one sink pad per pad of the splitter.

use std::path::Path;

use gst::prelude::*;

use crate::graph::Plan;
use crate::graph::Scope;
use crate::graph::Source;
use crate::graph::elements::LOCATION;
use crate::pipeline::PipelineError;
use crate::pipeline::build;
use crate::pipeline::build::Made;
use crate::pipeline::build::MadeNodes;
use crate::pipeline::name::Instance;

/// Builds the branch of chunk `index`, whose sink writes `file`.
pub(super) fn branch(plan: &Plan, index: u32, file: &Path) -> Result<gst::Bin, PipelineError> {
    let bin = gst::Bin::builder().name(format!("chunk.c{index}")).build();
    let mut made = MadeNodes::new();
    for node in plan.scope_nodes(Scope::Chunk) {
        let elements = Made::new(node, Instance::Chunk(index))?;
        if node.id == plan.file().id {
            elements.element.set_property(LOCATION, file.to_string_lossy().as_ref());
            // filesink's own buffer of 64 KiB would be lost with a killed program, and on a full disk.
            let is_set = node.properties.iter().any(|(property, _)| property == "buffer-mode");
            if elements.element.has_property("buffer-mode") && !is_set {
                elements.element.set_property_from_str("buffer-mode", "unbuffered");
            }
            for property in ["overwrite", "numbered"] {
                build::set_where_there(&elements.element, property, false);
            }
        }
        elements.add_to(&bin, node)?;
        for link in &node.links {
            let sink = elements.sink_pad(&link.to, 0);
            match &link.from {
                Source::Chunk { index } => {
                    let sink = sink.ok_or_else(|| build::link_error(node, "it has no pad for its input".to_owned()))?;
                    let ghost = gst::GhostPad::builder_with_target(&sink)
                        .map_err(|e| build::link_error(node, e.to_string()))?
                        .name(format!("sink_{index}"))
                        .build();
                    bin.add_pad(&ghost).map_err(|e| build::link_error(node, e.to_string()))?;
                }
                Source::Node { id, pad } => build::link(node, made.get(id).and_then(|from| from.src_pad(pad)), sink)?,
                _ => return Err(build::link_error(node, "a chunk takes from the splitter only".to_owned())),
            }
        }
        elements.link_filter(node)?;
        made.insert(node.id, elements);
    }
    Ok(bin)
}
