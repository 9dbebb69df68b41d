//! Exactness: what is recorded is what was said, sample for sample, however it is cut, paused, coded or ticked.
//!
//! What a recording must be is computed by `model` from the sources alone. Products are read by the tests' own WAV
//! reader and by other people's programs (ffmpeg, sox, mediainfo, mp3val, flac, opus-tools).

#[path = "../support/mod.rs"]
mod support;

mod chunks;
mod graphs;
mod hours;
mod inside;
mod leaves;
mod limiter;
mod marker;
mod metadata;
mod mixed;
mod model;
mod mp3;
mod names;
mod pauses;
mod random;
mod shapes;
mod tables;
mod ticks;
mod unmixed;
