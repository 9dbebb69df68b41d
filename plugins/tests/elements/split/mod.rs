//! `reelsplit`.

mod branches;
mod chunks;
mod cuts;
mod pads;
mod run;
