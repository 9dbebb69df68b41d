//! The GStreamer side of a join: pads, events and the order of what goes out. Knows no sample.
//!
//! Several threads may push. Each puts its media in place under the state lock; whoever makes output possible pushes
//! it, under the src pad's stream lock over take-and-push, so that the order of pieces is the order of positions.
//!
//! Without `timeline` a lane that is more than `max-lead` ahead waits for the others, as in any GStreamer element
//! with several sinks. The wait ends by media on the others, EOS, flush and a state change.

use std::sync::{Condvar, Mutex, MutexGuard};

use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::join::lanes::{Lanes, Reach};
use crate::join::pads::Sink;
use crate::join::settings::Settings;
use crate::join::{Blend, Piece, Span};
use crate::samples;
use crate::samples::Format;

/// Sample rate where nobody says another one.
const RATE_NATURAL: i32 = 16_000;

/// What the stream made; forgotten on PAUSED → READY.
struct State<B> {
    blend: B,
    lanes: Lanes,
    segments: std::collections::BTreeMap<u32, gst::FormattedSegment<gst::ClockTime>>,
    flushing_lanes: std::collections::BTreeSet<u32>,
    rate: Option<u32>,
    /// stream-start, caps and segment went out.
    started: bool,
    eos_sent: bool,
    /// The element is not running: nobody may wait.
    stopped: bool,
}

/// The next thing to push.
enum Step {
    Start,
    Piece(u64, u32, Piece),
    Eos,
}

/// An element that joins lanes; `B` says how.
///
/// Lock order: the src pad's stream lock, then `state`. `settings` is taken alone.
pub(crate) struct JoinElement<B> {
    srcpad: gst::Pad,
    settings: Mutex<Settings>,
    state: Mutex<State<B>>,
    wake: Condvar,
}

/// An element that has a [`JoinElement`].
pub(crate) trait Join: ElementImpl {
    type Blend: Blend;

    /// Debug category.
    fn category(&self) -> &'static gst::DebugCategory;

    fn join(&self) -> &JoinElement<Self::Blend>;

    /// Returns a blend for a stream that begins.
    fn new_blend(&self) -> Self::Blend;

    /// Sees events that come upstream; true when it was meant for this element.
    fn upstream_event(&self, _event: &gst::Event) -> bool {
        false
    }
}

impl<B: Blend> JoinElement<B> {
    /// Makes the element's src pad and its state.
    pub(crate) fn new<E: Join<Blend = B>>(template: &gst::PadTemplate, blend: B) -> Self {
        let srcpad = gst::Pad::builder_from_template(template)
            .event_function(|pad, parent, event| {
                E::catch_panic_pad_function(parent, || false, |imp| imp.join().src_event(imp, pad, event))
            })
            .query_function(|pad, parent, query| {
                E::catch_panic_pad_function(parent, || false, |imp| imp.join().src_query(imp, pad, query))
            })
            .flags(gst::PadFlags::FIXED_CAPS)
            .build();
        let state = State {
            blend,
            lanes: Lanes::default(),
            segments: Default::default(),
            flushing_lanes: Default::default(),
            rate: None,
            started: false,
            eos_sent: false,
            stopped: true,
        };
        Self { srcpad, settings: Mutex::default(), state: Mutex::new(state), wake: Condvar::new() }
    }

    pub(crate) fn srcpad(&self) -> &gst::Pad {
        &self.srcpad
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap()
    }

    /// Runs `f` on the blend.
    pub(crate) fn with_blend<R>(&self, f: impl FnOnce(&mut B) -> R) -> R {
        f(&mut self.state.lock().unwrap().blend)
    }

    /// Returns the samples lost so far, by kind, and the end of the output, in samples.
    pub(crate) fn stats(&self) -> gst::structure::Builder {
        let state = self.state.lock().unwrap();
        let lost = state.lanes.lost();
        gst::Structure::builder("reel-stats")
            .field("samples", state.lanes.emitted())
            .field("late-samples", lost.late)
            .field("overlapping-samples", lost.overlap)
            .field("ahead-samples", lost.ahead)
    }

