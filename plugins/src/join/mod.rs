//! What `reelmixer` and `reelchannels` share: many sink pads and one `timeline` become one stream, on the caller's
//! thread.
//!
//! `lanes` (pure) knows positions: how far each pad has come and up to where everybody's media is there; `state` (pure)
//! what may go out next. `element`, `lifecycle`, `stream`, `events` and `queries` are the GStreamer side: pads, the
//! order of what is pushed, flushes, caps. What to do with the samples is a [`Blend`].
//!
//! ```text
//!            ┌──────────────┐  add(lane, at, samples)
//!  sink_0 ──►│              ├──────────────────────────► Blend
//!  sink_1 ──►│    Lanes     │                              │
//!  timeline ►│  (positions) ├─ take(from, until, known) ──►│──► src
//!            └──────────────┘
//! ```

mod element;
mod events;
mod lanes;
mod lifecycle;
mod pads;
mod queries;
mod settings;
mod state;
mod stream;

pub(crate) use element::{Join, JoinElement};
pub(crate) use lifecycle::{change_state, release};
pub(crate) use pads::{Sink, requested, sink_named, sink_templates, template};
pub(crate) use settings::properties;

/// What becomes of the samples of all lanes.
pub(crate) trait Blend: Send + 'static {
    /// Returns the channels of the output.
    fn channels(&self) -> u32;

    /// Returns how many samples stay inside before they may come out, at `rate`.
    fn delay(&self, rate: u32) -> u64;

    /// A lane comes.
    fn enter(&mut self, _lane: u32) {}

    /// A lane goes; what it has given stays.
    fn leave(&mut self, _lane: u32) {}

    /// Forgets all samples and all positions, not what was decided by them: time begins anew.
    fn restart(&mut self);

    /// Takes `samples` (mono) of `lane`, which begin at recording position `at`; never before what was taken out.
    fn add(&mut self, lane: u32, at: u64, samples: &[i16]);

    /// Returns the next piece of output: from position `from`, at most up to `until`.
    ///
    /// All media before `known` has been added (`known` ≥ `until`); `last` when no more will come.
    fn take(&mut self, span: Span) -> Piece;
}

/// What [`Blend::take`] is asked for; positions in recording time, in samples at `rate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First sample of the piece.
    pub(crate) from: u64,
    /// The piece ends here or earlier, and holds at least one sample.
    pub(crate) until: u64,
    /// Everything before this has been added.
    pub(crate) known: u64,
    /// Samples per second.
    pub(crate) rate: u32,
    /// Nothing will be added any more.
    pub(crate) last: bool,
}

/// A piece of output.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// Goes downstream before the samples.
    pub(crate) event: Option<gst::Event>,
    /// Goes to the bus.
    pub(crate) message: Option<gst::Structure>,
    /// Interleaved.
    pub(crate) samples: Vec<i16>,
}
