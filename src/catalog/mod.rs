//! The catalog: what the service must still know when it is started again, in a SQLite file.
//!
//! It is an index. The truth about media is in journals and files; the truth about what runs is in who runs it, and the
//! catalog follows: what cannot be written now is kept in order and written when it can. So a locked, full or lost
//! database never stops a recording.
//!
//! ```text
//!  Catalog::save ──updates, in order──► one writer, one transaction for all that wait ──► catalog.db (WAL, FULL)
//!                ◄──when they are on the disk──
//! ```
//!
//! Entry point: [`Catalog::open`].
//!
//! **Architecture invariant:** it knows rows, not what they mean: no decision is made here.

mod apply;
mod audit;
mod error;
mod inspect;
mod load;
mod rebuild;
mod rows;
mod schema;
mod writer;

pub use audit::AuditLog;
pub use audit::AuditQuery;
pub use audit::Audited;
pub use error::CatalogError;
pub use inspect::inspect;
pub use rebuild::Kept;
pub use rebuild::rebuild;
pub use rows::About;
pub use rows::AuditRow;
pub use rows::CallRow;
pub use rows::ChunkRow;
pub use rows::EndRow;
pub use rows::NameRow;
pub use rows::ParticipantRow;
pub use rows::RecordingRow;
pub use rows::RepeatRow;
pub use rows::Rows;
pub use rows::Update;
pub use writer::Catalog;
pub use writer::Saving;

#[cfg(test)]
mod tests;
