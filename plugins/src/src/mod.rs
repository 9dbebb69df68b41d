//! `reelsrc`: the door through which a program pushes the media of a call.
//!
//! It has no task: the program (one thread at a time) calls the methods of [`ReelSrc`], and all elements downstream
//! do their work inside the call. A tick is: [`ReelSrc::push`] for each track that has frames, then
//! [`ReelSrc::advance`].
//!
//! | pad | carries |
//! |---|---|
//! | `audio_%u` (request) | a participant's frames, PTS in recording time; caps as told with each push |
//! | `timeline` (always) | nothing but GAP events: all media before their end has been pushed |
//!
//! LATENCY is answered as not live and 0. It does nothing in a bare `gst-launch-1.0`, where nobody calls it.

mod imp;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

glib::wrapper! {
    /// The element `reelsrc`.
    pub struct ReelSrc(ObjectSubclass<imp::ReelSrc>) @extends gst::Element, gst::Object;
}

impl ReelSrc {
    /// Pushes the frames of one tick on `pad` (one of this element's `audio_%u`), in order of PTS.
    ///
    /// Returns what downstream returned: an error concerns this track alone.
    pub fn push(
        &self,
        pad: &gst::Pad,
        caps: &gst::Caps,
        frames: gst::BufferList,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.imp().push(pad, caps, frames)
    }

    /// Says that `pad` has no media from `start` on, for `duration`; `lost` where there should have been some.
    pub fn gap(&self, pad: &gst::Pad, start: gst::ClockTime, duration: gst::ClockTime, lost: bool) {
        self.imp().gap(pad, start, duration, lost);
    }

    /// Ends a track: decoders drain what they hold.
    pub fn end_track(&self, pad: &gst::Pad) {
        self.imp().end_track(pad);
    }

    /// Says that all media before `horizon` (recording time) has been pushed. An earlier horizon changes nothing.
    ///
    /// # Errors
    ///
    /// Something downstream refused what came of it: the recording cannot go on, whether an element says why or not.
    pub fn advance(&self, horizon: gst::ClockTime) -> Result<(), gst::FlowError> {
        self.imp().advance(horizon)
    }

    /// Ends the recording: EOS on every pad, the timeline last.
    pub fn end(&self) {
        self.imp().end();
    }
}

/// Registers the element.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "reelsrc", gst::Rank::NONE, ReelSrc::static_type())
}
