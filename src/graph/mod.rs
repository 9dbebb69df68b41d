//! Recording graphs: TOML → [`Plan`], or every error at once, each with its place and what would be valid.
//!
//! Entry point: [`check()`]. `render` shows a plan in the words of GStreamer's own tools; `shipped` holds the graphs
//! that come with the program.
//!
//! ```text
//!  text ─ read.rs ─► Spec ─ check/ ─► Plan ─┬─► pipeline/ builds it
//!                      (as written)  (resolved) └─► render/ prints it
//! ```
//!
//! **Architecture invariant:** nothing in here knows GStreamer. What must be asked of elements is asked through the
//! trait [`Elements`].
//!
//! **Architecture invariant:** whoever holds a [`Plan`] need not check it, nor look up a name in it.

mod check;
pub mod elements;
pub mod error;
pub mod known;
pub mod plan;
mod read;
pub mod render;
mod report;
pub mod shipped;
pub mod spec;

pub use check::check;
pub use elements::CapsError;
pub use elements::Elements;
pub use elements::Factory;
pub use elements::is_own;
pub use error::GraphError;
pub use error::GraphErrorKind;
pub use plan::LimitError;
pub use plan::Limits;
pub use plan::Link;
pub use plan::Naming;
pub use plan::Node;
pub use plan::NodeId;
pub use plan::Plan;
pub use plan::SinkPad;
pub use plan::Source;
pub use plan::SrcPad;
pub use plan::Value;
pub use spec::Door;
pub use spec::Place;
pub use spec::Scope;

#[cfg(test)]
mod tests;
