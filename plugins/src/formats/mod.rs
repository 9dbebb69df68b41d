//! File formats as bytes: what a WAV header and an MP3 info tag say, written, read and repaired.
//!
//! Pure: no file, no clock and no GStreamer in here, so that `reelsink` while it records and a program that repairs
//! what a killed one left share the same code. Every parser is total: any bytes give a value or an error, never a
//! panic.

pub mod mp3;
pub mod wav;
