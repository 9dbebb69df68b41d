//! The truth about recorded RTP: what is in a recording of a call stands where the call had it.
//!
//! Calls are sent by `reelgraph send` over bad networks and from bad clocks, or are made by hand; what is recorded is
//! read by code that neither sent nor recorded it. Where sound belongs follows from when it was said: media of time `m`
//! is sent at T0 + start + m / (1 + skew), and recording time begins with a capture's first datagram.

#[path = "../support/mod.rs"]
mod support;

mod clocks;
mod codecs;
mod frames;
mod hand;
mod jumps;
mod live;
mod numbered;
mod pauses;
mod rough;
mod tones;
mod truth;
