//! Glue of `reelmixer`: pads and properties. The work is in `join` and `sum`.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::join;
use crate::join::{Join, JoinElement};
use crate::mixer::sum::Sum;
use crate::pads;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("reelmixer", gst::DebugColorFlags::empty(), Some("Reelgraph: mixes voices"))
});

const DEFAULT_POST_LEVELS: bool = true;

/// See the module's documentation.
pub struct ReelMixer {
    join: JoinElement<Sum>,
    post_levels: AtomicBool,
}

impl Join for ReelMixer {
    type Blend = Sum;

    fn category(&self) -> &'static gst::DebugCategory {
        &CAT
    }

    fn join(&self) -> &JoinElement<Sum> {
        &self.join
    }

    fn new_blend(&self) -> Sum {
        Sum::new(self.post_levels.load(Ordering::Relaxed))
    }
}

#[glib::object_subclass]
impl ObjectSubclass for ReelMixer {
    const NAME: &'static str = "GstReelMixer";
    type Type = super::ReelMixer;
    type ParentType = gst::Element;

    fn with_class(klass: &Self::Class) -> Self {
        let template = klass.pad_template("src").expect("the class has it");
        Self {
            join: JoinElement::new::<Self>(&template, Sum::new(DEFAULT_POST_LEVELS)),
            post_levels: AtomicBool::new(DEFAULT_POST_LEVELS),
        }
    }
}

impl ObjectImpl for ReelMixer {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let mut properties = join::properties();
            properties.push(
                glib::ParamSpecBoolean::builder("post-levels")
                    .nick("Post levels")
                    .blurb("Post a reel-level message with each pad's RMS once a pushed buffer")
                    .default_value(DEFAULT_POST_LEVELS)
                    .mutable_ready()
                    .build(),
            );
            properties
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        match pspec.name() {
            "post-levels" => {
                self.post_levels.store(value.get().expect("type checked upstream"), Ordering::Relaxed);
            }
            _ => self.join.set_property(value, pspec),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "post-levels" => self.post_levels.load(Ordering::Relaxed).to_value(),
            "stats" => {
                let limited = self.join.with_blend(|sum| sum.limited());
                self.join.stats().field("limited-samples", limited).build().to_value()
            }
            _ => self.join.property(pspec),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        self.obj().add_pad(self.join.srcpad()).expect("a new element has no pad of this name");
    }
}

impl GstObjectImpl for ReelMixer {}

impl ElementImpl for ReelMixer {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Reelgraph mixer",
                "Generic/Audio",
                "Adds voices into one, by position and on the pushing thread, with a limiter above -6 dBFS",
                "Reelgraph developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let mut templates = join::sink_templates(gst::Pad::static_type());
            templates.push(join::template("src", gst::PadDirection::Src, gst::PadPresence::Always, 1..=1));
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
        let pad: gst::Pad = self.join.sink_pad::<Self, gst::Pad>(template, &name, sink);
        pads::add(obj.upcast_ref(), &pad)?;
        Some(pad)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        join::release(self, pad);
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        join::change_state(self, transition, |transition| self.parent_change_state(transition))
    }
}
