//! Drives recordings by ticks: due frames go in, everything works down to the file, messages come out.
//!
//! Entry point: [`Recording`], driven by [`run()`]. One thread does all of it. [`Clock`] says when a tick is due: at
//! once on the virtual clock (an hour in seconds, the same every time), in real time on the live one.
//!
//! ```text
//!  tick to horizon H:  commands due before H ─► frames due before H ─► advance(H) ─► events ─► Core ─► effects
//! ```
//!
//! **Architecture invariant:** nothing in here knows where media comes from or where files go: a [`Track`] is pulled,
//! what happened is told by [`Report`].

mod clock;
mod error;
mod feed;
mod recording;
mod run;
mod track;

pub use clock::{Clock, LiveClock, VirtualClock};
pub use error::EngineError;
pub use recording::{Recording, Report, Setup};
pub use run::{Participant, Script, run};
pub use track::{Frame, Track, TrackError};
