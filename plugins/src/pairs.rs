//! Pads that come in pairs: `sink_N` is requested, `src_N` appears with it. What `reelgate` and `reelmeta` share.

use gst::prelude::*;

/// Returns a pad template.
pub(crate) fn template(
    name: &str,
    direction: gst::PadDirection,
    presence: gst::PadPresence,
    caps: &gst::Caps,
) -> gst::PadTemplate {
    gst::PadTemplate::new(name, direction, presence, caps).expect("the name is a legal template")
}

/// Returns the templates `sink_%u` (request) and `src_%u` (sometimes).
pub(crate) fn templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    vec![
        template("sink_%u", gst::PadDirection::Sink, gst::PadPresence::Request, caps),
        template("src_%u", gst::PadDirection::Src, gst::PadPresence::Sometimes, caps),
    ]
}

/// Returns the caps of audio inside a graph: S16LE, any rate and channels.
pub(crate) fn audio_caps() -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", gst::IntRange::new(1, i32::MAX))
        .field("channels", gst::IntRange::new(1, 64))
        .build()
}

/// The src pad that goes with a sink pad.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// The N of `sink_N` and `src_N`.
    pub(crate) index: u32,
    pub(crate) src: gst::Pad,
}

/// Makes a pair and returns its sink pad; None when there is one of that name. `chain` and `sink_event` get the pair
/// and the parent.
///
/// Queries, and events that come upstream, go straight through: each pair is a stream of its own.
pub(crate) fn request<C, E>(
    element: &gst::Element,
    template: &gst::PadTemplate,
    name: Option<&str>,
    chain: C,
    sink_event: E,
) -> Option<(Pair, gst::Pad)>
where
    C: Fn(&gst::Pad, &Pair, Option<&gst::Object>, gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError>,
    C: Send + Sync + 'static,
    E: Fn(&gst::Pad, &Pair, Option<&gst::Object>, gst::Event) -> bool + Send + Sync + 'static,
{
    let index = requested(element, name)?;
    let src = gst::PadBuilder::<gst::Pad>::from_template(&element.pad_template("src_%u")?)
        .name(format!("src_{index}"))
        .iterate_internal_links_function(internal_links)
        .build();
    let pair = Pair { index, src };
    let (of_chain, of_event) = (pair.clone(), pair.clone());
    let sink = gst::PadBuilder::<gst::Pad>::from_template(template)
        .name(format!("sink_{index}"))
        .chain_function(move |pad, parent, buffer| chain(pad, &of_chain, parent, buffer))
        .event_function(move |pad, parent, event| sink_event(pad, &of_event, parent, event))
        .iterate_internal_links_function(internal_links)
        .flags(gst::PadFlags::PROXY_CAPS)
        .build();
    add(element, &sink)?;
    add(element, &pair.src)?;
    Some((pair, sink))
}

fn requested(element: &gst::Element, name: Option<&str>) -> Option<u32> {
    let free = |index: &u32| element.static_pad(&format!("sink_{index}")).is_none();
    match name.filter(|name| !name.contains('%')) {
        Some(name) => name.strip_prefix("sink_")?.parse().ok().filter(free),
        None => (0..).find(free),
    }
}

/// Returns the pads that a query or event on `pad` goes on to.
fn internal_links(pad: &gst::Pad, parent: Option<&gst::Object>) -> gst::Iterator<gst::Pad> {
    let element = parent.and_then(|parent| parent.downcast_ref::<gst::Element>());
    gst::Iterator::from_vec(element.and_then(|element| partner(element, pad)).into_iter().collect())
}

/// Adds a pad; one that is added to a running element runs.
pub(crate) fn add(element: &gst::Element, pad: &impl IsA<gst::Pad>) -> Option<()> {
    if element.current_state().max(element.pending_state()) > gst::State::Ready {
        pad.set_active(true).ok()?;
    }
    element.add_pad(pad).ok()
}

/// Returns the other pad of the pair.
fn partner(element: &gst::Element, pad: &gst::Pad) -> Option<gst::Pad> {
    let name = pad.name();
    let (side, index) = name.split_once('_')?;
    let other = if side == "sink" { "src" } else { "sink" };
    element.static_pad(&format!("{other}_{index}"))
}

/// Takes a pair away and returns its index.
pub(crate) fn release(element: &gst::Element, sinkpad: &gst::Pad) -> Option<u32> {
    let index = sinkpad.name().strip_prefix("sink_")?.parse().ok();
    for pad in [partner(element, sinkpad), Some(sinkpad.clone())].into_iter().flatten() {
        let _ = pad.set_active(false);
        let _ = element.remove_pad(&pad);
    }
    index
}
