//! The words that every room shares: what is recorded, and how quantities are written.
//!
//! Nothing in here knows anything else of Reelgraph: no file, no clock, no GStreamer.
//!
//! **Architecture invariant:** a word that two rooms use is defined here, once.

pub mod blame;
pub mod ids;
mod media;
pub mod recording;
mod terms;
pub mod text;
pub mod units;

/// Longest name of a call, and of somebody in it, in bytes.
pub const NAME_BYTES_MAX: usize = 1_024;

pub use blame::Blame;
pub use ids::CallId;
pub use ids::ChunkId;
pub use ids::RecordingId;
pub use ids::ResourceId;
pub use media::ChannelType;
pub use media::Content;
pub use media::Format;
pub use media::Media;
pub use media::MediaError;
pub use recording::ChannelMap;
pub use recording::ChunkMedia;
pub use recording::EndReason;
pub use recording::ParticipantNumber;
pub use recording::PauseInterval;
pub use recording::PauseMode;
pub use terms::AtMaxPause;
pub use terms::Terms;
pub use units::Bytes;
pub use units::BytesError;
pub use units::DurationError;
