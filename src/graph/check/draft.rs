//! A graph on its way from spec to plan: what has been resolved so far, and what could not be.

use crate::graph::elements::Factory;
use crate::graph::error::NodePath;
use crate::graph::plan::Limits;
use crate::graph::plan::Link;
use crate::graph::plan::Node;
use crate::graph::plan::NodeId;
use crate::graph::plan::Plan;
use crate::graph::plan::SinkPad;
use crate::graph::plan::Source;
use crate::graph::plan::SrcPad;
use crate::graph::plan::Value;
use crate::graph::spec::Door;
use crate::graph::spec::InputSpec;
use crate::graph::spec::NodeSpec;
use crate::graph::spec::Scope;
use crate::graph::spec::Spec;
use crate::model::Media;

/// The element that cuts a recording into chunks, and the only way from recording scope into chunk scope.
pub(super) const SPLITTER: &str = "reelsplit";
/// The element that takes a participant's audio, whatever its codec.
pub(super) const DECODER: &str = "reelaudiodec";
/// The element that makes one voice of all participants'.
pub(super) const MIXER: &str = "reelmixer";
/// The element that gives each participant a channel.
pub(super) const CHANNELS: &str = "reelchannels";
/// The element that takes pauses out of a recording.
pub(super) const GATE: &str = "reelgate";
/// The element that chooses by caps what it writes into a chunk's file.
pub(super) const FILE_SINK: &str = "reelsink";
/// The elements that write one file, under the name that they are told. Others with a `location` write many
/// (`multifilesink`), beside lists of them (`hlssink`), or to somewhere else.
pub(super) const FILE_SINKS: [&str; 2] = [FILE_SINK, "filesink"];

/// All nodes, in file order.
pub(super) struct Draft<'a> {
    pub(super) spec: &'a Spec,
    pub(super) nodes: Vec<DraftNode<'a>>,
}

/// One node; `None`s are what could not be resolved, and has been reported.
pub(super) struct DraftNode<'a> {
    pub(super) spec: &'a NodeSpec,
    pub(super) factory: Option<Factory>,
    pub(super) properties: Vec<(String, Value)>,
    pub(super) links: Vec<DraftLink<'a>>,
}

pub(super) struct DraftLink<'a> {
    pub(super) input: &'a InputSpec,
    pub(super) from: Option<Upstream>,
    pub(super) to: Option<SinkPad>,
}

/// Where a link comes from, by index into [`Draft::nodes`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Upstream {
    Door(Door),
    /// `pad` is `None` where the node is known but its pad could not be told.
    Node {
        index: usize,
        pad: Option<SrcPad>,
    },
    /// What went into a sink pad of the splitter.
    Chunk {
        splitter: usize,
        index: u32,
    },
}

impl<'a> Draft<'a> {
    pub(super) fn new(spec: &'a Spec) -> Self {
        let link = |input| DraftLink { input, from: None, to: None };
        let node = |node: &'a NodeSpec| DraftNode {
            spec: node,
            factory: None,
            properties: Vec::new(),
            links: node.inputs.iter().map(link).collect(),
        };
        Self { spec, nodes: spec.nodes.iter().map(node).collect() }
    }

    /// Returns all links with their nodes.
    pub(super) fn links(&self) -> impl Iterator<Item = (&DraftNode<'a>, &DraftLink<'a>)> {
        self.nodes.iter().flat_map(|node| node.links.iter().map(move |link| (node, link)))
    }

    /// Returns what takes from a node.
    pub(super) fn links_from(&self, index: usize) -> impl Iterator<Item = &DraftLink<'a>> {
        self.links().map(|(_, link)| link).filter(move |link| link.node() == Some(index))
    }

    /// Returns the indices of all nodes in stream order: scope by scope, each after those that it takes from, and
    /// else as in the file. Nodes on a cycle are left out.
    pub(super) fn stream_order(&self) -> Vec<usize> {
        let mut order = Vec::new();
        let mut is_placed = vec![false; self.nodes.len()];
        for scope in Scope::ALL {
            loop {
                let is_ready = |index: usize| {
                    let node = &self.nodes[index];
                    let mut from = node.links.iter().filter_map(DraftLink::node);
                    node.spec.scope == scope
                        && !is_placed[index]
                        && from.all(|from| is_placed[from] || self.nodes[from].spec.scope != scope)
                };
                let Some(next) = (0..self.nodes.len()).find(|&index| is_ready(index)) else { break };
                is_placed[next] = true;
                order.push(next);
            }
        }
        order
    }

    /// Makes the plan of a graph in which no rule is broken.
    pub(super) fn into_plan(self, name: &str, media: Media) -> Plan {
        let order = self.stream_order();
        let mut ids = vec![NodeId(0); self.nodes.len()];
        for (place, &index) in order.iter().enumerate() {
            ids[index] = NodeId(place);
        }
        let splitter = self.nodes.iter().position(|node| node.is_splitter()).expect("check_splitter saw one");
        let limits = self.nodes[splitter].spec.limits.as_ref();
        let limits = limits.map_or_else(Limits::default, |limits| Limits {
            max_duration: limits.value.max_duration.as_ref().map(|limit| limit.value),
            max_size: limits.value.max_size.as_ref().map(|limit| limit.value),
        });
        let file = self.nodes.iter().position(|node| node.is_file()).expect("check_chunk saw one");
        let gates = order.iter().filter(|&&index| self.nodes[index].is_element(GATE)).map(|&index| ids[index]);
        let gates = gates.collect();
        let nodes = order.iter().map(|&index| self.nodes[index].to_node(&ids, ids[index])).collect();
        Plan { name: name.to_owned(), media, limits, nodes, splitter: ids[splitter], gates, file: ids[file] }
    }
}

