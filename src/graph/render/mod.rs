//! A plan in the words of GStreamer's and Graphviz's own tools, with test sources in the place of doors.

mod dot;
mod launch;
mod quote;

pub use dot::dot;
pub use launch::launch;
