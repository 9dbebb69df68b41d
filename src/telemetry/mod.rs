//! What the service tells of itself: metrics, and logs.
//!
//! Entry points: [`Registry`] for metrics, [`start`] for logs. A room that measures has a struct of its own, made by
//! `register(&Registry)`, with a method for each thing that happens, which moves all series of it together. What is
//! somebody else's counter is read when it is scraped.
//!
//! **Architecture invariant:** knows no recording. What is logged and counted is decided where it happens; in here only
//! what metrics are called, where logs go, and that no media and no person goes with them.

mod labels;
mod logs;
mod names;
mod registry;

pub use labels::Label;
pub use labels::Labels;
pub use logs::LogError;
pub use logs::set_gstreamer_level;
pub use logs::set_level;
pub use logs::start;
pub use names::Kind;
pub use names::Metric;
pub use registry::Counters;
pub use registry::Distribution;
pub use registry::Gauges;
pub use registry::Histograms;
pub use registry::Registry;
pub use registry::SECONDS;
