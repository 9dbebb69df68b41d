//! What tests of recordings share: sounds, WAV files, the program as a child, other people's programs as judges.
//!
//! Nothing in here uses the code that it judges: a file that the plugin wrote is not read by the plugin's reader. No
//! child outlives its deadline.

#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod call;
pub(crate) mod captured;
pub(crate) mod chirp;
pub(crate) mod course;
pub(crate) mod disk;
pub(crate) mod judge;
pub(crate) mod metadata;
pub(crate) mod pcap;
pub(crate) mod ports;
pub(crate) mod program;
pub(crate) mod remains;
pub(crate) mod serial;
pub(crate) mod server;
pub(crate) mod signal;
pub(crate) mod sound;
pub(crate) mod source;
pub(crate) mod wav;

/// Samples a second of everything that is recorded.
pub(crate) const RATE: usize = 16_000;
