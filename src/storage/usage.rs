//! How much is on the disk that is not stored yet, and how much room there is. Blocks on the disk.

use std::fs::DirEntry;
use std::fs::Metadata;
use std::fs::read_dir;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;
use std::time::SystemTime;

use crate::storage::part::DAMAGED;

/// Where less is free, no recording is begun: those that run are to be finished.
pub const FREE_MIN: u64 = 512 << 20;

/// Directories in one another that are looked into: recordings, their spools, and what is in these.
const DEPTH_MAX: usize = 3;

/// What is not stored yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Size of all files.
    pub bytes: u64,
    /// How long ago anything was written to the recording that was not written to for longest.
    pub oldest: Duration,
}

/// Returns what the recordings in a directory take, but for those that were put aside. What goes away meanwhile counts
/// for nothing.
pub fn usage(dir: &Path, now: SystemTime) -> Usage {
    let mut usage = Usage::default();
    let is_kept = |entry: &DirEntry| !entry.file_name().to_string_lossy().ends_with(DAMAGED);
    for recording in read_dir(dir).into_iter().flatten().flatten().filter(is_kept) {
        let (mut bytes, mut written) = (0, None);
        walk(&recording, DEPTH_MAX, &mut |metadata| {
            bytes += if metadata.is_file() { metadata.size() } else { 0 };
            written = written.max(metadata.modified().ok());
        });
        usage.bytes += bytes;
        let age = written.and_then(|written| now.duration_since(written).ok()).unwrap_or_default();
        usage.oldest = usage.oldest.max(age);
    }
    usage
}

/// Links are not followed: they may lead anywhere.
fn walk(entry: &DirEntry, depth: usize, tell: &mut impl FnMut(&Metadata)) {
    let Ok(metadata) = entry.metadata() else { return };
    tell(&metadata);
    if metadata.is_dir() && depth > 1 {
        read_dir(entry.path()).into_iter().flatten().flatten().for_each(|inner| walk(&inner, depth - 1, tell));
    }
}

/// Returns how much room the disk of a directory has for whoever this runs as; None where nobody knows.
pub fn free_bytes(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_stored_is_counted_with_the_time_since_it_was_written() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(usage(dir.path(), SystemTime::now()), Usage::default());
        for (recording, bytes) in [("a", 1_000), ("b", 24)] {
            let spool = dir.path().join(recording).join(".reelgraph-g");
            std::fs::create_dir_all(&spool).expect("it is made");
            std::fs::write(spool.join("journal"), vec![0; bytes]).expect("it is written");
            std::fs::write(dir.path().join(recording).join("g-000.wav"), [0; 10]).expect("it is written");
        }
        std::os::unix::fs::symlink("/", dir.path().join("a/away")).expect("it is made");
        let link = dir.path().join("a/away").symlink_metadata().expect("it is there").size();
        let now = SystemTime::now() + Duration::from_secs(100);
        let found = usage(dir.path(), now);
        assert_eq!((found.bytes, link > 0), (1_044, true));
        assert!((100..110).contains(&found.oldest.as_secs()), "{found:?}");
        // Of a recording the latest write counts.
        let file = std::fs::File::options().write(true).open(dir.path().join("b/g-000.wav")).expect("it is there");
        file.set_modified(now - Duration::from_secs(3_600)).expect("it is ours");
        assert!((100..110).contains(&usage(dir.path(), now).oldest.as_secs()));
        assert_eq!(usage(&dir.path().join("nowhere"), now), Usage::default());
        assert!(free_bytes(dir.path()).is_some_and(|bytes| bytes > 0));
    }
}
