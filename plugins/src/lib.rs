//! Reelgraph's GStreamer elements: what a recording graph is made of.
//!
//! All are *chain-only*: a buffer pushed in does all its work on the caller's thread. There is no task, no queue, no
//! timer and no clock in here, and nothing of a call, a server or a database: every element but `reelsrc` does its
//! work in a bare `gst-launch-1.0` too.
//!
//! The crate is a GStreamer plugin (`libgstreel.so`) and a Rust library at once: a program that links it calls
//! [`plugin_register_static`] right after `gst::init` and needs no plugin path.
//!
//! **Architecture invariant:** elements talk to each other and to the engine only by [`messages`].

mod audiodec;
mod channels;
mod edges;
pub mod formats;
mod gate;
mod join;
mod lock;
pub mod messages;
mod meta;
mod mixer;
mod pads;
mod pairs;
mod plugin;
pub mod samples;
mod sink;
mod split;
mod src;
pub mod timeline;

pub use gate::Mode as GateMode;
pub use plugin::plugin_register_static;
pub use src::ReelSrc;
