//! Access keys of resources: a file for each, which nobody else can read.

use std::fs::DirBuilder;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::acs::signature::AccessKey;

/// Bytes of a key that is made here.
const KEY_BYTES: usize = 64;

/// The two keys of a resource: one is used while the other is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The first.
    pub primary: AccessKey,
    /// The second.
    pub secondary: AccessKey,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file system refused.
    #[error("keys {} cannot be {what}: {cause}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why. Not a `source`: the text has it already.
        cause: std::io::Error,
    },
    /// Not two keys.
    #[error("{} must hold two keys, in base64, one a line; remove it to get new ones", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random bytes.
    #[error("no key can be made: {0}")]
    Random(getrandom::Error),
}

/// Returns the keys of a resource; makes them where there are none.
///
/// # Errors
///
/// They cannot be read or written, or are malformed.
pub fn load_or_create(dir: &Path, resource: &str) -> Result<Keys, KeysError> {
    let io = |path: &Path, what| {
        let path = path.to_owned();
        move |cause| KeysError::Io { path, what, cause }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io(dir, "kept"))?;
    let path = dir.join(resource);
    match std::fs::read_to_string(&path) {
        Ok(text) => return read(&Zeroizing::new(text)).ok_or(KeysError::Malformed { path }),
        Err(error) if error.kind() == ErrorKind::NotFound => (),
        Err(cause) => return Err(io(&path, "read")(cause)),
    }
    let keys = Keys { primary: make()?, secondary: make()? };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = file.map_err(io(&path, "written"))?;
    let text = Zeroizing::new(format!("{}\n{}\n", *keys.primary.to_base64(), *keys.secondary.to_base64()));
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io(&path, "written"))?;
    Ok(keys)
}

fn read(text: &str) -> Option<Keys> {
    let mut keys = text.lines().filter(|line| !line.trim().is_empty()).map(AccessKey::from_base64);
    let (primary, secondary) = (keys.next()??, keys.next()??);
    keys.next().is_none().then_some(Keys { primary, secondary })
}

fn make() -> Result<AccessKey, KeysError> {
    let mut bytes = Zeroizing::new(vec![0; KEY_BYTES]);
    getrandom::fill(&mut bytes).map_err(KeysError::Random)?;
    Ok(AccessKey::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_made_once_and_for_nobody_else_to_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let keys = load_or_create(&dir.path().join("keys"), "a").expect("they are made");
        assert_ne!(keys.primary, keys.secondary);
        assert_eq!(load_or_create(&dir.path().join("keys"), "a").expect("they are there"), keys);
        assert_ne!(load_or_create(&dir.path().join("keys"), "b").expect("they are made"), keys);
        let mode = |path: &str| dir.path().join(path).metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode("keys"), mode("keys/a")), (0o700, 0o600));
    }

    #[test]
    fn what_is_no_two_keys_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        for text in ["", key, "a\nb\n", &format!("{key}\n{key}\n{key}\n")] {
            std::fs::write(dir.path().join("a"), text).expect("it can be written");
            assert!(matches!(load_or_create(dir.path(), "a"), Err(KeysError::Malformed { .. })), "{text}");
        }
    }
}
