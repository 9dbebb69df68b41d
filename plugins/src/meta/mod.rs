//! `reelmeta`: knows what a chunk holds, by counting what passes.
//!
//! It changes nothing. It counts samples and listens to the events that pass (`reel-chunk-start`, `reel-gate`,
//! `reel-channels`); at EOS it tells the sink how many samples there were and the bus what the chunk holds.
//!
//! | it sees | it says |
//! |---|---|
//! | EOS on `sink_0` | event `reel-chunk-end{samples}` downstream, message `reel-chunk`, then EOS |
//! | a pause that began in an earlier chunk | counts from the begin of this one |
//! | a pause still open at EOS | ends with the chunk |
//! | flush | forgets media and pauses, not which chunk it is, its format and its map |
//! | stream-start after EOS | the same: the next EOS tells what came after it |
//! | no PTS | counted; the chunk begins with the first PTS that comes |
//! | caps that are not raw audio | nothing is counted until others come |
//! | media outside its segment | counted: who sends it must have cut it, since an encoder does |
//!
//! Pads: pairs of `sink_%u` (request) and `src_%u`, any caps; the audio of `sink_0` is what is counted. Property
//! `stats`: `samples`.
//!
//! What a recording of one second holds, on the bus:
//! ```text
//! gst-launch-1.0 -m audiotestsrc num-buffers=10 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelmeta ! wavenc ! filesink location=meta.wav
//! ```
//! With a pause in it:
//! ```text
//! gst-launch-1.0 -m audiotestsrc num-buffers=30 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelgate pause-at=1000000000 resume-at=2000000000 ! reelmeta ! wavenc ! filesink location=meta-pause.wav
//! ```

mod imp;
mod tally;

use gst::glib;
use gst::prelude::*;

glib::wrapper! {
    /// The element `reelmeta`.
    pub struct ReelMeta(ObjectSubclass<imp::ReelMeta>) @extends gst::Element, gst::Object;
}

/// Registers the element.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "reelmeta", gst::Rank::NONE, ReelMeta::static_type())
}
