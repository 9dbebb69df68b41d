//! A chunk leaves the spool: verified, whole, hashed, on the disk, with its metadata beside it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::acs::metadata::Metadata;
use crate::model::{ChunkId, ChunkMedia};
use crate::session::{Ledger, Opening};
use crate::storage::{Spool, StorageError, inspect, sidecar, trim};

/// A chunk that is where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Finalised {
    /// Its document.
    pub document: ChunkId,
    /// Its file.
    pub path: PathBuf,
    /// Its metadata's file.
    pub metadata_path: PathBuf,
    /// What the metadata says.
    pub metadata: Metadata,
    /// What the file holds.
    pub media: ChunkMedia,
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
}

/// Finalises a chunk. `only`: the recording has no other, so that channels that nobody ever was on can go.
///
/// It may be called again for a chunk that a crash left half-way. None for a chunk into which nothing could be written:
/// an empty file is no recording, but where there is nothing else it says that nothing was recorded.
pub fn finalise(
    spool: &Spool,
    ledger: &Ledger,
    mut media: ChunkMedia,
    only: bool,
) -> Result<Option<Finalised>, StorageError> {
    let index = media.index;
    let (from, to) = (spool.chunk(index), spool.finished(index));
    let mut notes = ledger.notes_of(&media);
    // A service may have gone on with it, and all of its chunks have the same channels.
    let is_part = ledger.opening.owner.is_some() && ledger.failure.is_some() || ledger.opening.first_chunk > 0;
    let only = only && !is_part;
    let mut constant_bit_rate = None;
    let content = inspect::make_whole(&from, &ledger.opening.format)?;
    if let Some(mut content) = content {
        if only && content.channels > 1 && ledger.opening.format == "wav" {
            content = match trim::trim(&from, content, media.map.n_used() as u32) {
                Ok(trimmed) => trimmed,
                // It is complete as it is.
                Err(error) => {
                    notes.push(format!("channels that nobody was on are still there: {error}"));
                    content
                }
            };
            media.map.channels.truncate(content.channels as usize);
        }
        // An element may have made other samples of those that were counted.
        if content.rate == media.rate && content.samples < media.samples {
            notes.push(format!("{} of {} samples could be written", content.samples, media.samples));
        }
        (media.samples, media.rate, media.channels) = (content.samples, content.rate, content.channels);
        constant_bit_rate = content.bit_rate;
    }
    let (size, sha256) = settle(&from)?;
    let is_first = index == 0 && ledger.opening.first_chunk == 0;
    let is_bare = ledger.opening.first_chunk > 0 && content.is_some_and(|content| content.samples == 0);
    if is_bare || size == 0 && (!is_first || ledger.failure.is_some()) {
        std::fs::remove_file(&from).map_err(StorageError::io(&from, "removed"))?;
        return Ok(None);
    }
    match content {
        None if size == 0 => notes.push("the file is empty: nothing was recorded".to_owned()),
        None if media.samples == 0 => notes.push("how long it plays is not known".to_owned()),
        _ => (),
    }
    let bit_rate = constant_bit_rate.unwrap_or_else(|| average_bit_rate(size, &media));
    let metadata = sidecar::metadata(ledger, &media, bit_rate, notes);
    let metadata_path = spool.metadata(index);
    refuse_foreign(&to, &metadata_path, &metadata)?;
    // In this order: what explains the file is on the disk before it.
    spool.sync_journal()?;
    write_metadata(&spool.chunk_metadata(index), &metadata_path, &metadata)?;
    spool.sync()?;
    move_to(&from, &to).map_err(StorageError::io(&to, "put in place"))?;
    spool.sync()?;
    let document = sidecar::document(&ledger.opening, index);
    Ok(Some(Finalised { document, path: to, metadata_path, metadata, media, size, sha256 }))
}

/// Gives a file its name, which nothing else may have.
fn move_to(from: &Path, to: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot promise it.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if !to.exists() => std::fs::rename(from, to),
        moved => moved.map_err(Into::into),
    }
}

/// Adds a note to the metadata of a finished chunk, if it is not there yet, and returns what it says then; None where
/// somebody has taken the metadata away or put other there since.
pub(super) fn add_note(
    spool: &Spool,
    opening: &Opening,
    index: u32,
    note: &str,
) -> Result<Option<Metadata>, StorageError> {
    let path = spool.metadata(index);
    let there = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Metadata>(&text).ok());
    let is_ours = |there: &Metadata| there.chunk_document_id == sidecar::document_id(opening, index);
    let Some(mut metadata) = there.filter(is_ours) else {
        tracing::warn!(path = %path.display(), "metadata of a finished chunk is not there any more: {note}");
        return Ok(None);
    };
    if !metadata.notes.iter().any(|known| known == note) {
        metadata.notes.push(note.to_owned());
        write_metadata(&spool.chunk_metadata(index), &path, &metadata)?;
        spool.sync()?;
    }
    Ok(Some(metadata))
}

/// Returns a file's size and hash, when it is on the disk.
pub(super) fn settle(path: &Path) -> Result<(u64, String), StorageError> {
    let mut file = File::open(path).map_err(StorageError::io(path, "opened"))?;
    file.sync_all().map_err(StorageError::io(path, "synced"))?;
    let (mut hash, mut size, mut block) = (Sha256::new(), 0, vec![0; 64 * 1024]);
    loop {
        let n = file.read(&mut block).map_err(StorageError::io(path, "read"))?;
        if n == 0 {
            break;
        }
        hash.update(&block[..n]);
        size += n as u64;
    }
    let digits = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((size, digits))
}

/// Fails where there are files that a first attempt to finalise the chunk has not written.
fn refuse_foreign(media: &Path, path: &Path, metadata: &Metadata) -> Result<(), StorageError> {
    let taken = |path| Err(StorageError::io(path, "put in place")(ErrorKind::AlreadyExists.into()));
    if media.symlink_metadata().is_ok() {
        return taken(media);
    }
    let text = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        read => read.map_err(StorageError::io(path, "read"))?,
    };
    match serde_json::from_slice::<Metadata>(&text) {
        Ok(there) if there.chunk_document_id == metadata.chunk_document_id => Ok(()),
        _ => taken(path),
    }
}

fn write_metadata(spooled: &Path, to: &Path, metadata: &Metadata) -> Result<(), StorageError> {
    let mut text = serde_json::to_vec_pretty(metadata).expect("metadata is plain data");
    text.push(b'\n');
    let created = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(spooled);
    let mut file = created.map_err(StorageError::io(spooled, "created"))?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(StorageError::io(spooled, "written"))?;
    std::fs::rename(spooled, to).map_err(StorageError::io(to, "put in place"))
}

fn average_bit_rate(size: u64, media: &ChunkMedia) -> u32 {
    let milliseconds = media.duration().as_millis().max(1);
    u32::try_from(u128::from(size) * 8_000 / milliseconds).unwrap_or(u32::MAX)
}
