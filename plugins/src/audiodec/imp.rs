//! Glue of `reelaudiodec`: caps, events, queries and buffers. What becomes of a packet is decided in `core`.

use std::sync::LazyLock;
use std::sync::Mutex;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::audiodec::blocks::Block;
use crate::audiodec::caps;
use crate::audiodec::codec::Format;
use crate::audiodec::convert::{bounds_ns, buffer, length_ns, rest, running_ns};
use crate::audiodec::core::CORRUPT_RUN_MAX;
use crate::audiodec::core::Core;
use crate::audiodec::loudness::Loudness;
use crate::audiodec::opus;
use crate::audiodec::packet::{GapFate, Packet, TooManyCorrupt};
use crate::audiodec::position::Before;
use crate::audiodec::stats::{DRIFT_PPB, LEVEL_DB, Stats};
use crate::edges::{Edge, Edges};
use crate::lock::lock_anyway;
use crate::messages;
use crate::timeline::Timeline;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("reelaudiodec", gst::DebugColorFlags::empty(), Some("Reelgraph: decodes one audio track"))
});

/// libopus' default look-ahead, 6.5 ms.
const DEFAULT_OPUS_PRE_SKIP: u32 = 312;

/// What the header's 16 bits can say.
const OPUS_PRE_SKIP_MAX: u32 = u16::MAX as u32;

const _: () = assert!(DEFAULT_OPUS_PRE_SKIP <= OPUS_PRE_SKIP_MAX);

#[derive(Debug, Clone, Copy)]
struct Settings {
    opus_pre_skip: u32,
    edges: Edges,
}

impl Default for Settings {
    fn default() -> Self {
        Self { opus_pre_skip: DEFAULT_OPUS_PRE_SKIP, edges: Edges::default() }
    }
}

/// What the stream has told; forgotten in READY.
#[derive(Default)]
struct State {
    segment: Option<gst::FormattedSegment<gst::ClockTime>>,
    stream: Option<Stream>,
    /// All edges asked for.
    pauses: Timeline,
}

/// A stream whose caps are known on both sides.
struct Stream {
    core: Core,
    rate_out: u32,
}

impl Stream {
    fn take(&mut self) -> Output {
        Output { blocks: self.core.take(), rate: self.rate_out }
    }
}

/// Samples to push, taken out of the state.
#[derive(Default)]
struct Output {
    blocks: Vec<Block>,
    rate: u32,
}

/// Why a buffer ends the stream.
enum Trouble {
    NotNegotiated,
    Unreadable,
    TooManyCorrupt,
}

/// Lock order: `settings` and `state` are never held at the same time, nor while anything is pushed, queried or posted.
pub struct ReelAudioDec {
    sinkpad: gst::Pad,
    srcpad: gst::Pad,
    settings: Mutex<Settings>,
    state: Mutex<State>,
}

