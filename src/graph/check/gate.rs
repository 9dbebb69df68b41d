//! Pauses: what participants send passes one gate on its way to the splitter, so that nothing paused is recorded.

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftLink;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::GATE;
use crate::graph::error::GraphErrorKind;
use crate::graph::report::Report;
use crate::graph::spec::Scope;

/// How many gates media of participants have passed, as a set: there may be several ways to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passed(u8);

impl Passed {
    /// Nothing of participants comes here.
    const NOTHING: Self = Self(0);
    const NO_GATE: Self = Self(1);
    const ONE_GATE: Self = Self(2);
    const MORE_GATES: Self = Self(4);

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn through_gate(self) -> Self {
        let one = if self.has(Self::NO_GATE) { Self::ONE_GATE } else { Self::NOTHING };
        let more = self.has(Self::ONE_GATE) || self.has(Self::MORE_GATES);
        one.or(if more { Self::MORE_GATES } else { Self::NOTHING })
    }
}

/// Gates stand in recording scope, and every way from a participant to the splitter leads through exactly one: without
/// it a pause would be recorded, and behind a second one times would be counted without the first one's pauses.
pub(super) fn check_gates(draft: &Draft<'_>, report: &mut Report) {
    let is_misplaced = |node: &&DraftNode<'_>| node.is_element(GATE) && node.spec.scope != Scope::Recording;
    for node in draft.nodes.iter().filter(is_misplaced) {
        report.add_node(node.spec, GraphErrorKind::GateScope { gate: GATE, scope: node.spec.scope });
    }
    // An unknown element may be a gate, and an unknown link may lead to one.
    let is_sure = !draft.nodes.iter().any(|node| is_misplaced(&node))
        && draft.nodes.iter().all(|node| node.factory.is_some() && node.links.iter().all(|link| link.from.is_some()));
    if !is_sure {
        return;
    }
    let mut passed = vec![Passed::NOTHING; draft.nodes.len()];
    for index in draft.stream_order() {
        let node = &draft.nodes[index];
        let from = node.links.iter().filter_map(DraftLink::node).map(|from| passed[from]);
        let taken = from.fold(Passed::NOTHING, Passed::or);
        passed[index] = match node.spec.scope {
            Scope::Participant => Passed::NO_GATE,
            Scope::Recording | Scope::Chunk if node.is_element(GATE) => taken.through_gate(),
            Scope::Recording | Scope::Chunk => taken,
        };
    }
    for splitter in draft.nodes.iter().filter(|node| node.is_splitter()) {
        for link in &splitter.links {
            let passed = link.node().map_or(Passed::NOTHING, |from| passed[from]);
            let key = link.input.key();
            if passed.has(Passed::NO_GATE) {
                report.add_key(splitter.spec, link.input.place, &key, GraphErrorKind::NoGate { gate: GATE });
            }
            if passed.has(Passed::MORE_GATES) {
                report.add_key(splitter.spec, link.input.place, &key, GraphErrorKind::SecondGate { gate: GATE });
            }
        }
    }
}
