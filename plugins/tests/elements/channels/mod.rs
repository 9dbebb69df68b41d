//! `reelchannels`.

mod pads;
mod run;
mod seats;
