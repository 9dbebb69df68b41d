//! Glue of `reelsink`: properties, events, queries and errors. What is written where is decided in `writer`.

use std::io;
use std::sync::LazyLock;
use std::sync::Mutex;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use crate::lock::lock_anyway;
use crate::messages;
use crate::sink::content::Content;
use crate::sink::location::Location;
use crate::sink::writer::Existing;
use crate::sink::writer::Progress;
use crate::sink::writer::Writer;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("reelsink", gst::DebugColorFlags::empty(), Some("Reelgraph: writes WAV, MP3 and bytes"))
});

const DEFAULT_OVERWRITE: bool = true;
const DEFAULT_NUMBERED: bool = true;

#[derive(Debug, Clone)]
struct Settings {
    location: Option<String>,
    overwrite: bool,
    numbered: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { location: None, overwrite: DEFAULT_OVERWRITE, numbered: DEFAULT_NUMBERED }
    }
}

/// Where a run writes: the settings as they were when it began.
#[derive(Debug, Clone)]
struct Target {
    location: Location,
    numbered: bool,
    existing: Existing,
}

/// The file of a run. It goes forward only: a run writes one file.
#[derive(Debug, Default)]
enum Phase {
    #[default]
    Unopened,
    Open(Writer),
    /// Taken out of the state by who writes.
    InUse,
    Closed,
}

/// What the stream has told, forgotten in READY.
#[derive(Debug, Default)]
struct State {
    target: Option<Target>,
    content: Option<Content>,
    index: Option<u32>,
    /// Samples per channel that went into the encoder.
    samples: Option<u64>,
    /// Where the next buffer goes, from a `BYTES` segment that no buffer has followed yet.
    seek: Option<u64>,
    phase: Phase,
    /// The error that ended writing has been posted.
    failed: bool,
    /// Outlives the phase: for `stats`.
    progress: Progress,
}

impl State {
    fn location(&self) -> String {
        self.target.as_ref().map(|target| target.location.of_chunk(self.index.unwrap_or(0))).unwrap_or_default()
    }

    /// Tells whether the file is that of a chunk whose index must be known; else who named it knows for which.
    fn is_numbered(&self) -> bool {
        self.target.as_ref().is_none_or(|target| target.numbered)
    }

    /// Tells whether chunk `index` would get the name that another chunk has already.
    fn is_name_taken(&self, index: u32) -> bool {
        index > 0 && self.target.as_ref().is_some_and(|target| target.numbered && !target.location.is_numbered())
    }

    fn room(&self, max_size: u64) -> messages::Room {
        match (&self.phase, self.content) {
            (Phase::Open(writer), _) => writer.room(max_size),
            (Phase::Unopened, Some(Content::Wav(header))) => {
                messages::Room::Samples { samples: header.samples_within(max_size), rate: header.rate() }
            }
            _ => messages::Room::Unknown { written: self.progress.size },
        }
    }
}

/// Where an error of the file came up.
#[derive(Debug, Clone, Copy)]
enum Doing {
    Open,
    Write,
}

/// See the module's documentation.
///
/// The writer is taken out of `state` for all I/O, so that no lock is held meanwhile. Lock order: `settings`, then
/// `state`; never both.
#[derive(Debug, Default)]
pub struct ReelSink {
    settings: Mutex<Settings>,
    state: Mutex<State>,
}

impl ReelSink {
    /// Takes the settings for a run, and forgets the last one.
    fn begin_run(&self) -> Result<(), gst::StateChangeError> {
        let settings = self.settings.lock().unwrap().clone();
        let Some(pattern) = settings.location.filter(|location| !location.is_empty()) else {
            gst::element_imp_error!(self, gst::ResourceError::NotFound, ("No file name specified for writing"));
            return Err(gst::StateChangeError);
        };
        let existing = if settings.overwrite { Existing::Overwrite } else { Existing::Refuse };
        let numbered = settings.numbered;
        let location = if numbered { Location::new(&pattern) } else { Location::literal(&pattern) };
        let target = Target { location, numbered, existing };
        *self.state.lock().unwrap() = State { target: Some(target), ..State::default() };
        Ok(())
    }

