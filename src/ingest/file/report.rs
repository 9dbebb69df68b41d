//! What the threads of a pipeline tell whoever reads from it.

use gst::glib;

/// What happened in a pipeline.
#[derive(Debug)]
pub(super) enum Report {
    /// The file looks like this.
    Kind(gst::Caps),
    /// No demuxer and no audio decoder goes on with this, and it is all there is.
    DeadEnd(gst::Caps),
    /// An audio stream was found.
    Audio,
    /// A stream of something else was found.
    Other,
    /// An audio stream has so many channels that nobody mixes them.
    TooManyChannels(i32),
    /// No installed element decodes this.
    NoDecoder(gst::Caps),
    /// What people call the format that something is missing for.
    Missing { description: String },
    /// A sample lies in the sink.
    Sample,
    /// The last sample lies in the sink.
    End,
    /// The last byte has gone through everything, whatever came of it.
    InputEnd,
    /// Element `element` gave up.
    Failed { element: String, source: glib::Error },
}
