//! Tests of the room as a whole: bad graphs, shipped graphs, what is printed of them, and that no text panics.

mod bad_graphs;
mod catalogue;
mod fake_caps;
mod plans;
mod renders;
mod totality;
