//! Rules about elements as such: that they exist, and that they do their work where the recording does its work.

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftNode;
use crate::graph::elements::Elements;
use crate::graph::error::GraphErrorKind;
use crate::graph::known::Known;
use crate::graph::plan::SinkPad;
use crate::graph::plan::Value;
use crate::graph::report::Report;
use crate::graph::spec::Scope;

/// Least `latency` of an aggregator with several inputs, in nanoseconds. An aggregator without it waits for every
/// input before it puts out anything; the silent participant then blocks the worker's push for ever.
const AGGREGATOR_LATENCY_MIN: u64 = 1_000_000_000;

/// Looks every element up. Unknown ones get the Debian package that has them, or the name most like theirs.
pub(super) fn check_elements(draft: &mut Draft<'_>, elements: &dyn Elements, report: &mut Report) {
    let mut names = None;
    for node in &mut draft.nodes {
        let Some(element) = &node.spec.element else { continue };
        node.factory = elements.factory(&element.value);
        let Some(factory) = &mut node.factory else {
            let package = elements.package(&element.value);
            let known = match &package {
                Some(_) => Known::default(),
                None => Known::nearest_among(&element.value, names.get_or_insert_with(|| elements.names())),
            };
            let kind = GraphErrorKind::UnknownElement { element: element.value.clone(), package, known };
            report.add_key(node.spec, element.place, "element", kind);
            continue;
        };
        // Registries have an order of their own; messages list what is known in one that people can search.
        factory.pads.sort_by(|a, b| a.name.cmp(&b.name));
        factory.properties.sort_by(|a, b| a.name.cmp(&b.name));
        if factory.sinks().next().is_none() {
            let kind = GraphErrorKind::NoSinkPad { element: element.value.clone() };
            report.add_key(node.spec, element.place, "element", kind);
        }
    }
}

/// Elements with a thread of their own (`queue`, …) stand in chunk scope only.
///
/// A worker's tick pushes what has come, says up to where the recording has come, and then takes it for done: levels
/// read, a pause at its sample, a chunk cut. A queue before the splitter makes that untrue, because the push
/// returns while media wait; it lets the splitter build and drain chunks on a thread that the watchdog does not
/// see; and in participant scope it is one thread per participant of every call. Behind the splitter none of this
/// holds: a chunk is complete when its messages say so, whatever thread that takes.
///
/// An aggregator has a thread as well. In recording scope it is let through, because no stock element mixes without
/// one: who writes `audiomixer` instead of `reelmixer` has chosen to pay for it.
pub(super) fn check_threads(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let (Some(factory), Some(element)) = (&node.factory, &node.spec.element) else { continue };
        // Sources have threads too, but a node that makes media of its own is wrong in any scope.
        if factory.sinks().next().is_none() {
            continue;
        }
        let allowed = match node.spec.scope {
            Scope::Participant | Scope::Recording if factory.own_thread => "chunk nodes",
            Scope::Participant if factory.aggregator => "recording and chunk nodes",
            _ => continue,
        };
        let kind = GraphErrorKind::OwnThread { element: element.value.clone(), allowed };
        report.add_key(node.spec, element.place, "element", kind);
    }
}

/// What waits for all of its inputs has one.
pub(super) fn check_waiting(draft: &Draft<'_>, report: &mut Report) {
    for node in draft.nodes.iter().filter(|node| has_many_inputs(node)) {
        let (Some(factory), Some(element)) = (&node.factory, &node.spec.element) else { continue };
        if factory.waits_for_inputs {
            let kind = GraphErrorKind::WaitsForInputs { element: element.value.clone() };
            report.add_key(node.spec, element.place, "element", kind);
        }
    }
}

fn has_many_inputs(node: &DraftNode<'_>) -> bool {
    node.links.len() > 1 || node.links.iter().any(|link| matches!(link.to, Some(SinkPad::PerParticipant { .. })))
}

/// An aggregator with more than one input has a `latency` of at least a second.
pub(super) fn check_aggregators(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let is_aggregator = node.factory.as_ref().is_some_and(|factory| factory.aggregator);
        if !is_aggregator || !has_many_inputs(node) {
            continue;
        }
        let latency = node.spec.properties.iter().find(|property| property.name.value == "latency");
        let found = node.properties.iter().find_map(|(name, value)| match value {
            Value::UInt(found) if name == "latency" => Some(*found),
            _ => None,
        });
        let is_reported = latency.is_some() && found.is_none();
        if is_reported || found.is_some_and(|found| found >= AGGREGATOR_LATENCY_MIN) {
            continue;
        }
        let kind = GraphErrorKind::AggregatorLatency { element: node.element(), found, min_ns: AGGREGATOR_LATENCY_MIN };
        match latency {
            Some(latency) => report.add_key(node.spec, latency.value.place, &latency.key(), kind),
            None => report.add_node(node.spec, kind),
        }
    }
}
