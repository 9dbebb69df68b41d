//! A plan becomes a running `gst::Pipeline`, and its messages become [`Event`]s.
//!
//! Entry point: [`Running::build`]. The room knows plans, pads and elements; it knows no call, no session and no
//! clock: time comes with each push.
//!
//! **Architecture invariant:** a pipeline is driven by one thread at a time, and has none of its own as long as its
//! elements have none.
//!
//! **Architecture invariant:** elements are found by the id of their node. Names are made by [`name`] and read back
//! by it, nowhere else.

mod audio;
mod build;
mod chunk;
mod delay;
mod dot;
mod error;
mod event;
mod inventory;
pub mod name;
mod packages;
mod participant;
mod refusal;
mod registry;
mod running;

pub use audio::AudioCounts;
pub use audio::Levels;
pub use dot::Dot;
pub use error::PipelineError;
pub use event::Event;
pub use inventory::{Inventory, PluginFacts, gstreamer_version, inventory};
pub use packages::package_of;
pub use registry::Installed;
pub use running::Options;
pub use running::Running;
