//! `reelgate`: pauses a recording, exact to the sample.
//!
//! The gate takes edges in *recording time* (the running-time of its input) and acts on the sample nearest to them,
//! inside a buffer where need be. Nothing paused leaves it, in no mode.
//!
//! | `mode` | during a pause | PTS after it |
//! |---|---|---|
//! | `skip` (default) | nothing comes out | *recorded* time: the gap is closed |
//! | `silence` | silence of the same length | unchanged |
//! | `tone` | a quiet 400 Hz tone of the same length | unchanged |
//!
//! | situation | what it does |
//! |---|---|
//! | `pause-at` is written while paused, `resume-at` while running | nothing |
//! | an edge lies before what has passed | takes effect at once; counted in `stats` as `moved-edges` |
//! | a resume before its pause, a pause before the last resume | moved to it |
//! | EOS while paused | the interval ends there, then EOS |
//! | GAP events | pass with recorded time and as long as what is recorded of them; in a skipped pause they go |
//! | a pause in a hole of the media | is told before the media after it |
//! | media outside its segment | is not recorded; without PTS it is an error |
//! | flush | time begins anew, edges stay |
//!
//! Pads: pairs of `sink_%u` (request) and `src_%u`; `audio/x-raw,format=S16LE`, any rate and channels. All pads pause
//! at the same instant.
//!
//! Edges belong to the stream: PAUSED → READY forgets them.
//!
//! Sticky event `reel-gate` downstream at each edge, before the media after it; event `reel-pause` upstream when an
//! edge is scheduled, and again for all edges at each stream-start.
//!
//! Property `stats`: `paused-samples` (of all pads), `moved-edges`.
//!
//! The second second of three is not recorded:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=30 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelgate pause-at=1000000000 resume-at=2000000000 ! wavenc ! filesink location=gate.wav
//! ```
//! Or replaced by a tone:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=30 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelgate mode=tone pause-at=1000000000 resume-at=2000000000 ! wavenc ! filesink location=gate-tone.wav
//! ```

mod cut;
mod imp;

use gst::glib;
use gst::prelude::*;

glib::wrapper! {
    /// The element `reelgate`.
    pub struct ReelGate(ObjectSubclass<imp::ReelGate>) @extends gst::Element, gst::Object;
}

/// What comes out during a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, glib::Enum)]
#[enum_type(name = "GstReelGateMode")]
#[repr(i32)]
pub enum Mode {
    /// Nothing: the recording is shorter.
    #[default]
    #[enum_value(name = "Nothing comes out, the gap is closed", nick = "skip")]
    Skip,
    /// Digital silence of the same length.
    #[enum_value(name = "Silence of the same length", nick = "silence")]
    Silence,
    /// A tone of the same length, so that a listener hears that something is left out.
    #[enum_value(name = "A quiet 400 Hz tone of the same length", nick = "tone")]
    Tone,
}

/// Registers the element.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "reelgate", gst::Rank::NONE, ReelGate::static_type())
}