impl ReelAudioDec {
    /// Decodes the buffers of one call and pushes what they give.
    fn sink_chain<'a>(
        &self,
        buffers: impl Iterator<Item = &'a gst::BufferRef>,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        if self.srcpad.check_reconfigure() {
            self.renegotiate()?;
        }
        let opus_pre_skip = self.settings.lock().unwrap().opus_pre_skip;
        let (decoded, output) = {
            let mut state = self.state.lock().unwrap();
            match &mut state.stream {
                Some(stream) => {
                    stream.core.assume_pre_skip(opus_pre_skip);
                    (decode(&mut stream.core, buffers), stream.take())
                }
                None => (Err(Trouble::NotNegotiated), Output::default()),
            }
        };
        let pushed = self.push(output);
        match decoded {
            Ok(()) => pushed,
            Err(trouble) => Err(self.post(trouble)),
        }
    }

    fn post(&self, trouble: Trouble) -> gst::FlowError {
        match trouble {
            Trouble::NotNegotiated => return gst::FlowError::NotNegotiated,
            Trouble::Unreadable => {
                gst::element_imp_error!(self, gst::ResourceError::Read, ("A buffer cannot be read"));
            }
            Trouble::TooManyCorrupt => gst::element_imp_error!(
                self,
                gst::StreamError::Decode,
                ("The audio cannot be decoded"),
                ["{CORRUPT_RUN_MAX} corrupt packets in a row"]
            ),
        }
        gst::FlowError::Error
    }

    fn push(&self, output: Output) -> Result<gst::FlowSuccess, gst::FlowError> {
        let mut buffers = output.blocks.into_iter().map(|block| buffer(block, output.rate));
        let Some(first) = buffers.next() else { return Ok(gst::FlowSuccess::Ok) };
        gst::log!(CAT, obj = self.srcpad, "pushing {first:?}");
        match buffers.len() {
            0 => self.srcpad.push(first),
            _ => self.srcpad.push_list(std::iter::once(first).chain(buffers).collect()),
        }
    }

    /// Emits what codec and resampler still hold.
    fn drain(&self) -> Result<gst::FlowSuccess, gst::FlowError> {
        let output = {
            let mut state = self.state.lock().unwrap();
            let Some(stream) = &mut state.stream else { return Ok(gst::FlowSuccess::Ok) };
            stream.core.finish();
            stream.take()
        };
        self.push(output)
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        gst::debug!(CAT, obj = self.sinkpad, "handling {event:?}");
        match event.view() {
            gst::EventView::Caps(e) => return self.set_caps(e.caps()),
            gst::EventView::Segment(e) => {
                let Some(segment) = e.segment().downcast_ref::<gst::ClockTime>() else {
                    gst::element_imp_error!(self, gst::StreamError::Format, ("The stream is not in time"));
                    return false;
                };
                self.set_segment(segment);
            }
            gst::EventView::Gap(e) => {
                let Some(rest) = self.gap(e) else { return true };
                return gst::Pad::event_default(&self.sinkpad, Some(&*self.obj()), rest);
            }
            gst::EventView::StreamStart(_) => {
                self.drain_before_event();
                if let Some(stream) = &mut self.state.lock().unwrap().stream {
                    stream.core.begin_stream();
                }
            }
            gst::EventView::Eos(_) => self.drain_before_event(),
            gst::EventView::FlushStop(_) => {
                let mut state = self.state.lock().unwrap();
                state.segment = None;
                if let Some(stream) = &mut state.stream {
                    stream.core.flush();
                }
            }
            _ => {}
        }
        gst::Pad::event_default(&self.sinkpad, Some(&*self.obj()), event)
    }

    /// An event cannot tell upstream that downstream does not want more; the next buffer will.
    fn drain_before_event(&self) {
        if let Err(error) = self.drain() {
            gst::debug!(CAT, imp = self, "draining ended with {error:?}");
        }
    }

    fn set_segment(&self, segment: &gst::FormattedSegment<gst::ClockTime>) {
        let is_known = self.state.lock().unwrap().segment.as_ref() == Some(segment);
        if is_known {
            return;
        }
        self.drain_before_event();
        let mut state = self.state.lock().unwrap();
        state.segment = Some(segment.clone());
        if let Some(stream) = &mut state.stream {
            stream.core.begin_timeline(bounds_ns(Some(segment)), running_ns(Some(segment)));
        }
    }

    /// Fills what can be filled of a gap; returns an event for the rest.
    fn gap(&self, event: &gst::event::Gap) -> Option<gst::Event> {
        let (pts, duration) = event.get();
        let before = match event.gap_flags().contains(gst::GapFlags::DATA) {
            true => Before::Loss,
            false => Before::Nothing,
        };
        let (fate, output) = {
            let mut state = self.state.lock().unwrap();
            let Some(stream) = &mut state.stream else { return Some(event.to_owned().into()) };
            let duration_ns = duration.map_or(0, gst::ClockTime::nseconds);
            (stream.core.gap(pts.nseconds(), duration_ns, before), stream.take())
        };
        if let Err(error) = self.push(output) {
            gst::debug!(CAT, imp = self, "filling a gap ended with {error:?}");
        }
        match fate {
            GapFate::Filled => None,
            GapFate::Empty { from_ns } => rest(event, gst::ClockTime::from_nseconds(from_ns)),
        }
    }

    /// Goes over to the stream that `caps` describe; returns whether that is possible.
    fn set_caps(&self, caps: &gst::CapsRef) -> bool {
        let format = match caps::read(caps) {
            Ok(format) => format,
            Err(error) => {
                gst::warning!(CAT, obj = self.sinkpad, "refusing {caps:?}: {error:?}");
                return false;
            }
        };
        let is_known = self.state.lock().unwrap().stream.as_ref().is_some_and(|stream| stream.core.format() == format);
        if is_known {
            return true;
        }
        self.drain_before_event();
        self.srcpad.check_reconfigure();
        let Some(rate_out) = self.negotiate(format) else {
            self.srcpad.mark_reconfigure();
            return false;
        };
        self.begin(format, rate_out);
        true
    }

    /// Asks downstream for its rate again, in mid-stream.
    fn renegotiate(&self) -> Result<(), gst::FlowError> {
        let known = self.state.lock().unwrap().stream.as_ref().map(|stream| (stream.core.format(), stream.rate_out));
        let Some((format, rate_before)) = known else { return Ok(()) };
        let Some(rate_out) = self.negotiate(format) else {
            self.srcpad.mark_reconfigure();
            let is_flushing = self.srcpad.pad_flags().contains(gst::PadFlags::FLUSHING);
            return Err(if is_flushing { gst::FlowError::Flushing } else { gst::FlowError::NotNegotiated });
        };
        if rate_out != rate_before {
            self.drain()?;
            self.begin(format, rate_out);
        }
        Ok(())
    }

    /// Returns the rate that downstream takes, nearest to the format's own; `None` if there is none.
    fn negotiate(&self, format: Format) -> Option<u32> {
        let mut allowed = self.srcpad.peer_query_caps(Some(&caps::src_template()));
        if allowed.is_empty() {
            gst::debug!(CAT, obj = self.srcpad, "downstream takes none of our caps");
            return None;
        }
        allowed.truncate();
        let s = allowed.make_mut().structure_mut(0)?;
        s.fixate_field_nearest_int("rate", format.natural_rate() as i32);
        u32::try_from(s.get::<i32>("rate").ok()?).ok()
    }

    /// Sets up a drained element for a format and a rate, and tells downstream what is new.
    fn begin(&self, format: Format, rate_out: u32) {
        let opus_pre_skip = self.settings.lock().unwrap().opus_pre_skip;
        let (rate_before, delay_before_ns, delay_ns) = {
            let mut state = self.state.lock().unwrap();
            let (bounds_ns, running_ns) = (bounds_ns(state.segment.as_ref()), running_ns(state.segment.as_ref()));
            let pauses = state.pauses.clone();
            let before = state.stream.as_ref().map(|stream| (stream.rate_out, stream.core.delay_ns()));
            let stream = state.stream.get_or_insert_with(|| {
                let mut core = Core::new(format, rate_out, opus_pre_skip);
                core.begin_timeline(bounds_ns, running_ns);
                core.set_pauses(pauses);
                Stream { core, rate_out }
            });
            if before.is_some() {
                stream.core.change(format, rate_out);
                stream.rate_out = rate_out;
            }
            (before.map(|(rate, _)| rate), before.map(|(_, delay_ns)| delay_ns), stream.core.delay_ns())
        };
        gst::info!(CAT, imp = self, "decoding {format:?} to {rate_out} Hz");
        if rate_before != Some(rate_out) {
            self.srcpad.push_event(gst::event::Caps::new(&caps::src_caps(rate_out)));
        }
        if delay_before_ns != Some(delay_ns) {
            let message = gst::message::Latency::builder().src(&*self.obj()).build();
            if self.obj().post_message(message).is_err() {
                gst::debug!(CAT, imp = self, "nobody hears of the latency: there is no bus");
            }
        }
    }

    fn src_query(&self, query: &mut gst::QueryRef) -> bool {
        if let gst::QueryViewMut::Latency(latency) = query.view_mut() {
            if !self.sinkpad.peer_query(latency.query_mut()) {
                return false;
            }
            let (is_live, min, max) = latency.result();
            let delay_ns = self.state.lock().unwrap().stream.as_ref().map_or(0, |stream| stream.core.delay_ns());
            let delay = gst::ClockTime::from_nseconds(delay_ns);
            latency.set(is_live, min + delay, max.map(|max| max + delay));
            return true;
        }
        gst::Pad::query_default(&self.srcpad, Some(&*self.obj()), query)
    }

    fn schedule(&self, edge: Edge) {
        gst::info!(CAT, imp = self, "{edge:?}");
        let mut state = lock_anyway(&self.state);
        // Media that has passed is the gate's affair: it moves an edge that comes too late.
        let _ = match edge {
            Edge::Pause(at) => state.pauses.pause(at, gst::ClockTime::ZERO),
            Edge::Resume(at) => state.pauses.resume(at, gst::ClockTime::ZERO),
        };
        let State { stream, pauses, .. } = &mut *state;
        if let Some(stream) = stream {
            stream.core.set_pauses(pauses.clone());
        }
    }

    fn stats(&self) -> gst::Structure {
        let (stats, level_db) = match &lock_anyway(&self.state).stream {
            Some(stream) => (stream.core.stats(), stream.core.level_db()),
            None => (Stats::default(), Loudness::default().db()),
        };
        let builder = gst::Structure::builder(messages::STATS);
        let builder = stats.fields().into_iter().fold(builder, |builder, (name, n)| builder.field(name, n));
        builder.field(DRIFT_PPB, stats.drift_ppb).field(LEVEL_DB, level_db).build()
    }
}

