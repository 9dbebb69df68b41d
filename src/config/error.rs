//! What can be wrong with settings.

use crate::model::text::printable;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", printable(&format!("{file}:{line}: {kind}")))]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: ConfigErrorKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigErrorKind {
    /// Not TOML.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// Nobody reads this key.
    #[error("no key \"{key}\"; known: {known}")]
    UnknownKey {
        /// As written.
        key: String,
        /// What there is.
        known: String,
    },
    /// A value where keys should be.
    #[error("\"{key}\" must be a table; write [{key}] and its keys below")]
    NotATable {
        /// Its name.
        key: String,
    },
    /// Not what the key takes.
    #[error("\"{key}\" must be {wanted}")]
    BadValue {
        /// The key.
        key: String,
        /// What would be valid.
        wanted: String,
    },
}
