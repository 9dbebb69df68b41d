//! Media as it arrives from a network: packets are put in order, in time, and into a bounded queue.
//!
//! Entry point: [`Track`]. A packet goes in with the instant at which it arrived; frames with their place on the
//! node's monotonic clock come out, up to a horizon.
//!
//! ```text
//!  datagram ─► read ─► policy (which stream?) ─► TrackClock (media time ─► monotonic)
//!                         │ others wait as candidates        │
//!                         ▼                                  ▼
//!                    order by sequence ───────────────► place before horizon ─► frames, a cursor per recording
//! ```
//!
//! Three times meet here and nowhere else. *Media time* counts samples of a sender's clock. *Arrival* is the kernel's
//! stamp. *Place* is where a frame is heard, in nanoseconds of the monotonic clock: the earliest arrival that the path
//! allows, without jitter, and with the sender's clock measured against ours.
//!
//! **Architecture invariant:** no clock, no socket, no GStreamer: time is an argument, in nanoseconds of the monotonic
//! clock (`…_ns: i64`). The same packets at the same times give the same frames.
//!
//! **Architecture invariant:** all bytes are untrusted. Nothing here panics, and whatever comes, memory is bounded and
//! no frame stands outside the time in which its packet came.

mod candidate;
mod clock;
mod codec;
mod control;
mod envelope;
mod lateness;
mod mark;
pub mod opus;
mod order;
mod packet;
mod passed;
mod queue;
mod reception;
mod settings;
mod stats;
mod stream;
mod track;

pub use codec::Codec;
pub use codec::DYNAMIC_MIN;
pub use codec::Payloads;
pub use control::Control;
pub use lateness::HOLD;
pub use mark::ReadMark;
pub use packet::Malformed;
pub use packet::Packet;
pub use packet::is_control;
pub use packet::is_media_type;
pub use packet::read_ssrc;
pub use queue::CursorId;
pub use queue::Frame;
pub use queue::Hole;
pub use queue::Next;
pub use settings::Settings;
pub use stats::Stats;
pub use track::Track;
pub use track::lock;