    /// Makes a sink pad of `template` for `sink`.
    pub(crate) fn sink_pad<
        E: Join<Blend = B>,
        P: IsA<gst::Pad> + IsA<gst::glib::Object> + gst::glib::object::IsClass,
    >(
        &self,
        template: &gst::PadTemplate,
        name: &str,
        sink: Sink,
    ) -> P {
        {
            let mut state = self.state.lock().unwrap();
            match sink {
                Sink::Lane(lane) => state.lanes.add(lane),
                Sink::Timeline => state.lanes.follow_horizon(),
            }
        }
        gst::PadBuilder::<P>::from_template(template)
            .name(name)
            .chain_function(move |pad, parent, buffer| {
                E::catch_panic_pad_function(
                    parent,
                    || Err(gst::FlowError::Error),
                    |imp| imp.join().chain(imp, pad.upcast_ref(), sink, buffer),
                )
            })
            .event_function(move |pad, parent, event| {
                E::catch_panic_pad_function(
                    parent,
                    || false,
                    |imp| imp.join().sink_event(imp, pad.upcast_ref(), sink, event),
                )
            })
            .query_function(move |pad, parent, query| {
                E::catch_panic_pad_function(parent, || false, |imp| imp.join().sink_query(imp, pad.upcast_ref(), query))
            })
            .build()
    }

    /// Forgets a sink pad; output that waited for it goes on.
    pub(crate) fn release<E: Join<Blend = B>>(&self, imp: &E, sink: Sink) {
        {
            let mut state = self.state.lock().unwrap();
            match sink {
                Sink::Lane(lane) => state.lanes.remove(lane),
                Sink::Timeline => state.lanes.forget_horizon(),
            }
        }
        self.wake.notify_all();
        // A pad that is released while others stream must not hold their media back until their next buffer.
        let _ = self.emit(imp);
    }

    /// READY → PAUSED: begins a stream.
    pub(crate) fn start(&self, blend: B) {
        self.forget(blend);
        self.state.lock().unwrap().stopped = false;
    }

    /// PAUSED → READY, before the pads stop: releases everybody who waits.
    pub(crate) fn stop(&self) {
        self.state.lock().unwrap().stopped = true;
        self.wake.notify_all();
    }

    /// Forgets what the stream made; the pads stay.
    pub(crate) fn forget(&self, blend: B) {
        let mut state = self.state.lock().unwrap();
        state.blend = blend;
        state.lanes.forget();
        state.segments.clear();
        state.flushing_lanes.clear();
        state.rate = None;
        state.started = false;
        state.eos_sent = false;
    }

    fn chain<E: Join<Blend = B>>(
        &self,
        imp: &E,
        pad: &gst::Pad,
        sink: Sink,
        buffer: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let Sink::Lane(lane) = sink else {
            // Whatever buffers come on the timeline, only their time counts.
            if let Some(end) = buffer.pts().map(|pts| pts + buffer.duration().unwrap_or_default()) {
                self.advance_horizon(end);
            }
            return self.emit(imp);
        };
        self.wait_for_room(lane)?;
        self.place(imp, pad, lane, &buffer)?;
        self.emit(imp)
    }

    /// Waits while `lane` is too far ahead of the slowest one.
    fn wait_for_room(&self, lane: u32) -> Result<(), gst::FlowError> {
        let max_lead = self.settings().max_lead;
        let mut state = self.state.lock().unwrap();
        loop {
            if state.stopped || state.flushing_lanes.contains(&lane) {
                return Err(gst::FlowError::Flushing);
            }
            if state.lanes.is_ended(lane) || state.eos_sent {
                return Err(gst::FlowError::Eos);
            }
            let lead = state.rate.map_or(0, |rate| samples::position_at(max_lead, rate));
            if state.lanes.has_horizon() || state.lanes.lead(lane) <= lead + state.delay() {
                return Ok(());
            }
            state = self.wake.wait(state).unwrap();
        }
    }

