//! Finishes what a killed recorder left: from its journal, and from its files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{ChunkMedia, EndReason};
use crate::session::{Entry, Journal, JournalError, Ledger};
use crate::storage::finalise::add_note;
use crate::storage::{Finalised, Spool, StorageError, finalise, inspect};

/// What the last chunk of a killed recording says.
const KILLED: &str = "the program was killed";

/// A recording that has been finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// The spool that it was in.
    pub dir: PathBuf,
    /// What is known of it; None where it was killed before it began.
    pub ledger: Option<Ledger>,
    /// The chunks that were not finished before.
    pub chunks: Vec<Finalised>,
}

/// Finishes all recordings in `out` that did not end; what hinders one does not hinder the others.
///
/// # Errors
///
/// There are none, or `out` cannot be read. Of one recording: it runs, or it cannot be read or written. What was
/// finished before the error stays finished, and a second call goes on.
pub fn recover(out: &Path) -> Result<Vec<Result<Recovered, StorageError>>, StorageError> {
    let spools = Spool::unfinished(out)?;
    if spools.is_empty() {
        return Err(StorageError::NothingToRecover { dir: out.to_owned() });
    }
    Ok(spools.into_iter().map(|dir| recover_spool(out, dir)).collect())
}

fn recover_spool(out: &Path, dir: PathBuf) -> Result<Recovered, StorageError> {
    let _lock = Spool::named(out, &dir).lock()?;
    let Some((spool, mut ledger)) = read(out, &dir)? else {
        Spool::named(out, &dir).remove()?;
        return Ok(Recovered { dir, ledger: None, chunks: Vec::new() });
    };
    let mut chunks = Vec::new();
    finish(&spool, &mut ledger, &mut chunks)?;
    // A service's goes with its directory.
    if ledger.opening.owner.is_none() {
        spool.remove()?;
    }
    Ok(Recovered { dir, ledger: Some(ledger), chunks })
}