    /// Closes a file that no EOS closed, and forgets all but the counts.
    fn end_run(&self) {
        // An error has been posted; the element stops all the same.
        let _ = self.close();
        let mut state = self.state.lock().unwrap();
        let progress = state.progress;
        *state = State { phase: Phase::Closed, progress, ..State::default() };
    }

    /// Lets `act` work on the file, opened and begun if it was not yet. Posts what goes wrong, once.
    fn with_file(&self, act: impl FnOnce(&mut Writer) -> io::Result<()>) -> Result<(), gst::FlowError> {
        let mut writer = self.take_file()?;
        let content = self.state.lock().unwrap().content;
        let begun = content.map_or(Ok(()), |content| writer.begin(content));
        let result = begun.and_then(|()| act(&mut writer));
        self.put_file(writer);
        result.map_err(|error| self.fail(Doing::Write, &error))
    }

    fn take_file(&self) -> Result<Writer, gst::FlowError> {
        let (location, existing) = {
            let mut state = self.state.lock().unwrap();
            if state.failed {
                return Err(gst::FlowError::Error);
            }
            match std::mem::replace(&mut state.phase, Phase::InUse) {
                Phase::Open(writer) => return Ok(writer),
                Phase::InUse => return Err(gst::FlowError::Error),
                Phase::Closed => {
                    state.phase = Phase::Closed;
                    return Err(gst::FlowError::Eos);
                }
                Phase::Unopened => {}
            }
            (state.location(), state.target.as_ref().map_or(Existing::Refuse, |target| target.existing))
        };
        gst::debug!(CAT, imp = self, "opening {location}");
        Writer::create(&location, existing).map_err(|error| self.fail(Doing::Open, &error))
    }

    fn put_file(&self, writer: Writer) {
        let mut state = self.state.lock().unwrap();
        state.progress = writer.progress();
        state.phase = Phase::Open(writer);
    }

    /// Posts an error of the file; nothing is written after it.
    fn fail(&self, doing: Doing, error: &io::Error) -> gst::FlowError {
        let location = {
            let mut state = self.state.lock().unwrap();
            state.failed = true;
            if matches!(state.phase, Phase::InUse) {
                state.phase = Phase::Closed;
            }
            state.location()
        };
        let (code, text) = match (doing, error.kind()) {
            (_, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                (gst::ResourceError::NoSpaceLeft, format!("No space left to write file \"{location}\""))
            }
            (Doing::Open, io::ErrorKind::AlreadyExists) => {
                (gst::ResourceError::OpenWrite, format!("File \"{location}\" exists and must not be overwritten"))
            }
            (Doing::Open, _) => {
                (gst::ResourceError::OpenWrite, format!("Could not open file \"{location}\" for writing"))
            }
            (Doing::Write, _) => (gst::ResourceError::Write, format!("Could not write to file \"{location}\"")),
        };
        gst::element_imp_error!(self, code, ("{text}"), ["{error}"]);
        gst::FlowError::Error
    }

    fn chunk_starts(&self, start: messages::ChunkStart) {
        let is_name_taken = {
            let mut state = self.state.lock().unwrap();
            // Caps may have opened the file already: under a name that is not numbered it is any chunk's.
            let index = state.index.or_else(|| state.is_numbered().then_some(0));
            if !matches!(state.phase, Phase::Unopened) && index.is_some_and(|index| index != start.index) {
                gst::warning!(CAT, imp = self, "chunk {} begins in the file of another, ignored", start.index);
                return;
            }
            state.index = Some(start.index);
            state.is_name_taken(start.index)
        };
        if is_name_taken {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is another chunk's: its name has no number");
            let _ = self.fail(Doing::Open, &error);
            return;
        }
        // An error has been posted, and the next buffer is refused.
        let _ = self.with_file(|_| Ok(()));
    }