fn decode<'a>(core: &mut Core, buffers: impl Iterator<Item = &'a gst::BufferRef>) -> Result<(), Trouble> {
    let format = core.format();
    for buffer in buffers {
        let Ok(bytes) = buffer.map_readable() else { return Err(Trouble::Unreadable) };
        if matches!(format, Format::Opus { .. }) && opus::is_header(&bytes) {
            continue;
        }
        let clip = buffer.meta::<gst_audio::AudioClippingMeta>();
        let length_ns = |value| length_ns(value, format.clock_rate());
        let packet = Packet {
            bytes: &bytes,
            pts_ns: buffer.pts().map(gst::ClockTime::nseconds),
            is_discont: buffer.flags().contains(gst::BufferFlags::DISCONT),
            clip_start_ns: clip.as_ref().map_or(0, |clip| length_ns(clip.start())),
            clip_end_ns: clip.as_ref().map_or(0, |clip| length_ns(clip.end())),
        };
        core.packet(&packet).map_err(|TooManyCorrupt| Trouble::TooManyCorrupt)?;
    }
    Ok(())
}

#[glib::object_subclass]
impl ObjectSubclass for ReelAudioDec {
    const NAME: &'static str = "GstReelAudioDec";
    type Type = super::ReelAudioDec;
    type ParentType = gst::Element;

