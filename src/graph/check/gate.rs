//! Pauses: what participants send passes one gate on its way to the splitter, so that nothing paused is recorded.
//!
//! The gate of the recording stands behind the join and takes pauses out. Elements of others may hold media back and
//! give it out under a later time-stamp, so one that stood before that gate could bring what is said in a pause behind
//! its end. Where they must (a noise suppressor for each participant), a gate in participant scope stands before them
//! and puts silence in the place of a pause, which the recording's gate then takes out.

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftNode;
use crate::graph::check::draft::GATE;
use crate::graph::check::draft::Upstream;
use crate::graph::error::GraphErrorKind;
use crate::graph::report::Report;
use crate::graph::spec::Scope;

/// What gates media of participants have passed, as a set: there may be several ways to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passed(u8);

impl Passed {
    /// Nothing of participants comes here.
    const NOTHING: Self = Self(0);
    const NO_GATE: Self = Self(1);
    /// Pauses are silent, and still there.
    const SILENCED: Self = Self(2);
    const ONE_GATE: Self = Self(4);
    const MORE_GATES: Self = Self(8);

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn silenced(self) -> Self {
        if self.has(Self::NO_GATE) { Self(self.0 & !Self::NO_GATE.0 | Self::SILENCED.0) } else { self }
    }

    fn through_gate(self, scope: Scope) -> Self {
        if scope == Scope::Participant {
            return self.silenced();
        }
        let once = self.has(Self::NO_GATE) || self.has(Self::SILENCED);
        let one = if once { Self::ONE_GATE } else { Self::NOTHING };
        let more = self.has(Self::ONE_GATE) || self.has(Self::MORE_GATES);
        one.or(if more { Self::MORE_GATES } else { Self::NOTHING })
    }
}

/// Every way from a participant to the splitter leads through exactly one gate of recording scope, for without it a
/// pause would be recorded, and behind a second one times would be counted without the first one's pauses; and nobody
/// else's element hears what no gate has passed.
pub(super) fn check_gates(draft: &Draft<'_>, report: &mut Report) {
    let is_misplaced = |node: &&DraftNode<'_>| node.is_element(GATE) && node.spec.scope == Scope::Chunk;
    for node in draft.nodes.iter().filter(is_misplaced) {
        report.add_node(node.spec, GraphErrorKind::GateScope { gate: GATE });
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
        let from = node.links.iter().map(|link| match &link.from {
            Some(Upstream::Node { index: from, .. } | Upstream::Chunk { splitter: from, .. }) => passed[*from],
            Some(Upstream::Door(door)) if door.scope() == Scope::Participant => Passed::NO_GATE,
            Some(Upstream::Door(_)) | None => Passed::NOTHING,
        });
        let taken = from.fold(Passed::NOTHING, Passed::or);
        passed[index] = if node.is_element(GATE) {
            taken.through_gate(node.spec.scope)
        } else if is_unguarded(node, taken) {
            let kind = GraphErrorKind::Unguarded { element: node.element(), gate: GATE, scope: node.spec.scope };
            report.add_node(node.spec, kind);
            // Said once: those behind it would be guarded if it were.
            taken.silenced()
        } else {
            taken
        };
    }
    for splitter in draft.nodes.iter().filter(|node| node.is_splitter()) {
        for link in &splitter.links {
            let passed = link.node().map_or(Passed::NOTHING, |from| passed[from]);
            let key = link.input.key();
            if passed.has(Passed::NO_GATE) || passed.has(Passed::SILENCED) {
                report.add_key(splitter.spec, link.input.place, &key, GraphErrorKind::NoGate { gate: GATE });
            }
            if passed.has(Passed::MORE_GATES) {
                report.add_key(splitter.spec, link.input.place, &key, GraphErrorKind::SecondGate { gate: GATE });
            }
        }
    }
}

/// Behind the splitter it is the splitter that nothing unpaused may come to.
fn is_unguarded(node: &DraftNode<'_>, taken: Passed) -> bool {
    taken.has(Passed::NO_GATE) && !node.is_own() && node.spec.scope != Scope::Chunk
}
