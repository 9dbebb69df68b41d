//! `reelmixer`: adds everybody's voice into one.
//!
//! Each buffer is added at the position that its running-time says, into an accumulator addressed by sample; what is
//! complete goes out at once, on the thread that made it complete. A pad that brings nothing is silence.
//!
//! | situation | what it does |
//! |---|---|
//! | `timeline` is linked | emits up to the end of the last GAP (or buffer) there − `latency`; never waits for anybody |
//! | `timeline` is not linked | emits up to the slowest pad that has not ended; a pad more than `max-lead` ahead waits |
//! | samples come after their position went out | cut off, counted in `stats` as `late-samples` |
//! | samples overlap others of the same pad | cut off, counted as `overlapping-samples` |
//! | sum below −6 dBFS | the exact sum |
//! | sum above | a soft limiter whose gain depends on that sample alone: it has no latency, cannot pump, never clips |
//! | media outside its segment | is not heard; without PTS it is an error |
//! | EOS on `timeline`, or on all pads | emits the rest, then EOS; a pad that begins a new stream before that is heard again |
//! | a flushing seek from downstream | downstream is flushed first, then all pads; output begins anew at zero |
//! | flush of `timeline`, else of the last pad with media | as above |
//! | flush of one pad among others | forgets that pad's time |
//! | no pad at all, only `timeline` | silence, at `rate` or as downstream asks, 16 kHz else |
//!
//! Pads: sink `sink_%u` and `timeline` (request), src `src`; all `audio/x-raw,format=S16LE,channels=1`, one rate.
//!
//! Message `reel-level` once a pushed buffer: RMS of each pad in dBFS, in the samples of that very buffer.
//!
//! Property `stats`: `samples`, `late-samples`, `overlapping-samples`, `ahead-samples` (more than 30 s ahead of
//! the output), `limited-samples`.
//!
//! Two tones in one file:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=100 freq=440 volume=0.2 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelmixer name=m ! wavenc ! filesink location=mix.wav audiotestsrc num-buffers=100 freq=1000 volume=0.2 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! m.
//! ```
//! The levels of each buffer, on the bus:
//! ```text
//! gst-launch-1.0 -m audiotestsrc num-buffers=10 ! audio/x-raw,format=S16LE,rate=8000,channels=1 ! reelmixer ! wavenc ! filesink location=level.wav
//! ```

mod imp;
mod limiter;
mod sum;

use gst::glib;
use gst::prelude::*;

glib::wrapper! {
    /// The element `reelmixer`.
    pub struct ReelMixer(ObjectSubclass<imp::ReelMixer>) @extends gst::Element, gst::Object;
}

/// Registers the element.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "reelmixer", gst::Rank::NONE, ReelMixer::static_type())
}
