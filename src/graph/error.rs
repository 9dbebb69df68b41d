//! What can be wrong with a graph: one variant per fact, with the place and with what would be valid.
//!
//! All of it is the graph's author to put right, and none of it is worth a retry, but for one: an element that is not
//! installed ([`GraphErrorKind::UnknownElement`]) is the environment's fault where its package is known.

use std::fmt;

use crate::graph::elements::CapsError;
use crate::graph::known::Known;
use crate::graph::plan::LimitError;
use crate::graph::spec::Door;
use crate::graph::spec::Place;
use crate::graph::spec::Scope;
use crate::model::Bytes;
use crate::model::BytesError;
use crate::model::ChannelType;
use crate::model::DurationError;
use crate::model::Format;
use crate::model::MediaError;
use crate::model::text::printable;

/// One thing that is wrong, and where.
///
/// Shown on one line: `pipelines/x.toml:12: [recording.mix] inputs[0]: no node named "decod"; did you mean …`.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphError {
    /// The file as it was named by whoever asked.
    pub file: String,
    /// Where in the file.
    pub place: Place,
    /// The table at fault; none for the file as a whole and for its header.
    pub node: Option<NodePath>,
    /// The key at fault: `inputs[0]`, `properties.bitrate`.
    pub key: Option<String>,
    /// What is wrong.
    pub kind: GraphErrorKind,
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = match (&self.node, &self.key) {
            (Some(node), Some(key)) => format!("[{node}] {key}: "),
            (Some(node), None) => format!("[{node}]: "),
            (None, Some(key)) => format!("{key}: "),
            (None, None) => String::new(),
        };
        // Names are whatever somebody has written.
        f.write_str(&printable(&format!("{}:{}: {at}{}", self.file, self.place.line, self.kind)))
    }
}

impl std::error::Error for GraphError {}

/// A node as its table is headed: `recording.mix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePath {
    /// Its scope.
    pub scope: Scope,
    /// Its name.
    pub name: String,
}

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.scope, self.name)
    }
}

