//! Glue of `reelchannels`: pads and properties. The work is in `join` and `grid`.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::channels::grid::Grid;
use crate::join;
use crate::join::{Join, JoinElement, Sink};
use crate::lock::lock_anyway;
use crate::messages;
use crate::pads;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("reelchannels", gst::DebugColorFlags::empty(), Some("Reelgraph: one voice a channel"))
});

/// As many as Azure's unmixed recordings have.
const DEFAULT_MAX_CHANNELS: u32 = 5;

/// As many as GStreamer's raw audio can carry.
const MAX_CHANNELS_LIMIT: u32 = 64;

/// Below quiet speech, above a line's noise.
const DEFAULT_VOICE_THRESHOLD_DB: f64 = -45.0;

#[derive(Debug, Clone)]
struct Settings {
    max_channels: u32,
    voice_threshold_db: f64,
    /// Channels that are kept for pads to come.
    reserved: Vec<i32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_channels: DEFAULT_MAX_CHANNELS,
            voice_threshold_db: DEFAULT_VOICE_THRESHOLD_DB,
            reserved: Vec::new(),
        }
    }
}

/// See the module's documentation. `settings` is locked alone, never while the join's locks are held.
pub struct ReelChannels {
    join: JoinElement<Grid>,
    settings: Mutex<Settings>,
}

impl ReelChannels {
    /// Puts a pad on the channel that its property names.
    fn pin(&self, pad: &super::ReelChannelsPad) {
        let channel = pad.imp().channel.load(Ordering::Relaxed);
        let (Some(Sink::Lane(lane)), Ok(channel)) = (join::sink_named(&pad.name()), usize::try_from(channel)) else {
            return;
        };
        if !self.join.with_blend(|grid| grid.pin(lane, channel)) {
            gst::warning!(CAT, obj = pad, "channel {channel} does not exist or is another's: the pin is ignored");
        }
    }
}

impl Join for ReelChannels {
    type Blend = Grid;

    fn category(&self) -> &'static gst::DebugCategory {
        &CAT
    }

    fn join(&self) -> &JoinElement<Grid> {
        &self.join
    }

    fn new_blend(&self) -> Grid {
        let settings = self.settings.lock().unwrap().clone();
        let mut grid = Grid::new(settings.max_channels as usize, settings.voice_threshold_db);
        settings.reserved.iter().filter_map(|channel| usize::try_from(*channel).ok()).for_each(|c| grid.reserve(c));
        for pad in self.obj().sink_pads() {
            let Some(pinned) = pad.downcast_ref::<super::ReelChannelsPad>() else { continue };
            let channel = usize::try_from(pinned.imp().channel.load(Ordering::Relaxed));
            if let (Some(Sink::Lane(lane)), Ok(channel)) = (join::sink_named(&pad.name()), channel) {
                grid.pin(lane, channel);
            }
        }
        grid
    }

    fn upstream_event(&self, event: &gst::Event) -> bool {
        let Some(s) = event.structure().filter(|s| s.name() == messages::Pause::NAME) else { return false };
        match messages::Pause::read(s) {
            Ok(pause) => self.join.with_blend(|grid| grid.schedule(pause)),
            Err(error) => gst::warning!(CAT, imp = self, "{error}"),
        }
        // Others further up may want to know, too.
        false
    }
}

#[glib::object_subclass]
impl ObjectSubclass for ReelChannels {
    const NAME: &'static str = "GstReelChannels";
    type Type = super::ReelChannels;
    type ParentType = gst::Element;
    type Interfaces = (gst::ChildProxy,);

    fn with_class(klass: &Self::Class) -> Self {
        let template = klass.pad_template("src").expect("the class has it");
        let grid = Grid::new(DEFAULT_MAX_CHANNELS as usize, DEFAULT_VOICE_THRESHOLD_DB);
        Self { join: JoinElement::new::<Self>(&template, grid), settings: Mutex::default() }
    }
}