/// Reads what is known of the recording in a spool; None where it was killed before it began, or when all but the spool
/// was gone already.
pub(super) fn read(out: &Path, dir: &Path) -> Result<Option<(Spool, Ledger)>, StorageError> {
    let named = Spool::named(out, dir);
    let entries = match Journal::read(&named.journal()) {
        Ok(entries) => entries,
        Err(error) if is_none(&error) && named.chunks()?.is_empty() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let ledger = Ledger::replay(&entries).expect("Journal::read returns an opening first");
    let spool = Spool::existing(out, &ledger.opening.graph, &ledger.opening.format);
    match spool.dir() == dir {
        true => Ok(Some((spool, ledger))),
        false => Err(StorageError::Foreign { dir: dir.to_owned(), graph: ledger.opening.graph }),
    }
}

/// Returns whether there is no journal, or nothing in it.
fn is_none(error: &JournalError) -> bool {
    match error {
        JournalError::NotAJournal { .. } => true,
        JournalError::Io { cause, .. } => cause.kind() == ErrorKind::NotFound,
        JournalError::Version { .. } => false,
    }
}

/// Finishes what is in a spool that nobody writes to any more; the chunks that were not finished before are added to
/// `chunks`, also where it fails.
pub(super) fn finish(spool: &Spool, ledger: &mut Ledger, chunks: &mut Vec<Finalised>) -> Result<(), StorageError> {
    if ledger.end.is_none() {
        ledger.apply(&Entry::Failed { at: Duration::ZERO, error: KILLED.to_owned() });
    }
    finish_rest(spool, ledger, chunks)?;
    if ledger.end.is_none() {
        let media = ledger.chunks.values().filter_map(|row| row.media.as_ref());
        let at = media.map(|media| media.end(ledger.opening.pause_mode)).max().unwrap_or(Duration::ZERO);
        ledger.apply(&Entry::Ended { at, reason: EndReason::Recovered, error: None });
    }
    Ok(())
}

/// Finishes every chunk that is still in the spool, of a recording that nobody writes any more, and says in the last
/// one why the recording ended too early, or that something is missing, if so. What it finishes is added to `chunks`.
///
/// # Errors
///
/// One could not be finished: it and those after it are still in the spool.
pub fn finish_rest(spool: &Spool, ledger: &mut Ledger, chunks: &mut Vec<Finalised>) -> Result<(), StorageError> {
    spool.release_reserve();
    let mut journal = Journal::append_to(&spool.journal())?;
    let left = spool.chunks()?;
    let only = left == [0] && !spool.finished(1).exists();
    for index in left {
        let Some(media) = media_of(ledger, spool, index)? else {
            // Begun, and nothing came.
            std::fs::remove_file(spool.chunk(index)).map_err(StorageError::io(&spool.chunk(index), "removed"))?;
            continue;
        };
        // Where this is killed, the next attempt has no file of this chunk to tell it, nor where the next one begins.
        let held = Entry::ChunkHeld { media: media.clone() };
        journal.append(&held)?;
        ledger.apply(&held);
        chunks.extend(finalise(spool, ledger, media, only)?);
    }
    chunks.sort_by_key(|chunk| chunk.media.index);
    if let Some(failure) = &ledger.failure {
        // A service may have gone on with it.
        let is_interrupted = failure == KILLED && ledger.opening.owner.is_some();
        let what =
            if is_interrupted { "the recording is interrupted here" } else { "the recording ends here, too early" };
        let note = format!("{what}: {failure}");
        return tell_last(spool, ledger, &note, chunks);
    }
    match ledger.mismatch() {
        Some((recorded, held)) => {
            let [recorded, held] = [recorded, held].map(|duration| duration.as_secs_f64());
            let note = format!("{recorded:.3} s were recorded, and {held:.3} s came to the files");
            tell_last(spool, ledger, &note, chunks)
        }
        None => Ok(()),
    }
}

/// Says something of the whole recording, in its last finished chunk.
fn tell_last(spool: &Spool, ledger: &Ledger, note: &str, chunks: &mut [Finalised]) -> Result<(), StorageError> {
    let is_finished = |index: &u32| spool.finished(*index).exists();
    let Some(last) = ledger.chunks.keys().copied().rev().find(is_finished) else { return Ok(()) };
    let metadata = add_note(spool, &ledger.opening, last, note)?;
    let chunk = chunks.iter_mut().find(|chunk| chunk.media.index == last);
    if let (Some(chunk), Some(metadata)) = (chunk, metadata) {
        chunk.metadata = metadata;
    }
    Ok(())
}

/// Longest file that is looked into: a longer one has media in it.
const SMALL_BYTES: u64 = 64 << 10;

/// Returns whether finishing makes a chunk of a file that is left. The next part's chunks are counted on by this: where
/// it were not so, two would have one number, and one document.
pub(super) fn makes_chunk(spool: &Spool, ledger: &Ledger, index: u32) -> Result<bool, StorageError> {
    let path = spool.chunk(index);
    let len = path.metadata().map_err(StorageError::io(&path, "read"))?.len();
    // A call waits.
    if len == 0 || len > SMALL_BYTES {
        return Ok(len > 0);
    }
    let is_held = ledger.chunks.get(&index).is_some_and(|row| row.media.is_some());
    Ok(match inspect::make_whole(&path, &ledger.opening.format)? {
        Some(content) => content.samples > 0 || (is_held && ledger.opening.first_chunk == 0),
        None => is_held || len > inspect::empty_len(&ledger.opening.format),
    })
}

/// The media of a chunk: as the journal has it, else as far as its file tells; None where there is none in it.
fn media_of(ledger: &Ledger, spool: &Spool, index: u32) -> Result<Option<ChunkMedia>, StorageError> {
    if let Some(media) = ledger.chunks.get(&index).and_then(|row| row.media.clone()) {
        return Ok(Some(media));
    }
    let path = spool.chunk(index);
    if let Some(content) = inspect::make_whole(&path, &ledger.opening.format)? {
        let media = ledger.media_of_file(index, content.samples, content.rate, content.channels);
        return Ok(Some(media).filter(|media| media.samples > 0));
    }
    let size = path.metadata().map_err(StorageError::io(&path, "read"))?.len();
    // A format that only its own readers understand, or a header that was destroyed: kept as it is.
    let holds_media = size > inspect::empty_len(&ledger.opening.format);
    Ok(holds_media.then(|| ledger.media_of_file(index, 0, 0, 0)))
}
