//! Ingest: how a call's media comes in. Each room below turns one protocol into frames of tracks and owns what it
//! reads from: its sockets, its files.
//!
//! Entry points: [`file::FileTrack`] for media in a file, [`rtp::Port`] for RTP over UDP, [`capture::PacketSource`] for
//! packets that were captured.
//!
//! **Architecture invariant:** ingest knows participants' media, never recordings: what becomes of a frame is decided
//! by who asked for it.
//!
//! **Architecture invariant:** `gst::` is used in `file/` only; the rooms for network protocols are sans GStreamer.

pub mod capture;
pub mod file;
pub mod rtp;
