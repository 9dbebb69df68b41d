//! The elements between harnesses, judged by the samples, events and messages that come out of them.

mod gate;
mod rig;
mod src;
