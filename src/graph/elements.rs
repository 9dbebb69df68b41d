//! What a graph must ask of the installed elements, without knowing who answers.
//!
//! `pipeline/` answers with GStreamer's registry, the tests of this room with a list of their own.

/// The installed elements.
pub trait Elements {
    /// Returns what is known of an element, `None` when no such element is installed.
    fn factory(&self, element: &str) -> Option<Factory>;

    /// Returns the names of all installed elements, for suggestions.
    fn names(&self) -> Vec<String>;

    /// Returns the Debian package that has an element that is not installed, if that is known.
    fn package(&self, element: &str) -> Option<String>;

    /// Returns the caps that both allow, `None` when there are none.
    ///
    /// # Errors
    ///
    /// [`CapsError`] when either cannot be parsed.
    fn intersect(&self, a: &str, b: &str) -> Result<Option<String>, CapsError>;

    /// Returns whether all that `a` allows is allowed by `b`; not where either cannot be parsed.
    fn is_subset(&self, a: &str, b: &str) -> bool;

    /// Returns whether a property of [`PropertyKind::Other`] takes a value, written as GStreamer writes it.
    fn takes(&self, element: &str, property: &str, value: &str) -> bool;

    /// Returns whether somebody feeds participants' pictures to them.
    fn has_video(&self) -> bool;
}

/// Returns whether an element is one of Reelgraph's, by its name.
pub fn is_own(element: &str) -> bool {
    element.starts_with("reel")
}

/// A text that is no caps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{caps:?} are no caps")]
pub struct CapsError {
    /// The text.
    pub caps: String,
}

/// The property by which sinks are told where to write.
pub const LOCATION: &str = "location";

/// One installed element.
#[derive(Debug, Clone, PartialEq)]
pub struct Factory {
    /// Its pad templates, in any order.
    pub pads: Vec<PadTemplate>,
    /// Its properties, those of its base classes included, in any order.
    pub properties: Vec<Property>,
    /// Whether it works on a thread of its own, as `queue` and every live source do. Aggregators do too, but are told
    /// by the other field, because there is no stock way to mix without one.
    pub own_thread: bool,
    /// Whether it is a `GstAggregator`: it waits for all of its sink pads, as long as its `latency` says.
    pub aggregator: bool,
    /// Whether a push into one of its sink pads waits for all others, for as long as that takes.
    pub waits_for_inputs: bool,
}

impl Factory {
    /// Returns its sink pad templates.
    pub fn sinks(&self) -> impl Iterator<Item = &PadTemplate> {
        self.pads.iter().filter(|pad| pad.direction == Direction::Sink)
    }

    /// Returns its src pad templates.
    pub fn srcs(&self) -> impl Iterator<Item = &PadTemplate> {
        self.pads.iter().filter(|pad| pad.direction == Direction::Src)
    }

    /// Returns the sink template that makes the partner of a src pad that comes and goes: in Reelgraph's own elements
    /// (`reelgate`, `reelmeta`) `src_N` appears when `sink_N` is requested.
    pub fn partner(&self, src: &PadTemplate) -> Option<&PadTemplate> {
        if src.presence != Presence::Sometimes || src.prefix().is_none() {
            return None;
        }
        let name = src.name.replacen("src", "sink", 1);
        self.sinks().find(|sink| sink.presence == Presence::Request && sink.name == name)
    }
}

/// What pads an element has or can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PadTemplate {
    /// Name, with `%u` or `%d` where a number stands.
    pub name: String,
    /// Which way media go.
    pub direction: Direction,
    /// When it is there.
    pub presence: Presence,
    /// All caps that it can ever have.
    pub caps: String,
}

impl PadTemplate {
    /// Returns what stands before the number; `None` when its pads are not numbered by one number at the end.
    pub fn prefix(&self) -> Option<&str> {
        let prefix = self.name.strip_suffix("%u").or_else(|| self.name.strip_suffix("%d"))?;
        (!prefix.contains('%')).then_some(prefix)
    }

    /// Returns the name of its pad with this number, or its own name when its pads are not numbered.
    pub fn pad(&self, number: u32) -> String {
        self.prefix().map_or_else(|| self.name.clone(), |prefix| format!("{prefix}{number}"))
    }

    /// Returns the number of one of its pads; `None` for the name of any other pad. `sink_007` is no pad: names must
    /// be what GStreamer would give.
    pub fn number(&self, pad: &str) -> Option<u32> {
        let digits = pad.strip_prefix(self.prefix()?)?;
        let number: u32 = digits.parse().ok()?;
        (number.to_string() == digits).then_some(number)
    }
}

/// Which way media go through a pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into the element.
    Sink,
    /// Out of it.
    Src,
}

/// When a pad is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// From the beginning.
    Always,
    /// When the element finds a reason.
    Sometimes,
    /// When it is asked for.
    Request,
}

/// One property of an element.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Whether it can be set once the element is there.
    pub writable: bool,
    /// What it takes.
    pub kind: PropertyKind,
}

/// What a property takes.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyKind {
    /// `true` or `false`.
    Bool,
    /// A whole number of this range, both ends included.
    Int {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// A whole number of this range that is never negative.
    UInt {
        /// Least.
        min: u64,
        /// Greatest.
        max: u64,
    },
    /// A number of this range, both ends included.
    Float {
        /// Least.
        min: f64,
        /// Greatest.
        max: f64,
    },
    /// One of these words.
    Enum {
        /// All words.
        nicks: Vec<String>,
    },
    /// Any of these words, with `+` between them.
    Flags {
        /// All words.
        nicks: Vec<String>,
    },
    /// Any text.
    Text,
    /// A type of GStreamer's own, written as text (`GstCaps`, `GstFraction`, …).
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(name: &str) -> PadTemplate {
        PadTemplate {
            name: name.to_owned(),
            direction: Direction::Sink,
            presence: Presence::Request,
            caps: "ANY".to_owned(),
        }
    }

    #[test]
    fn numbers_are_read_back_as_they_are_written() {
        let sink = template("sink_%u");
        assert_eq!(sink.pad(7), "sink_7");
        assert_eq!(sink.number("sink_7"), Some(7));
        for other in ["sink_", "sink_07", "sink_+7", "sink_-1", "src_7", "sink_%u", "sink_4294967296"] {
            assert_eq!(sink.number(other), None, "{other}");
        }
    }

    #[test]
    fn a_template_without_one_number_at_its_end_is_not_numbered() {
        for name in ["timeline", "recv_%u_%u", "sink_%s", "%u_sink"] {
            assert_eq!(template(name).prefix(), None, "{name}");
        }
        assert_eq!(template("timeline").pad(0), "timeline");
    }
}
