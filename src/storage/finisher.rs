//! Follows a recording by its reports: chunks are finished as they are completed, and the rest when it ends. Blocks on
//! the disk.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::Report;
use crate::engine::TrackCounts;
use crate::model::EndReason;
use crate::model::ParticipantNumber;
use crate::session::Entry;
use crate::session::Ledger;
use crate::session::Opening;
use crate::storage::Finalised;
use crate::storage::Spool;
use crate::storage::StorageError;
use crate::storage::finalise;
use crate::storage::finish_rest;

/// How a recording ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Why.
    pub reason: EndReason,
    /// What went wrong, if it could not go on.
    pub error: Option<String>,
    /// Why there are chunks that could not be finished, if there are: they are in the spool.
    pub unfinished: Option<String>,
    /// Samples that came too late for their place.
    pub lost_samples: u64,
    /// What became of everybody's media.
    pub tracks: BTreeMap<ParticipantNumber, TrackCounts>,
}

/// One recording's files.
#[derive(Debug)]
pub struct Finisher {
    spool: Spool,
    ledger: Ledger,
    chunks: Vec<Finalised>,
    /// Chunks that could not be finished when they were completed, and why.
    failed: Vec<(u32, StorageError)>,
    horizon: Duration,
}

impl Finisher {
    /// Follows a recording that begins.
    pub fn new(spool: Spool, opening: Opening) -> Self {
        let ledger = Ledger::new(opening);
        Self { spool, ledger, chunks: Vec::new(), failed: Vec::new(), horizon: Duration::ZERO }
    }

    /// Returns how the recording began.
    pub fn opening(&self) -> &Opening {
        &self.ledger.opening
    }

    /// Returns what is known of the recording, and its chunks.
    pub fn into_parts(self) -> (Ledger, Vec<Finalised>) {
        (self.ledger, self.chunks)
    }

    /// Takes a report; returns how the recording ended, when it has. Its spool is gone then, unless something in it
    /// could not be finished, or it is a service's: that goes with its directory, when all in there is stored.
    ///
    /// # Errors
    ///
    /// The files of a recording that was given up cannot be kept from whoever may still write to them.
    pub fn on(&mut self, report: Report) -> Result<Option<Ended>, StorageError> {
        match report {
            Report::Progress { at, .. } => self.horizon = at,
            Report::Entry(entry) => self.ledger.apply(&entry),
            Report::ChunkComplete { index, only } => {
                let media = self.ledger.chunks.get(&index).and_then(|row| row.media.clone());
                match media.map_or(Ok(None), |media| finalise(&self.spool, &self.ledger, media, only)) {
                    Ok(finalised) => self.chunks.extend(finalised),
                    // It is tried again at the end, when the disk may have room.
                    Err(error) => {
                        tracing::warn!(%error, index, "a chunk cannot be finished yet");
                        self.failed.push((index, error));
                    }
                }
            }
            Report::Ended { reason, lost_samples, tracks, .. } => {
                let error = self.ledger.end.as_ref().and_then(|(_, _, error)| error.clone());
                return Ok(Some(self.finish(Ended { reason, error, unfinished: None, lost_samples, tracks })));
            }
            Report::GivenUp(why) => {
                self.spool.detach_chunks()?;
                let (at, error) = (self.horizon, why.to_string());
                self.ledger.apply(&Entry::Failed { at, error: error.clone() });
                let (reason, error) = (EndReason::Failed, Some(error));
                self.ledger.apply(&Entry::Ended { at, reason, error: error.clone() });
                let ended = Ended { reason, error, unfinished: None, lost_samples: 0, tracks: BTreeMap::new() };
                return Ok(Some(self.finish(ended)));
            }
        }
        Ok(None)
    }

    /// Finishes what the end of the recording has left in the spool, and takes the spool away.
    fn finish(&mut self, mut ended: Ended) -> Ended {
        let finished = finish_rest(&self.spool, &mut self.ledger, &mut self.chunks).and_then(|()| {
            // In its place, but it may not be on the disk.
            let is_missing = |index: &u32| self.chunks.iter().all(|chunk| chunk.media.index != *index);
            let mut failed = std::mem::take(&mut self.failed).into_iter();
            failed.find(|(index, _)| is_missing(index)).map_or(Ok(()), |(_, error)| Err(error))
        });
        let is_kept = self.ledger.opening.owner.is_some();
        if let Err(error) = finished.and_then(|()| if is_kept { Ok(()) } else { self.spool.remove() }) {
            ended.unfinished = Some(error.to_string());
        } else if self.chunks.is_empty() && ended.error.is_none() && self.is_missing() {
            ended.reason = EndReason::Failed;
            ended.error = Some("the graph has written no file".to_owned());
        }
        ended
    }

    /// Returns whether there should be a file. Who goes on may have nothing more to record.
    fn is_missing(&self) -> bool {
        self.ledger.opening.first_chunk == 0 || self.ledger.mismatch().is_some()
    }
}
