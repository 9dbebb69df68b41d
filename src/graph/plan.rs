//! A checked graph: every name resolved, every pad known, in stream order. `pipeline/` builds from nothing else.
//!
//! A plan exists only when no rule of `check/` was broken, so whoever holds one need not check again.

use std::time::Duration;

use crate::graph::spec::Scope;
use crate::model::Bytes;
use crate::model::Media;
use crate::model::units::format_duration;

/// A checked graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The file's name without directory and extension; the name of a shipped graph.
    pub name: String,
    /// What it records.
    pub media: Media,
    /// When a chunk ends.
    pub limits: Limits,
    /// All nodes in stream order: each stands after all that it takes media from, and scopes stand one after the
    /// other. A node's place in here is its id.
    pub nodes: Vec<Node>,
    pub(in crate::graph) splitter: NodeId,
    pub(in crate::graph) gates: Vec<NodeId>,
    pub(in crate::graph) file: NodeId,
}

impl Plan {
    /// Returns a node. Ids are those of this plan's nodes and links.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Returns the node that cuts the recording into chunks.
    pub fn splitter(&self) -> &Node {
        self.node(self.splitter)
    }

    /// Returns the node of chunk scope that writes the file; its element has the property `location`.
    pub fn file(&self) -> &Node {
        self.node(self.file)
    }

    /// Returns the nodes that pause the recording, at least one: all that participants send passes one of them.
    pub fn gates(&self) -> impl Iterator<Item = &Node> {
        self.gates.iter().map(|id| self.node(*id))
    }

    /// Returns the nodes of participant scope that take what a participant sends.
    pub fn decoders(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.links.iter().any(|link| link.from == Source::Audio))
    }

    /// Returns the nodes that are told how far the recording has come: those that join participants.
    pub fn joins(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.links.iter().any(|link| link.from == Source::Timeline))
    }

    /// Returns the nodes of a scope in stream order.
    pub fn scope_nodes(&self, scope: Scope) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.scope == scope)
    }

    /// Returns all links that take from a node, with the nodes they lead to, in stream order.
    pub fn links_from(&self, id: NodeId) -> impl Iterator<Item = (&Node, &Link)> {
        let links = self.nodes.iter().flat_map(|node| node.links.iter().map(move |link| (node, link)));
        links.filter(move |(_, link)| matches!(link.from, Source::Node { id: from, .. } if from == id))
    }
}

/// A node of a plan, by its place in [`Plan::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// When a chunk ends and the next begins. Without any limit a recording is one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Longest chunk, in recorded time: [`Limits::DURATION_MIN`] to [`Limits::DURATION_MAX`].
    pub max_duration: Option<Duration>,
    /// Largest file: [`Limits::SIZE_MIN`] to [`Limits::SIZE_MAX`].
    pub max_size: Option<Bytes>,
}

impl Limits {
    /// Shortest limit of a chunk: one tick of the engine. Shorter ones would make more files than sound.
    pub const DURATION_MIN: Duration = Duration::from_millis(100);
    /// Longest limit of a chunk: a year. GStreamer could count 584 of them.
    pub const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
    /// Smallest limit of a file: less is mostly headers.
    pub const SIZE_MIN: Bytes = Bytes::new(4 << 10);
    /// Largest limit of a file: 1024 TiB, more than file systems hold.
    pub const SIZE_MAX: Bytes = Bytes::new(1 << 50);

    /// Returns a limit of a chunk's duration, if it can be kept.
    pub fn check_duration(duration: Duration) -> Result<Duration, LimitError> {
        let (min, max) = (Self::DURATION_MIN, Self::DURATION_MAX);
        let [found, least, most] = [duration, min, max].map(format_duration);
        let is_kept = (min..=max).contains(&duration);
        is_kept.then_some(duration).ok_or(LimitError { found, min: least, max: most })
    }

    /// Returns a limit of a file's size, if it can be kept.
    pub fn check_size(size: Bytes) -> Result<Bytes, LimitError> {
        let (min, max) = (Self::SIZE_MIN, Self::SIZE_MAX);
        let [found, least, most] = [size, min, max].map(|size| size.to_string());
        (min..=max).contains(&size).then_some(size).ok_or(LimitError { found, min: least, max: most })
    }
}

