//! Every pad has one link: no sink pad two, no sink pad none, no src pad two.

use std::collections::HashMap;

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftLink;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::Upstream;
use crate::graph::elements::Factory;
use crate::graph::elements::PadTemplate;
use crate::graph::elements::Presence;
use crate::graph::error::GraphErrorKind;
use crate::graph::plan::SinkPad;
use crate::graph::report::Report;
use crate::graph::spec::Door;
use crate::graph::spec::Scope;

/// Name of the sink pad by which Reelgraph's elements are told how far the recording has come.
const TIMELINE: &str = "timeline";

/// No sink pad is linked twice, and pads that are numbered as the participants are have nothing else among them:
/// `sink_3` is the participant number 3 in levels, channel maps and metadata.
pub(super) fn check_taken_sinks(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let mut taken: HashMap<&str, String> = HashMap::new();
        for link in &node.links {
            let Some(to) = &link.to else { continue };
            let pad = to.name();
            let key = link.input.key();
            match taken.get(pad) {
                Some(by) if !matches!(to, SinkPad::PerParticipant { .. }) => {
                    let kind = GraphErrorKind::SinkPadTaken { pad: pad.to_owned(), by: by.clone() };
                    report.add_key(node.spec, link.input.place, &key, kind);
                }
                _ => {
                    taken.insert(pad, key);
                }
            }
        }
        check_template_taken(node, report);
    }
}

fn check_template_taken(node: &DraftNode<'_>, report: &mut Report) {
    let per_participant = node.links.iter().enumerate().find_map(|(index, link)| match &link.to {
        Some(SinkPad::PerParticipant { template }) => Some((index, template)),
        _ => None,
    });
    let Some((first, template)) = per_participant else { return };
    for (index, link) in node.links.iter().enumerate() {
        let is_there = match &link.to {
            Some(SinkPad::PerParticipant { template: other } | SinkPad::Request { template: other, .. }) => {
                other == template
            }
            Some(SinkPad::Always { .. }) | None => false,
        };
        if index != first && is_there {
            let by = node.links[first].input.reference.as_ref().map_or_else(String::new, ToString::to_string);
            let kind = GraphErrorKind::TemplateTaken { template: template.clone(), by };
            report.add_key(node.spec, link.input.place, &link.input.key(), kind);
        }
    }
}

/// No src pad is linked twice, and no door but the timeline.
pub(super) fn check_taken_srcs(draft: &Draft<'_>, report: &mut Report) {
    let mut taken: HashMap<&Upstream, String> = HashMap::new();
    for (node, link) in draft.links() {
        let Some(from) = &link.from else { continue };
        if matches!(from, Upstream::Door(Door::Timeline) | Upstream::Node { pad: None, .. }) {
            continue;
        }
        match taken.get(from) {
            Some(by) => {
                let kind = GraphErrorKind::SrcPadTaken { from: describe(draft, from), by: by.clone() };
                report.add_key(node.spec, link.input.place, &link.input.key(), kind);
            }
            None => {
                taken.insert(from, format!("[{}] {}", node.path(), link.input.key()));
            }
        }
    }
}

/// Returns a source as messages name it: `"mix.src"`, `@audio`.
pub(super) fn describe(draft: &Draft<'_>, from: &Upstream) -> String {
    let name = |index: &usize| draft.nodes[*index].spec.name.value.as_str();
    match from {
        Upstream::Door(door) => door.to_string(),
        Upstream::Node { index, pad: Some(pad) } => format!("{}.{}", name(index), pad.name()),
        Upstream::Node { index, pad: None } => name(index).to_owned(),
        Upstream::Chunk { splitter, index } => format!("{}.src_{index}", name(splitter)),
    }
}

/// Every node has inputs, every pad that is always there is linked, of request pads at least one, and a `timeline`
/// pad in recording scope too: without it a mixer waits for its slowest participant.
pub(super) fn check_unlinked_sinks(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let Some(factory) = &node.factory else { continue };
        if factory.sinks().next().is_none() {
            continue;
        }
        if node.links.is_empty() {
            match node.spec.inputs_place {
                Some(place) => report.add_key(node.spec, place, "inputs", GraphErrorKind::NoInputs),
                None => report.add_node(node.spec, GraphErrorKind::NoInputs),
            }
            continue;
        }
        if node.sinks_known() {
            check_each_sink(node, factory, report);
        }
    }
}

fn check_each_sink(node: &DraftNode<'_>, factory: &Factory, report: &mut Report) {
    let place = node.spec.inputs_place.unwrap_or(node.spec.name.place);
    let is_linked = |sink: &PadTemplate| node.links.iter().any(|link| is_of(link, sink));
    let is_numbered = |sink: &PadTemplate| sink.presence == Presence::Request && sink.prefix().is_some();
    let unlinked =
        |sink: &PadTemplate| GraphErrorKind::UnlinkedSinkPad { element: node.element(), pad: sink.name.clone() };
    for sink in factory.sinks() {
        if sink.presence == Presence::Always && !is_linked(sink) {
            report.add_key(node.spec, place, "inputs", unlinked(sink));
        }
        if sink.name == TIMELINE && node.spec.scope == Scope::Recording && !is_linked(sink) {
            let kind = GraphErrorKind::UnlinkedTimeline { element: node.element(), pad: sink.name.clone() };
            report.add_key(node.spec, place, "inputs", kind);
        }
    }
    let has_always = factory.sinks().any(|sink| sink.presence == Presence::Always);
    let has_numbered_link = factory.sinks().any(|sink| is_numbered(sink) && is_linked(sink));
    if let Some(sink) = factory.sinks().find(|sink| is_numbered(sink))
        && !has_always
        && !has_numbered_link
    {
        report.add_key(node.spec, place, "inputs", unlinked(sink));
    }
}

/// Whether a link goes to a pad of a template.
fn is_of(link: &DraftLink<'_>, sink: &PadTemplate) -> bool {
    match &link.to {
        Some(SinkPad::Always { name }) => *name == sink.name,
        Some(SinkPad::Request { template, .. } | SinkPad::PerParticipant { template }) => *template == sink.name,
        None => false,
    }
}
