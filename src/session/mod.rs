//! One recording: what happens to it, and what follows from that.
//!
//! `core` decides (pure), `ledger` knows who was there and what was written (pure), `journal` keeps it on disk.
//! Everything that happens becomes an [`Entry`]: it is applied to the ledger and appended to the journal, so that a
//! recording that was killed is rebuilt by the same code from the same entries.
//!
//! ```text
//!  Input ──► Core::on(input, now) ──► Vec<Effect>: Append(Entry) · Pipeline(…) · ChunkComplete · Ended
//!                 │                          │
//!                 └── Ledger::apply(Entry) ◄─┴── Journal::read (recovery)
//! ```
//!
//! **Architecture invariant:** nothing in here knows GStreamer, threads or clocks; `now` is recording time.

pub mod core;
pub mod error;
pub mod journal;
pub mod ledger;

pub use core::{Core, Effect, Input, State};
pub use error::JournalError;
#[cfg(test)]
pub(crate) use journal::tests::opening;
pub use journal::{Entry, Journal, Opening, Owner};
pub use ledger::{ChunkRow, Ledger, ParticipantRow};
