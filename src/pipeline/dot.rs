//! A pipeline as GStreamer's own tools draw it, for who looks at one that runs. Knows no recording.

use gst::prelude::*;

/// Draws a pipeline for as long as it is there, from any thread. Nobody who works in it is kept waiting: elements and
/// pads are locked one by one, each for as long as its name is read.
#[derive(Debug, Clone)]
pub struct Dot(gst::glib::WeakRef<gst::Pipeline>);

impl Dot {
    pub(super) fn new(pipeline: &gst::Pipeline) -> Self {
        Self(pipeline.downgrade())
    }

    /// Returns the pipeline in Graphviz's language; None where it is gone. Properties are left out: paths are in them.
    pub fn render(&self) -> Option<String> {
        let details =
            gst::DebugGraphDetails::MEDIA_TYPE | gst::DebugGraphDetails::CAPS_DETAILS | gst::DebugGraphDetails::STATES;
        Some(self.0.upgrade()?.debug_to_dot_data(details).into())
    }
}
