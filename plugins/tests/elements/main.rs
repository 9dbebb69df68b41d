//! The elements between harnesses, judged by the samples, events and messages that come out of them.

mod channels;
mod crowd;
mod gate;
mod meta;
mod mixer;
mod rig;
mod split;
mod src;
mod waits;
