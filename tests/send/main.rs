//! `reelgraph send`, judged by what it sends: captures and sockets read by hand, by tshark, by GStreamer and ffmpeg.

#[path = "../support/mod.rs"]
mod support;

mod codecs;
mod live;
mod network;
mod numbered;
mod times;
mod usage;
