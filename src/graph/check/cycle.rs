//! Media go one way.

use crate::graph::check::draft::Draft;
use crate::graph::check::draft::DraftLink;
use crate::graph::error::GraphErrorKind;
use crate::graph::report::Report;

/// No node takes from itself, however far around. Looks inside scopes only: from one scope to another there is no way
/// back, and whoever tries it is told so.
pub(super) fn check_cycles(draft: &Draft<'_>, report: &mut Report) {
    let mut walk = Walk { draft, states: vec![State::New; draft.nodes.len()], path: Vec::new() };
    for index in 0..draft.nodes.len() {
        walk.visit(index, report);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    OnPath,
    Done,
}

/// A depth-first walk against the stream. Its depth is at most the number of nodes, which is limited.
struct Walk<'d, 'a> {
    draft: &'d Draft<'a>,
    states: Vec<State>,
    path: Vec<usize>,
}

impl Walk<'_, '_> {
    fn visit(&mut self, index: usize, report: &mut Report) {
        match self.states[index] {
            State::Done => return,
            State::OnPath => return self.report(index, report),
            State::New => {}
        }
        self.states[index] = State::OnPath;
        self.path.push(index);
        let draft = self.draft;
        let node = &draft.nodes[index];
        for from in node.links.iter().filter_map(DraftLink::node) {
            if draft.nodes[from].spec.scope == node.spec.scope {
                self.visit(from, report);
            }
        }
        self.path.pop();
        self.states[index] = State::Done;
    }

    /// Reports the end of the path from a node on, in stream order, which is against the path.
    fn report(&self, index: usize, report: &mut Report) {
        let begin = self.path.iter().position(|&on_path| on_path == index).expect("the node is on the path");
        let circle = [index].into_iter().chain(self.path[begin..].iter().rev().copied());
        let nodes = circle.map(|index| self.draft.nodes[index].spec.name.value.clone()).collect();
        report.add_node(self.draft.nodes[index].spec, GraphErrorKind::Cycle { nodes });
    }
}