/// What is wrong with a graph.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are the words of each message, which stands above them")]
pub enum GraphErrorKind {
    // The file.
    /// The file is larger than any graph.
    #[error("file of {size} is too big for a graph; it may have {max}")]
    TooBig { size: Bytes, max: Bytes },
    /// It has more nodes than any graph.
    #[error("{nodes} nodes are too many; a graph may have {max}")]
    TooManyNodes { nodes: usize, max: usize },
    /// One node has more inputs than any node.
    #[error("{inputs} inputs are too many; a node may have {max}")]
    TooManyInputs { inputs: usize, max: usize },
    /// Not TOML.
    #[error("not valid TOML: {message}")]
    Syntax { message: String },
    /// A key that means nothing.
    #[error("unknown key {found:?}{known}")]
    UnknownKey { found: String, known: Known },
    /// A key that must be there.
    #[error("{key} is missing; write {valid}")]
    MissingKey { key: &'static str, valid: &'static str },
    /// A character that no name and no value of GStreamer's can have.
    #[error("{text:?} has a NUL character in it; leave it out")]
    Nul { text: String },
    /// A value of a TOML type that can never stand there.
    #[error("expected {expected}, found {found}")]
    WrongType { expected: &'static str, found: &'static str },
    /// Content, channel or format is none, or they do not go together.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The files are not what they are called.
    #[error(
        "files of format {format} would hold {written}; write format = \"{written}\", \
         or another encoder before the file"
    )]
    OtherFormat { format: Format, written: Format },
    /// A file that nobody could play by its name.
    #[error("{given} comes into the file, and files of format {format} are made of {}", held.join(", "))]
    NotOfFormat { format: Format, held: Vec<&'static str>, given: String },
    /// Channels are not what they are called.
    #[error("{element} makes {made} channels, not {channel} ones; write channel = \"{made}\"")]
    OtherChannel { channel: ChannelType, element: &'static str, made: ChannelType },
    /// Nobody feeds pictures.
    #[error("video cannot be recorded yet; write content = \"audio\"")]
    NoVideoYet,
    /// Nobody cuts a second track.
    #[error("{splitter} cuts one track so far, and this is one more; leave it out")]
    OneTrackYet { splitter: &'static str },
    /// Not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// Not a size.
    #[error(transparent)]
    Size(#[from] BytesError),

    // Names.
    /// A name that elements and references cannot have.
    #[error("{name:?} is no node name; write 1 to {max} of a-z, 0-9 and -, beginning with a letter")]
    BadNodeName { name: String, max: usize },
    /// Two nodes of one name.
    #[error("name {name:?} is taken by [{scope}.{name}] on line {line}; names are unique in a file")]
    DuplicateNode { name: String, scope: Scope, line: usize },
    /// A text that refers to nothing.
    #[error("{reference:?} is no reference; write \"node\", \"node.pad\", or one of {doors}", doors = Doors)]
    BadReference { reference: String },
    /// A door that does not exist.
    #[error("no door named {door:?}; known: {doors}", doors = Doors)]
    UnknownDoor { door: String },
    /// A node that does not exist.
    #[error("no node named {name:?}{known}")]
    UnknownNode { name: String, known: Known },

    // Elements.
    /// An element that is not installed.
    #[error("no element named {element:?} is installed{}{known}", in_package(.package))]
    UnknownElement { element: String, package: Option<String>, known: Known },
    /// An element that makes media of its own.
    #[error("{element} has no sink pad; media come into a graph only through {doors}", doors = Doors)]
    NoSinkPad { element: String },
    /// An element that works on its own thread where all must be done in the tick.
    #[error(
        "{element} has a thread of its own; only {allowed} may, the rest of a recording works on its worker's thread"
    )]
    OwnThread { element: String, allowed: &'static str },
    /// An aggregator that would wait for its slowest input for ever.
    #[error(
        "{element} with more than one input needs property latency of at least {min_ns} (ns), {}, \
         else a silent participant blocks the worker for ever",
        instead_of(.found)
    )]
    AggregatorLatency { element: String, found: Option<u64>, min_ns: u64 },

    /// An element that waits for its slowest input, whatever its properties are.
    #[error(
        "{element} with more than one input waits for the slowest of them, and blocks the worker for ever; \
         let reelmixer or reelchannels join them"
    )]
    WaitsForInputs { element: String },

    // Properties.
    /// A property that the element does not have.
    #[error("{element} has no property {property:?}{known}")]
    UnknownProperty { element: String, property: String, known: Known },
    /// A property that can only be read, or only be set while the element is made.
    #[error("property {property} of {element} cannot be set")]
    ReadOnlyProperty { element: String, property: String },
    /// A property that the engine sets.
    #[error("property {property} of {element} is set by the engine; {instead}")]
    EngineProperty { element: String, property: String, instead: &'static str },
    /// A value of a type that the property does not take.
    #[error("property {property} of {element} takes {expected}, not {found}")]
    PropertyType { element: String, property: String, expected: String, found: String },
    /// A number that the property does not take.
    #[error("{found} is out of range; property {property} of {element} takes {range}")]
    OutOfRange { element: String, property: String, found: String, range: String },
    /// A word that the property does not take.
    #[error("property {property} of {element} has no value {found:?}{known}")]
    UnknownNick { element: String, property: String, found: String, known: Known },

    // Caps.
    /// A text that is no caps.
    #[error("{0}; write them as GStreamer does: \"audio/x-raw,format=S16LE,rate=16000,channels=1\"")]
    BadCaps(#[from] CapsError),
    /// A node's caps are none that its element makes.
    #[error("{element} never makes {caps}; its pad {pad} makes {valid}")]
    CapsNotMade { element: String, caps: String, pad: String, valid: String },
    /// Two ends of a link that have no caps in common.
    #[error("caps of {from} and {to} cannot meet; {from} gives {given}, {to} takes {taken}")]
    CapsCannotMeet { from: String, given: String, to: String, taken: String },
    /// Caps of a node without exactly one output.
    #[error("caps filter a node's one output, but {node:?} has {outputs}")]
    CapsWithoutOutput { node: String, outputs: usize },

    /// Caps between a splitter and its files.
    #[error("what comes out of {splitter} is what went in; write caps on the node before it")]
    CapsOfSplitter { splitter: &'static str },
    /// A track that something else takes.
    #[error(
        "{door} is of any codec, and silent in pauses only behind {decoder}; let that take it, and {element} take what \
         comes out",
        door = Door::Audio
    )]
    NotDecoded { element: String, decoder: &'static str },

    // Pads.
    /// A pad that the element cannot have.
    #[error("{element} has no sink pad {pad:?}{known}")]
    UnknownSinkPad { element: String, pad: String, known: Known },
    /// A pad that the element cannot have.
    #[error("node {node:?} ({element}) has no src pad {pad:?}{known}")]
    UnknownSrcPad { node: String, element: String, pad: String, known: Known },
    /// A node that nothing comes out of.
    #[error("nothing comes out of node {node:?}: {element} has no src pad")]
    NoSrcPad { node: String, element: String },
    /// A position that may mean several pads.
    #[error(
        "{element} has more than one kind of sink pad; write a table that says which, \
         as in {{ \"{example}\" = \"…\" }}{known}"
    )]
    AmbiguousSinkPad { element: String, example: String, known: Known },
    /// A node that several pads come out of.
    #[error("node {node:?} ({element}) has more than one src pad; say which, as in \"{node}.{example}\"{known}")]
    AmbiguousSrcPad { node: String, element: String, example: String, known: Known },
    /// More inputs than the one that there is.
    #[error("{element} has one sink pad only, {pad:?}; mix or mux the inputs before it")]
    SingleSinkPad { element: String, pad: String },
    /// Pads that nobody can foresee.
    #[error("pads {template:?} of {element} appear while it runs; a graph can only link pads that are known before")]
    UnplannedSrcPad { element: String, template: String },
    /// A second link into a sink pad.
    #[error("sink pad {pad:?} is already linked by {by}")]
    SinkPadTaken { pad: String, by: String },
    /// A second link out of a src pad or door.
    #[error("{from} is already linked to {by}; put a tee after it to use it twice")]
    SrcPadTaken { from: String, by: String },
    /// Something beside a participant node on pads that are numbered as the participants are.
    #[error("pads {template:?} are one per participant of {by}; no other input can go there")]
    TemplateTaken { template: String, by: String },
    /// Nothing comes in.
    #[error(
        "node has no inputs; write inputs = [\"…\"] with the node it takes media from, or one of {doors}",
        doors = Doors
    )]
    NoInputs,
    /// A pad that must be linked.
    #[error("sink pad {pad:?} of {element} is not linked")]
    UnlinkedSinkPad { element: String, pad: String },
    /// A mixer that would follow its slowest input.
    #[error(
        "sink pad {pad:?} of {element} is not linked; without {pad} = \"{door}\" one stalled participant \
         stops the recording",
        door = Door::Timeline
    )]
    UnlinkedTimeline { element: String, pad: String },
    /// Media that go nowhere.
    #[error("src pad {pad:?} of {element} is not linked; let a node take it, or leave this one out")]
    UnlinkedSrcPad { element: String, pad: String },

    // Shape.
    /// Nodes that take from each other.
    #[error("nodes take from each other in a circle: {}", .nodes.join(" -> "))]
    Cycle { nodes: Vec<String> },
    /// A door that another scope has.
    #[error("{door} opens into {} scope, not into {scope} scope", .door.scope())]
    DoorScope { door: Door, scope: Scope },
    /// An input from a scope that a node cannot reach.
    #[error("[{from_scope}.{from}] is out of reach of {to_scope} scope; {valid}")]
    OutOfReach { from: String, from_scope: Scope, to_scope: Scope, valid: &'static str },
    /// Many participants into a single pad.
    #[error(
        "{from:?} comes once per participant, and sink pad {pad:?} of {element} is one; \
         let an element with a request pad template such as reelmixer join them"
    )]
    OnePadForMany { from: String, element: String, pad: String },
    /// Many participants into an element that does not join them.
    #[error(
        "{from:?} comes once per participant, and {element} joins nothing: its outputs would be per participant too; \
         use it in participant scope, or after an element such as reelmixer"
    )]
    NotJoined { from: String, element: String },
    /// A participant's media end before the recording.
    #[error(
        "{element} ends a participant's media here, and they never reach the recording; let a recording node take them"
    )]
    NeverRecorded { element: String },
    /// No participant's media come in.
    #[error("no node takes {door}, so nobody's media come in there; let a participant node take it")]
    DoorUnused { door: Door },
    /// Video in a graph for audio.
    #[error("{door} is taken, but the graph's content is audio; write content = \"audio-video\"")]
    DoorNotInContent { door: Door },

    // Pauses.
    /// A gate that lives as long as something else.
    #[error("{gate} pauses the whole recording, so its table is [recording.…], not [{scope}.…]")]
    GateScope { gate: &'static str, scope: Scope },
    /// Media that no pause stops.
    #[error("participants' media come here without a {gate}, so that a pause would be recorded; let them pass one")]
    NoGate { gate: &'static str },
    /// Media that two gates stop.
    #[error("participants' media come here through more than one {gate}; one pauses all of its pads")]
    SecondGate { gate: &'static str },

    // Chunks.
    /// A recording that is not cut.
    #[error("no node is a {splitter}; a recording ends in one [recording.…] node with element = \"{splitter}\"")]
    NoSplitter { splitter: &'static str },
    /// A recording that is cut twice.
    #[error("[{scope}.{first}] on line {line} is the {splitter} already; a graph has one")]
    SecondSplitter { splitter: &'static str, scope: Scope, first: String, line: usize },
    /// A splitter that lives as long as something else.
    #[error("{splitter} stands between recording and chunk, so its table is [recording.…], not [{scope}.…]")]
    SplitterScope { splitter: &'static str, scope: Scope },
    /// No files.
    #[error("no [chunk.…] node writes what comes out of {splitter}; the least is element = \"reelsink\"")]
    NoChunk { splitter: &'static str },
    /// Files with nothing to write them.
    #[error("no node of the chunk scope writes a file; let the last one be element = \"reelsink\"")]
    ChunkWithoutFile,
    /// A chunk of two files.
    #[error("[chunk.{first}] on line {line} writes the chunk's file already; a chunk is one file")]
    SecondFile { first: String, line: usize },
    /// A sink that is not the chunk's file.
    #[error(
        "media of a recording go into its chunks' files and nowhere else; sinks are {} in [chunk.…], and {nowhere}",
        files.join(" or ")
    )]
    OtherSink { files: &'static [&'static str], nowhere: &'static str },
    /// Limits of a node that cuts nothing.
    #[error("only the {splitter} has limits")]
    LimitsElsewhere { splitter: &'static str },
    /// A limit beyond what makes sense.
    #[error(transparent)]
    Limit(#[from] LimitError),
}

fn in_package(package: &Option<String>) -> String {
    package.as_ref().map_or_else(String::new, |package| format!("; it is in Debian package {package}"))
}

fn instead_of(found: &Option<u64>) -> String {
    found.map_or_else(|| "none is set".to_owned(), |found| format!("not {found}"))
}

/// The doors as messages list them.
struct Doors;

impl fmt::Display for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Door::ALL.map(Door::as_str).join(", "))
    }
}
