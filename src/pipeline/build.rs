//! Nodes become elements, links become links.

use std::collections::BTreeMap;

use gst::glib::ParamFlags;
use gst::prelude::*;

use crate::graph::Naming;
use crate::graph::Node;
use crate::graph::NodeId;
use crate::graph::Plan;
use crate::graph::Scope;
use crate::graph::SinkPad;
use crate::graph::Source;
use crate::graph::SrcPad;
use crate::graph::Value;
use crate::graph::is_own;
use crate::pipeline::PipelineError;
use crate::pipeline::name;
use crate::pipeline::name::Instance;

/// The elements of a node.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) element: gst::Element,
    /// Sees to it that the node's output has its caps.
    filter: Option<gst::Element>,
}

/// All nodes of one scope, made.
pub(super) type MadeNodes = BTreeMap<NodeId, Made>;

impl Made {
    /// Makes a node's elements and sets what the graph and the engine want of them.
    pub(super) fn new(node: &Node, copy: Instance) -> Result<Self, PipelineError> {
        let element = make(node, &node.element, &name::element_name(&node.name, copy))?;
        // A sink that waits for its first buffer would take the running pipeline back to PAUSED, and one that waits
        // for a clock would wait for ever: the pipeline has none.
        for property in ["sync", "async"] {
            set_where_there(&element, property, false);
        }
        for (property, value) in &node.properties {
            set(node, &element, property, &text(value))?;
        }
        let filter = node.caps.as_ref().map(|caps| {
            let filter = make(node, "capsfilter", &format!("{}.caps", element.name()))?;
            set(node, &filter, "caps", caps)?;
            Ok(filter)
        });
        Ok(Self { element, filter: filter.transpose()? })
    }

    /// Returns the elements, in stream order.
    pub(super) fn elements(&self) -> impl DoubleEndedIterator<Item = &gst::Element> {
        std::iter::once(&self.element).chain(&self.filter)
    }

    /// Adds the elements to a bin and links them to each other.
    pub(super) fn add_to(&self, bin: &gst::Bin, node: &Node) -> Result<(), PipelineError> {
        let failed = |e: gst::glib::BoolError| link_error(node, e.to_string());
        for element in self.elements() {
            bin.add(element).map_err(failed)?;
        }
        Ok(())
    }

    /// Links the filter behind the element; its src pads must be there by now.
    pub(super) fn link_filter(&self, node: &Node) -> Result<(), PipelineError> {
        match &self.filter {
            Some(filter) => self.element.link(filter).map_err(|e| link_error(node, e.to_string())),
            None => Ok(()),
        }
    }

    /// Returns the pad that others take from.
    pub(super) fn src_pad(&self, pad: &SrcPad) -> Option<gst::Pad> {
        if let Some(filter) = &self.filter {
            return filter.static_pad("src");
        }
        match pad {
            SrcPad::Always { name } | SrcPad::Sometimes { name, .. } => self.element.static_pad(name),
            SrcPad::Request { name, .. } => self.element.request_pad_simple(name),
        }
    }

    /// Returns the pad for an input; `participant` tells which of many.
    pub(super) fn sink_pad(&self, pad: &SinkPad, participant: u32) -> Option<gst::Pad> {
        // Names of our elements' pads tell the partner and the participant.
        let is_ours = || self.element.factory().is_some_and(|factory| is_own(&factory.name()));
        match pad {
            SinkPad::Always { name } => self.element.static_pad(name),
            SinkPad::Request { template, naming: Naming::Counted, .. } if !is_ours() => {
                self.element.request_pad_simple(template)
            }
            SinkPad::Request { name, .. } => self.element.request_pad_simple(name),
            SinkPad::PerParticipant { .. } => self.element.request_pad_simple(&pad.name_for(participant)),
        }
    }
}