    /// Completes and closes the file; returns what `reel-file` tells of it.
    fn close(&self) -> Option<messages::File> {
        let (mut writer, samples) = {
            let mut state = self.state.lock().unwrap();
            match std::mem::replace(&mut state.phase, Phase::Closed) {
                Phase::Open(writer) => (writer, state.samples),
                Phase::Unopened | Phase::InUse | Phase::Closed => return None,
            }
        };
        let had_failed = writer.has_failed();
        let result = writer.finish(samples);
        let size = writer.progress().size;
        let (index, location) = {
            let mut state = self.state.lock().unwrap();
            state.progress = writer.progress();
            (state.index.unwrap_or(0), state.location())
        };
        match result {
            Err(error) if had_failed => gst::warning!(CAT, imp = self, "could not complete {location}: {error}"),
            Err(error) => drop(self.fail(Doing::Write, &error)),
            Ok(()) => gst::debug!(CAT, imp = self, "closed {location}, {size} bytes"),
        }
        Some(messages::File { index, location, size })
    }

    fn end_of_stream(&self) {
        // Opens a file that nothing was written to; where that fails, the error has been posted.
        let _ = self.with_file(|_| Ok(()));
        if let Some(file) = self.close() {
            let obj = self.obj();
            let message = gst::message::Element::builder(file.structure()).src(&*obj).build();
            if obj.post_message(message).is_err() {
                gst::debug!(CAT, imp = self, "nobody listens to reel-file");
            }
        }
    }

    fn read<T>(&self, read: Result<T, messages::UnreadableStructure>) -> Option<T> {
        read.inspect_err(|error| gst::warning!(CAT, imp = self, "{error}")).ok()
    }

    /// Answers what only a file can; `None` for other queries.
    fn answer(&self, query: &mut gst::QueryRef) -> Option<bool> {
        let state = self.state.lock().unwrap();
        match query.view_mut() {
            gst::QueryViewMut::Position(query) if query.format() == gst::Format::Bytes => {
                query.set(gst::format::Bytes::from_u64(state.progress.position));
            }
            gst::QueryViewMut::Seeking(query) if query.format() == gst::Format::Bytes => {
                let is_placed_by_segments = matches!(state.content, None | Some(Content::Bytes));
                query.set(is_placed_by_segments, gst::format::Bytes::ZERO, gst::format::Bytes::NONE);
            }
            gst::QueryViewMut::Formats(query) => query.set([gst::Format::Default, gst::Format::Bytes]),
            gst::QueryViewMut::Custom(query) if query.structure().is_some_and(|s| s.name() == messages::Room::NAME) => {
                let structure = query.structure_mut();
                match messages::Room::max_size(structure) {
                    Ok(max_size) => state.room(max_size).answer(structure),
                    Err(_) => return Some(false),
                }
            }
            _ => return None,
        }
        Some(true)
    }
}

#[glib::object_subclass]
impl ObjectSubclass for ReelSink {
    const NAME: &'static str = "GstReelSink";
    type Type = crate::sink::ReelSink;
    type ParentType = gst_base::BaseSink;
}