    fn place<E: Join<Blend = B>>(
        &self,
        imp: &E,
        pad: &gst::Pad,
        lane: u32,
        buffer: &gst::Buffer,
    ) -> Result<(), gst::FlowError> {
        let mut state = self.state.lock().unwrap();
        let State { blend, lanes, segments, rate, .. } = &mut *state;
        let Some(rate) = *rate else { return Err(gst::FlowError::NotNegotiated) };
        let Some(segment) = segments.get(&lane) else { return Err(gst::FlowError::NotNegotiated) };
        let Some(time) = buffer.pts().and_then(|pts| segment.to_running_time(pts)) else {
            drop(state);
            gst::element_imp_error!(
                imp,
                gst::StreamError::Format,
                ("Audio without a time-stamp"),
                ["{}: buffer outside its segment or without PTS", pad.name()]
            );
            return Err(gst::FlowError::Error);
        };
        let Ok(map) = buffer.map_readable() else {
            drop(state);
            gst::element_imp_error!(imp, gst::ResourceError::Read, ["{}: unreadable buffer", pad.name()]);
            return Err(gst::FlowError::Error);
        };
        let block = samples::as_samples(&map);
        let discont = buffer.flags().contains(gst::BufferFlags::DISCONT);
        let before = lanes.lost();
        let place = lanes.place(lane, samples::position_at(time, rate), block.len(), discont, rate);
        let lost = lanes.lost();
        blend.add(lane, place.at, &block[place.range]);
        drop(state);
        if lost != before {
            gst::warning!(*imp.category(), obj = pad, "samples at {time} do not fit: {before:?} → {lost:?}");
        }
        Ok(())
    }

    fn advance_horizon(&self, time: gst::ClockTime) {
        let rate = self.fix_rate();
        self.state.lock().unwrap().lanes.advance_horizon(samples::position_at(time, rate));
    }

    /// Pushes all that may go out.
    fn emit<E: Join<Blend = B>>(&self, imp: &E) -> Result<gst::FlowSuccess, gst::FlowError> {
        let latency = self.settings().latency;
        let _order = self.srcpad.stream_lock();
        loop {
            let step = self.state.lock().unwrap().step(latency);
            match step {
                None => return Ok(gst::FlowSuccess::Ok),
                Some(Step::Start) => self.push_start(imp)?,
                Some(Step::Piece(position, rate, piece)) => self.push_piece(imp, position, rate, piece)?,
                Some(Step::Eos) => {
                    self.srcpad.push_event(gst::event::Eos::new());
                    return Ok(gst::FlowSuccess::Ok);
                }
            }
            self.wake.notify_all();
        }
    }

    /// Ends the output, whatever has not been pushed.
    fn push_eos(&self) {
        let _order = self.srcpad.stream_lock();
        let has_ended = {
            let mut state = self.state.lock().unwrap();
            state.stopped || std::mem::replace(&mut state.eos_sent, true)
        };
        if !has_ended {
            self.srcpad.push_event(gst::event::Eos::new());
        }
    }

    fn push_start<E: Join<Blend = B>>(&self, imp: &E) -> Result<(), gst::FlowError> {
        let (rate, channels) = {
            let state = self.state.lock().unwrap();
            (state.rate.unwrap_or_default(), state.blend.channels())
        };
        // Not made from upstream's, as an element with one sink would: there are many.
        let stream_id = format!("reel/{}", imp.obj().upcast_ref::<gst::Object>().path_string());
        self.srcpad.push_event(gst::event::StreamStart::builder(&stream_id).group_id(gst::GroupId::next()).build());
        let caps = caps_of(rate, channels);
        if !self.srcpad.push_event(gst::event::Caps::new(&caps)) {
            gst::debug!(*imp.category(), obj = self.srcpad, "downstream did not take {caps}");
        }
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        self.srcpad.push_event(gst::event::Segment::new(&segment));
        Ok(())
    }

    fn push_piece<E: Join<Blend = B>>(
        &self,
        imp: &E,
        position: u64,
        rate: u32,
        piece: Piece,
    ) -> Result<(), gst::FlowError> {
        let channels = {
            let state = self.state.lock().unwrap();
            state.blend.channels()
        };
        if let Some(event) = piece.event {
            self.srcpad.push_event(event);
        }
        if let Some(structure) = piece.message {
            let message = gst::message::Element::builder(structure).src(&*imp.obj()).build();
            let _ = imp.obj().post_message(message);
        }
        let buffer = samples::buffer_of(piece.samples, channels, position, rate);
        gst::log!(*imp.category(), obj = self.srcpad, "pushing {buffer:?}");
        self.srcpad.push(buffer)?;
        Ok(())
    }

