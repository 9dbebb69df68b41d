//! Glue of `reelsrc`: pads, and the events that a stream begins with.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::pads;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("reelsrc", gst::DebugColorFlags::empty(), Some("Reelgraph: the door for a call's media"))
});

const TIMELINE: &str = "timeline";

/// What has been told downstream on one pad.
#[derive(Debug, Clone, Default)]
struct Told {
    caps: Option<gst::Caps>,
    eos: bool,
}

#[derive(Debug, Default)]
struct State {
    told: BTreeMap<String, Told>,
    horizon: gst::ClockTime,
    group: Option<gst::GroupId>,
}

/// See the module's documentation. `state` is not held while pushing.
pub struct ReelSrc {
    timeline: gst::Pad,
    state: Mutex<State>,
}

impl ReelSrc {
    pub(super) fn push(
        &self,
        pad: &gst::Pad,
        caps: &gst::Caps,
        frames: gst::BufferList,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.open(pad, Some(caps));
        pad.push_list(frames)
    }

    pub(super) fn gap(&self, pad: &gst::Pad, start: gst::ClockTime, duration: gst::ClockTime, lost: bool) {
        let has_caps = self.state.lock().unwrap().told.get(pad.name().as_str()).is_some_and(|told| told.caps.is_some());
        if !has_caps {
            // Nobody could tell what is missing; and caps must not come after the segment that a gap needs.
            return;
        }
        let flags = if lost { gst::GapFlags::DATA } else { gst::GapFlags::empty() };
        pad.push_event(gst::event::Gap::builder(start).duration(duration).gap_flags(flags).build());
    }

    pub(super) fn end_track(&self, pad: &gst::Pad) {
        self.open(pad, None);
        let ended =
            std::mem::replace(&mut self.state.lock().unwrap().told.entry(pad.name().into()).or_default().eos, true);
        if !ended {
            pad.push_event(gst::event::Eos::new());
        }
    }

    pub(super) fn advance(&self, horizon: gst::ClockTime) -> Result<(), gst::FlowError> {
        let from = {
            let mut state = self.state.lock().unwrap();
            let from = state.horizon;
            state.horizon = from.max(horizon);
            from
        };
        // A mixer that follows its slowest pad takes no timeline.
        if horizon <= from || !self.timeline.is_linked() {
            return Ok(());
        }
        self.open(&self.timeline, None);
        let gap = gst::event::Gap::builder(from).duration(horizon - from).build();
        // An event has no flow return: the element that made media of it answers by taking it or not.
        if self.timeline.push_event(gap) { Ok(()) } else { Err(gst::FlowError::Error) }
    }

    pub(super) fn end(&self) {
        let tracks = self.obj().src_pads().into_iter().filter(|pad| *pad != self.timeline);
        tracks.for_each(|pad| self.end_track(&pad));
        self.end_track(&self.timeline);
    }

    /// Tells downstream what a stream begins with, once, and its caps whenever they change.
    fn open(&self, pad: &gst::Pad, caps: Option<&gst::Caps>) {
        let name = pad.name();
        let (first, changed, group) = {
            let mut state = self.state.lock().unwrap();
            let told = state.told.get(name.as_str());
            if told.is_some_and(|told| caps.is_none() || told.caps.as_ref() == caps) {
                return;
            }
            let group = *state.group.get_or_insert_with(gst::GroupId::next);
            let first = !state.told.contains_key(name.as_str());
            let told = state.told.entry(name.to_string()).or_default();
            let changed = caps.filter(|caps| told.caps.as_ref() != Some(caps)).cloned();
            told.caps = changed.clone().or(told.caps.take());
            (first, changed, group)
        };
        if first {
            let stream_id = pad.create_stream_id(&*self.obj(), Some(name.as_str()));
            pad.push_event(gst::event::StreamStart::builder(&stream_id).group_id(group).build());
        }
        if let Some(caps) = changed {
            gst::debug!(CAT, obj = pad, "caps {caps}");
            pad.push_event(gst::event::Caps::new(&caps));
        }
        if first {
            let segment = gst::FormattedSegment::<gst::ClockTime>::new();
            pad.push_event(gst::event::Segment::new(&segment));
        }
    }

    /// What comes from downstream ends here; GStreamer's default would say yes to a seek that nobody does.
    fn event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        gst::debug!(CAT, obj = pad, "{event:?}");
        match event.view() {
            gst::EventView::Seek(_) => false,
            _ => gst::Pad::event_default(pad, Some(&*self.obj()), event),
        }
    }

    fn query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Latency(latency) => {
                latency.set(false, gst::ClockTime::ZERO, gst::ClockTime::NONE);
                true
            }
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for ReelSrc {
    const NAME: &'static str = "GstReelSrc";
    type Type = super::ReelSrc;
    type ParentType = gst::Element;

    fn with_class(klass: &Self::Class) -> Self {
        let template = klass.pad_template(TIMELINE).expect("the class has it");
        let timeline = gst::Pad::builder_from_template(&template)
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.event(pad, event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.query(pad, query))
            })
            .build();
        Self { timeline, state: Mutex::default() }
    }
}

impl ObjectImpl for ReelSrc {
    fn constructed(&self) {
        self.parent_constructed();
        self.obj().set_element_flags(gst::ElementFlags::SOURCE);
        self.obj().add_pad(&self.timeline).expect("a new element has no pad of this name");
    }
}

impl GstObjectImpl for ReelSrc {}

impl ElementImpl for ReelSrc {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Reelgraph source",
                "Source",
                "The door through which a program pushes the media of a call",
                "Reelgraph developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let template = |name, presence| {
                gst::PadTemplate::new(name, gst::PadDirection::Src, presence, &gst::Caps::new_any())
                    .expect("the name is a legal template")
            };
            vec![template("audio_%u", gst::PadPresence::Request), template(TIMELINE, gst::PadPresence::Always)]
        });
        &TEMPLATES
    }

    fn request_new_pad(
        &self,
        template: &gst::PadTemplate,
        name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        let obj = self.obj();
        let free = |name: &String| obj.static_pad(name).is_none();
        let name = match name.filter(|name| !name.contains('%')) {
            Some(name) => Some(name.to_owned()).filter(free)?,
            None => (0..).map(|index: u32| format!("audio_{index}")).find(free)?,
        };
        let pad = gst::PadBuilder::<gst::Pad>::from_template(template)
            .name(name)
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.event(pad, event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |imp| imp.query(pad, query))
            })
            .build();
        pads::add(obj.upcast_ref(), &pad)?;
        Some(pad)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        let _ = pad.set_active(false);
        let _ = self.obj().remove_pad(pad);
        self.state.lock().unwrap().told.remove(pad.name().as_str());
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused {
            // What was told to pads that did not run was not heard.
            *self.state.lock().unwrap() = State::default();
        }
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            *self.state.lock().unwrap() = State::default();
        }
        Ok(success)
    }
}
