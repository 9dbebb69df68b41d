//! What can go wrong with the catalog.

use std::path::PathBuf;

/// What went wrong. Reads after "failed to …: ".
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file is not what was written.
    #[error("the catalog {} is damaged ({cause}); `reelgraph fsck --rebuild` makes a new one, from what is stored \
             (with the --config of `serve`)", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// A newer version of the program has written it.
    #[error("the catalog {} is of a newer version: {cause}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// What is not known.
        cause: String,
    },
    /// An older version of the program has written it.
    #[error("the catalog {} is of an older version; the next `serve` changes it", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error("there is no catalog {}; `reelgraph fsck --rebuild` makes one, from what is stored", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{} cannot be {what}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why. Not a `source`: the text has it already.
        cause: std::io::Error,
    },
    /// The database refused.
    #[error("the catalog {} cannot be used: {cause}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why. Not a `source`: the text has it already.
        cause: sqlx::Error,
    },
}
