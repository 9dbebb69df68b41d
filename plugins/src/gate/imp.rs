//! Glue of `reelgate`: pads, events and properties. What goes where is decided in `cut`.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::edges::{Edge, Edges};
use crate::gate::Mode;
use crate::gate::cut::{self, Action, Cut};
use crate::lock::lock_anyway;
use crate::messages;
use crate::pads;
use crate::pairs;
use crate::pairs::Pair;
use crate::samples;
use crate::samples::Format;
use crate::timeline::{Scheduled, Timeline};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("reelgate", gst::DebugColorFlags::empty(), Some("Reelgraph: pauses a recording"))
});

const DEFAULT_MODE: Mode = Mode::Skip;

#[derive(Debug, Clone, Copy, Default)]
struct Settings {
    mode: Mode,
    edges: Edges,
}

/// What one pair of pads carries.
#[derive(Debug, Clone, Default)]
struct Lane {
    format: Option<Format>,
    segment: gst::FormattedSegment<gst::ClockTime>,
    cut: Cut,
}

#[derive(Debug, Default)]
struct State {
    /// Of this run.
    mode: Mode,
    lanes: BTreeMap<u32, Lane>,
    timeline: Timeline,
    paused_samples: u64,
    moved_edges: u64,
}

/// See the module's documentation.
///
/// Lock order: `settings`, then `state`; neither is held while pushing.
#[derive(Default)]
pub struct ReelGate {
    settings: Mutex<Settings>,
    state: Mutex<State>,
}

impl ReelGate {
    fn chain(&self, pad: &gst::Pad, pair: &Pair, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        if buffer.pts().is_none() {
            gst::element_imp_error!(
                self,
                gst::StreamError::Format,
                ("Media without a time-stamp"),
                ["{}: buffer without PTS", pad.name()]
            );
            return Err(gst::FlowError::Error);
        }
        let (mode, format, mut buffer, actions) = {
            let mut state = self.state.lock().unwrap();
            let State { mode, lanes, timeline, paused_samples, .. } = &mut *state;
            let lane = lanes.get_mut(&pair.index).ok_or(gst::FlowError::Error)?;
            let format = lane.format.ok_or(gst::FlowError::NotNegotiated)?;
            let (segment, frame_bytes) = (&lane.segment, format.frame_bytes());
            let clipped = gst_audio::audio_buffer_clip(buffer, segment.upcast_ref(), format.rate, frame_bytes as u32);
            // What stands outside its segment is not to be heard.
            let Some(buffer) = clipped else { return Ok(gst::FlowSuccess::Ok) };
            let time = buffer.pts().and_then(|pts| segment.to_running_time(pts));
            let Some(time) = time else { return Ok(gst::FlowSuccess::Ok) };
            let frames = (buffer.size() / frame_bytes) as u64;
            let position = samples::position_at(time, format.rate);
            let actions = lane.cut.apply(timeline, *mode, format.rate, position, frames);
            *paused_samples += actions.iter().map(paused_frames).sum::<u64>();
            (*mode, format, buffer, actions)
        };
        if let [Action::Pass { range, position }] = actions.as_slice() {
            // Nearly always: all of it goes on as it is.
            buffer.make_mut().set_size(range.end as usize * format.frame_bytes());
            samples::stamp(buffer.make_mut(), *position, range.end, format.rate);
            return pair.src.push(buffer);
        }
        for action in actions {
            self.perform(&pair.src, &buffer, format, mode, action)?;
        }
        Ok(gst::FlowSuccess::Ok)
    }

    fn perform(
        &self,
        srcpad: &gst::Pad,
        buffer: &gst::BufferRef,
        format: Format,
        mode: Mode,
        action: Action,
    ) -> Result<(), gst::FlowError> {
        let Format { rate, channels, .. } = format;
        let buffer = match action {
            Action::Edge { paused, at, skipped } => {
                gst::info!(CAT, obj = srcpad, "{} at {at}", if paused { "paused" } else { "resumed" });
                srcpad.push_event(messages::Gate { paused, at, skipped }.event());
                return Ok(());
            }
            Action::Drop { .. } => return Ok(()),
            Action::Pass { range, position } => {
                let frame_bytes = format.frame_bytes();
                samples::region(buffer, frame_bytes, range, position, rate).ok_or(gst::FlowError::Error)?
            }
            Action::Replace { frames, position } => {
                let samples = cut::replacement(mode, frames, channels, position, rate);
                samples::buffer_of(samples, channels, position, rate)
            }
        };
        srcpad.push(buffer)?;
        Ok(())
    }

