//! Pads that come in pairs: `sink_N` is requested, `src_N` appears with it. What `reelgate` and `reelmeta` share.

use gst::prelude::*;

use crate::pads;

/// Returns the templates `sink_%u` (request) and `src_%u` (sometimes).
pub(crate) fn templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    vec![
        pads::template("sink_%u", gst::PadDirection::Sink, gst::PadPresence::Request, caps),
        pads::template("src_%u", gst::PadDirection::Src, gst::PadPresence::Sometimes, caps),
    ]
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
    pads::add(element, &sink)?;
    pads::add(element, &pair.src)?;
    Some((pair, sink))
}

fn requested(element: &gst::Element, name: Option<&str>) -> Option<u32> {
    let free = |index: &u32| element.static_pad(&format!("sink_{index}")).is_none();
    match name.filter(|name| !name.contains('%')) {
        Some(name) => pads::index_of(name, "sink_").filter(free),
        None => (0..).find(free),
    }
}

/// Returns the pads that a query or event on `pad` goes on to.
fn internal_links(pad: &gst::Pad, parent: Option<&gst::Object>) -> gst::Iterator<gst::Pad> {
    let element = parent.and_then(|parent| parent.downcast_ref::<gst::Element>());
    gst::Iterator::from_vec(element.and_then(|element| partner(element, pad)).into_iter().collect())
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
    let index = pads::index_of(&sinkpad.name(), "sink_");
    for pad in [partner(element, sinkpad), Some(sinkpad.clone())].into_iter().flatten() {
        let _ = pad.set_active(false);
        let _ = element.remove_pad(&pad);
    }
    index
}
