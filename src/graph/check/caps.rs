//! Caps: that they are some, and that both ends of each link have some in common.

use std::collections::HashSet;

use crate::graph::check::draft::DECODER;
use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftLink;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::SPLITTER;
use crate::graph::check::draft::Upstream;
use crate::graph::check::links::describe;
use crate::graph::elements::Elements;
use crate::graph::elements::Factory;
use crate::graph::elements::PadTemplate;
use crate::graph::elements::Presence;
use crate::graph::error::GraphErrorKind;
use crate::graph::plan::SinkPad;
use crate::graph::plan::SrcPad;
use crate::graph::report::Report;
use crate::graph::spec::Door;

/// Longest caps in a message; those of a converter fill a page.
const SHOWN_MAX: usize = 160;

/// The `caps` of every node can be parsed.
pub(super) fn check_parseable(draft: &Draft<'_>, elements: &dyn Elements, report: &mut Report) {
    for node in &draft.nodes {
        let Some(caps) = &node.spec.caps else { continue };
        if let Err(error) = elements.intersect(&caps.value, &caps.value) {
            report.add_key(node.spec, caps.place, "caps", error);
        }
    }
}

/// What a node gives out (its src pad's template, cut down to its `caps`) meets what the next takes (its sink pad's
/// template). This is what the registry can tell; what elements agree on in the end may still be nothing.
pub(super) fn check_links(draft: &Draft<'_>, elements: &dyn Elements, report: &mut Report) {
    let mut without_common = HashSet::new();
    for (index, node) in draft.nodes.iter().enumerate() {
        if check_own(draft, index, node, elements, report).is_err() {
            without_common.insert(index);
        }
    }
    for (node, link) in draft.links() {
        let (Some(from), Some(to), Some(factory)) = (&link.from, &link.to, &node.factory) else { continue };
        if *from == Upstream::Door(Door::Audio) {
            check_door(node, link, report);
            continue;
        }
        let Some((index, src)) = src_template(draft, from).filter(|(index, _)| !without_common.contains(index)) else {
            continue;
        };
        let Some(sink) = sink_template(factory, to) else { continue };
        let Some(given) = given(&draft.nodes[index], src, elements) else { continue };
        if elements.intersect(&given, &sink.caps).is_ok_and(|common| common.is_none()) {
            let kind = GraphErrorKind::CapsCannotMeet {
                from: describe(draft, from),
                given: shorten(draft.nodes[index].spec.caps.as_ref().map_or(&src.caps, |caps| &caps.value)),
                to: format!("{}.{}", node.spec.name.value, to.name()),
                taken: shorten(&sink.caps),
            };
            report.add_key(node.spec, link.input.place, &link.input.key(), kind);
        }
    }
}

/// Tracks may be of any codec, and of what is said in a pause nobody may hear anything: the decoder sees to both.
fn check_door(node: &DraftNode<'_>, link: &DraftLink<'_>, report: &mut Report) {
    if !node.is_element(DECODER) {
        let kind = GraphErrorKind::NotDecoded { element: node.element(), decoder: DECODER };
        report.add_key(node.spec, link.input.place, &link.input.key(), kind);
    }
}

/// A node's own caps filter its one output, and are some that it makes.
fn check_own(
    draft: &Draft<'_>,
    index: usize,
    node: &DraftNode<'_>,
    elements: &dyn Elements,
    report: &mut Report,
) -> Result<(), ()> {
    let (Some(caps), Some(factory)) = (&node.spec.caps, &node.factory) else { return Ok(()) };
    if node.is_splitter() {
        let kind = GraphErrorKind::CapsOfSplitter { splitter: SPLITTER };
        report.add_key(node.spec, caps.place, "caps", kind);
        return Err(());
    }
    let sources: HashSet<&Upstream> = draft.links_from(index).filter_map(|link| link.from.as_ref()).collect();
    let is_sink = factory.srcs().next().is_none();
    if sources.len() > 1 || is_sink {
        let outputs = if is_sink { 0 } else { sources.len() };
        let kind = GraphErrorKind::CapsWithoutOutput { node: node.spec.name.value.clone(), outputs };
        report.add_key(node.spec, caps.place, "caps", kind);
        return Err(());
    }
    let Some((_, src)) = sources.into_iter().next().and_then(|from| src_template(draft, from)) else { return Ok(()) };
    match elements.intersect(&caps.value, &src.caps) {
        Ok(None) => {
            let kind = GraphErrorKind::CapsNotMade {
                element: node.element(),
                caps: caps.value.clone(),
                pad: src.name.clone(),
                valid: shorten(&src.caps),
            };
            report.add_key(node.spec, caps.place, "caps", kind);
            Err(())
        }
        Ok(Some(_)) => Ok(()),
        Err(_) => Err(()),
    }
}

/// The caps that come out of a source, where it is a node that is known.
pub(super) fn given_by(draft: &Draft<'_>, from: &Upstream, elements: &dyn Elements) -> Option<String> {
    let (index, src) = src_template(draft, from)?;
    given(&draft.nodes[index], src, elements)
}

/// The caps that come out of a src pad.
fn given(node: &DraftNode<'_>, src: &PadTemplate, elements: &dyn Elements) -> Option<String> {
    match &node.spec.caps {
        Some(caps) => elements.intersect(&src.caps, &caps.value).ok().flatten(),
        None => Some(src.caps.clone()),
    }
}

/// The node and the template of a source. What goes into a splitter's sink pad is what comes out of it.
fn src_template<'d>(draft: &'d Draft<'_>, from: &Upstream) -> Option<(usize, &'d PadTemplate)> {
    let (index, template) = match from {
        Upstream::Door(_) | Upstream::Node { pad: None, .. } => return None,
        Upstream::Node { index, pad: Some(pad) } => {
            let name = match pad {
                SrcPad::Always { name } => name,
                SrcPad::Sometimes { template, .. } | SrcPad::Request { template, .. } => template,
            };
            let factory = draft.nodes[*index].factory.as_ref()?;
            (*index, factory.srcs().find(|src| src.name == *name))
        }
        Upstream::Chunk { splitter, .. } => {
            let factory = draft.nodes[*splitter].factory.as_ref()?;
            (*splitter, factory.sinks().find(|sink| sink.presence == Presence::Request))
        }
    };
    template.map(|template| (index, template))
}

fn sink_template<'f>(factory: &'f Factory, to: &SinkPad) -> Option<&'f PadTemplate> {
    let name = match to {
        SinkPad::Always { name } => name,
        SinkPad::Request { template, .. } | SinkPad::PerParticipant { template } => template,
    };
    factory.sinks().find(|sink| sink.name == *name)
}

/// Caps as messages show them.
pub(super) fn shorten(caps: &str) -> String {
    match caps.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &caps[..end]),
        None => caps.to_owned(),
    }
}