/// A limit beyond what makes sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} is out of range; write {min} to {max}")]
pub struct LimitError {
    /// What stands there.
    pub found: String,
    /// Least.
    pub min: String,
    /// Most.
    pub max: String,
}

/// One element to be made: once, per participant or per chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its place in [`Plan::nodes`].
    pub id: NodeId,
    /// Its name in the file: `[a-z][a-z0-9-]*`.
    pub name: String,
    /// How long it lives.
    pub scope: Scope,
    /// Factory name of its element, which is installed.
    pub element: String,
    /// Caps that its output must have; such a node has exactly one linked src pad.
    pub caps: Option<String>,
    /// Properties to set, in file order, each of the type that the element wants.
    pub properties: Vec<(String, Value)>,
    /// What comes in, in file order.
    pub links: Vec<Link>,
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a boolean property.
    Bool(bool),
    /// Of a signed integer property, within its range.
    Int(i64),
    /// Of an unsigned integer property, within its range.
    UInt(u64),
    /// Of a floating-point property, within its range.
    Float(f64),
    /// Of a string property.
    Text(String),
    /// Of an enum property, by its nick, or of a flags property, by its nicks with `+` between them.
    Nick(String),
    /// Of any other type, as GStreamer serialises it (`"1/100"` of a fraction).
    Serialized(String),
}

/// A connection into a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where media come from.
    pub from: Source,
    /// Where they go.
    pub to: SinkPad,
}

/// Where the media of a link come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// This participant's audio track; in participant scope only.
    Audio,
    /// This participant's video track; in participant scope only.
    Video,
    /// How far the recording has come; in recording scope only. The one source that may have several links.
    Timeline,
    /// Another node. In recording scope it may be a participant node, which then has as many src pads as there are
    /// participants, and the link's sink pad is [`SinkPad::PerParticipant`].
    Node {
        /// The node.
        id: NodeId,
        /// Its pad.
        pad: SrcPad,
    },
    /// What went into a sink pad of the splitter; in chunk scope only.
    Chunk {
        /// Number of the splitter's sink pad: `sink_0` comes out as 0.
        index: u32,
    },
}

/// Who chose the name of a pad that is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// The graph's author, who means this pad.
    Author,
    /// Nobody: it is the next number. An element that makes something else of its pads' names chooses by itself
    /// (`oggmux` reads a serial number out of them, `mpegtsmux` a PID, and neither takes `sink_0`).
    Counted,
}

/// A pad that media go into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkPad {
    /// A pad that the element always has.
    Always {
        /// Its name.
        name: String,
    },
    /// A pad to be requested.
    Request {
        /// Template to request it from.
        template: String,
        /// Name to request it by.
        name: String,
        /// Who chose the name.
        naming: Naming,
    },
    /// One pad to be requested per participant, numbered as the participants are.
    PerParticipant {
        /// Template to request them from.
        template: String,
    },
}

impl SinkPad {
    /// Returns the pad's name; of many, that of their template.
    pub fn name(&self) -> &str {
        match self {
            Self::Always { name } | Self::Request { name, .. } => name,
            Self::PerParticipant { template } => template,
        }
    }

    /// Returns the name of the pad for the participant of this number, counted from 0. Where all share a pad it is
    /// that one.
    pub fn name_for(&self, participant: u32) -> String {
        let number = participant.to_string();
        match self {
            Self::Always { name } | Self::Request { name, .. } => name.clone(),
            Self::PerParticipant { template } => template.replace("%u", &number).replace("%d", &number),
        }
    }
}

/// A pad that media come out of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SrcPad {
    /// A pad that the element always has.
    Always {
        /// Its name.
        name: String,
    },
    /// A pad that appeared when its partner among the sink pads was requested: `src_0` with `sink_0`.
    Sometimes {
        /// Its template.
        template: String,
        /// Its name.
        name: String,
    },
    /// A pad to be requested.
    Request {
        /// Template to request it from.
        template: String,
        /// Name to request it by.
        name: String,
    },
}

impl SrcPad {
    /// Returns the pad's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Always { name } | Self::Sometimes { name, .. } | Self::Request { name, .. } => name,
        }
    }
}
