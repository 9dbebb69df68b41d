//! Every structure that Reelgraph's elements send, and the only place that spells a structure or field name.
//!
//! This is the whole contract between the elements, and between elements and engine: *messages* go up to the bus,
//! *events* go along the stream. Each has a type here, which makes the structure and is `read` from one.
//!
//! | structure | kind | from → to | when |
//! |---|---|---|---|
//! | `reel-level` | element message | `reelmixer` → engine | once a mixed buffer |
//! | `reel-chunk` | element message | `reelmeta` → engine | at the end of a chunk |
//! | `reel-file` | element message | `reelsink` → engine | when a file is complete |
//! | `reel-gate` | sticky event, downstream | `reelgate` → `reelmeta` | at each pause and resume |
//! | `reel-channels` | sticky event and element message | `reelchannels` → `reelmeta`, engine | when a participant gets a channel |
//! | `reel-chunk-start` | sticky event, downstream | `reelsplit` → `reelmeta`, `reelsink` | first in each chunk |
//! | `reel-chunk-end` | event, downstream | `reelmeta` → `reelsink` | last in each chunk, before EOS |
//! | `reel-pause` | event, upstream | `reelgate` → `reelchannels` | when a pause or resume is scheduled, and for all at stream-start |
//! | `reel-stats` | property `stats` | any element → whoever asks | at any time |
//! | `reel-room` | query, downstream | `reelsplit` → `reelsink` | before a buffer, where a chunk's size is limited |

/// Name of the structure that every element's property `stats` is. Its fields are the element's own.
pub const STATS: &str = "reel-stats";

/// A structure that is not what its name promises: a field is missing, has another type or a value that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableStructure {
    /// Name of the structure.
    pub name: String,
    /// The field that could not be read.
    pub field: &'static str,
}

impl std::fmt::Display for UnreadableStructure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "structure {} has no readable field {}", self.name, self.field)
    }
}

impl std::error::Error for UnreadableStructure {}

fn field<'a, T>(s: &'a gst::StructureRef, field: &'static str) -> Result<T, UnreadableStructure>
where
    T: gst::glib::value::FromValue<'a>,
{
    s.get(field).map_err(|_| unreadable(s, field))
}

/// A list of integers as GStreamer's own array type; empty lists keep their type.
fn array(items: impl IntoIterator<Item = i32>) -> gst::Array {
    gst::Array::new(items)
}

fn unreadable(s: &gst::StructureRef, field: &'static str) -> UnreadableStructure {
    UnreadableStructure { name: s.name().to_string(), field }
}

fn list<T>(s: &gst::StructureRef, name: &'static str) -> Result<Vec<T>, UnreadableStructure>
where
    T: for<'a> gst::glib::value::FromValue<'a>,
{
    let values: gst::Array = field(s, name)?;
    values.iter().map(|value| value.get().map_err(|_| unreadable(s, name))).collect()
}

/// Reads indices of sink pads.
fn pads(s: &gst::StructureRef, name: &'static str) -> Result<Vec<u32>, UnreadableStructure> {
    let indices = list::<i32>(s, name)?.into_iter();
    indices.map(|index| u32::try_from(index).map_err(|_| unreadable(s, name))).collect()
}

/// Reads two lists that belong together, entry by entry.
fn zipped<T, U>(
    s: &gst::StructureRef,
    a: Vec<T>,
    (name, b): (&'static str, Vec<U>),
) -> Result<Vec<(T, U)>, UnreadableStructure> {
    if a.len() == b.len() { Ok(a.into_iter().zip(b).collect()) } else { Err(unreadable(s, name)) }
}

/// `reel-gate`: whether recording is paused, and how recorded time stands against recording time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Paused from `at` on, else running from `at` on.
    pub paused: bool,
    /// Recording time of this edge, of the first sample that it concerns.
    pub at: gst::ClockTime,
    /// Recording time taken out of the recording so far: recording time − recorded time after this edge.
    pub skipped: gst::ClockTime,
}

impl Gate {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-gate";

    /// Returns the sticky event that carries it.
    pub fn event(self) -> gst::Event {
        gst::event::CustomDownstreamSticky::new(
            gst::Structure::builder(Self::NAME)
                .field("paused", self.paused)
                .field("at", self.at)
                .field("skipped", self.skipped)
                .build(),
        )
    }

    /// Reads a structure named [`Self::NAME`].
    pub fn read(s: &gst::StructureRef) -> Result<Self, UnreadableStructure> {
        Ok(Self { paused: field(s, "paused")?, at: field(s, "at")?, skipped: field(s, "skipped")? })
    }
}

/// `reel-pause`: an edge that the gate will make, told upstream before the media it concerns has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Pauses at `at`, else resumes.
    pub pause: bool,
    /// Recording time of the edge.
    pub at: gst::ClockTime,
}

