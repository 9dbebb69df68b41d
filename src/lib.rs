//! Reelgraph: calls recorded, as declared graphs of GStreamer elements.
//!
//! The modules are rooms, in this order: a room imports only rooms above it. Each one's first lines say what it is for
//! and what it must not know.

pub mod model;

pub mod acs;
pub mod telemetry;

pub mod config;
pub mod graph;
pub mod media;

pub mod pipeline;
pub mod session;

pub mod engine;
pub mod storage;

pub mod catalog;

pub mod ingest;
pub mod send;

pub mod supervisor;

pub mod api;

pub mod app;
pub mod cli;
