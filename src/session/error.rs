//! What can go wrong with a journal.

use std::path::PathBuf;

use crate::session::journal::VERSION;

/// What went wrong. Reads after "failed to record: ".
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("journal {} cannot be {what}: {cause}", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why. Not a `source`: the text has it already.
        cause: std::io::Error,
    },
    /// It does not begin as a journal does.
    #[error("{} is no journal of a recording", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// Written by another version of Reelgraph.
    #[error("journal {} has version {version}, this program reads {VERSION}", path.display())]
    Version {
        /// The journal.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}