impl Pause {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-pause";

    /// Returns the upstream event that carries it.
    pub fn event(self) -> gst::Event {
        gst::event::CustomUpstream::new(
            gst::Structure::builder(Self::NAME).field("pause", self.pause).field("at", self.at).build(),
        )
    }

    /// Reads a structure named [`Self::NAME`].
    pub fn read(s: &gst::StructureRef) -> Result<Self, UnreadableStructure> {
        Ok(Self { pause: field(s, "pause")?, at: field(s, "at")? })
    }
}

/// `reel-channels`: the whole map of participants to channels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// Index of the sink pad (the N of `sink_N`) that each channel holds; `None`: nobody so far.
    pub pads: Vec<Option<u32>>,
    /// Sink pads that had a voice when no channel was free, in order of that voice.
    pub without_channel: Vec<u32>,
}

impl Channels {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-channels";

    /// Returns the structure of event and message.
    pub fn structure(&self) -> gst::Structure {
        self.fields(gst::Structure::builder(Self::NAME)).build()
    }

    /// Returns the sticky event that carries it.
    pub fn event(&self) -> gst::Event {
        gst::event::CustomDownstreamSticky::new(self.structure())
    }

    fn fields(&self, builder: gst::structure::Builder) -> gst::structure::Builder {
        builder
            .field("channels", array(self.pads.iter().map(|pad| pad.map_or(-1, |index| index as i32))))
            .field("without-channel", array(self.without_channel.iter().map(|&index| index as i32)))
    }

    /// Reads a structure named [`Self::NAME`], or another that holds the same fields.
    pub fn read(s: &gst::StructureRef) -> Result<Self, UnreadableStructure> {
        Ok(Self {
            pads: list::<i32>(s, "channels")?.into_iter().map(|index| u32::try_from(index).ok()).collect(),
            without_channel: pads(s, "without-channel")?,
        })
    }
}

/// `reel-chunk-start`: which chunk the following media belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkStart {
    /// Counted from 0.
    pub index: u32,
}

impl ChunkStart {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-chunk-start";

    /// Returns the sticky event that carries it.
    pub fn event(self) -> gst::Event {
        gst::event::CustomDownstreamSticky::new(gst::Structure::builder(Self::NAME).field("index", self.index).build())
    }

    /// Reads a structure named [`Self::NAME`].
    pub fn read(s: &gst::StructureRef) -> Result<Self, UnreadableStructure> {
        Ok(Self { index: field(s, "index")? })
    }
}

/// `reel-chunk-end`: how much audio went into the chunk's encoder, told before EOS so that a file can say it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkEnd {
    /// Samples per channel.
    pub samples: u64,
}

impl ChunkEnd {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-chunk-end";

    /// Returns the event that carries it.
    pub fn event(self) -> gst::Event {
        gst::event::CustomDownstream::new(gst::Structure::builder(Self::NAME).field("samples", self.samples).build())
    }

    /// Reads a structure named [`Self::NAME`].
    pub fn read(s: &gst::StructureRef) -> Result<Self, UnreadableStructure> {
        Ok(Self { samples: field(s, "samples")? })
    }
}

