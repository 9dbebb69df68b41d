//! `faultyfilter`: an element that passes buffers on until it does what an element must not: it blocks for ever, it
//! panics, it refuses. Recordings beside one that has it must not notice.
#![allow(missing_docs, reason = "the items of plugin_define are GStreamer's to document")]

use std::sync::Mutex;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;

mod imp {
    use super::*;

    /// What to do when the time has come.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    enum Fault {
        #[default]
        None,
        Block,
        Panic,
        Refuse,
    }

    #[derive(Debug, Clone, Copy, Default)]
    struct Settings {
        fault: Fault,
        after: u32,
    }

    /// See the crate.
    #[derive(Debug, Default)]
    pub struct FaultyFilter {
        settings: Mutex<Settings>,
        n_passed: Mutex<u32>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for FaultyFilter {
        const NAME: &'static str = "GstFaultyFilter";
        type Type = super::FaultyFilter;
        type ParentType = gst_base::BaseTransform;
    }

    impl ObjectImpl for FaultyFilter {
        fn properties() -> &'static [glib::ParamSpec] {
            static PROPERTIES: std::sync::LazyLock<Vec<glib::ParamSpec>> = std::sync::LazyLock::new(|| {
                vec![
                    glib::ParamSpecString::builder("fault")
                        .nick("Fault")
                        .blurb("block, panic or refuse; else nothing")
                        .build(),
                    glib::ParamSpecUInt::builder("after")
                        .nick("After")
                        .blurb("Buffers with sound that pass before it")
                        .build(),
                ]
            });
            &PROPERTIES
        }

        fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
            let mut settings = self.settings.lock().unwrap();
            match pspec.name() {
                "after" => settings.after = value.get().expect("type checked upstream"),
                _ => {
                    settings.fault = match value.get::<Option<&str>>().expect("type checked upstream") {
                        Some("block") => Fault::Block,
                        Some("panic") => Fault::Panic,
                        Some("refuse") => Fault::Refuse,
                        _ => Fault::None,
                    }
                }
            }
        }

        fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
            let settings = self.settings.lock().unwrap();
            match pspec.name() {
                "after" => settings.after.to_value(),
                _ => format!("{:?}", settings.fault).to_lowercase().to_value(),
            }
        }
    }

    impl GstObjectImpl for FaultyFilter {}

    impl ElementImpl for FaultyFilter {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: std::sync::LazyLock<gst::subclass::ElementMetadata> = std::sync::LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "Faulty filter",
                    "Generic",
                    "Fails on purpose",
                    "Reelgraph developers",
                )
            });
            Some(&METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: std::sync::LazyLock<Vec<gst::PadTemplate>> = std::sync::LazyLock::new(|| {
                [("sink", gst::PadDirection::Sink), ("src", gst::PadDirection::Src)]
                    .map(|(name, direction)| {
                        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &gst::Caps::new_any())
                            .expect("valid templates")
                    })
                    .to_vec()
            });
            &TEMPLATES
        }
    }

    impl BaseTransformImpl for FaultyFilter {
        const MODE: gst_base::subclass::BaseTransformMode = gst_base::subclass::BaseTransformMode::AlwaysInPlace;
        const PASSTHROUGH_ON_SAME_CAPS: bool = false;
        const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

        fn transform_ip(&self, buffer: &mut gst::BufferRef) -> Result<gst::FlowSuccess, gst::FlowError> {
            // Silence is no voice: what is run to be measured must not fail.
            let is_silent = buffer.map_readable().is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0));
            if is_silent {
                return Ok(gst::FlowSuccess::Ok);
            }
            let Settings { fault, after } = *self.settings.lock().unwrap();
            let n_passed = {
                let mut n_passed = self.n_passed.lock().unwrap();
                *n_passed += 1;
                *n_passed - 1
            };
            if n_passed < after {
                return Ok(gst::FlowSuccess::Ok);
            }
            match fault {
                Fault::None => Ok(gst::FlowSuccess::Ok),
                Fault::Refuse => Err(gst::FlowError::Error),
                Fault::Panic => panic!("a fault on purpose"),
                Fault::Block => loop {
                    std::thread::park();
                },
            }
        }
    }
}

glib::wrapper! {
    /// Fails on purpose; see the crate.
    pub struct FaultyFilter(ObjectSubclass<imp::FaultyFilter>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "faultyfilter", gst::Rank::NONE, FaultyFilter::static_type())
}

gst::plugin_define!(
    faulty,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    concat!(env!("CARGO_PKG_VERSION"), "-test"),
    "MIT/X11",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_REPOSITORY"),
    "2026-11-28"
);