    fn sink_event(&self, pad: &gst::Pad, pair: &Pair, event: gst::Event) -> bool {
        gst::debug!(CAT, obj = pad, "{event:?}");
        let (index, srcpad) = (pair.index, &pair.src);
        match event.view() {
            gst::EventView::StreamStart(_) => self.repeat_edges(pad),
            gst::EventView::Caps(caps) => {
                let format = Format::from_graph_caps(caps.caps());
                self.lane(index, |lane| lane.format = format);
                if format.is_none() {
                    gst::debug!(CAT, obj = pad, "refused {:?}", caps.caps());
                    return false;
                }
            }
            gst::EventView::Segment(segment) => match segment.segment().downcast_ref::<gst::ClockTime>() {
                Some(segment) => {
                    // What comes out is stamped in running-time, so its segment begins at zero.
                    self.lane(index, |lane| lane.segment = segment.clone());
                    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
                    return srcpad.push_event(gst::event::Segment::builder(&segment).seqnum(event.seqnum()).build());
                }
                None => {
                    gst::element_imp_error!(
                        self,
                        gst::StreamError::Format,
                        ("Only media with time-stamps can be paused"),
                        ["{}: segment is not in TIME format", pad.name()]
                    );
                    return false;
                }
            },
            gst::EventView::Gap(gap) => return self.gap(index, srcpad, gap),
            gst::EventView::Eos(_) => self.finish(index, srcpad),
            gst::EventView::FlushStop(_) => {
                self.lane(index, |lane| {
                    lane.cut.flush();
                    lane.segment = gst::FormattedSegment::new();
                });
            }
            _ => (),
        }
        srcpad.push_event(event)
    }

    fn gap(&self, index: u32, srcpad: &gst::Pad, gap: &gst::event::Gap) -> bool {
        let (start, duration) = gap.get();
        let hole = {
            let state = self.state.lock().unwrap();
            let Some(Lane { format: Some(format), segment, .. }) = state.lanes.get(&index) else { return true };
            let position = |time| segment.to_running_time(time).map(|time| samples::position_at(time, format.rate));
            let end = start.saturating_add(duration.unwrap_or_default());
            let hole = position(start).zip(position(segment.stop().map_or(end, |stop| end.min(stop))));
            let recorded =
                hole.and_then(|(from, to)| Cut::recorded(&state.timeline, state.mode, format.rate, from..to));
            recorded.map(|hole| (samples::time_of(hole.start, format.rate), samples::time_of(hole.end, format.rate)))
        };
        let Some((from, to)) = hole else { return true };
        let recorded = gst::event::Gap::builder(from).gap_flags(gap.gap_flags()).seqnum(gap.seqnum());
        srcpad.push_event(recorded.duration(duration.map(|_| to.saturating_sub(from))).build())
    }

    /// Tells the elements above what has been scheduled before they were there, or before a flush.
    fn repeat_edges(&self, pad: &gst::Pad) {
        let edges = self.state.lock().unwrap().timeline.edges();
        for (pause, at) in edges {
            pad.push_event(messages::Pause { pause, at }.event());
        }
    }

    fn finish(&self, index: u32, srcpad: &gst::Pad) {
        let actions = {
            let mut state = self.state.lock().unwrap();
            let State { mode, lanes, timeline, .. } = &mut *state;
            match lanes.get_mut(&index) {
                Some(Lane { format: Some(format), cut, .. }) => cut.finish(timeline, *mode, format.rate),
                _ => Vec::new(),
            }
        };
        for action in actions {
            if let Action::Edge { paused, at, skipped } = action {
                srcpad.push_event(messages::Gate { paused, at, skipped }.event());
            }
        }
    }

    fn lane<R>(&self, index: u32, f: impl FnOnce(&mut Lane) -> R) -> Option<R> {
        self.state.lock().unwrap().lanes.get_mut(&index).map(f)
    }