impl ObjectImpl for ReelSink {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecString::builder("location")
                    .nick("Location")
                    .blurb("File to write; the first %d, %u, %03d, %05u… of its name becomes the chunk's index")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecBoolean::builder("overwrite")
                    .nick("Overwrite")
                    .blurb("Replace an existing file; else it is an error")
                    .default_value(DEFAULT_OVERWRITE)
                    .mutable_ready()
                    .build(),
                glib::ParamSpecBoolean::builder("numbered")
                    .nick("Numbered")
                    .blurb("Put the chunk's index into location; else location is a name as it stands")
                    .default_value(DEFAULT_NUMBERED)
                    .mutable_ready()
                    .build(),
                glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
                    .nick("Statistics")
                    .blurb("Of this run: bytes-written and writes, headers included; files opened")
                    .read_only()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut settings = lock_anyway(&self.settings);
        match pspec.name() {
            "location" => settings.location = value.get().expect("type checked upstream"),
            "overwrite" => settings.overwrite = value.get().expect("type checked upstream"),
            "numbered" => settings.numbered = value.get().expect("type checked upstream"),
            name => unreachable!("property {name} is not writable"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "location" => lock_anyway(&self.settings).location.to_value(),
            "overwrite" => lock_anyway(&self.settings).overwrite.to_value(),
            "numbered" => lock_anyway(&self.settings).numbered.to_value(),
            "stats" => {
                let state = lock_anyway(&self.state);
                gst::Structure::builder(messages::STATS)
                    .field("bytes-written", state.progress.bytes_written)
                    .field("writes", state.progress.writes)
                    .build()
                    .to_value()
            }
            name => unreachable!("no property {name}"),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        let obj = self.obj();
        obj.set_sync(false);
        obj.set_async(false);
        // A file has all that comes: encoders may time-stamp what belongs to it before their segment.
        obj.set_drop_out_of_segment(false);
        obj.set_enable_last_sample(false);
    }
}

impl GstObjectImpl for ReelSink {}

impl ElementImpl for ReelSink {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Reelgraph sink",
                "Sink/File",
                "Writes WAV, MP3 or bytes to a file that is readable at any moment",
                "Reelgraph developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let caps = gst::Caps::new_any();
            let sink = gst::PadTemplate::new("sink", gst::PadDirection::Sink, gst::PadPresence::Always, &caps);
            vec![sink.expect("a template of any caps")]
        });
        &TEMPLATES
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused {
            self.begin_run()?;
        }
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            self.end_run();
        }
        Ok(success)
    }

    fn query(&self, query: &mut gst::QueryRef) -> bool {
        self.answer(query).unwrap_or_else(|| ElementImplExt::parent_query(self, query))
    }
}

impl BaseSinkImpl for ReelSink {
    fn set_caps(&self, caps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let content = Content::of(caps);
        let (before, is_numbered, has_failed) = {
            let mut state = self.state.lock().unwrap();
            let before = *state.content.get_or_insert(content);
            let has_failed = state.failed;
            // Caps that were refused come again with each buffer; one error is enough.
            state.failed |= before != content;
            (before, state.is_numbered(), has_failed)
        };
        if before != content {
            if !has_failed {
                gst::element_imp_error!(
                    self,
                    gst::StreamError::Format,
                    ("The format changes in the middle of a file"),
                    ["{before:?} before, {content:?} from caps {caps}"]
                );
            }
            return Err(gst::loggable_error!(CAT, "{content:?} after {before:?}"));
        }
        if !is_numbered {
            // An error has been posted. The caps are none of its reasons: the next buffer is refused instead.
            let _ = self.with_file(|_| Ok(()));
        }
        Ok(())
    }

    fn event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::CustomDownstreamSticky(e) => {
                let structure = e.structure().filter(|s| s.name() == messages::ChunkStart::NAME);
                if let Some(start) = structure.and_then(|s| self.read(messages::ChunkStart::read(s))) {
                    self.chunk_starts(start);
                }
            }
            gst::EventView::CustomDownstream(e) => {
                let structure = e.structure().filter(|s| s.name() == messages::ChunkEnd::NAME);
                if let Some(end) = structure.and_then(|s| self.read(messages::ChunkEnd::read(s))) {
                    self.state.lock().unwrap().samples = Some(end.samples);
                }
            }
            gst::EventView::Segment(e) => {
                let bytes = e.segment().downcast_ref::<gst::format::Bytes>().and_then(|segment| segment.start());
                self.state.lock().unwrap().seek = bytes.map(|bytes| *bytes);
            }
            gst::EventView::Eos(_) => self.end_of_stream(),
            _ => {}
        }
        self.parent_event(event)
    }

    fn query(&self, query: &mut gst::QueryRef) -> bool {
        self.answer(query).unwrap_or_else(|| BaseSinkImplExt::parent_query(self, query))
    }

    fn render(&self, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let seek = {
            let mut state = self.state.lock().unwrap();
            state.content.get_or_insert(Content::Bytes);
            state.seek.take()
        };
        let Ok(map) = buffer.map_readable() else {
            gst::element_imp_error!(self, gst::ResourceError::Read, ("Could not read the media to write"));
            return Err(gst::FlowError::Error);
        };
        self.with_file(|file| {
            seek.map_or(Ok(()), |position| file.seek(position))?;
            file.write(&map)
        })?;
        Ok(gst::FlowSuccess::Ok)
    }
}