impl ObjectImpl for ReelChannels {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let mut properties = join::properties();
            properties.extend([
                glib::ParamSpecUInt::builder("max-channels")
                    .nick("Maximum channels")
                    .blurb("Channels of the output (1 to 64)")
                    .minimum(1)
                    .maximum(MAX_CHANNELS_LIMIT)
                    .default_value(DEFAULT_MAX_CHANNELS)
                    .mutable_ready()
                    .build(),
                glib::ParamSpecDouble::builder("voice-threshold")
                    .nick("Voice threshold")
                    .blurb("RMS above which a 20 ms frame may be voice (dBFS)")
                    .minimum(-120.0)
                    .maximum(0.0)
                    .default_value(DEFAULT_VOICE_THRESHOLD_DB)
                    .mutable_ready()
                    .build(),
                gst::ParamSpecArray::builder("reserved-channels")
                    .nick("Reserved channels")
                    .blurb("Channels (counted from 0) kept for pads with property channel that come later")
                    .element_spec(&glib::ParamSpecInt::builder("channel").minimum(0).maximum(63).build())
                    .mutable_ready()
                    .build(),
            ]);
            properties
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut settings = lock_anyway(&self.settings);
        let checked = "type checked upstream";
        match pspec.name() {
            "max-channels" => settings.max_channels = value.get().expect(checked),
            "voice-threshold" => settings.voice_threshold_db = value.get().expect(checked),
            "reserved-channels" => {
                let channels: gst::Array = value.get().expect(checked);
                settings.reserved = channels.iter().filter_map(|channel| channel.get().ok()).collect();
            }
            _ => {
                drop(settings);
                self.join.set_property(value, pspec);
            }
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = lock_anyway(&self.settings).clone();
        match pspec.name() {
            "max-channels" => settings.max_channels.to_value(),
            "voice-threshold" => settings.voice_threshold_db.to_value(),
            "reserved-channels" => gst::Array::new(settings.reserved).to_value(),
            "stats" => {
                let without = self.join.with_blend(|grid| grid.n_without_channel()) as u64;
                self.join.stats().field("pads-without-channel", without).build().to_value()
            }
            _ => self.join.property(pspec),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        self.obj().add_pad(self.join.srcpad()).expect("a new element has no pad of this name");
    }
}

impl GstObjectImpl for ReelChannels {}

/// Lets `gst-launch-1.0` set `sink_0::channel`.
impl ChildProxyImpl for ReelChannels {
    fn children_count(&self) -> u32 {
        u32::from(self.obj().num_pads())
    }

    fn child_by_name(&self, name: &str) -> Option<glib::Object> {
        self.obj().static_pad(name).map(|pad| pad.upcast())
    }

    fn child_by_index(&self, index: u32) -> Option<glib::Object> {
        self.obj().pads().into_iter().nth(index as usize).map(|pad| pad.upcast())
    }
}

impl ElementImpl for ReelChannels {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Reelgraph channels",
                "Generic/Audio",
                "Puts each participant on a channel of their own, in order of first voice, on the pushing thread",
                "Reelgraph developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let mut templates = join::sink_templates(super::ReelChannelsPad::static_type());
            let channels = 1..=MAX_CHANNELS_LIMIT as i32;
            templates.push(join::template("src", gst::PadDirection::Src, gst::PadPresence::Always, channels));
            templates
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
        let (sink, name) = join::requested(obj.upcast_ref(), template, name)?;
        let pad: gst::Pad = match sink {
            Sink::Lane(_) => self.join.sink_pad::<Self, super::ReelChannelsPad>(template, &name, sink).upcast(),
            Sink::Timeline => self.join.sink_pad::<Self, gst::Pad>(template, &name, sink),
        };
        pads::add(obj.upcast_ref(), &pad)?;
        obj.child_added(&pad, &name);
        Some(pad)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        self.obj().child_removed(pad, &pad.name());
        join::release(self, pad);
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        join::change_state(self, transition, |transition| self.parent_change_state(transition))
    }
}

/// A sink pad; see [`super::ReelChannelsPad`].
pub struct ReelChannelsPad {
    /// −1: by voice.
    channel: AtomicI32,
}

const DEFAULT_CHANNEL: i32 = -1;

#[glib::object_subclass]
impl ObjectSubclass for ReelChannelsPad {
    const NAME: &'static str = "GstReelChannelsPad";
    type Type = super::ReelChannelsPad;
    type ParentType = gst::Pad;

    fn new() -> Self {
        Self { channel: AtomicI32::new(DEFAULT_CHANNEL) }
    }
}

impl ObjectImpl for ReelChannelsPad {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecInt::builder("channel")
                    .nick("Channel")
                    .blurb("Channel of this pad (counted from 0; -1: the next free one at its first voice)")
                    .minimum(-1)
                    .maximum(MAX_CHANNELS_LIMIT as i32 - 1)
                    .default_value(DEFAULT_CHANNEL)
                    .mutable_playing()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, _pspec: &glib::ParamSpec) {
        self.channel.store(value.get().expect("type checked upstream"), Ordering::Relaxed);
        if let Some(element) = self.obj().parent().and_downcast::<super::ReelChannels>() {
            element.imp().pin(&self.obj());
        }
    }

    fn property(&self, _id: usize, _pspec: &glib::ParamSpec) -> glib::Value {
        self.channel.load(Ordering::Relaxed).to_value()
    }
}

impl GstObjectImpl for ReelChannelsPad {}

impl PadImpl for ReelChannelsPad {}
