//! What can go wrong with the catalog.

use std::path::PathBuf;

/// What went wrong. Reads after "failed to …: ".
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file is not what was written.
    #[error("the catalog {} is damaged ({cause}); move it away to begin with an empty one", path.display())]
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
    /// The database refused.
    #[error("the catalog {} cannot be used: {cause}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why. Not a `source`: the text has it already.
        cause: sqlx::Error,
    },
}
