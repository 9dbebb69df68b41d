//! Drives recordings by ticks: due frames go in, everything works down to the file, messages come out.
//!
//! Entry points: [`run()`] for a recording whose media is all there, as fast as the machine can (an hour in seconds,
//! the same every time); [`Engine`] for live ones, many on a few threads. Both tick a [`Job`], a [`Recording`] with its
//! course.
//!
//! ```text
//!  tick to horizon H:  commands due before H ─► frames due before H ─► advance(H) ─► events ─► Core ─► effects
//! ```
//!
//! The horizon of a live recording is behind the clock by a hold, in which late and reordered packets find their place.
//!
//! **Architecture invariant:** nothing in here knows where media comes from or where files go: a [`Track`] is pulled,
//! what happened is told by [`Report`].
//!
//! **Architecture invariant:** a worker waits for nobody: no sync, no end of a chunk, no reader of reports. A recording
//! that blocks it is given up, and the others get another thread.

mod admission;
pub mod clock;
mod error;
mod feed;
mod job;
mod live;
mod meters;
mod metrics;
mod packets;
mod recording;
mod slot;
mod track;

pub use error::EngineError;
pub use job::{Job, Order, Participant, Script, Source, Until, run};
pub use live::{Engine, Handle, Settings};
pub use meters::Ticks;
pub use metrics::register;
pub use packets::{Arrivals, Live, PacketTrack};
pub use recording::{Counts, GivenUp, Recording, Report, Setup, TrackCounts};
pub use slot::{Listener, Start};
pub use track::{Frame, Packets, Pulled, Track, TrackError};
