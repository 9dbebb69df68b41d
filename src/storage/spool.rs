//! The directory of a recording that runs, inside the directory that its files will be in.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::storage::StorageError;

const PREFIX: &str = ".reelgraph-";
const JOURNAL: &str = "journal";

/// Where a recording's files are, and where they will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    out: PathBuf,
    graph: String,
    extension: String,
}

impl Spool {
    /// Claims `out` for a recording of `graph`: makes the directories (the spool with mode 0700).
    ///
    /// # Errors
    ///
    /// There is a recording of this graph already, finished or not; or the directory cannot be written.
    pub fn claim(out: &Path, graph: &str, extension: &str) -> Result<Self, StorageError> {
        let spool = Self::existing(out, graph, extension);
        std::fs::create_dir_all(out).map_err(StorageError::io(out, "created"))?;
        if let Some(found) = spool.finished_file()? {
            return Err(StorageError::AlreadyRecorded { dir: out.to_owned(), found });
        }
        match DirBuilder::new().mode(0o700).create(spool.dir()) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(StorageError::Unfinished { dir: out.to_owned() })
            }
            created => created.map_err(StorageError::io(&spool.dir(), "created")).map(|()| spool),
        }
    }

    /// Returns the spool of a recording that is there.
    pub(super) fn existing(out: &Path, graph: &str, extension: &str) -> Self {
        Self { out: out.to_owned(), graph: graph.to_owned(), extension: extension.to_owned() }
    }

    /// Returns the directories of spools in `out`: recordings that did not end.
    pub(super) fn unfinished(out: &Path) -> Result<Vec<PathBuf>, StorageError> {
        let entries = std::fs::read_dir(out).map_err(StorageError::io(out, "read"))?;
        let is_spool = |path: &PathBuf| {
            path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
        };
        let mut spools: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(is_spool).collect();
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

    /// Takes the spool away; everything in it has been finished.
    pub fn remove(&self) -> Result<(), StorageError> {
        std::fs::remove_dir_all(self.dir()).map_err(StorageError::io(&self.dir(), "removed"))
    }

    /// Waits until renames in both directories are on the disk.
    pub(super) fn sync(&self) -> Result<(), StorageError> {
        for dir in [self.dir(), self.out.clone()] {
            File::open(&dir).and_then(|opened| opened.sync_all()).map_err(StorageError::io(&dir, "synced"))?;
        }
        Ok(())
    }
}