    fn with_class(class: &Self::Class) -> Self {
        let error = || Err(gst::FlowError::Error);
        let template = class.pad_template("sink").expect("declared below");
        let sinkpad = gst::Pad::builder_from_template(&template)
            .chain_function(move |_pad, parent, buffer| {
                Self::catch_panic_pad_function(parent, error, |this| this.sink_chain(std::iter::once(&*buffer)))
            })
            .chain_list_function(move |_pad, parent, list| {
                Self::catch_panic_pad_function(parent, error, |this| this.sink_chain(list.iter()))
            })
            .event_function(|_pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_event(event))
            })
            .build();
        let template = class.pad_template("src").expect("declared below");
        let srcpad = gst::Pad::builder_from_template(&template)
            .query_function(|_pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |this| this.src_query(query))
            })
            .build();
        Self { sinkpad, srcpad, settings: Mutex::default(), state: Mutex::default() }
    }
}

impl ObjectImpl for ReelAudioDec {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let [pause_at, resume_at] = Edges::properties();
            vec![
                pause_at,
                resume_at,
                glib::ParamSpecUInt::builder("opus-pre-skip")
                    .nick("Opus pre-skip")
                    .blurb(
                        "Look-ahead of the Opus encoder when the stream has no header that tells it, in samples at \
                         48 kHz, 0 to 65535; from the next spurt on",
                    )
                    .maximum(OPUS_PRE_SKIP_MAX)
                    .default_value(DEFAULT_OPUS_PRE_SKIP)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
                    .nick("Statistics")
                    .blurb("Packets and samples since the stream began, 0 and up, as listed in the element's doc")
                    .read_only()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        match pspec.name() {
            "opus-pre-skip" => {
                let opus_pre_skip = value.get().expect("type checked upstream");
                gst::info!(CAT, imp = self, "opus-pre-skip is {opus_pre_skip}");
                lock_anyway(&self.settings).opus_pre_skip = opus_pre_skip;
            }
            name => {
                let edge = lock_anyway(&self.settings).edges.write(name, value);
                edge.into_iter().for_each(|edge| self.schedule(edge));
            }
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "opus-pre-skip" => lock_anyway(&self.settings).opus_pre_skip.to_value(),
            "stats" => self.stats().to_value(),
            name => {
                let edges = lock_anyway(&self.settings).edges;
                edges.read(name).unwrap_or_else(|| unreachable!("property {name} is not declared"))
            }
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        let obj = self.obj();
        obj.add_pad(&self.sinkpad).expect("a new element has no pads");
        obj.add_pad(&self.srcpad).expect("a new element has no pad of this name");
    }
}

impl GstObjectImpl for ReelAudioDec {}

impl ElementImpl for ReelAudioDec {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Reelgraph audio decoder",
                "Codec/Decoder/Audio",
                "Decodes Opus, G.711, G.722 and PCM to mono at exact positions, on the pushing thread",
                "Reelgraph developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let always = |name, direction, caps| {
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps).expect("valid template")
            };
            vec![
                always("sink", gst::PadDirection::Sink, caps::sink_template()),
                always("src", gst::PadDirection::Src, caps::src_template()),
            ]
        });
        &TEMPLATES
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            self.settings.lock().unwrap().edges = Edges::default();
            *self.state.lock().unwrap() = State::default();
        }
        Ok(success)
    }
}
