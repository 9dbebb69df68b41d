//! Names and templates of the pads that all joining elements have.

use gst::prelude::*;

use crate::pads;

/// Which sink pad something came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sink {
    /// A participant: the N of `sink_N`.
    Lane(u32),
    /// The clock: GAP events up to which all media has been pushed.
    Timeline,
}

const LANE_PREFIX: &str = "sink_";
const TIMELINE: &str = "timeline";

/// Returns which sink a pad of this name is.
pub(crate) fn sink_named(name: &str) -> Option<Sink> {
    match name {
        TIMELINE => Some(Sink::Timeline),
        name => pads::index_of(name, LANE_PREFIX).map(Sink::Lane),
    }
}

/// Returns a pad template for S16LE audio with a range of channels.
pub(crate) fn template(
    name: &str,
    direction: gst::PadDirection,
    presence: gst::PadPresence,
    channels: std::ops::RangeInclusive<i32>,
) -> gst::PadTemplate {
    gst::PadTemplate::new(name, direction, presence, &caps(channels)).expect("the name is a legal template")
}

fn caps(channels: std::ops::RangeInclusive<i32>) -> gst::Caps {
    let caps = gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", gst::IntRange::new(8_000, 48_000));
    match channels.start() == channels.end() {
        true => caps.field("channels", *channels.start()).build(),
        false => caps.field("channels", gst::IntRange::new(*channels.start(), *channels.end())).build(),
    }
}

/// Returns the templates of the sink pads; participants' pads are of type `lane`.
pub(crate) fn sink_templates(lane: gst::glib::Type) -> Vec<gst::PadTemplate> {
    let legal = "the name is a legal template";
    let (sink, request) = (gst::PadDirection::Sink, gst::PadPresence::Request);
    vec![
        gst::PadTemplate::with_gtype("sink_%u", sink, request, &caps(1..=1), lane).expect(legal),
        gst::PadTemplate::new(TIMELINE, sink, request, &gst::Caps::new_any()).expect(legal),
    ]
}

/// Decides which pad a request means; None when there is one already.
pub(crate) fn requested(
    element: &gst::Element,
    template: &gst::PadTemplate,
    name: Option<&str>,
) -> Option<(Sink, String)> {
    if template.name_template() == TIMELINE {
        return element.static_pad(TIMELINE).is_none().then(|| (Sink::Timeline, TIMELINE.to_owned()));
    }
    let wanted = name.filter(|name| !name.contains('%'));
    let free = |index: &u32| element.static_pad(&format!("{LANE_PREFIX}{index}")).is_none();
    let index = match wanted.map(sink_named) {
        Some(Some(Sink::Lane(index))) => Some(index).filter(free)?,
        Some(_) => return None,
        None => (0..).find(free)?,
    };
    Some((Sink::Lane(index), format!("{LANE_PREFIX}{index}")))
}
