//! The rules of a graph, one function each. [`check`] reads as their table of contents.
//!
//! A rule that cannot judge (the element is unknown, the pad could not be told) stays silent: whatever made it so has
//! been reported, and its echo would hide other errors.

mod caps;
mod cycle;
mod draft;
mod elements;
mod gate;
mod header;
mod links;
mod names;
mod outputs;
mod properties;
mod rules;
mod sinks;
mod sources;
mod splitter;

pub use rules::check;