fn make(node: &Node, factory: &str, name: &str) -> Result<gst::Element, PipelineError> {
    let error = |_| PipelineError::NoElement { node: node.name.clone(), element: factory.to_owned() };
    gst::ElementFactory::make(factory).name(name).build().map_err(error)
}

fn text(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::UInt(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(value) | Value::Nick(value) | Value::Serialized(value) => value.clone(),
    }
}

fn set(node: &Node, element: &gst::Element, property: &str, value: &str) -> Result<(), PipelineError> {
    let error =
        || PipelineError::Property { node: node.name.clone(), property: property.to_owned(), value: value.to_owned() };
    let pspec = element.find_property(property).ok_or_else(error)?;
    if pspec.value_type() == String::static_type() {
        element.set_property(property, value);
        return Ok(());
    }
    let value = gst::glib::Value::deserialize_with_pspec(value, &pspec).map_err(|_| error())?;
    element.set_property_from_value(property, &value);
    Ok(())
}

/// Sets a property where the element has one of this name and type that can be set: others' elements mean something
/// else by the same name, or cannot be told any more.
pub(super) fn set_where_there<T: StaticType + Into<gst::glib::Value>>(
    element: &gst::Element,
    property: &str,
    value: T,
) {
    let is_it = |pspec: &gst::glib::ParamSpec| pspec.value_type() == T::static_type() && can_be_set(pspec);
    if element.find_property(property).is_some_and(|pspec| is_it(&pspec)) {
        element.set_property(property, value);
    }
}

/// Tells whether a property can be set on an element that has been made.
pub(super) fn can_be_set(pspec: &gst::glib::ParamSpec) -> bool {
    pspec.flags().contains(ParamFlags::WRITABLE) && !pspec.flags().contains(ParamFlags::CONSTRUCT_ONLY)
}

/// Links two pads.
pub(super) fn link(node: &Node, src: Option<gst::Pad>, sink: Option<gst::Pad>) -> Result<(), PipelineError> {
    let src = src.ok_or_else(|| link_error(node, "its input has no pad".to_owned()))?;
    let sink = sink.ok_or_else(|| link_error(node, "it has no pad for an input".to_owned()))?;
    let (from, to) = (src.name(), sink.name());
    src.link(&sink).map(|_| ()).map_err(|e| link_error(node, format!("{from} to {to}: {e}")))
}

pub(super) fn link_error(node: &Node, detail: String) -> PipelineError {
    PipelineError::Link { node: node.name.clone(), detail }
}

/// Makes and links all nodes of participant scope behind `audio`, a pad of the door.
///
/// What was made before an error is in `made`, too: it is the caller's to take down.
pub(super) fn participant_nodes(
    plan: &Plan,
    bin: &gst::Bin,
    audio: &gst::Pad,
    index: u32,
    made: &mut MadeNodes,
) -> Result<(), PipelineError> {
    for node in plan.scope_nodes(Scope::Participant) {
        let elements = Made::new(node, Instance::Participant(index))?;
        elements.add_to(bin, node)?;
        made.insert(node.id, elements.clone());
        for input in &node.links {
            let src = match &input.from {
                Source::Audio => Some(audio.clone()),
                Source::Node { id, pad } => made.get(id).and_then(|from| from.src_pad(pad)),
                _ => None,
            };
            link(node, src, elements.sink_pad(&input.to, index))?;
        }
        elements.link_filter(node)?;
    }
    Ok(())
}

/// Returns the inputs of recording nodes that each participant has a pad of, with the participant's node and pad.
pub(super) fn participant_outputs(plan: &Plan) -> impl Iterator<Item = (&Node, &SinkPad, NodeId, &SrcPad)> {
    let inputs = plan.scope_nodes(Scope::Recording).flat_map(|node| node.links.iter().map(move |link| (node, link)));
    inputs.filter_map(|(node, link)| match (&link.from, &link.to) {
        (Source::Node { id, pad }, SinkPad::PerParticipant { .. }) => Some((node, &link.to, *id, pad)),
        _ => None,
    })
}
