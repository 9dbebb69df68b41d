//! Which src pad or door each input comes from.
//!
//! A plain `node` means its sole src pad; of an element that makes `src_N` for each `sink_N`, the partner of its sole
//! linked sink pad; of an element with a request src pad template (`tee`), the next free pad of it. `split` means
//! what went into the splitter's sole sink pad.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::SPLITTER;
use crate::graph::check::draft::Upstream;
use crate::graph::elements::Factory;
use crate::graph::elements::PadTemplate;
use crate::graph::elements::Presence;
use crate::graph::error::GraphErrorKind;
use crate::graph::known::Known;
use crate::graph::plan::SrcPad;
use crate::graph::report::Report;
use crate::graph::spec::Door;
use crate::graph::spec::Reference;
use crate::graph::spec::Scope;

/// Finds the source of every link. Needs the sink pads.
pub(super) fn resolve_sources(draft: &mut Draft<'_>, report: &mut Report) {
    let names = draft.nodes.iter().enumerate().map(|(index, node)| (node.spec.name.value.as_str(), index));
    // Of two nodes of one name the first has it; the second has been reported.
    let by_name: HashMap<&str, usize> = names.rev().collect();
    let mut resolver = Resolver { draft, requested: named_requests(draft, &by_name), by_name };
    let mut sources = Vec::new();
    for node in &draft.nodes {
        for link in &node.links {
            let Some(reference) = &link.input.reference else {
                sources.push(None);
                continue;
            };
            let (upstream, error) = resolver.resolve(node, reference);
            if let Some(kind) = error {
                report.add_key(node.spec, link.input.place, &link.input.key(), kind);
            }
            sources.push(upstream);
        }
    }
    let links = draft.nodes.iter_mut().flat_map(|node| &mut node.links);
    for (link, source) in links.zip(sources) {
        link.from = source;
    }
}

/// Src pads that are requested by name, so that plain references get others.
fn named_requests(draft: &Draft<'_>, by_name: &HashMap<&str, usize>) -> HashSet<(usize, String)> {
    let mut named = HashSet::new();
    for (_, link) in draft.links() {
        if let Some(Reference::Node { node, pad: Some(pad) }) = &link.input.reference
            && let Some(&index) = by_name.get(node.as_str())
        {
            named.insert((index, pad.clone()));
        }
    }
    named
}

struct Resolver<'d, 'a> {
    draft: &'d Draft<'a>,
    by_name: HashMap<&'a str, usize>,
    requested: HashSet<(usize, String)>,
}

impl Resolver<'_, '_> {
    /// What a reference stands for, and what is wrong with it. Both, where only the pad could not be told.
    fn resolve(&mut self, node: &DraftNode<'_>, reference: &Reference) -> (Option<Upstream>, Option<GraphErrorKind>) {
        let scope = node.spec.scope;
        let (name, pad) = match reference {
            Reference::Door(door) if door.scope() == scope => return (Some(Upstream::Door(*door)), None),
            Reference::Door(door) => return (None, Some(door_scope(*door, scope))),
            Reference::Node { node, pad } => (node, pad.as_deref()),
        };
        let Some(&index) = self.by_name.get(name.as_str()) else {
            let known = self.draft.nodes.iter().filter(|known| known.spec.scope <= scope);
            let known = Known::among(name, known.map(|known| known.spec.name.value.as_str()));
            return (None, Some(GraphErrorKind::UnknownNode { name: name.clone(), known }));
        };
        let pad_unknown = Some(Upstream::Node { index, pad: None });
        let from = &self.draft.nodes[index];
        let Some(factory) = &from.factory else { return (pad_unknown, None) };
        if let Some(kind) = out_of_reach(from, scope) {
            return (pad_unknown, Some(kind));
        }
        if from.is_splitter() {
            return match chunk_index(from, pad) {
                Ok(Some(number)) => (Some(Upstream::Chunk { splitter: index, index: number }), None),
                Ok(None) => (pad_unknown, None),
                Err(kind) => (pad_unknown, Some(kind)),
            };
        }
        let found = match pad {
            Some(pad) => named_pad(from, factory, pad),
            None => self.plain_pad(index, from, factory),
        };
        match found {
            Ok(pad) => (Some(Upstream::Node { index, pad }), None),
            Err(kind) => (pad_unknown, Some(kind)),
        }
    }

    /// The src pad that a reference without a pad means; `None` where that depends on inputs that are unknown.
    fn plain_pad(
        &mut self,
        index: usize,
        node: &DraftNode<'_>,
        factory: &Factory,
    ) -> Result<Option<SrcPad>, GraphErrorKind> {
        let srcs: Vec<&PadTemplate> = factory.srcs().collect();
        let always: Vec<&PadTemplate> = factory.srcs().filter(|src| src.presence == Presence::Always).collect();
        match (srcs.as_slice(), always.as_slice()) {
            ([], _) => Err(GraphErrorKind::NoSrcPad { node: node.spec.name.value.clone(), element: node.element() }),
            (_, [src]) => Ok(Some(SrcPad::Always { name: src.name.clone() })),
            ([src], []) if src.presence == Presence::Request => Ok(Some(self.request(index, src))),
            ([src], []) => paired_pad(node, factory, src),
            ([src, ..], []) if srcs.iter().all(|src| src.presence == Presence::Sometimes) => {
                Err(GraphErrorKind::UnplannedSrcPad { element: node.element(), template: src.name.clone() })
            }
            _ => Err(ambiguous(node, srcs.iter().map(|src| src.name.clone()).collect())),
        }
    }

