//! MPEG audio Layer III as a stream of frames: headers, counting, the info tag in front, and repair.
//!
//! Nothing is decoded or encoded: only what the four bytes of each frame header tell, and the tag that LAME invented.

mod counter;
mod header;
mod repair;
mod tag;

pub use counter::Bitrate;
pub use counter::FrameCounter;
pub use header::FrameError;
pub use header::FrameHeader;
pub use header::Version;
pub use repair::Repair;
pub use repair::Scan;
pub use tag::Counts;
pub use tag::ENCODER_DELAY;
pub use tag::InfoTag;
pub use tag::frames_for;
pub use tag::padding;
pub use tag::samples_within;
