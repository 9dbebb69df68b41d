//! What can go wrong with files.

use std::path::{Path, PathBuf};

use crate::session::JournalError;

/// What went wrong. Reads after "failed to record: ".
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The file system refused.
    #[error("{} cannot be {what}: {cause}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why. Not a `source`: the text has it already.
        cause: std::io::Error,
    },
    /// There are files of an earlier recording.
    #[error("{} already holds a recording ({}); choose another --out", dir.display(), found.display())]
    AlreadyRecorded {
        /// The directory.
        dir: PathBuf,
        /// A file of the recording.
        found: PathBuf,
    },
    /// There is a recording that never ended.
    #[error("{0} holds a recording that did not end; finish it with `reelgraph recover {0}`", dir.display())]
    Unfinished {
        /// The directory.
        dir: PathBuf,
    },
    /// There is a recording that runs.
    #[error("{} is being recorded or recovered into right now; wait, or choose another --out", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// A service has it.
    #[error("{} is in use by a service that runs", dir.display())]
    Served {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory's name cannot be told to GStreamer.
    #[error("directory {dir:?} has a name that is not UTF-8; choose another --out")]
    NotText {
        /// The directory.
        dir: PathBuf,
    },
    /// A spool whose journal is of another recording.
    #[error("{} holds the journal of a {graph:?} recording; give it back its name, or remove it", dir.display())]
    Foreign {
        /// The spool.
        dir: PathBuf,
        /// The graph that the journal names.
        graph: String,
    },
    /// Something in a spool that this program did not put there, or that is of another format than its recording.
    #[error("{} is not known and stays where it is; move it away, then call recover again", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to recover.
    #[error("{} holds no unfinished recording", dir.display())]
    NothingToRecover {
        /// The directory.
        dir: PathBuf,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl StorageError {
    pub(super) fn io(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, what, cause }
    }
}