    fn request(&mut self, index: usize, src: &PadTemplate) -> SrcPad {
        let names = (0..).map(|number| src.pad(number));
        let is_free = |name: &String| src.prefix().is_none() || !self.requested.contains(&(index, name.clone()));
        let name = { names }.find(is_free).expect("there are more numbers than links");
        self.requested.insert((index, name.clone()));
        SrcPad::Request { template: src.name.clone(), name }
    }
}

fn door_scope(door: Door, scope: Scope) -> GraphErrorKind {
    GraphErrorKind::DoorScope { door, scope }
}

/// What keeps a node of a scope from taking from another: media go from participants to the recording, and from
/// there through the splitter into chunks.
fn out_of_reach(from: &DraftNode<'_>, to: Scope) -> Option<GraphErrorKind> {
    let valid = match (from.spec.scope, to) {
        (Scope::Chunk, Scope::Chunk) => return None,
        (_, Scope::Chunk) if from.is_splitter() => return None,
        _ if from.is_splitter() => "only chunk nodes take from the splitter",
        (Scope::Participant, Scope::Participant) => return None,
        (Scope::Participant | Scope::Recording, Scope::Recording) => return None,
        (_, Scope::Participant) => "participant nodes take from @audio, @video and participant nodes",
        (_, Scope::Recording) => "recording nodes take from @timeline, participant and recording nodes",
        (_, Scope::Chunk) => "chunk nodes take from chunk nodes and from the splitter",
    };
    Some(GraphErrorKind::OutOfReach {
        from: from.spec.name.value.clone(),
        from_scope: from.spec.scope,
        to_scope: to,
        valid,
    })
}

/// The number of the splitter's sink pad that a reference means.
fn chunk_index(splitter: &DraftNode<'_>, pad: Option<&str>) -> Result<Option<u32>, GraphErrorKind> {
    let numbers = splitter.sink_numbers();
    let pads: Vec<String> = numbers.iter().map(|number| format!("src_{number}")).collect();
    match (pad, numbers.as_slice()) {
        (None, [number]) => Ok(Some(*number)),
        (None, []) => Ok(None),
        (None, _) => Err(ambiguous(splitter, pads)),
        (Some(pad), _) => match pads.iter().position(|known| known == pad) {
            Some(position) => Ok(Some(numbers[position])),
            None if splitter.sinks_known() => Err(unknown_src_pad(splitter, SPLITTER, pad, &pads)),
            None => Ok(None),
        },
    }
}

/// The partner of the sole linked sink pad.
fn paired_pad(node: &DraftNode<'_>, factory: &Factory, src: &PadTemplate) -> Result<Option<SrcPad>, GraphErrorKind> {
    if factory.partner(src).is_none() {
        return Err(GraphErrorKind::UnplannedSrcPad { element: node.element(), template: src.name.clone() });
    }
    match node.sink_numbers().as_slice() {
        [] => Ok(None),
        [number] => Ok(Some(SrcPad::Sometimes { template: src.name.clone(), name: src.pad(*number) })),
        numbers => Err(ambiguous(node, numbers.iter().map(|number| src.pad(*number)).collect())),
    }
}

fn named_pad(node: &DraftNode<'_>, factory: &Factory, pad: &str) -> Result<Option<SrcPad>, GraphErrorKind> {
    for src in factory.srcs() {
        let (template, name) = (src.name.clone(), pad.to_owned());
        let is_numbered = src.number(pad).is_some();
        match src.presence {
            Presence::Always if src.name == pad => return Ok(Some(SrcPad::Always { name })),
            Presence::Request if is_numbered || (src.name == pad && src.prefix().is_none()) => {
                return Ok(Some(SrcPad::Request { template, name }));
            }
            Presence::Sometimes if is_numbered && factory.partner(src).is_some() => {
                let pads: Vec<String> = node.sink_numbers().iter().map(|number| src.pad(*number)).collect();
                return match pads.contains(&name) {
                    true => Ok(Some(SrcPad::Sometimes { template, name })),
                    false if node.sinks_known() => Err(unknown_src_pad(node, &node.element(), pad, &pads)),
                    false => Ok(None),
                };
            }
            Presence::Sometimes if is_numbered || src.name == pad => {
                return Err(GraphErrorKind::UnplannedSrcPad { element: node.element(), template });
            }
            _ => {}
        }
    }
    let known: Vec<String> = factory.srcs().map(|src| src.name.clone()).collect();
    if known.is_empty() {
        return Err(GraphErrorKind::NoSrcPad { node: node.spec.name.value.clone(), element: node.element() });
    }
    Err(unknown_src_pad(node, &node.element(), pad, &known))
}

fn unknown_src_pad(node: &DraftNode<'_>, element: &str, pad: &str, known: &[String]) -> GraphErrorKind {
    GraphErrorKind::UnknownSrcPad {
        node: node.spec.name.value.clone(),
        element: element.to_owned(),
        pad: pad.to_owned(),
        known: Known::among(pad, known),
    }
}

fn ambiguous(node: &DraftNode<'_>, pads: Vec<String>) -> GraphErrorKind {
    GraphErrorKind::AmbiguousSrcPad {
        node: node.spec.name.value.clone(),
        element: node.element(),
        example: pads.first().cloned().unwrap_or_default(),
        known: Known::among("", pads),
    }
}
