//! Finishes what a killed recorder left: from its journal, and from its files.

use std::path::Path;
use std::time::Duration;

use crate::model::{ChunkMedia, EndReason};
use crate::session::{Entry, Journal, Ledger};
use crate::storage::{Finalised, Spool, StorageError, finalise, inspect};

/// A recording that has been finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// What is known of it.
    pub ledger: Ledger,
    /// The chunks that were not finished before.
    pub chunks: Vec<Finalised>,
}

/// Finishes all recordings in `out` that did not end.
///
/// # Errors
///
/// There are none; or one cannot be read. What was finished before the error stays finished, and a second call goes on.
pub fn recover(out: &Path) -> Result<Vec<Recovered>, StorageError> {
    let spools = Spool::unfinished(out)?;
    if spools.is_empty() {
        return Err(StorageError::NothingToRecover { dir: out.to_owned() });
    }
    spools.iter().map(|dir| recover_spool(out, dir)).collect()
}

fn recover_spool(out: &Path, dir: &Path) -> Result<Recovered, StorageError> {
    let entries = Journal::read(&Spool::journal_in(dir))?;
    let mut ledger = Ledger::replay(&entries).expect("Journal::read returns an opening first");
    let spool = Spool::existing(out, &ledger.opening.graph, &ledger.opening.format);
    let mut journal = Journal::append_to(&spool.journal())?;
    let there: Vec<u32> = (0..).take_while(|index| is_there(&spool, *index)).collect();
    let mut chunks = Vec::new();
    for index in there.iter().copied().filter(|index| spool.chunk(*index).exists()) {
        let media = match ledger.chunks.get(&index).and_then(|row| row.media.clone()) {
            Some(media) => media,
            None => match torn(&ledger, &spool, index)? {
                Some(media) => media,
                None => continue,
            },
        };
        let finalised = finalise(&spool, &ledger, media, there.len() == 1)?;
        journal.append(&Entry::Finalised { index })?;
        // The chunks after it begin where it ends.
        ledger.apply(&Entry::ChunkHeld { media: finalised.media.clone() });
        chunks.push(finalised);
    }
    if ledger.end.is_none() {
        let media = ledger.chunks.values().filter_map(|row| row.media.as_ref());
        let at = media.map(|media| media.end(ledger.pause_mode())).max().unwrap_or(Duration::ZERO);
        ledger.apply(&Entry::Ended { at, reason: EndReason::Recovered, error: None });
    }
    spool.remove()?;
    Ok(Recovered { ledger, chunks })
}

/// A chunk is in the spool, or finished already.
fn is_there(spool: &Spool, index: u32) -> bool {
    spool.chunk(index).exists() || spool.finished(index).exists()
}

/// The media of a chunk that was being recorded, as far as its file tells; None where there is none in it.
fn torn(ledger: &Ledger, spool: &Spool, index: u32) -> Result<Option<ChunkMedia>, StorageError> {
    let content = inspect::make_whole(&spool.chunk(index), &ledger.opening.format)?;
    Ok(content.map(|content| ledger.media_of_file(index, content.samples, content.rate, content.channels)))
}