/// `reel-room`: how many samples the chunk's file holds as a whole before it exceeds a size.
///
/// A query that encoders pass on as they do with any they do not know. Only the sink knows what a file costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// What the file can hold within the size asked for, from its first sample on.
    Samples {
        /// Samples per channel.
        samples: u64,
        /// Samples per second of the file, which may be another than that of who asks.
        rate: u32,
    },
    /// What a sample costs is not known before more media has come; this many bytes have been written.
    Unknown {
        /// Bytes of the file so far.
        written: u64,
    },
}

impl Room {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-room";

    /// Returns the query for files of at most `max_size` bytes.
    pub fn query(max_size: u64) -> gst::query::Custom<gst::Query> {
        gst::query::Custom::new(gst::Structure::builder(Self::NAME).field("max-size", max_size).build())
    }

    /// Returns the size asked for, for who answers.
    pub fn max_size(s: &gst::StructureRef) -> Result<u64, UnreadableStructure> {
        field(s, "max-size")
    }

    /// Writes the answer into the query's structure.
    pub fn answer(self, s: &mut gst::StructureRef) {
        match self {
            Self::Samples { samples, rate } => {
                s.set("samples", samples);
                s.set("rate", rate);
            }
            Self::Unknown { written } => s.set("written", written),
        }
    }

    /// Reads the answer; `None` when nobody answered.
    pub fn read(s: &gst::StructureRef) -> Option<Self> {
        match (s.get("samples"), s.get("rate"), s.get("written")) {
            (Ok(samples), Ok(rate), _) => Some(Self::Samples { samples, rate }),
            (_, _, Ok(written)) => Some(Self::Unknown { written }),
            _ => None,
        }
    }
}

/// `reel-level`: how loud each participant was in one mixed buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Recording time at which the buffer begins.
    pub at: gst::ClockTime,
    /// Index of each sink pad (the N of `sink_N`) and its RMS in dBFS (a full-scale sine is −3.01; silence is −∞,
    /// written as −200). A buffer of the pad that goes on beyond this one counts here by its share.
    pub rms_db: Vec<(u32, f64)>,
}

impl Level {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-level";

    /// Returns the structure of the message.
    pub fn structure(&self) -> gst::Structure {
        gst::Structure::builder(Self::NAME)
            .field("at", self.at)
            .field("pads", array(self.rms_db.iter().map(|(pad, _)| *pad as i32)))
            .field("rms-db", gst::Array::new(self.rms_db.iter().map(|(_, db)| *db)))
            .build()
    }

    /// Reads a structure named [`Self::NAME`].
    pub fn read(s: &gst::StructureRef) -> Result<Self, UnreadableStructure> {
        let rms_db = zipped(s, pads(s, "pads")?, ("rms-db", list(s, "rms-db")?))?;
        Ok(Self { at: field(s, "at")?, rms_db })
    }
}

/// One pause as it stands in a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PauseInterval {
    /// Recording time at which it began, of the first sample that it took out.
    pub start: gst::ClockTime,
    /// How much recording time it covers.
    pub duration: gst::ClockTime,
}

/// `reel-chunk`: what one chunk holds, counted from the media that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Counted from 0.
    pub index: u32,
    /// Recording time of its first sample.
    pub start: gst::ClockTime,
    /// Samples per channel.
    pub samples: u64,
    /// Samples per second.
    pub rate: u32,
    /// Channels of the media.
    pub channels: u32,
    /// Pauses that fall into this chunk, cut to it.
    pub pauses: Vec<PauseInterval>,
    /// Who is on which channel; empty where the graph has no `reelchannels`.
    pub map: Channels,
}

impl Chunk {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-chunk";

    /// Returns the structure of the message.
    pub fn structure(&self) -> gst::Structure {
        let times = |of: fn(&PauseInterval) -> gst::ClockTime| gst::Array::new(self.pauses.iter().map(of));
        let builder = gst::Structure::builder(Self::NAME)
            .field("index", self.index)
            .field("start", self.start)
            .field("samples", self.samples)
            .field("rate", self.rate)
            .field("n-channels", self.channels)
            .field("pause-starts", times(|pause| pause.start))
            .field("pause-durations", times(|pause| pause.duration));
        self.map.fields(builder).build()
    }

