//! Parts of a service's recordings: what each process that recorded one has of it, in a directory of its own.
//!
//! ```text
//!  ID/      the first: .reelgraph-mixed-wav/journal, mixed-wav-000.wav, …
//!  ID-1/    what came after the service was killed and started again; its chunks are counted on
//! ```
//!
//! A directory goes when all of its chunks are stored, and known to be.

use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

use crate::acs::metadata::Metadata;
use crate::model::ChunkId;
use crate::model::RecordingId;
use crate::session::Ledger;
use crate::storage::Finalised;
use crate::storage::Spool;
use crate::storage::StorageError;
use crate::storage::discard_dir;
use crate::storage::finalise::settle;
use crate::storage::inspect;
use crate::storage::recover;
use crate::storage::sidecar;

/// What the name of a directory ends in whose part cannot be read.
const DAMAGED: &str = ".damaged";

/// A part that nobody records into any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    /// Its directory.
    pub dir: PathBuf,
    /// Which it is, from 0.
    pub part: u32,
    /// What is known of it.
    pub ledger: Ledger,
    /// Chunks of the recording that are in it or before it.
    pub n_chunks: u32,
}

/// The files of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct PartFiles {
    /// Its directory.
    pub dir: PathBuf,
    /// Files of it that are stored somewhere else.
    pub stored: Vec<PathBuf>,
    /// There is nothing else in it.
    pub is_whole: bool,
}

impl PartFiles {
    /// Takes away what is stored somewhere else. What cannot be taken away stays, and is looked at when the service is
    /// started again.
    pub fn discard(&self) {
        if self.is_whole {
            return discard_dir(&self.dir);
        }
        self.stored.iter().for_each(|path| remove(path));
    }
}

fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "a file stays that is stored");
        }
        _ => (),
    }
}

/// Returns the directory of a part, under that of all recordings.
pub fn part_dir(recordings: &Path, recording: RecordingId, part: u32) -> PathBuf {
    let id = recording.0.simple();
    recordings.join(if part == 0 { id.to_string() } else { format!("{id}-{part}") })
}

/// Returns which part a directory is of.
fn number(dir: &Path) -> u32 {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

/// Looks at all parts that are left from before in the directory of recordings. One that cannot be read is kept under
/// another name, and told. Documents that `is_known` are stored.
///
/// # Errors
///
/// The directory cannot be read.
pub fn look_at_all(recordings: &Path, is_known: impl Fn(ChunkId) -> bool) -> Result<Vec<Left>, StorageError> {
    let entries = std::fs::read_dir(recordings).map_err(StorageError::io(recordings, "read"))?;
    let is_part = |entry: &DirEntry| {
        !entry.file_name().to_string_lossy().ends_with(DAMAGED) && entry.file_type().is_ok_and(|kind| kind.is_dir())
    };
    let dirs = entries.filter_map(Result::ok).filter(is_part).map(|entry| entry.path());
    Ok(dirs.filter_map(|dir| look(&dir, &is_known).unwrap_or_else(|error| keep_aside(&dir, &error))).collect())
}

fn keep_aside<T>(dir: &Path, error: &StorageError) -> Option<T> {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(DAMAGED);
    let kept = dir.with_file_name(name);
    match std::fs::rename(dir, &kept) {
        Ok(()) => tracing::error!(%error, kept = %kept.display(), "a recording cannot be finished"),
        Err(cause) => tracing::error!(%error, %cause, "a recording can neither be finished nor be put aside"),
    }
    None
}

/// Looks at a part that is left from before. Documents that `is_known` are stored: their files are taken away. None
/// where there is nothing in it: then there is no directory, either.
///
/// # Errors
///
/// It cannot be read, or is none: it stays as it is.
fn look(dir: &Path, is_known: impl Fn(ChunkId) -> bool) -> Result<Option<Left>, StorageError> {
    let spools = Spool::unfinished(dir)?;
    let read = spools.first().map_or(Ok(None), |spool| recover::read(dir, spool))?;
    let Some((spool, ledger)) = read else {
        discard_dir(dir);
        return Ok(None);
    };
    for index in spool.finished_chunks()? {
        if is_known(sidecar::document(&ledger.opening, index)) {
            [spool.finished(index), spool.metadata(index)].iter().for_each(|path| remove(path));
        }
    }
    let mut n_chunks = spool.finished_chunks()?.last().map_or(0, |last| last + 1);
    for index in spool.chunks()? {
        if recover::media_of(&ledger, &spool, index)?.is_some() {
            n_chunks = n_chunks.max(index + 1);
        }
    }
    let n_chunks = ledger.opening.first_chunk.saturating_add(n_chunks);
    Ok(Some(Left { dir: dir.to_owned(), part: number(dir), ledger, n_chunks }))
}

/// Finishes a part, and returns how it ended, with all of its chunks: also those that were finished before.
///
/// # Errors
///
/// Not all could be finished. What was stays finished, and a second call goes on.
pub fn finish_part(dir: &Path) -> Result<(Ledger, Vec<Finalised>), StorageError> {
    let nothing = || StorageError::NothingToRecover { dir: dir.to_owned() };
    let spool = Spool::unfinished(dir)?.into_iter().next().ok_or_else(nothing)?;
    let _lock = Spool::named(dir, &spool).lock()?;
    let (spool, mut ledger) = recover::read(dir, &spool)?.ok_or_else(nothing)?;
    let mut chunks = recover::finish(&spool, &mut ledger)?;
    for index in spool.finished_chunks()? {
        if chunks.iter().all(|chunk| chunk.media.index != index) {
            chunks.push(finished(&spool, &ledger, index)?);
        }
    }
    chunks.sort_by_key(|chunk| chunk.media.index);
    Ok((ledger, chunks))
}

/// Returns what a chunk is that was finished before.
fn finished(spool: &Spool, ledger: &Ledger, index: u32) -> Result<Finalised, StorageError> {
    let (path, metadata_path) = (spool.finished(index), spool.metadata(index));
    let text = std::fs::read(&metadata_path).map_err(StorageError::io(&metadata_path, "read"))?;
    let unknown = || StorageError::Unknown { path: metadata_path.clone() };
    let metadata: Metadata = serde_json::from_slice(&text).map_err(|_| unknown())?;
    let mut media = ledger.chunks.get(&index).and_then(|row| row.media.clone()).ok_or_else(unknown)?;
    if let Some(content) = inspect::make_whole(&path, &ledger.opening.format)? {
        (media.samples, media.rate, media.channels) = (content.samples, content.rate, content.channels);
    }
    let (size, sha256) = settle(&path)?;
    let document = sidecar::document(&ledger.opening, index);
    Ok(Finalised { document, path, metadata_path, metadata, media, size, sha256 })
}
