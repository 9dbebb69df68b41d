//! A recording graph as it is written: every value with its place, nothing resolved, nothing guaranteed.
//!
//! `read.rs` makes it from TOML, the rules in `check/` judge it, and nobody else sees it.

use std::fmt;
use std::time::Duration;

use crate::model::Bytes;
use crate::model::ChannelType;
use crate::model::Content;
use crate::model::Format;

/// A whole file.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The `graph = { … }` line.
    pub header: HeaderSpec,
    /// All nodes, in file order.
    pub nodes: Vec<NodeSpec>,
    /// Whether the TOML itself is whole. Where it is not, what is missing here may stand in the file all the same.
    pub is_whole: bool,
}

/// Where a value begins in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In bytes, counted from 1.
    pub column: usize,
}

impl Place {
    /// The first character of a file, where what the file as a whole lacks is reported.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// A value and its place.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// What stands there.
    pub value: T,
    /// Where.
    pub place: Place,
}

/// What the graph records. A value that is absent or unreadable has been reported.
#[derive(Debug, Clone)]
pub struct HeaderSpec {
    /// Of the line, or of the file's start where there is none.
    pub place: Place,
    /// `content`.
    pub content: Option<Content>,
    /// `channel`.
    pub channel: Option<ChannelType>,
    /// `format`.
    pub format: Option<Format>,
}

/// How long a node lives. The order is that of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One copy per participant, from joining to leaving.
    Participant,
    /// As long as the recording.
    Recording,
    /// Built anew for every file.
    Chunk,
}

impl Scope {
    /// Every scope, in stream order.
    pub const ALL: [Self; 3] = [Self::Participant, Self::Recording, Self::Chunk];

    /// Returns the name of its table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Recording => "recording",
            Self::Chunk => "chunk",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where media come into a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// `@audio`: one participant's audio track.
    Audio,
    /// `@video`: one participant's video track.
    Video,
    /// `@timeline`: no media, only how far the recording has come.
    Timeline,
}

impl Door {
    /// Every door there is.
    pub const ALL: [Self; 3] = [Self::Audio, Self::Video, Self::Timeline];

    /// Returns how inputs refer to it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "@audio",
            Self::Video => "@video",
            Self::Timeline => "@timeline",
        }
    }

    /// Returns the scope whose nodes may use it.
    pub const fn scope(self) -> Scope {
        match self {
            Self::Audio | Self::Video => Scope::Participant,
            Self::Timeline => Scope::Recording,
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One table of the file: an element and what it is connected to.
#[derive(Debug, Clone)]
pub struct NodeSpec {
    /// How other nodes refer to it.
    pub name: At<String>,
    /// The table it stands in.
    pub scope: Scope,
    /// Factory name; none where it is absent (which has been reported) or its lines are not TOML.
    pub element: Option<At<String>>,
    /// Inputs in file order.
    pub inputs: Vec<InputSpec>,
    /// Where the `inputs` key stands, if there is one.
    pub inputs_place: Option<Place>,
    /// Caps that the node's output must have.
    pub caps: Option<At<String>>,
    /// Properties of the element, in file order.
    pub properties: Vec<PropertySpec>,
    /// When a chunk ends.
    pub limits: Option<At<LimitsSpec>>,
}

/// One input: what comes in, and on which pad.
#[derive(Debug, Clone)]
pub struct InputSpec {
    /// Which pad it is to go to.
    pub slot: Slot,
    /// What it refers to; none where that is unreadable (which has been reported).
    pub reference: Option<Reference>,
    /// Where the reference stands.
    pub place: Place,
}

impl InputSpec {
    /// Returns the key under which the input stands in its node: `inputs[0]`, `inputs.sink_0`, `inputs.sink_%u[1]`.
    pub fn key(&self) -> String {
        match &self.slot {
            Slot::Position(index) => format!("inputs[{index}]"),
            Slot::Pad { pad, index: None } => format!("inputs.{pad}"),
            Slot::Pad { pad, index: Some(index) } => format!("inputs.{pad}[{index}]"),
        }
    }
}

/// How an input names the sink pad it goes to.
#[derive(Debug, Clone)]
pub enum Slot {
    /// By its position in an array, from 0.
    Position(usize),
    /// By pad or pad template, and by the position among several references there.
    Pad {
        /// Key of the table.
        pad: String,
        /// None where a single reference stands there.
        index: Option<usize>,
    },
}

/// What an input refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `@audio` and its like.
    Door(Door),
    /// `node`, or `node.pad`.
    Node {
        /// Name of the node.
        node: String,
        /// Name of its src pad, if said.
        pad: Option<String>,
    },
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Door(door) => door.fmt(f),
            Self::Node { node, pad: None } => f.write_str(node),
            Self::Node { node, pad: Some(pad) } => write!(f, "{node}.{pad}"),
        }
    }
}

/// One entry of `properties`.
#[derive(Debug, Clone)]
pub struct PropertySpec {
    /// Name of the property.
    pub name: At<String>,
    /// What it is to be.
    pub value: At<Scalar>,
}

impl PropertySpec {
    /// Returns the key under which the property stands in its node: `properties.bitrate`.
    pub fn key(&self) -> String {
        format!("properties.{}", self.name.value)
    }
}

/// A single value as TOML knows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number. What is beyond 128 bits stands here as the greatest or least of them: out of any range.
    Int(i128),
    /// A number with a point or an exponent.
    Float(f64),
    /// A quoted text.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            // `4.0` must not show as `4`, which would read as an integer.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// `limits = { … }`, with what could be read of it.
#[derive(Debug, Clone, Default)]
pub struct LimitsSpec {
    /// `max-duration`.
    pub max_duration: Option<At<Duration>>,
    /// `max-size`.
    pub max_size: Option<At<Bytes>>,
}
