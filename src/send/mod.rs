//! Sending: a call as a phone would send it, over a network as bad as one likes, for whoever must test what records it.
//!
//! Entry point: [`run`]. Nothing here receives: encoders and payloaders are GStreamer's, headers are written by crates,
//! and no code is shared with what reads packets.
//!
//! ```text
//!  file ─► decoder ─► encoder ─► payloader ─┐            ┌► stream 0 ─► network ─┐                    ┌► sockets
//!          (GStreamer, read ahead)          ├─► frames ──┼► stream 1 ─► network ─┼─► queue by time ───┤
//!  numbers ─────────────────────────────────┘            └► …                    ┘   (schedule)       └► capture
//! ```
//!
//! **Time.** Media of time `m` is sent at `T0 + start + m / (1 + skew)`, rounded down to the nanosecond; the network
//! only adds. T0 is a capture's 1 700 000 000 s of UTC, or the instant at which a live call's sockets were ready. With
//! several streams each has its phase within 20 ms beside it, 0 for the first.
//!
//! **Architecture invariant:** what is sent when is decided by pure code: `schedule`, `impair` and `clock`, all by
//! seed. The same request writes the same capture, to the byte, wherever GStreamer's encoder does.
//!
//! **Architecture invariant:** `gst::` is used in `chain` only.

mod ahead;
mod capture;
mod chain;
mod clock;
mod codec;
mod error;
mod frame;
mod impair;
mod levels;
mod live;
mod numbered;
mod packet;
mod random;
mod run;
mod schedule;
mod serial;
mod spurts;
mod stream;
mod summary;
mod target;
mod voice;
mod wire;

pub use capture::CAPTURE_ZERO_NS;
pub use clock::SKEW_PPB_MAX;
pub use codec::COMFORT_NOISE;
pub use codec::Codec;
pub use error::SendError;
pub use impair::Impairments;
pub use impair::JITTER_NS_MAX;
pub use run::CAPTURE_PORT_DEFAULT;
pub use run::Destination;
pub use run::Media;
pub use run::Request;
pub use run::SEED_DEFAULT;
pub use run::STREAMS_MAX;
pub use run::run;
pub use serial::FRAME_SAMPLES;
pub use serial::SerialCoder;
pub use stream::Identity;
pub use summary::LastSerial;
pub use summary::Sent;
pub use summary::Summary;
pub use target::Target;
pub use target::TargetError;
pub use wire::Delivery;
pub use wire::Zero;
