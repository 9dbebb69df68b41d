//! Nothing is lost on the way: what comes out of a node is taken, what participants send reaches the recording.

use std::collections::HashSet;

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftLink;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::Upstream;
use crate::graph::elements::Factory;
use crate::graph::elements::Presence;
use crate::graph::error::GraphErrorKind;
use crate::graph::report::Report;
use crate::graph::spec::Door;
use crate::graph::spec::Reference;
use crate::graph::spec::Scope;
use crate::model::Content;

/// Every src pad is taken.
pub(super) fn check_unlinked_srcs(draft: &Draft<'_>, report: &mut Report) {
    for (index, node) in draft.nodes.iter().enumerate() {
        let Some(factory) = &node.factory else { continue };
        let mut used = HashSet::new();
        // Of two nodes of one name, references reach the first only. And an input that is missing or refers to nothing
        // may be what was to take this node's media.
        let mut is_sure = first_of_name(draft, node) == index && !has_open_end(draft, node.spec.scope);
        for link in draft.links_from(index) {
            match &link.from {
                Some(Upstream::Node { pad: Some(pad), .. }) => {
                    used.insert(pad.name().to_owned());
                }
                Some(Upstream::Chunk { index, .. }) => {
                    used.insert(format!("src_{index}"));
                }
                Some(Upstream::Node { pad: None, .. } | Upstream::Door(_)) | None => is_sure = false,
            }
        }
        // Without chunk nodes nobody could take anything from the splitter; that is said elsewhere.
        let has_chunk = draft.nodes.iter().any(|node| node.spec.scope == Scope::Chunk);
        if !is_sure || (node.is_splitter() && !has_chunk) {
            continue;
        }
        for pad in expected(node, factory, &used).into_iter().filter(|pad| !used.contains(pad)) {
            let kind = GraphErrorKind::UnlinkedSrcPad { element: node.element(), pad };
            report.add_node(node.spec, kind);
        }
    }
}

/// Whether some node that could take from a scope does not say, or says wrongly, what it takes.
fn has_open_end(draft: &Draft<'_>, scope: Scope) -> bool {
    let is_open = |node: &DraftNode<'_>| node.links.is_empty() || node.links.iter().any(|link| link.from.is_none());
    let can_take = |node: &DraftNode<'_>| match scope {
        Scope::Participant => node.spec.scope <= Scope::Recording,
        Scope::Recording | Scope::Chunk => node.spec.scope >= scope,
    };
    draft.nodes.iter().any(|node| can_take(node) && is_open(node))
}

fn first_of_name(draft: &Draft<'_>, node: &DraftNode<'_>) -> usize {
    let name = &node.spec.name.value;
    draft.nodes.iter().position(|other| other.spec.name.value == *name).expect("the node itself has its name")
}

/// The src pads that a node has, as far as can be told before it runs.
fn expected(node: &DraftNode<'_>, factory: &Factory, used: &HashSet<String>) -> Vec<String> {
    if node.is_splitter() {
        return node.sink_numbers().iter().map(|number| format!("src_{number}")).collect();
    }
    let mut pads = Vec::new();
    for src in factory.srcs() {
        match src.presence {
            Presence::Always => pads.push(src.name.clone()),
            Presence::Sometimes if factory.partner(src).is_some() => {
                pads.extend(node.sink_numbers().iter().map(|number| src.pad(*number)));
            }
            Presence::Request if used.is_empty() => pads.push(src.name.clone()),
            Presence::Sometimes | Presence::Request => {}
        }
    }
    pads
}

/// No participant's media end in participant scope.
pub(super) fn check_never_recorded(draft: &Draft<'_>, report: &mut Report) {
    for node in draft.nodes.iter().filter(|node| node.spec.scope == Scope::Participant) {
        let has_src = node.factory.as_ref().is_none_or(|factory| factory.srcs().next().is_some());
        if !has_src && !node.is_splitter() {
            report.add_node(node.spec, GraphErrorKind::NeverRecorded { element: node.element() });
        }
    }
}

/// The participants' media come in: their sound always, their video when the content says so, and only then.
pub(super) fn check_doors(draft: &Draft<'_>, report: &mut Report) {
    let header = &draft.spec.header;
    let is_unreadable = draft.links().any(|(_, link)| link.input.reference.is_none());
    let takes = |door: Door| move |link: &DraftLink<'_>| link.input.reference == Some(Reference::Door(door));
    let is_video = header.content == Some(Content::AudioVideo);
    let wanted = if is_video { &[Door::Audio, Door::Video][..] } else { &[Door::Audio] };
    for &door in wanted {
        let is_taken = draft.links().any(|(_, link)| takes(door)(link));
        if !is_taken && !is_unreadable {
            report.add(header.place, None, GraphErrorKind::DoorUnused { door });
        }
    }
    if header.content != Some(Content::Audio) {
        return;
    }
    for (node, link) in draft.links().filter(|(_, link)| takes(Door::Video)(link)) {
        let kind = GraphErrorKind::DoorNotInContent { door: Door::Video };
        report.add_key(node.spec, link.input.place, &link.input.key(), kind);
    }
}
