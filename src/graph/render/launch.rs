//! A plan as a line for gst-launch-1.0.

use crate::graph::plan::Link;
use crate::graph::plan::Node;
use crate::graph::plan::Plan;
use crate::graph::plan::Source;
use crate::graph::plan::Value;
use crate::graph::render::quote::launch_caps;
use crate::graph::render::quote::launch_value;
use crate::graph::render::quote::shell_word;
use crate::graph::spec::Scope;

/// What stands in for a decoded track; with 160 samples a buffer, 500 buffers are five seconds.
const AUDIO_CAPS: &str = "audio/x-raw,format=S16LE,rate=16000,channels=1";
/// The same for pictures; 80 are five seconds.
const VIDEO_CAPS: &str = "video/x-raw,format=I420,width=640,height=360,framerate=16/1";

/// Returns what stands after `gst-launch-1.0 -e` to run a graph on test sources: five seconds, one tone a participant
/// (300 Hz, 400 Hz, …). Safe to paste into a POSIX shell.
///
/// `@timeline` is left out: elements then follow their slowest pad. Recording nodes are named as in the file,
/// participant nodes, where a name is needed, `decode_0`, `decode_1`, …. Files are named after the graph.
pub fn launch(plan: &Plan, participants: u32) -> String {
    let mut words = Vec::new();
    for participant in 0..participants {
        Chains { plan, participant: Some(participant), scope: Scope::Participant }.write(&mut words);
    }
    Chains { plan, participant: None, scope: Scope::Recording }.write(&mut words);
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// The nodes of one scope, in one copy, as chains of `a ! b ! c`.
struct Chains<'p> {
    plan: &'p Plan,
    /// Which copy of the participant scope.
    participant: Option<u32>,
    scope: Scope,
}

impl Chains<'_> {
    fn write(&self, words: &mut Vec<String>) {
        for node in self.plan.scope_nodes(self.scope) {
            for link in &node.links {
                match link.from {
                    Source::Audio => self.chain(words, &self.audio_source(), node, link),
                    Source::Video => self.chain(words, &self.video_source(), node, link),
                    Source::Timeline | Source::Node { .. } | Source::Chunk { .. } => {}
                }
            }
            let is_head = !node.links.iter().any(|link| self.is_inline(node, link));
            if is_head {
                self.node(words, node);
            }
        }
    }

    /// Writes a chain that begins with these words and goes on with a link.
    fn chain(&self, words: &mut Vec<String>, begin: &[String], to: &Node, link: &Link) {
        words.extend_from_slice(begin);
        words.push("!".to_owned());
        self.target(words, to, link);
    }

    /// Writes a node and all that follows it.
    fn node(&self, words: &mut Vec<String>, node: &Node) {
        self.element(words, node);
        let outputs: Vec<_> = self.plan.links_from(node.id).collect();
        let caps = node.caps.iter().flat_map(|caps| ["!".to_owned(), launch_caps(caps)]);
        match outputs.as_slice() {
            [] => {}
            [(to, link)] => {
                words.extend(caps);
                words.push("!".to_owned());
                self.target(words, to, link);
            }
            many => {
                for (to, link) in many {
                    let Source::Node { pad, .. } = &link.from else { continue };
                    let begin = format!("{}.{}", self.name(node), pad.name());
                    self.chain(words, &[begin], to, link);
                }
            }
        }
    }

    /// Writes where a link leads: to the node itself if this is its only input, else to its pad by name.
    fn target(&self, words: &mut Vec<String>, to: &Node, link: &Link) {
        if self.is_inline(to, link) {
            return self.node(words, to);
        }
        let pad = link.to.name_for(self.participant.unwrap_or_default());
        let name = if to.scope == self.scope { self.name(to) } else { to.name.clone() };
        words.push(format!("{name}.{pad}"));
    }

    /// Whether a node is written right after what its link comes from.
    fn is_inline(&self, to: &Node, link: &Link) -> bool {
        let is_here = match link.from {
            Source::Audio | Source::Video => true,
            Source::Node { id, .. } => self.plan.node(id).scope == self.scope,
            Source::Timeline | Source::Chunk { .. } => false,
        };
        to.links.len() == 1 && to.scope == self.scope && is_here
    }

    fn element(&self, words: &mut Vec<String>, node: &Node) {
        words.push(node.element.clone());
        if self.is_named(node) {
            words.push(format!("name={}", self.name(node)));
        }
        for (name, value) in &node.properties {
            words.push(format!("{name}={}", text(value)));
        }
        if node.id == self.plan.splitter().id {
            self.splitter(words);
        }
        if node.id == self.plan.file().id {
            let location = format!("{}-%03d.{}", self.plan.name, self.plan.media.format());
            words.push(format!("location={}", launch_value(&location)));
        }
    }

    fn splitter(&self, words: &mut Vec<String>) {
        if let Some(limit) = self.plan.limits.max_duration {
            words.push(format!("max-duration={}", limit.as_nanos()));
        }
        if let Some(limit) = self.plan.limits.max_size {
            words.push(format!("max-size={}", limit.get()));
        }
        let mut chunk = Vec::new();
        Chains { plan: self.plan, participant: None, scope: Scope::Chunk }.write(&mut chunk);
        words.push(format!("chunk={}", launch_value(&chunk.join(" "))));
    }

    fn is_named(&self, node: &Node) -> bool {
        let is_referred_to = node.links.len() > 1 || self.plan.links_from(node.id).count() > 1;
        self.scope == Scope::Recording || is_referred_to
    }

    fn name(&self, node: &Node) -> String {
        // Node names have no underscore, so this one is nobody else's.
        self.participant.map_or_else(|| node.name.clone(), |participant| format!("{}_{participant}", node.name))
    }

    fn audio_source(&self) -> Vec<String> {
        let freq = 300 + 100 * u64::from(self.participant.unwrap_or_default());
        let source = ["audiotestsrc", "num-buffers=500", "samplesperbuffer=160"].map(str::to_owned);
        let tone = [format!("freq={freq}"), "volume=0.2".to_owned(), "!".to_owned(), AUDIO_CAPS.to_owned()];
        source.into_iter().chain(tone).collect()
    }

    fn video_source(&self) -> Vec<String> {
        ["videotestsrc", "num-buffers=80", "!", VIDEO_CAPS].map(str::to_owned).to_vec()
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::UInt(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Text(text) | Value::Nick(text) | Value::Serialized(text) => launch_value(text),
    }
}
