//! The elements between harnesses, judged by the samples, events and messages that come out of them.

mod gate;
mod mixer;
mod rig;
mod src;
mod waits;
