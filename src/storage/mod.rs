//! Where files are: the spool while a recording runs, their own place when a chunk is finished.
//!
//! ```text
//!  DIR/.reelgraph-mixed-wav/journal        what happened
//!  DIR/.reelgraph-mixed-wav/000.wav  ──finalise──►  DIR/mixed-wav-000.wav + DIR/mixed-wav-000.json
//! ```
//!
//! **Architecture invariant:** a file outside the spool is complete, and so is its metadata.

mod begin;
mod error;
mod finalise;
mod finisher;
mod inspect;
mod objects;
mod part;
mod record;
mod recover;
mod sidecar;
mod spool;
mod survey;
mod trim;
mod uploads;
mod usage;

pub use begin::{BeginError, Begun, NewRecording, begin, discard_dir};
pub use error::StorageError;
pub use finalise::{Finalised, finalise};
pub use finisher::{Ended, Finisher};
pub use objects::{Listing, Objects, ObjectsError, Part, Stored};
pub use part::{FinishedPart, Left, Leftovers, PartFiles, discard_parts, finish_part, look, look_at_all, part_dir};
pub use record::{PartEnd, Record, RecordError};
pub use recover::{Recovered, finish_rest, recover};
pub use sidecar::document;
pub use spool::{Lock, Spool, lock_data};
pub use survey::{DamagedPart, Survey, SurveyedPart, survey};
pub use uploads::sweep_uploads;
pub use usage::{FREE_MIN, Usage, free_bytes, usage};
