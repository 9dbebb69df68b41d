//! What tests of recordings share: sounds, WAV files, the program itself, and other people's programs as judges.
//!
//! Nothing in here uses the code that it judges: a file that the plugin wrote is not read by the plugin's reader.

pub(crate) mod judge;
pub(crate) mod program;
pub(crate) mod signal;
pub(crate) mod sound;
pub(crate) mod wav;

/// Samples a second of everything that is recorded.
pub(crate) const RATE: usize = 16_000;
