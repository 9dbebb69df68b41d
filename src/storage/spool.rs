//! The directory of a recording that runs, inside the directory that its files will be in.

use std::fs::{DirBuilder, DirEntry, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::storage::StorageError;

const PREFIX: &str = ".reelgraph-";
const JOURNAL: &str = "journal";
const RESERVE: &str = "reserve";

/// What a full disk must still have room for: metadata of the last chunks (a kilobyte or two each) and the journal's
/// last lines.
const RESERVE_BYTES: usize = 64 * 1024;

/// Where a recording's files are, and where they will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    out: PathBuf,
    graph: String,
    extension: String,
}

/// Keeps others away from a spool for as long as it lives; the kernel takes it from a process that dies.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Spool {
    /// Claims `out` for a recording of `graph`: makes the directories with mode 0700.
    ///
    /// # Errors
    ///
    /// There is a recording of this graph already, finished or not; or the directory cannot be written.
    pub fn claim(out: &Path, graph: &str, extension: &str) -> Result<(Self, Lock), StorageError> {
        let spool = Self::existing(out, graph, extension);
        if out.to_str().is_none() {
            return Err(StorageError::NotText { dir: out.to_owned() });
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(out);
        made.map_err(StorageError::io(out, "created"))?;
        if let Some(found) = spool.finished_file()? {
            return Err(StorageError::AlreadyRecorded { dir: out.to_owned(), found });
        }
        match DirBuilder::new().mode(0o700).create(spool.dir()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && spool.dir().is_dir() => {
                let _held = spool.lock()?;
                return Err(StorageError::Unfinished { dir: out.to_owned() });
            }
            created => created.map_err(StorageError::io(&spool.dir(), "created"))?,
        }
        let lock = spool.lock()?;
        spool.reserve().inspect_err(|_| drop(spool.remove()))?;
        Ok((spool, lock))
    }

    /// Keeps everybody else away from the spool.
    ///
    /// # Errors
    ///
    /// Somebody records into it, or recovers it.
    pub(super) fn lock(&self) -> Result<Lock, StorageError> {
        let dir = self.dir();
        let opened = File::open(&dir).map_err(StorageError::io(&dir, "opened"))?;
        match opened.try_lock() {
            Ok(()) => Ok(Lock(opened)),
            Err(TryLockError::WouldBlock) => Err(StorageError::InUse { dir: self.out.clone() }),
            Err(TryLockError::Error(cause)) => Err(StorageError::io(&dir, "locked")(cause)),
        }
    }

    /// Takes room that a full disk is finished with.
    fn reserve(&self) -> Result<(), StorageError> {
        let path = self.dir().join(RESERVE);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        // Written, since a length alone takes no room.
        let written = made.and_then(|file| file.write_all_at(&[0; RESERVE_BYTES], 0));
        written.map_err(StorageError::io(&path, "written"))
    }

    /// Gives back the room that was taken for the end.
    pub(super) fn release_reserve(&self) {
        // Not there any more in a second attempt.
        let _ = std::fs::remove_file(self.dir().join(RESERVE));
    }

    /// Returns the spool of a recording that is there.
    pub(super) fn existing(out: &Path, graph: &str, extension: &str) -> Self {
        Self { out: out.to_owned(), graph: graph.to_owned(), extension: extension.to_owned() }
    }

    /// Returns the directories of spools in `out`: recordings that did not end.
    pub(super) fn unfinished(out: &Path) -> Result<Vec<PathBuf>, StorageError> {
        let entries = std::fs::read_dir(out).map_err(StorageError::io(out, "read"))?;
        // A link may lead anywhere.
        let is_spool = |entry: &DirEntry| {
            entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name().to_string_lossy().starts_with(PREFIX)
        };
        let mut spools: Vec<_> = entries.filter_map(Result::ok).filter(is_spool).map(|entry| entry.path()).collect();
        spools.sort();
        Ok(spools)
    }

    fn finished_file(&self) -> Result<Option<PathBuf>, StorageError> {
        let entries = std::fs::read_dir(&self.out).map_err(StorageError::io(&self.out, "read"))?;
        let prefix = format!("{}-", self.graph);
        let is_ours = |name: &String| {
            let rest = name.strip_prefix(&prefix).and_then(|rest| rest.split_once('.'));
            rest.is_some_and(|(index, _)| index.len() >= 3 && index.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
        Ok(names.filter(is_ours).min().map(|name| self.out.join(name)))
    }

    /// The directory that finished files are in.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// The spool itself.
    pub fn dir(&self) -> PathBuf {
        self.out.join(format!("{PREFIX}{}", self.graph))
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        Self::journal_in(&self.dir())
    }

    /// The journal of the spool at `dir`.
    pub(super) fn journal_in(dir: &Path) -> PathBuf {
        dir.join(JOURNAL)
    }

    /// Returns the spool at `dir` as far as its name tells; nothing is known of its files.
    pub(super) fn named(out: &Path, dir: &Path) -> Self {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::existing(out, name.strip_prefix(PREFIX).unwrap_or_default(), "")
    }

    /// Returns the chunks that are in the spool, in order.
    pub(super) fn chunks(&self) -> Result<Vec<u32>, StorageError> {
        let index_of = |entry: DirEntry| Path::new(&entry.file_name()).file_stem()?.to_str()?.parse().ok();
        let mut chunks: Vec<u32> = self.entries()?.into_iter().filter_map(index_of).collect();
        chunks.sort_unstable();
        chunks.retain(|index| self.extension.is_empty() || self.chunk(*index).exists());
        chunks.dedup();
        Ok(chunks)
    }

    fn entries(&self) -> Result<Vec<DirEntry>, StorageError> {
        let dir = self.dir();
        let entries = std::fs::read_dir(&dir).and_then(Iterator::collect);
        entries.map_err(StorageError::io(&dir, "read"))
    }

    /// The file of a chunk while it is recorded.
    pub fn chunk(&self, index: u32) -> PathBuf {
        self.dir().join(format!("{index:03}.{}", self.extension))
    }

    /// The metadata of a chunk while it is written.
    pub(super) fn chunk_metadata(&self, index: u32) -> PathBuf {
        self.dir().join(format!("{index:03}.json"))
    }

    /// The finished file of a chunk.
    pub fn finished(&self, index: u32) -> PathBuf {
        self.out.join(format!("{}-{index:03}.{}", self.graph, self.extension))
    }

    /// The metadata of a chunk.
    pub fn metadata(&self, index: u32) -> PathBuf {
        self.out.join(format!("{}-{index:03}.json", self.graph))
    }

    /// Takes the spool away; everything in it has been finished. The journal goes last: without it nobody could tell
    /// what the rest is.
    pub fn remove(&self) -> Result<(), StorageError> {
        let dir = self.dir();
        for entry in self.entries()? {
            if entry.file_name() != JOURNAL {
                std::fs::remove_file(entry.path()).map_err(StorageError::io(&entry.path(), "removed"))?;
            }
        }
        std::fs::remove_dir_all(&dir).map_err(StorageError::io(&dir, "removed"))
    }

    /// Waits until renames in both directories are on the disk.
    pub(super) fn sync(&self) -> Result<(), StorageError> {
        for dir in [self.dir(), self.out.clone()] {
            File::open(&dir).and_then(|opened| opened.sync_all()).map_err(StorageError::io(&dir, "synced"))?;
        }
        Ok(())
    }
}
