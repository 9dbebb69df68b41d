//! How a recording becomes chunks: one splitter, limits on it, and behind it nodes that write one file.

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::FILE_SINKS;
use crate::graph::check::draft::SPLITTER;
use crate::graph::error::GraphErrorKind;
use crate::graph::plan::Limits;
use crate::graph::report::Report;
use crate::graph::spec::Scope;

/// Exactly one node is a splitter, and it stands in recording scope.
pub(super) fn check_splitter(draft: &Draft<'_>, report: &mut Report) {
    let mut splitters = draft.nodes.iter().filter(|node| node.is_splitter());
    let Some(first) = splitters.next() else {
        // An unknown element may be a splitter that is misspelt.
        let is_sure = in_scope(draft, Scope::Recording).all(|node| node.factory.is_some());
        if is_sure {
            report.add(draft.spec.header.place, None, GraphErrorKind::NoSplitter { splitter: SPLITTER });
        }
        return;
    };
    for second in splitters {
        let kind = GraphErrorKind::SecondSplitter {
            splitter: SPLITTER,
            scope: first.spec.scope,
            first: first.spec.name.value.clone(),
            line: first.spec.name.place.line,
        };
        report.add_node(second.spec, kind);
    }
    for splitter in draft.nodes.iter().filter(|node| node.is_splitter()) {
        let scope = splitter.spec.scope;
        if scope != Scope::Recording {
            report.add_node(splitter.spec, GraphErrorKind::SplitterScope { splitter: SPLITTER, scope });
        }
    }
}

/// Keeps nothing of what it takes.
const NOWHERE: &str = "fakesink";

/// There is a chunk, and one of its nodes writes its one file; nothing else takes media to anywhere.
pub(super) fn check_chunk(draft: &Draft<'_>, report: &mut Report) {
    let is_sink = |node: &&DraftNode<'_>| node.factory.as_ref().is_some_and(|factory| factory.srcs().next().is_none());
    let is_allowed = |node: &DraftNode<'_>| node.is_splitter() || node.is_file() || node.is_element(NOWHERE);
    for node in draft.nodes.iter().filter(is_sink).filter(|node| !is_allowed(node)) {
        report.add_node(node.spec, GraphErrorKind::OtherSink { files: &FILE_SINKS, nowhere: NOWHERE });
    }
    let Some(first) = in_scope(draft, Scope::Chunk).next() else {
        match draft.nodes.iter().find(|node| node.is_splitter()) {
            Some(splitter) => report.add_node(splitter.spec, GraphErrorKind::NoChunk { splitter: SPLITTER }),
            None => report.add(draft.spec.header.place, None, GraphErrorKind::NoChunk { splitter: SPLITTER }),
        }
        return;
    };
    // An unknown element may write one.
    let may_be_file = |node: &DraftNode<'_>| node.factory.is_none() || node.is_file();
    if !in_scope(draft, Scope::Chunk).any(may_be_file) {
        report.add_node(first.spec, GraphErrorKind::ChunkWithoutFile);
    }
    let mut files = in_scope(draft, Scope::Chunk).filter(|node| node.is_file());
    let Some(first) = files.next() else { return };
    for second in files {
        let (first, line) = (first.spec.name.value.clone(), first.spec.name.place.line);
        report.add_node(second.spec, GraphErrorKind::SecondFile { first, line });
    }
}

/// Limits stand on the splitter and are neither too small nor too large to be kept.
pub(super) fn check_limits(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let Some(limits) = &node.spec.limits else { continue };
        if !node.is_splitter() && node.spec.element.is_some() {
            report.add_key(node.spec, limits.place, "limits", GraphErrorKind::LimitsElsewhere { splitter: SPLITTER });
        }
        if let Some(limit) = &limits.value.max_duration
            && let Err(error) = Limits::check_duration(limit.value)
        {
            report.add_key(node.spec, limit.place, "limits.max-duration", error);
        }
        if let Some(limit) = &limits.value.max_size
            && let Err(error) = Limits::check_size(limit.value)
        {
            report.add_key(node.spec, limit.place, "limits.max-size", error);
        }
    }
}

fn in_scope<'d, 'a>(draft: &'d Draft<'a>, scope: Scope) -> impl Iterator<Item = &'d DraftNode<'a>> {
    draft.nodes.iter().filter(move |node| node.spec.scope == scope)
}