    /// Reads a structure named [`Self::NAME`].
    pub fn read(s: &gst::StructureRef) -> Result<Self, UnreadableStructure> {
        let durations = ("pause-durations", list(s, "pause-durations")?);
        let pauses = zipped(s, list(s, "pause-starts")?, durations)?.into_iter();
        Ok(Self {
            index: field(s, "index")?,
            start: field(s, "start")?,
            samples: field(s, "samples")?,
            rate: field(s, "rate")?,
            channels: field(s, "n-channels")?,
            pauses: pauses.map(|(start, duration)| PauseInterval { start, duration }).collect(),
            map: Channels::read(s)?,
        })
    }
}

/// `reel-file`: a file that has everything in it that it will have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Chunk that it holds; 0 without a splitter.
    pub index: u32,
    /// Where it is.
    pub location: String,
    /// Its size in bytes.
    pub size: u64,
}

impl File {
    /// Name of the structure.
    pub const NAME: &'static str = "reel-file";

    /// Returns the structure of the message.
    pub fn structure(&self) -> gst::Structure {
        gst::Structure::builder(Self::NAME)
            .field("index", self.index)
            .field("location", &self.location)
            .field("size", self.size)
            .build()
    }

    /// Reads a structure named [`Self::NAME`].
    pub fn read(s: &gst::StructureRef) -> Result<Self, UnreadableStructure> {
        Ok(Self { index: field(s, "index")?, location: field(s, "location")?, size: field(s, "size")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: std::fmt::Debug>(read: Result<T, UnreadableStructure>) -> &'static str {
        read.expect_err("a structure that cannot be").field
    }

    #[test]
    fn a_list_with_an_entry_that_cannot_be_is_refused_as_a_whole() {
        gst::init().expect("GStreamer starts");
        let level = Level { at: gst::ClockTime::ZERO, rms_db: vec![(0, -3.0), (7, -200.0)] };
        assert_eq!(Level::read(&level.structure()), Ok(level.clone()));
        let with = |field: &'static str, array: gst::Array| {
            let mut s = level.structure();
            s.set(field, array);
            s
        };
        assert_eq!(refused(Level::read(&with("pads", array([0, -1])))), "pads");
        assert_eq!(refused(Level::read(&with("pads", gst::Array::new(["0", "7"])))), "pads");
        assert_eq!(refused(Level::read(&with("rms-db", gst::Array::new([-3.0, -6.0, -9.0])))), "rms-db");
        assert_eq!(refused(Level::read(&with("rms-db", array([-3, -6])))), "rms-db");

        let pause = PauseInterval { start: gst::ClockTime::SECOND, duration: gst::ClockTime::SECOND };
        let map = Channels { pads: vec![Some(1), None], without_channel: vec![2] };
        let start = gst::ClockTime::ZERO;
        let chunk = Chunk { index: 0, start, samples: 1, rate: 8_000, channels: 2, pauses: vec![pause; 2], map };
        assert_eq!(Chunk::read(&chunk.structure()), Ok(chunk.clone()));
        let with = |field: &'static str, array: gst::Array| {
            let mut s = chunk.structure();
            s.set(field, array);
            s
        };
        let one_time = || gst::Array::new([gst::ClockTime::SECOND]);
        assert_eq!(refused(Chunk::read(&with("pause-starts", one_time()))), "pause-durations");
        assert_eq!(refused(Chunk::read(&with("pause-durations", one_time()))), "pause-durations");
        assert_eq!(refused(Chunk::read(&with("pause-starts", array([1, 2])))), "pause-starts");
        assert_eq!(refused(Chunk::read(&with("without-channel", array([-1])))), "without-channel");
        assert_eq!(refused(Channels::read(&with("channels", gst::Array::new([1.0])))), "channels");
    }
}
