//! `reelmixer`.

mod flush;
mod pads;
mod run;
mod slowest;
mod timeline;
