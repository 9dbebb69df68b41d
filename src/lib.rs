//! Reelgraph.

pub mod graph;
pub mod model;