    fn sink_event<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, sink: Sink, event: gst::Event) -> bool {
        gst::debug!(*imp.category(), obj = pad, "{event:?}");
        match (event.view(), sink) {
            (gst::EventView::Caps(caps), Sink::Lane(_)) => self.take_caps(imp, pad, caps.caps()),
            (gst::EventView::Segment(segment), Sink::Lane(lane)) => match segment.segment().downcast_ref() {
                Some(segment) => {
                    self.state.lock().unwrap().segments.insert(lane, segment.clone());
                    true
                }
                None => {
                    gst::element_imp_error!(
                        imp,
                        gst::StreamError::Format,
                        ("Only media with time-stamps can be joined"),
                        ["{}: segment is not in TIME format", pad.name()]
                    );
                    false
                }
            },
            (gst::EventView::Gap(gap), sink) => {
                let (start, duration) = gap.get();
                self.gap(imp, sink, start + duration.unwrap_or_default())
            }
            (gst::EventView::Eos(_), sink) => {
                let last = {
                    let mut state = self.state.lock().unwrap();
                    match sink {
                        Sink::Lane(lane) => state.lanes.end(lane),
                        Sink::Timeline => state.lanes.end_horizon(),
                    }
                    state.lanes.reach(0).last
                };
                if last {
                    // Even a stream without any media has caps, so that downstream can make an empty file of it.
                    self.fix_rate();
                }
                self.wake.notify_all();
                let emitted = self.emit(imp);
                if last && emitted.is_err() {
                    // Downstream takes no more media, but must be told that none will come: files are closed then.
                    self.push_eos();
                }
                emitted.is_ok()
            }
            (gst::EventView::FlushStart(_), Sink::Lane(lane)) => {
                self.state.lock().unwrap().flushing_lanes.insert(lane);
                self.wake.notify_all();
                true
            }
            (gst::EventView::FlushStop(_), Sink::Lane(lane)) => self.flush(lane, event),
            // Each lane's own; the output has its own, and tags of one voice say nothing about the mix.
            (
                gst::EventView::StreamStart(_)
                | gst::EventView::Caps(_)
                | gst::EventView::Segment(_)
                | gst::EventView::FlushStart(_)
                | gst::EventView::FlushStop(_)
                | gst::EventView::Tag(_)
                | gst::EventView::StreamGroupDone(_)
                | gst::EventView::StreamCollection(_),
                _,
            ) => true,
            _ => gst::Pad::event_default(pad, Some(&*imp.obj()), event),
        }
    }

    fn take_caps<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, caps: &gst::CapsRef) -> bool {
        let Some(Format { rate: asked, .. }) = Format::from_caps(caps) else { return false };
        let wanted = self.settings().rate;
        let rate = *self.state.lock().unwrap().rate.get_or_insert(wanted.unwrap_or(asked));
        if rate == asked {
            return true;
        }
        gst::element_imp_error!(
            imp,
            gst::StreamError::Format,
            ("Participants of one recording must have one sample rate"),
            ["{} has {asked} Hz, the stream {rate} Hz", pad.name()]
        );
        false
    }

    fn gap<E: Join<Blend = B>>(&self, imp: &E, sink: Sink, end: gst::ClockTime) -> bool {
        match sink {
            Sink::Timeline => self.advance_horizon(end),
            Sink::Lane(lane) => {
                let mut state = self.state.lock().unwrap();
                let time = state.segments.get(&lane).and_then(|segment| segment.to_running_time(end));
                if let (Some(time), Some(rate)) = (time, state.rate) {
                    state.lanes.advance(lane, samples::position_at(time, rate));
                }
            }
        }
        self.emit(imp).is_ok()
    }

    /// Returns the rate; decides on one when output is due before any media has said it.
    fn fix_rate(&self) -> u32 {
        let wanted = self.settings().rate;
        let known = self.state.lock().unwrap().rate.or(wanted);
        let rate = known.unwrap_or_else(|| self.downstream_rate());
        *self.state.lock().unwrap().rate.get_or_insert(rate)
    }

    fn downstream_rate(&self) -> u32 {
        let mut caps = self.srcpad.peer_query_caps(Some(&self.srcpad.pad_template_caps()));
        if caps.is_empty() {
            return RATE_NATURAL as u32;
        }
        caps.truncate();
        if let Some(s) = caps.make_mut().structure_mut(0) {
            s.fixate_field_nearest_int("rate", RATE_NATURAL);
            return s.get::<i32>("rate").unwrap_or(RATE_NATURAL) as u32;
        }
        RATE_NATURAL as u32
    }

    fn flush(&self, lane: u32, event: gst::Event) -> bool {
        let all = {
            let mut state = self.state.lock().unwrap();
            state.flushing_lanes.remove(&lane);
            state.segments.remove(&lane);
            let all = state.lanes.flush(lane);
            if all {
                state.lanes.restart();
                state.eos_sent = false;
                state.started = false;
            }
            all
        };
        self.wake.notify_all();
        if all {
            // Only when every lane has been flushed does the output begin anew: a flush of one voice is its own affair.
            self.srcpad.push_event(gst::event::FlushStart::new());
            return self.srcpad.push_event(event);
        }
        true
    }

    fn sink_query<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Caps(caps) => {
                let template = pad.pad_template_caps();
                let allowed = self.allowed_caps(&template);
                let allowed = match caps.filter() {
                    Some(filter) => filter.intersect_with_mode(&allowed, gst::CapsIntersectMode::First),
                    None => allowed,
                };
                caps.set_result(&allowed);
                true
            }
            // Downstream's pools and meta are for its own buffers.
            gst::QueryViewMut::Allocation(_) => false,
            _ => gst::Pad::query_default(pad, Some(&*imp.obj()), query),
        }
    }

    /// Returns what a lane may bring: one rate for all, which downstream takes too.
    fn allowed_caps(&self, template: &gst::Caps) -> gst::Caps {
        let wanted = self.settings().rate;
        let rate = self.state.lock().unwrap().rate.or(wanted);
        let mut allowed = template.clone();
        if allowed.is_any() {
            return allowed;
        }
        if let Some(rate) = rate {
            allowed.make_mut().set("rate", rate as i32);
            return allowed;
        }
        let downstream = self.srcpad.peer_query_caps(None);
        let rates = downstream.structure(0).and_then(|s| s.value("rate").ok().cloned());
        if let Some(rates) = rates {
            let mut wanted = gst::Caps::new_empty_simple("audio/x-raw");
            wanted.make_mut().set_value("rate", rates);
            return wanted.intersect(&allowed);
        }
        allowed
    }

    fn src_event<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, event: gst::Event) -> bool {
        gst::debug!(*imp.category(), obj = pad, "{event:?}");
        if imp.upstream_event(&event) {
            return true;
        }
        gst::Pad::event_default(pad, Some(&*imp.obj()), event)
    }

    fn src_query<E: Join<Blend = B>>(&self, imp: &E, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        let answered = gst::Pad::query_default(pad, Some(&*imp.obj()), query);
        if let gst::QueryViewMut::Latency(latency) = query.view_mut() {
            let (live, min, max) = latency.result();
            let own = {
                let state = self.state.lock().unwrap();
                state.rate.map_or(gst::ClockTime::ZERO, |rate| samples::time_of(state.delay(), rate))
            };
            latency.set(live, min + own, max.map(|max| max + own));
        }
        answered
    }
}

