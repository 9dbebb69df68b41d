//! Files that nobody else may read: whole or not at all.

use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

/// Why a file is not there. Reads after "failed to …: ".
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be {what}: {cause}", path.display())]
pub struct PrivateError {
    /// File or directory.
    pub path: PathBuf,
    /// What was tried.
    pub what: &'static str,
    /// Why. Not a `source`: the text has it already.
    pub cause: std::io::Error,
}

impl PrivateError {
    pub(super) fn new(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self { path: path.to_owned(), what, cause }
    }
}

/// Makes a directory, and those above it, that only its owner may enter. Nothing is done where it is there.
///
/// # Errors
///
/// The file system refuses.
pub fn make_dir(path: &Path) -> Result<(), PrivateError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(PrivateError::new(path, "made"))
}

/// Writes a file for its owner only, in place of what is there: whoever reads it gets the old one or this one.
///
/// # Errors
///
/// The file system refuses; the old one is there.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), PrivateError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // No name of a resource has a dot in it.
    name.push(".new");
    let new = path.with_file_name(name);
    let written = || {
        // What an earlier try has left may be anybody's to read.
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    written().map_err(PrivateError::new(path, "written"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_and_is_for_nobody_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, left) = (dir.path().join("a/b/c"), dir.path().join("a/b/c.new"));
        make_dir(&dir.path().join("a/b")).expect("it is made");
        std::fs::write(&left, "half of").expect("it can be written");
        std::fs::set_permissions(&left, PermissionsExt::from_mode(0o644)).expect("it is ours");
        for text in ["first", "second"] {
            write(&file, text.as_bytes()).expect("it is written");
            assert_eq!(std::fs::read_to_string(&file).expect("it is there"), text);
        }
        let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&dir.path().join("a/b")), mode(&file)), (0o700, 0o600));
        assert!(!left.exists());
        assert!(write(&dir.path().join("nowhere/c"), b"").is_err());
    }
}
