//! GStreamer's registry answers what a graph asks of elements.

use gst::glib;
use gst::prelude::*;

use crate::graph::CapsError;
use crate::graph::Elements;
use crate::graph::Factory;
use crate::graph::elements::Direction;
use crate::graph::elements::PadTemplate;
use crate::graph::elements::Presence;
use crate::graph::elements::Property;
use crate::graph::elements::PropertyKind;
use crate::graph::is_own;
use crate::pipeline::build::can_be_set;
use crate::pipeline::packages::package_of;

/// Elements with several sink pads that keep a push into one until there is something on the others. No type says so:
/// most are of `GstCollectPads`, which is not a base class.
const WAITING: [&str; 12] = [
    "adder",
    "asfmux",
    "avimux",
    "concat",
    "flvmux",
    "input-selector",
    "interleave",
    "matroskamux",
    "mxfmux",
    "oggmux",
    "videomixer",
    "webmmux",
];

/// Elements that have a thread of their own, beside all that are sources, and bins of which nobody knows what is in.
const THREADED: [&str; 9] = [
    "queue",
    "queue2",
    "multiqueue",
    "decodebin",
    "decodebin3",
    "uridecodebin",
    "playbin",
    "rtpjitterbuffer",
    "downloadbuffer",
];

/// The elements of this machine. GStreamer must be initialised.
#[derive(Debug, Clone, Copy, Default)]
pub struct Installed;

impl Elements for Installed {
    fn factory(&self, element: &str) -> Option<Factory> {
        let factory = gst::ElementFactory::find(element)?.load().ok()?.downcast::<gst::ElementFactory>().ok()?;
        let type_ = factory.element_type();
        let is_a = |name| glib::Type::from_name(name).is_some_and(|base| type_.is_a(base));
        Some(Factory {
            pads: factory.static_pad_templates().iter().map(pad_template).collect(),
            properties: properties(type_),
            own_thread: THREADED.contains(&element) || is_a("GstBaseSrc") || (is_a("GstBin") && !is_own(element)),
            aggregator: is_a("GstAggregator"),
            waits_for_inputs: WAITING.contains(&element),
        })
    }

    fn names(&self) -> Vec<String> {
        // Not by kind of element: GStreamer knows no kind for mixers, filters and the like.
        let factories = gst::Registry::get().features(gst::ElementFactory::static_type());
        factories.iter().map(|factory| factory.name().to_string()).collect()
    }

    fn package(&self, element: &str) -> Option<String> {
        package_of(element).map(str::to_owned)
    }

    fn intersect(&self, a: &str, b: &str) -> Result<Option<String>, CapsError> {
        let parse = |caps: &str| caps.parse::<gst::Caps>().map_err(|_| CapsError { caps: caps.to_owned() });
        let (a, b) = (parse(a)?, parse(b)?);
        let both = a.intersect(&b);
        Ok((!both.is_empty()).then(|| both.to_string()))
    }

    fn is_subset(&self, a: &str, b: &str) -> bool {
        let (a, b) = (a.parse::<gst::Caps>(), b.parse::<gst::Caps>());
        a.is_ok_and(|a| b.is_ok_and(|b| a.is_subset(&b)))
    }

    fn takes(&self, element: &str, property: &str, value: &str) -> bool {
        let type_ = gst::ElementFactory::find(element).and_then(|factory| factory.load().ok());
        let type_ = type_.and_then(|factory| factory.downcast::<gst::ElementFactory>().ok()).map(|f| f.element_type());
        let class = type_.and_then(glib::Class::<glib::Object>::from_type);
        let pspec = class.and_then(|class| class.find_property(property));
        pspec.is_some_and(|pspec| glib::Value::deserialize_with_pspec(value, &pspec).is_ok())
    }

    fn has_video(&self) -> bool {
        false
    }
}

fn pad_template(template: &gst::StaticPadTemplate) -> PadTemplate {
    PadTemplate {
        name: template.name_template().to_string(),
        direction: match template.direction() {
            gst::PadDirection::Src => Direction::Src,
            _ => Direction::Sink,
        },
        presence: match template.presence() {
            gst::PadPresence::Always => Presence::Always,
            gst::PadPresence::Sometimes => Presence::Sometimes,
            gst::PadPresence::Request => Presence::Request,
        },
        caps: template.caps().to_string(),
    }
}

fn properties(type_: glib::Type) -> Vec<Property> {
    let Some(class) = glib::Class::<glib::Object>::from_type(type_) else { return Vec::new() };
    let property = |pspec: &glib::ParamSpec| Property {
        name: pspec.name().to_owned(),
        writable: can_be_set(pspec),
        kind: kind(pspec),
    };
    class.list_properties().iter().map(property).collect()
}

fn kind(pspec: &glib::ParamSpec) -> PropertyKind {
    let any = pspec.clone();
    if any.is::<glib::ParamSpecBoolean>() {
        PropertyKind::Bool
    } else if let Some(p) = pspec.downcast_ref::<glib::ParamSpecInt>() {
        PropertyKind::Int { min: p.minimum().into(), max: p.maximum().into() }
    } else if let Some(p) = pspec.downcast_ref::<glib::ParamSpecInt64>() {
        PropertyKind::Int { min: p.minimum(), max: p.maximum() }
    } else if let Some(p) = pspec.downcast_ref::<glib::ParamSpecUInt>() {
        PropertyKind::UInt { min: p.minimum().into(), max: p.maximum().into() }
    } else if let Some(p) = pspec.downcast_ref::<glib::ParamSpecUInt64>() {
        PropertyKind::UInt { min: p.minimum(), max: p.maximum() }
    } else if let Some(p) = pspec.downcast_ref::<glib::ParamSpecFloat>() {
        PropertyKind::Float { min: widened(p.minimum()), max: widened(p.maximum()) }
    } else if let Some(p) = pspec.downcast_ref::<glib::ParamSpecDouble>() {
        PropertyKind::Float { min: p.minimum(), max: p.maximum() }
    } else if any.is::<glib::ParamSpecString>() {
        PropertyKind::Text
    } else if let Some(class) = glib::EnumClass::with_type(pspec.value_type()) {
        PropertyKind::Enum { nicks: class.values().iter().map(|value| value.nick().to_owned()).collect() }
    } else if let Some(class) = glib::FlagsClass::with_type(pspec.value_type()) {
        PropertyKind::Flags { nicks: class.values().iter().map(|value| value.nick().to_owned()).collect() }
    } else {
        PropertyKind::Other(pspec.value_type().name().to_owned())
    }
}

/// Returns the number that is written as a 32-bit one is: 9.999, not 9.99899959564209.
fn widened(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(number.into())
}