impl<B: Blend> State<B> {
    fn delay(&self) -> u64 {
        self.rate.map_or(0, |rate| self.blend.delay(rate))
    }

    /// Takes the next thing to push, if anything may go out.
    fn step(&mut self, latency: gst::ClockTime) -> Option<Step> {
        let rate = self.rate.filter(|_| !self.stopped && !self.eos_sent)?;
        let latency = samples::position_at(latency, rate);
        let Reach { known, last } = self.lanes.reach(latency);
        let until = if last { known } else { known.saturating_sub(self.delay()) };
        let from = self.lanes.emitted();
        if until <= from && !last {
            return None;
        }
        if !self.started {
            self.started = true;
            return Some(Step::Start);
        }
        if until <= from {
            self.eos_sent = true;
            return Some(Step::Eos);
        }
        // A second at a time, whatever the jump: no block of memory depends on a time-stamp.
        let until = until.min(from + u64::from(rate));
        let piece = self.blend.take(Span { from, until, known, rate, last });
        let frames = piece.samples.len() as u64 / u64::from(self.blend.channels());
        self.lanes.set_emitted(from + frames);
        Some(Step::Piece(from, rate, piece))
    }
}

/// Returns the caps of the output; more than one channel carry no speaker positions: they are voices.
fn caps_of(rate: u32, channels: u32) -> gst::Caps {
    let caps = gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", rate as i32)
        .field("channels", channels as i32);
    match channels {
        1 => caps.build(),
        _ => caps.field("channel-mask", gst::Bitmask(0)).build(),
    }
}
