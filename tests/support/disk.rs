//! A disk of its own size, gone with its value. Needs root.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names of finished files are different.
const FILLER: &str = "filler";

/// A mounted tmpfs.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Mounts a disk of `size` bytes at `dir`, which is made for it.
    pub(crate) fn mount(dir: PathBuf, size: u64) -> Self {
        std::fs::create_dir(&dir).expect("a place for the disk");
        mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "none"], &dir);
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it larger.
    pub(crate) fn grow(&self, size: u64) {
        mount(&["-o", &format!("remount,size={size}")], &self.0);
    }

    /// Takes all room that is left, until [`Self::free`].
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.0.join(FILLER)).expect("a last file");
        let full = std::iter::repeat_with(|| filler.write_all(&[0; 512])).find_map(Result::err);
        assert_eq!(full.map(|error| error.kind()), Some(ErrorKind::StorageFull));
    }

    /// Gives back what [`Self::fill`] took.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.0.join(FILLER)).expect("it was filled");
    }

    /// Takes away the right to write.
    pub(crate) fn make_read_only(&self) {
        mount(&["-o", "remount,ro"], &self.0);
    }
}

#[track_caller]
fn mount(options: &[&str], dir: &Path) {
    let output = Command::new("mount").args(options).arg(dir).output().expect("mount is installed");
    assert!(output.status.success(), "mount (as root): {}", String::from_utf8_lossy(&output.stderr));
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a program that a failed test has left must not keep it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