    /// Schedules an edge and tells the elements above.
    fn schedule(&self, edge: Edge) {
        let (Edge::Pause(at) | Edge::Resume(at)) = edge;
        let pause = matches!(edge, Edge::Pause(_));
        let scheduled = {
            let mut state = lock_anyway(&self.state);
            let passed = |lane: &Lane| lane.format.map(|format| lane.cut.passed(format.rate));
            let passed = state.lanes.values().filter_map(passed).max().unwrap_or_default();
            let scheduled = match edge {
                Edge::Pause(at) => state.timeline.pause(at, passed),
                Edge::Resume(at) => state.timeline.resume(at, passed),
            };
            if matches!(scheduled, Scheduled::At(time) if time != at) {
                state.moved_edges += 1;
            }
            scheduled
        };
        match scheduled {
            Scheduled::At(time) => {
                gst::info!(CAT, imp = self, "{} at {time} (asked: {at})", if pause { "pause" } else { "resume" });
                for pad in self.obj().sink_pads() {
                    pad.push_event(messages::Pause { pause, at: time }.event());
                }
            }
            Scheduled::Nothing => gst::debug!(CAT, imp = self, "edge at {at} changes nothing"),
        }
    }
}

fn paused_frames(action: &Action) -> u64 {
    match action {
        Action::Drop { frames } | Action::Replace { frames, .. } => *frames,
        _ => 0,
    }
}

#[glib::object_subclass]
impl ObjectSubclass for ReelGate {
    const NAME: &'static str = "GstReelGate";
    type Type = super::ReelGate;
    type ParentType = gst::Element;
}

impl ObjectImpl for ReelGate {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let [pause_at, resume_at] = Edges::properties();
            vec![
                glib::ParamSpecEnum::builder_with_default("mode", DEFAULT_MODE)
                    .nick("Mode")
                    .blurb("What comes out during a pause")
                    .mutable_ready()
                    .build(),
                pause_at,
                resume_at,
                glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
                    .nick("Statistics")
                    .blurb("Samples inside pauses, and edges that came after their media had passed, since the start")
                    .read_only()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        if pspec.name() == "mode" {
            lock_anyway(&self.settings).mode = value.get().expect("type checked upstream");
            return;
        }
        let edge = lock_anyway(&self.settings).edges.write(pspec.name(), value);
        if let Some(edge) = edge {
            self.schedule(edge);
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = *lock_anyway(&self.settings);
        match pspec.name() {
            "mode" => settings.mode.to_value(),
            "stats" => {
                let state = lock_anyway(&self.state);
                gst::Structure::builder(messages::STATS)
                    .field("paused-samples", state.paused_samples)
                    .field("moved-edges", state.moved_edges)
                    .build()
                    .to_value()
            }
            name => settings.edges.read(name).unwrap_or_else(|| unreachable!("no property {name}")),
        }
    }
}

impl GstObjectImpl for ReelGate {}

impl ElementImpl for ReelGate {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Reelgraph gate",
                "Generic/Audio",
                "Pauses a recording, exact to the sample, on the pushing thread",
                "Reelgraph developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| pairs::templates(&pads::audio_caps()));
        &TEMPLATES
    }

    fn request_new_pad(
        &self,
        template: &gst::PadTemplate,
        name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        let chain = |pad: &gst::Pad, pair: &Pair, parent: Option<&gst::Object>, buffer| {
            Self::catch_panic_pad_function(parent, || Err(gst::FlowError::Error), |imp| imp.chain(pad, pair, buffer))
        };
        let sink_event = |pad: &gst::Pad, pair: &Pair, parent: Option<&gst::Object>, event| {
            Self::catch_panic_pad_function(parent, || false, |imp| imp.sink_event(pad, pair, event))
        };
        let (pair, sink) = pairs::request(self.obj().upcast_ref(), template, name, chain, sink_event)?;
        self.state.lock().unwrap().lanes.insert(pair.index, Lane::default());
        Some(sink)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        if let Some(index) = pairs::release(self.obj().upcast_ref(), pad) {
            self.state.lock().unwrap().lanes.remove(&index);
        }
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused {
            let mode = self.settings.lock().unwrap().mode;
            self.state.lock().unwrap().mode = mode;
        }
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            self.settings.lock().unwrap().edges = Edges::default();
            let mut state = self.state.lock().unwrap();
            let lanes = std::mem::take(&mut state.lanes);
            let lanes = lanes.into_keys().map(|index| (index, Lane::default())).collect();
            *state = State { lanes, ..State::default() };
        }
        Ok(success)
    }
}
