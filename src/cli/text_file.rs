//! Text files that users name: graphs and settings.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::model::Bytes;
use crate::model::text::TEXT_SIZE_MAX;

/// Why a file has no text.
#[derive(Debug, thiserror::Error)]
pub(super) enum TextFileError {
    /// The file system refuses.
    #[error("{cause}")]
    Io {
        /// Why. Not a `source`: the text has it already.
        cause: std::io::Error,
    },
    /// A directory, or something that may never end.
    #[error("it is not a regular file; name one")]
    NotRegular,
    /// Too large.
    #[error("it has {size}, and {TEXT_SIZE_MAX} is the most that is read; name a graph or settings")]
    TooBig {
        /// How large it is.
        size: Bytes,
    },
    /// Not text.
    #[error("it is not UTF-8 text; name a TOML file")]
    NotText,
}

impl TextFileError {
    /// Returns whether there is nothing by that name.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { cause } if cause.kind() == std::io::ErrorKind::NotFound)
    }
}

/// Returns the text of a file.
pub(super) fn read(path: &Path) -> Result<String, TextFileError> {
    let io = |cause| TextFileError::Io { cause };
    // Asked before it is opened: a pipe is open only when somebody writes into it.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(TextFileError::NotRegular);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io)?;
    let size = Bytes::new(file.metadata().map_err(io)?.len());
    if size.get() > TEXT_SIZE_MAX.get() {
        return Err(TextFileError::TooBig { size });
    }
    file.take(TEXT_SIZE_MAX.get()).read_to_end(&mut bytes).map_err(io)?;
    String::from_utf8(bytes).map_err(|_| TextFileError::NotText)
}
