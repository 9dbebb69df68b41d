//! A plan as a picture for Graphviz.

use crate::graph::plan::Node;
use crate::graph::plan::NodeId;
use crate::graph::plan::Plan;
use crate::graph::plan::Source;
use crate::graph::plan::SrcPad;
use crate::graph::spec::Door;
use crate::graph::spec::Scope;

/// Returns a digraph in the DOT language: one cluster per participant and one for each other scope, edges labelled by
/// the pads that they join.
pub fn dot(plan: &Plan, participants: u32) -> String {
    let mut lines = vec![
        format!("digraph {} {{", quote(&plan.name)),
        "  rankdir=LR;".to_owned(),
        "  node [shape=box, fontname=\"sans-serif\"];".to_owned(),
        "  edge [fontname=\"sans-serif\", fontsize=10];".to_owned(),
    ];
    let mut edges = Vec::new();
    for participant in 0..participants {
        cluster(plan, Part { scope: Scope::Participant, participant: Some(participant) }, &mut lines, &mut edges);
    }
    for scope in [Scope::Recording, Scope::Chunk] {
        cluster(plan, Part { scope, participant: None }, &mut lines, &mut edges);
    }
    for node in plan.scope_nodes(Scope::Recording) {
        joins(plan, node, participants, &mut edges);
    }
    lines.append(&mut edges);
    lines.push("}\n".to_owned());
    lines.join("\n")
}

/// One scope, of one participant where it is theirs.
#[derive(Debug, Clone, Copy)]
struct Part {
    scope: Scope,
    participant: Option<u32>,
}

impl Part {
    fn title(self) -> String {
        match self.participant {
            Some(participant) => format!("{} {participant}", self.scope),
            None => self.scope.to_string(),
        }
    }

    /// The id of something in here. Names have no slash, so it is unique.
    fn id(self, name: &str) -> String {
        quote(&format!("{}/{name}", self.title()))
    }
}

fn cluster(plan: &Plan, part: Part, lines: &mut Vec<String>, edges: &mut Vec<String>) {
    lines.push(format!("  subgraph {} {{", quote(&format!("cluster {}", part.title()))));
    lines.push(format!("    label={};", quote(&part.title())));
    for door in Door::ALL.into_iter().filter(|door| door.scope() == part.scope) {
        let is_used = plan.scope_nodes(part.scope).flat_map(|node| &node.links).any(|link| is_door(&link.from, door));
        if is_used {
            lines.push(format!("    {} [label={}, shape=ellipse];", part.id(door.as_str()), quote(door.as_str())));
        }
    }
    for node in plan.scope_nodes(part.scope) {
        let label = format!("{}\\n{}", escape(&node.name), escape(&node.element));
        lines.push(format!("    {} [label=\"{label}\"];", part.id(&node.name)));
        for link in &node.links {
            let to = part.id(&node.name);
            let (from, src) = match &link.from {
                Source::Audio => (part.id(Door::Audio.as_str()), String::new()),
                Source::Video => (part.id(Door::Video.as_str()), String::new()),
                Source::Timeline => (part.id(Door::Timeline.as_str()), String::new()),
                Source::Node { id, pad } if plan.node(*id).scope == part.scope => {
                    (part.id(&plan.node(*id).name), pad.name().to_owned())
                }
                Source::Node { .. } => continue,
                Source::Chunk { index } => {
                    let recording = Part { scope: Scope::Recording, participant: None };
                    (recording.id(&plan.splitter().name), format!("src_{index}"))
                }
            };
            edges.push(edge(&from, &to, &src, link.to.name()));
        }
    }
    lines.push("  }".to_owned());
}

/// The edges from every participant into the recording.
fn joins(plan: &Plan, node: &Node, participants: u32, edges: &mut Vec<String>) {
    let to = Part { scope: Scope::Recording, participant: None }.id(&node.name);
    for link in &node.links {
        let Some((from, src)) = participant_source(plan, &link.from) else { continue };
        for participant in 0..participants {
            let part = Part { scope: Scope::Participant, participant: Some(participant) };
            let pad = link.to.name_for(participant);
            edges.push(edge(&part.id(&plan.node(from).name), &to, src.name(), &pad));
        }
    }
}

fn participant_source<'p>(plan: &Plan, from: &'p Source) -> Option<(NodeId, &'p SrcPad)> {
    match from {
        Source::Node { id, pad } if plan.node(*id).scope == Scope::Participant => Some((*id, pad)),
        _ => None,
    }
}

fn is_door(from: &Source, door: Door) -> bool {
    match from {
        Source::Audio => door == Door::Audio,
        Source::Video => door == Door::Video,
        Source::Timeline => door == Door::Timeline,
        Source::Node { .. } | Source::Chunk { .. } => false,
    }
}

fn edge(from: &str, to: &str, src: &str, sink: &str) -> String {
    let label = if src.is_empty() { sink.to_owned() } else { format!("{src} → {sink}") };
    format!("  {from} -> {to} [label={}];", quote(&label))
}

fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
