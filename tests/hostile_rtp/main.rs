//! RTP as no honest phone sends it, to the program itself: through sockets as it happens, and from captures.
//!
//! Voices are numbered frames, so that a recording can be read as the list of packets that it holds.

#[path = "../support/mod.rs"]
mod support;

mod captures;
mod damaged;
mod jumps;
mod live;
mod noise;
mod packet;
mod refused;
mod rig;
mod voice;
