//! Reelgraph.

pub mod model;