impl DraftNode<'_> {
    pub(super) fn is_splitter(&self) -> bool {
        self.is_element(SPLITTER)
    }

    /// Returns whether it writes a chunk's file.
    pub(super) fn is_file(&self) -> bool {
        self.spec.scope == Scope::Chunk && FILE_SINKS.iter().any(|sink| self.is_element(sink))
    }

    pub(super) fn is_element(&self, element: &str) -> bool {
        self.spec.element.as_ref().is_some_and(|found| found.value == element)
    }

    /// Returns the factory name as messages show it.
    pub(super) fn element(&self) -> String {
        self.spec.element.as_ref().map_or_else(String::new, |element| element.value.clone())
    }

    pub(super) fn path(&self) -> NodePath {
        NodePath { scope: self.spec.scope, name: self.spec.name.value.clone() }
    }

    /// Returns whether all sink pads of its inputs are known.
    pub(super) fn sinks_known(&self) -> bool {
        self.links.iter().all(|link| link.to.is_some())
    }

    /// Returns the numbers of the pads that are requested by number, in file order, each once.
    pub(super) fn sink_numbers(&self) -> Vec<u32> {
        let number = |name: &str| self.factory.iter().flat_map(Factory::sinks).find_map(|sink| sink.number(name));
        let mut numbers = Vec::new();
        for number in self.links.iter().filter_map(|link| number(link.to.as_ref()?.name())) {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        numbers
    }

    fn to_node(&self, ids: &[NodeId], id: NodeId) -> Node {
        let links = self.links.iter().map(|link| Link {
            from: match link.from.clone().expect("every source was resolved") {
                Upstream::Door(Door::Audio) => Source::Audio,
                Upstream::Door(Door::Video) => Source::Video,
                Upstream::Door(Door::Timeline) => Source::Timeline,
                Upstream::Node { index, pad } => {
                    Source::Node { id: ids[index], pad: pad.expect("every src pad was resolved") }
                }
                Upstream::Chunk { index, .. } => Source::Chunk { index },
            },
            to: link.to.clone().expect("every sink pad was resolved"),
        });
        Node {
            id,
            name: self.spec.name.value.clone(),
            scope: self.spec.scope,
            element: self.element(),
            caps: self.spec.caps.as_ref().map(|caps| caps.value.clone()),
            properties: self.properties.clone(),
            links: links.collect(),
        }
    }
}

impl DraftLink<'_> {
    /// Returns the node that the link comes from, whether or not its pad is known.
    pub(super) fn node(&self) -> Option<usize> {
        match &self.from {
            Some(Upstream::Node { index, .. } | Upstream::Chunk { splitter: index, .. }) => Some(*index),
            Some(Upstream::Door(_)) | None => None,
        }
    }
}
