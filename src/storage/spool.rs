//! The directory of a recording that runs, inside the directory that its files will be in.

use std::fs::{DirBuilder, DirEntry, File, Metadata, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::session::Journal;
use crate::storage::StorageError;

const PREFIX: &str = ".reelgraph-";
const JOURNAL: &str = "journal";
const RESERVE: &str = "reserve";

/// Extensions of what is made of a chunk on its way: metadata, and a copy with fewer channels.
const METADATA: &str = "json";
pub(super) const TRIMMED: &str = "trimmed";
const LEFT_OVER: [&str; 2] = [METADATA, TRIMMED];

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

/// Keeps other services away from a directory of data.
///
/// # Errors
///
/// One has it, or the system refuses.
pub fn lock_data(dir: &Path) -> Result<Lock, StorageError> {
    let opened = File::open(dir).map_err(StorageError::io(dir, "opened"))?;
    match opened.try_lock() {
        Ok(()) => Ok(Lock(opened)),
        Err(TryLockError::WouldBlock) => Err(StorageError::Served { dir: dir.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(StorageError::io(dir, "locked")(cause)),
    }
}

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
        let missing: Vec<_> = out.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.is_dir()).collect();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(out);
        made.map_err(StorageError::io(out, "created"))?;
        missing.iter().try_for_each(|dir| sync_dir(&dir.join("..")))?;
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
        // One may have ended since the first look.
        if let Some(found) = spool.finished_file().inspect_err(|_| spool.discard())? {
            spool.discard();
            return Err(StorageError::AlreadyRecorded { dir: out.to_owned(), found });
        }
        spool.reserve().inspect_err(|_| spool.discard())?;
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
        let in_use = || StorageError::InUse { dir: self.out.clone() };
        match opened.try_lock() {
            // Who had it may have taken the directory away in the meantime, or somebody made another.
            Ok(()) if !is_same(&opened, &dir) => Err(in_use()),
            Ok(()) => Ok(Lock(opened)),
            Err(TryLockError::WouldBlock) => Err(in_use()),
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

    /// Returns a file that is named as chunks and metadata of this graph are, if there is any.
    fn finished_file(&self) -> Result<Option<PathBuf>, StorageError> {
        let entries = std::fs::read_dir(&self.out).map_err(StorageError::io(&self.out, "read"))?;
        let prefix = format!("{}-", self.graph);
        let is_named = |name: &str| {
            let index = name.strip_prefix(&prefix).and_then(|rest| rest.split_once('.')).map(|(index, _)| index);
            index.is_some_and(|index| index.len() >= 3 && index.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let is_named = |entry: &DirEntry| is_named(&entry.file_name().to_string_lossy());
        Ok(entries.filter_map(Result::ok).filter(is_named).map(|entry| entry.path()).min())
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
        // A link or a pipe of that name is none of ours.
        let is_file = |index: &u32| self.chunk(*index).symlink_metadata().is_ok_and(|metadata| metadata.is_file());
        chunks.retain(|index| self.extension.is_empty() || is_file(index));
        chunks.dedup();
        Ok(chunks)
    }

    /// Returns the chunks that are finished, in order.
    pub(super) fn finished_chunks(&self) -> Result<Vec<u32>, StorageError> {
        let entries = std::fs::read_dir(&self.out).map_err(StorageError::io(&self.out, "read"))?;
        let (prefix, suffix) = (format!("{}-", self.graph), format!(".{}", self.extension));
        let index_of = |entry: DirEntry| -> Option<u32> {
            let name = entry.file_name();
            let digits = name.to_str()?.strip_prefix(&prefix)?.strip_suffix(&suffix)?;
            entry.file_type().is_ok_and(|kind| kind.is_file()).then(|| digits.parse().ok())?
        };
        let mut chunks: Vec<u32> = entries.filter_map(Result::ok).filter_map(index_of).collect();
        chunks.sort_unstable();
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
        self.dir().join(format!("{index:03}.{METADATA}"))
    }

    /// The finished file of a chunk.
    pub fn finished(&self, index: u32) -> PathBuf {
        self.out.join(format!("{}-{index:03}.{}", self.graph, self.extension))
    }

    /// The metadata of a chunk.
    pub fn metadata(&self, index: u32) -> PathBuf {
        self.out.join(format!("{}-{index:03}.{METADATA}", self.graph))
    }

    /// Takes the spool away; everything in it has been finished. The journal goes last: without it nobody could tell
    /// what the rest is.
    ///
    /// # Errors
    ///
    /// There is something in it that is not ours, or that was not finished: then nothing is removed.
    pub fn remove(&self) -> Result<(), StorageError> {
        let entries = self.entries()?;
        if let Some(unknown) = entries.iter().find(|entry| !is_left_over(entry)) {
            return Err(StorageError::Unknown { path: unknown.path() });
        }
        let paths = entries.iter().map(DirEntry::path).filter(|path| *path != self.journal());
        for path in paths.chain([self.journal()]) {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(StorageError::io(&path, "removed")(error));
                }
                _ => (),
            }
        }
        std::fs::remove_dir(self.dir()).map_err(StorageError::io(&self.dir(), "removed"))
    }

    /// Takes away the spool of a recording that never began.
    pub fn discard(&self) {
        if let Err(error) = std::fs::remove_dir_all(self.dir()) {
            tracing::warn!(%error, "a spool stays");
        }
    }

    /// Opens the spool's directory: whoever syncs its file system needs it.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub fn open(&self) -> Result<File, StorageError> {
        File::open(self.dir()).map_err(StorageError::io(&self.dir(), "opened"))
    }

    /// Lets nobody write to the chunks that are here any more: a thread that is stuck in the middle of a write may go
    /// on with it at any time. They are copied, and what is written then goes nowhere.
    ///
    /// # Errors
    ///
    /// One cannot be copied.
    pub fn detach_chunks(&self) -> Result<(), StorageError> {
        for index in self.chunks()? {
            let (chunk, copy) = (self.chunk(index), self.chunk_metadata(index));
            std::fs::copy(&chunk, &copy).map_err(StorageError::io(&copy, "written"))?;
            std::fs::rename(&copy, &chunk).map_err(StorageError::io(&chunk, "put in place"))?;
        }
        Ok(())
    }

    /// Waits until everything in the journal is on the disk, whoever has written it.
    pub(super) fn sync_journal(&self) -> Result<(), StorageError> {
        Ok(Journal::append_to(&self.journal())?.sync()?)
    }

    /// Waits until the names of all files are on the disk: first those that are to stay.
    ///
    /// # Errors
    ///
    /// They may not be.
    pub fn sync(&self) -> Result<(), StorageError> {
        [self.out.clone(), self.dir()].iter().try_for_each(|dir| sync_dir(dir))
    }
}

/// Returns whether a file in a spool is of no use when all chunks are finished.
fn is_left_over(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy().into_owned();
    let of_chunk = |(index, extension): (&str, &str)| {
        index.bytes().all(|byte| byte.is_ascii_digit()) && LEFT_OVER.contains(&extension)
    };
    let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
    is_file && (name == JOURNAL || name == RESERVE || name.split_once('.').is_some_and(of_chunk))
}

fn sync_dir(dir: &Path) -> Result<(), StorageError> {
    File::open(dir).and_then(|opened| opened.sync_all()).map_err(StorageError::io(dir, "synced"))
}

/// Returns whether `path` still leads to the directory that was opened.
fn is_same(opened: &File, path: &Path) -> bool {
    let id = |metadata: std::io::Result<Metadata>| metadata.map(|metadata| (metadata.dev(), metadata.ino())).ok();
    id(opened.metadata()).is_some_and(|opened| Some(opened) == id(std::fs::metadata(path)))
}
