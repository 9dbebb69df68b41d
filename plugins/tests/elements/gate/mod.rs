//! `reelgate`.

mod pads;
mod pauses;
mod run;
