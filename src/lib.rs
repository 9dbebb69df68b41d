//! Reelgraph.
