//! `reelsplit`: a bin that cuts a recording into chunks, each made by a branch of its own.
//!
//! It stands before the encoder and counts samples. When a limit is reached it cuts at that very sample, in the
//! middle of a buffer where need be: the old branch is drained (EOS) and taken down, the next one is built and gets
//! the rest. Fresh encoders for each chunk, so that the joined chunks are the recording: no sample more or less.
//!
//! ```text
//!            ┌ reelsplit ─────────────────────────────────────────────┐
//!            │         ┌ chunk 0 ───────────────────────────┐  gone   │
//!  sink_0 ──►│         │ reelmeta ! lamemp3enc ! reelsink   │         │
//!            │         └────────────────────────────────────┘         │
//!            │   ════► ┌ chunk 1 ───────────────────────────┐         │
//!            │         │ reelmeta ! lamemp3enc ! reelsink   │         │
//!            └─────────┴────────────────────────────────────┴─────────┘
//! ```
//!
//! | situation | what it does |
//! |---|---|
//! | `max-duration` reached | cuts at that sample; the next chunk is built when the next sample comes |
//! | `max-size` set | asks the branch's sink (query `reel-room`) how many samples fit and cuts there: exact for WAV and CBR MP3; else by what has been written, a little early |
//! | no `max-size` | cuts where the branch's sink says that its kind of file is full: a WAV file at 4 GiB |
//! | a limit smaller than a buffer | as many chunks as it takes |
//! | a limit reached in a pause | a skipped pause brings no samples: the cut waits for the next one |
//! | EOS | drains the last branch, then posts EOS of its own: the branches' EOS stay inside |
//! | `max-size` set and no sink answers (any but `reelsink`) | no limit: nobody knows the size |
//! | flush | time begins anew, the chunk and what is in it stay |
//! | media after EOS | a chunk of its own, and EOS again |
//! | a branch cannot be built | element error |
//!
//! A branch comes from the signal `make-chunk(index)` (returns a bin with a sink pad), else from the property `chunk`
//! in the syntax of `gst-launch-1.0`. What is sticky on the sink pad is repeated for each branch, with a segment that
//! begins at the cut and the event `reel-chunk-start`. Sinks of a branch get `async=false`: one that waited for its
//! first buffer would take the running pipeline back to PAUSED.
//!
//! Pads: one sink `sink_%u` (request), `audio/x-raw,format=S16LE`. Properties read-only: `index`, `stats` (`chunks`,
//! `samples`).
//!
//! Three seconds in files of at most one second:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=30 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelsplit max-duration=1000000000 chunk="reelmeta ! reelsink location=part-%d.wav"
//! ```
//! In files of at most 20 000 bytes:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=30 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelsplit max-size=20000 chunk="reelmeta ! reelsink location=size-%d.wav"
//! ```

mod branch;
mod imp;
mod limit;

use gst::glib;
use gst::prelude::*;

glib::wrapper! {
    /// The element `reelsplit`.
    pub struct ReelSplit(ObjectSubclass<imp::ReelSplit>)
        @extends gst::Bin, gst::Element, gst::Object, @implements gst::ChildProxy;
}

/// Registers the element.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "reelsplit", gst::Rank::NONE, ReelSplit::static_type())
}
