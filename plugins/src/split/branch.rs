//! One chunk's branch: the bin that makes its file, and the pad that feeds it.

use gst::prelude::*;

use crate::messages;
use crate::pads;

/// A branch in the splitter.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) index: u32,
    pub(crate) bin: gst::Element,
    /// Not a pad of the splitter: only this branch hangs on it.
    pub(crate) pad: gst::Pad,
    /// Its sinks have all they will get.
    pub(crate) done: bool,
}

/// Why a branch could not be built.
#[derive(Debug)]
pub(crate) struct BranchError {
    pub(crate) index: u32,
    pub(crate) what: &'static str,
    pub(crate) detail: String,
}

impl std::fmt::Display for BranchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "chunk {}: {}: {}", self.index, self.what, self.detail)
    }
}

/// Returns a bin from a description in the syntax of `gst-launch-1.0`.
///
/// Its sink pad is that of the element that begins it, also where that is a request pad, such as `reelmeta`'s, which
/// GStreamer's own function for this passes over.
pub(crate) fn described(description: &str, index: u32) -> Result<gst::Element, BranchError> {
    let failed = |what, detail: String| BranchError { index, what, detail };
    let bin = gst::parse::bin_from_description(description, false);
    let bin = bin.map_err(|error| failed("bad description", error.to_string()))?;
    if let Some(pad) = requested_sink_pad(&bin).or_else(|| bin.find_unlinked_pad(gst::PadDirection::Sink)) {
        let ghost = gst::GhostPad::builder_with_target(&pad).map(|ghost| ghost.name("sink").build());
        let added = ghost.and_then(|ghost| bin.add_pad(&ghost));
        added.map_err(|error| failed("cannot be linked", error.to_string()))?;
    }
    Ok(bin.upcast())
}

/// Requests a sink pad of an element that has none but could have; what follows it is linked by that.
fn requested_sink_pad(bin: &gst::Bin) -> Option<gst::Pad> {
    let on_request = |template: &gst::PadTemplate| {
        template.direction() == gst::PadDirection::Sink && template.presence() == gst::PadPresence::Request
    };
    let head = bin.children().into_iter().filter(|element| element.sink_pads().is_empty());
    head.filter_map(|element| {
        let template = element.pad_template_list().into_iter().find(on_request)?;
        element.request_pad(&template, None, None)
    })
    .next()
}

fn wait_for_nothing(element: &gst::Element) {
    if element.has_property_with_type("async", bool::static_type()) {
        element.set_property("async", false);
    }
}

/// Returns a src pad for a branch; what comes upstream on it goes out by the splitter's sink pad.
fn feeding_pad(splitter: &gst::Bin, index: u32) -> gst::Pad {
    let weak = splitter.downgrade();
    let sink_pad = move || weak.upgrade().and_then(|splitter| splitter.sink_pads().first().cloned());
    let on_event = sink_pad.clone();
    let template = pads::template("chunk_%u", gst::PadDirection::Src, gst::PadPresence::Request, &pads::audio_caps());
    gst::Pad::builder_from_template(&template)
        .name(format!("chunk_{index}"))
        .event_function(move |_, _, event| on_event().is_some_and(|pad| pad.push_event(event)))
        .query_function(move |pad, _, query| match (query.view_mut(), sink_pad()) {
            (gst::QueryViewMut::Caps(_), _) | (_, None) => gst::Pad::query_default(pad, gst::Object::NONE, query),
            (_, Some(sink_pad)) => sink_pad.peer_query(query),
        })
        .build()
}

impl Branch {
    /// Adds `bin` to the splitter, links a pad to it that feeds it, and starts it.
    pub(crate) fn start(splitter: &gst::Bin, index: u32, bin: gst::Element) -> Result<Self, BranchError> {
        let failed = |what| move |detail: String| BranchError { index, what, detail };
        // A sink that waits for its first buffer would take the running pipeline back to PAUSED, again for each chunk.
        match bin.downcast_ref::<gst::Bin>() {
            Some(bin) => bin.iterate_recurse().into_iter().flatten().for_each(|element| wait_for_nothing(&element)),
            None => wait_for_nothing(&bin),
        }
        splitter.add(&bin).map_err(|e| failed("cannot be added")(e.to_string()))?;
        let branch = Self { index, bin, pad: feeding_pad(splitter, index), done: false };
        branch.link().inspect_err(|_| branch.stop(splitter))?;
        Ok(branch)
    }

    fn link(&self) -> Result<(), BranchError> {
        let failed = |what, detail: String| BranchError { index: self.index, what, detail };
        let sinkpad = self.bin.sink_pads().into_iter().next();
        let sinkpad = sinkpad.ok_or_else(|| failed("has no sink pad", self.bin.name().to_string()))?;
        let _ = self.pad.set_active(true);
        // The pad has no parent in the pipeline, so that its place in the hierarchy cannot be checked.
        let checks = gst::PadLinkCheck::CAPS | gst::PadLinkCheck::TEMPLATE_CAPS;
        self.pad.link_full(&sinkpad, checks).map_err(|e| failed("cannot be linked", format!("{e:?}")))?;
        self.bin.sync_state_with_parent().map_err(|e| failed("does not start", e.to_string()))
    }

    /// Repeats what is sticky on `sinkpad`, with a segment that begins at `start`.
    pub(crate) fn repeat_sticky_events(&self, sinkpad: &gst::Pad, start: gst::ClockTime) {
        let mut events = Vec::new();
        sinkpad.sticky_events_foreach(|event| {
            events.push(event.clone());
            std::ops::ControlFlow::Continue(gst::EventForeachAction::Keep)
        });
        for event in events {
            match event.view() {
                gst::EventView::Eos(_) => (),
                gst::EventView::Segment(segment) => {
                    self.pad.push_event(match segment.segment().downcast_ref::<gst::ClockTime>() {
                        Some(segment) if self.index > 0 => {
                            let mut segment = segment.clone();
                            segment.set_start(start);
                            segment.set_time(start);
                            gst::event::Segment::new(&segment)
                        }
                        _ => event,
                    });
                }
                _ => {
                    self.pad.push_event(event);
                }
            }
        }
    }

    /// Says which chunk this is.
    pub(crate) fn tell_index(&self) {
        self.pad.push_event(messages::ChunkStart { index: self.index }.event());
    }

    /// Drains the branch: no more comes. False when it is being flushed, or refuses: it will not say that it is done.
    pub(crate) fn finish(&self) -> bool {
        self.pad.push_event(gst::event::Eos::new())
    }

    /// Asks the sink how many samples fit into a file of `max_size` bytes.
    pub(crate) fn room(&self, max_size: u64) -> Option<messages::Room> {
        let mut query = messages::Room::query(max_size);
        if !self.pad.peer_query(query.get_mut()?) {
            return None;
        }
        query.structure().and_then(messages::Room::read)
    }

    /// Takes the branch down and out.
    pub(crate) fn stop(&self, splitter: &gst::Bin) {
        // Else a state change of the splitter's could start it again on the way.
        self.bin.set_locked_state(true);
        let _ = self.pad.set_active(false);
        let _ = self.bin.set_state(gst::State::Null);
        let _ = splitter.remove(&self.bin);
    }
}
