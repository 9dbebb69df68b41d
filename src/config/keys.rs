//! Access keys of resources: a file for each, which nobody else can read.

use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::acs::signature::AccessKey;
use crate::config::private;
use crate::config::private::PrivateError;

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

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first.
    Primary,
    /// The second.
    Secondary,
}

impl Which {
    /// Returns its word in the audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] PrivateError),
    /// Not two keys.
    #[error("{} must hold two keys, in base64, one a line; remove it to get new ones", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// No token.
    #[error("{} must hold a token, 16 bytes or more in base64; remove it to get a new one", path.display())]
    MalformedToken {
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
    match load(dir, resource) {
        Err(KeysError::Io(error)) if error.cause.kind() == ErrorKind::NotFound => (),
        loaded => return loaded,
    }
    private::make_dir(dir)?;
    let keys = Keys { primary: make()?, secondary: make()? };
    save(dir, resource, &keys)?;
    Ok(keys)
}

/// Returns the keys of a resource.
///
/// # Errors
///
/// They are not there, cannot be read, or are malformed.
pub fn load(dir: &Path, resource: &str) -> Result<Keys, KeysError> {
    let path = dir.join(resource);
    let text = std::fs::read_to_string(&path).map(Zeroizing::new).map_err(PrivateError::new(&path, "read"))?;
    read(&text).ok_or(KeysError::Malformed { path })
}

/// Makes one of a resource's keys anew; returns both.
///
/// # Errors
///
/// They are not there, or cannot be read or written.
pub fn rotate(dir: &Path, resource: &str, which: Which) -> Result<Keys, KeysError> {
    let mut keys = load(dir, resource)?;
    match which {
        Which::Primary => keys.primary = make()?,
        Which::Secondary => keys.secondary = make()?,
    }
    save(dir, resource, &keys)?;
    Ok(keys)
}

/// Returns the token in a file, which whoever runs the service has; makes it where there is none.
///
/// # Errors
///
/// It cannot be read or written, or is malformed.
pub fn load_or_create_token(path: &Path) -> Result<AccessKey, KeysError> {
    match std::fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => AccessKey::from_base64(&text).ok_or_else(|| KeysError::MalformedToken { path: path.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let token = make()?;
            let text = Zeroizing::new(format!("{}\n", *token.to_base64()));
            private::write(path, text.as_bytes())?;
            Ok(token)
        }
        Err(cause) => Err(PrivateError::new(path, "read")(cause).into()),
    }
}

fn save(dir: &Path, resource: &str, keys: &Keys) -> Result<(), PrivateError> {
    let text = Zeroizing::new(format!("{}\n{}\n", *keys.primary.to_base64(), *keys.secondary.to_base64()));
    private::write(&dir.join(resource), text.as_bytes())
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
    fn one_key_is_changed_and_the_other_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(rotate(dir.path(), "a", Which::Primary).is_err() && load(dir.path(), "a").is_err());
        let first = load_or_create(dir.path(), "a").expect("they are made");
        let second = rotate(dir.path(), "a", Which::Primary).expect("it is made");
        assert!(second.primary != first.primary && second.secondary == first.secondary);
        let third = rotate(dir.path(), "a", Which::Secondary).expect("it is made");
        assert!(third.primary == second.primary && third.secondary != second.secondary);
        assert_eq!(load(dir.path(), "a").expect("they are there"), third);
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
