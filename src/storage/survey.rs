//! What is left of recordings that are not stored yet, looked at without touching any of it. Blocks on the disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use crate::model::ChunkId;
use crate::model::RecordingId;
use crate::session::Ledger;
use crate::storage::Spool;
use crate::storage::StorageError;
use crate::storage::part;
use crate::storage::part::DAMAGED;
use crate::storage::sidecar;

/// A part that the next service finishes.
#[derive(Debug)]
pub struct SurveyedPart {
    /// Its directory.
    pub dir: PathBuf,
    /// Of which recording.
    pub recording: RecordingId,
    /// Which it is, from 0.
    pub part: u32,
    /// Documents that come of it.
    pub documents: BTreeSet<ChunkId>,
}

/// A part that cannot be finished.
#[derive(Debug)]
pub struct DamagedPart {
    /// Its directory.
    pub dir: PathBuf,
    /// Of which recording.
    pub recording: RecordingId,
    /// Why it cannot be read; None where a service has found so, and has put it aside.
    pub error: Option<StorageError>,
}

/// All that is left in the directory of recordings.
#[derive(Debug, Default)]
pub struct Survey {
    /// Parts that can be read.
    pub parts: Vec<SurveyedPart>,
    /// The others.
    pub damaged: Vec<DamagedPart>,
}

/// Looks at all that is left in the directory of recordings.
///
/// # Errors
///
/// The directory cannot be read.
pub fn survey(recordings: &Path) -> Result<Survey, StorageError> {
    let entries = std::fs::read_dir(recordings).map_err(StorageError::io(recordings, "read"))?;
    let mut survey = Survey::default();
    for entry in entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let (dir, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if let Some((recording, _)) = name.strip_suffix(DAMAGED).and_then(part::named) {
            survey.damaged.push(DamagedPart { dir, recording, error: None });
            continue;
        }
        let Some((recording, part)) = part::named(&name) else { continue };
        match read(&dir) {
            Ok(Some(documents)) => survey.parts.push(SurveyedPart { dir, recording, part, documents }),
            Ok(None) => (),
            Err(error) => survey.damaged.push(DamagedPart { dir, recording, error: Some(error) }),
        }
    }
    survey.parts.sort_by_key(|part| (part.recording, part.part));
    survey.damaged.sort_by(|one, other| one.dir.cmp(&other.dir));
    Ok(survey)
}

/// Returns the documents that come of a part; None where there is nothing in it.
fn read(dir: &Path) -> Result<Option<BTreeSet<ChunkId>>, StorageError> {
    let Some((spool, ledger)) = part::read(dir)? else { return Ok(None) };
    documents(&spool, &ledger).map(Some)
}

fn documents(spool: &Spool, ledger: &Ledger) -> Result<BTreeSet<ChunkId>, StorageError> {
    let told = ledger.chunks.keys().copied();
    let all = told.chain(spool.chunks()?).chain(spool.finished_chunks()?);
    Ok(all.map(|index| sidecar::document(&ledger.opening, index)).collect())
}
