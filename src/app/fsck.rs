//! `fsck`: checks what a service has stored, or makes its catalog anew from it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::reload::resource_id;
use crate::catalog;
use crate::catalog::CatalogError;
use crate::catalog::ChunkRow;
use crate::catalog::Kept;
use crate::catalog::RecordingRow;
use crate::catalog::Rows;
use crate::config::Config;
use crate::model::ChunkId;
use crate::storage::DamagedPart;
use crate::storage::Listing;
use crate::storage::Lock;
use crate::storage::Objects;
use crate::storage::ObjectsError;
use crate::storage::Record;
use crate::storage::StorageError;
use crate::storage::Stored;
use crate::storage::Survey;
use crate::storage::lock_data;
use crate::storage::survey;
use crate::supervisor;

/// Why nothing could be checked or made. Reads after "failed to check: ".
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// Somebody has the data, or it cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Documents cannot be listed.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// There is a catalog that knows more than a new one would.
    #[error("the catalog is sound, and a new one would know less")]
    Sound,
    /// A catalog cannot be made.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Something that is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The catalog cannot be used.
    #[error(transparent)]
    Catalog(CatalogError),
    /// The catalog knows a document of a recording that it does not know.
    #[error("document {} is of a recording that the catalog does not know", .0.0.simple())]
    NoRecording(ChunkId),
    /// The catalog does not know a document.
    #[error("document {} is not in the catalog", .0.0.simple())]
    Unknown(ChunkId),
    /// A part of a document is not there.
    #[error("document {} has no {part}", document.0.simple())]
    Lacks {
        /// Which document.
        document: ChunkId,
        /// Which part.
        part: &'static str,
    },
    /// The content of a document is not what was stored.
    #[error("document {}: its content is not what was stored, by its {by}", document.0.simple())]
    Changed {
        /// Which document.
        document: ChunkId,
        /// By what that is known.
        by: &'static str,
    },
    /// A document cannot be read.
    #[error("document {}: {cause}", document.0.simple())]
    Unreadable {
        /// Which document.
        document: ChunkId,
        /// Why.
        cause: ObjectsError,
    },
    /// A document's record and the catalog do not say the same.
    #[error("document {}: its record says something else than the catalog", .0.0.simple())]
    Differs(ChunkId),
    /// Something is among the documents that is none.
    #[error("{0:?} among the documents is no part of one")]
    Stranger(String),
    /// A part of a recording cannot be read.
    #[error("what is left of a recording cannot be read: {0}")]
    Left(StorageError),
    /// A part of a recording was put aside.
    #[error("what is left of a recording could not be read, and was put aside: {}", .0.display())]
    Aside(PathBuf),
}

impl Fault {
    fn of_part(DamagedPart { dir, error, .. }: DamagedPart) -> Self {
        error.map_or(Self::Aside(dir), Self::Left)
    }

    /// Returns whether a catalog that is made anew is without it.
    pub fn is_catalogs(&self) -> bool {
        match self {
            Self::Catalog(error) => matches!(error, CatalogError::Damaged { .. } | CatalogError::Missing { .. }),
            _ => false,
        }
    }

    /// Returns whether files are not as they should be.
    pub fn is_files(&self) -> bool {
        !matches!(self, Self::Catalog(_))
    }
}

/// What was found.
#[derive(Debug)]
pub struct Checked {
    /// Recordings that the catalog knows.
    pub n_recordings: usize,
    /// Documents that are stored.
    pub n_documents: usize,
    /// Directories of parts of recordings that the next service finishes.
    pub left: Vec<PathBuf>,
    /// What is not as it should be.
    pub faults: Vec<Fault>,
}

/// What a new catalog was made of.
#[derive(Debug)]
pub struct Rebuilt {
    /// Recordings that it knows.
    pub n_recordings: usize,
    /// Documents that it knows.
    pub n_documents: usize,
    /// Directories of parts of recordings that the next service finishes.
    pub left: Vec<PathBuf>,
    /// What it does not know, and why.
    pub unknown: Vec<Fault>,
    /// What was in its place.
    pub kept: Kept,
}

/// Checks all that a service has stored, and changes nothing.
///
/// # Errors
///
/// A service runs, or the directories cannot be read.
pub async fn check(config: &Config) -> Result<Checked, FsckError> {
    let data = Data::open(config)?;
    let listing = data.objects.list().await?;
    let survey = survey(&data.recordings)?;
    let mut faults = Vec::new();
    let catalog = catalog::inspect(&data.catalog).await;
    let n_recordings = catalog.as_ref().map_or(0, |rows| rows.recordings.len());
    match catalog {
        Ok(rows) => data.compare(&rows, &listing, &survey, &mut faults).await,
        Err(error) => faults.push(Fault::Catalog(error)),
    }
    let n_documents = listing.documents.len();
    faults.extend(listing.strangers.into_iter().map(Fault::Stranger));
    let left = survey.parts.into_iter().map(|part| part.dir).collect();
    faults.extend(survey.damaged.into_iter().map(Fault::of_part));
    Ok(Checked { n_recordings, n_documents, left, faults })
}

/// Makes the catalog anew, from what is stored beside documents and what is left of recordings. The one of before is
/// kept.
///
/// # Errors
///
/// A service runs, the directories cannot be read, or the catalog cannot be written: nothing has changed then, or it
/// may be called again.
pub async fn rebuild(config: &Config, now: Timestamp) -> Result<Rebuilt, FsckError> {
    let data = Data::open(config)?;
    match catalog::inspect(&data.catalog).await {
        Ok(_) => return Err(FsckError::Sound),
        Err(CatalogError::Damaged { .. } | CatalogError::Missing { .. }) => (),
        // One of another version, or that cannot be read now, is sound for all that is known.
        Err(error) => return Err(error.into()),
    }
    let listing = data.objects.list().await?;
    let survey = survey(&data.recordings)?;
    let on_their_way = on_their_way(&survey);
    let (mut records, mut unknown) = (Vec::new(), Vec::new());
    for (document, stored) in listing.documents {
        match data.whole(document, stored).await {
            Ok(record) => records.push(record),
            // The next service stores it again.
            Err(_) if on_their_way.contains(&document) => (),
            Err(fault) => unknown.push(fault),
        }
    }
    unknown.extend(listing.strangers.into_iter().map(Fault::Stranger));
    let resources = config.resources.iter().map(|settings| (resource_id(&settings.name), settings.clone())).collect();
    let rows = supervisor::rebuild(records, &survey, &resources);
    unknown.extend(survey.damaged.into_iter().map(Fault::of_part));
    let (n_recordings, n_documents) = (rows.recordings.len(), rows.chunks.len());
    let kept = catalog::rebuild(&data.catalog, rows, now).await?;
    let left = survey.parts.into_iter().map(|part| part.dir).collect();
    Ok(Rebuilt { n_recordings, n_documents, left, unknown, kept })
}

/// Returns the documents that the next service stores again.
fn on_their_way(survey: &Survey) -> BTreeSet<ChunkId> {
    survey.parts.iter().flat_map(|part| &part.documents).copied().collect()
}

/// Returns whether a document's record and the catalog say the same: of the document, and of the recording, where the
/// catalog knows that.
fn says_the_same(record: &Record, row: &ChunkRow, recording: Option<&RecordingRow>) -> bool {
    let said = ChunkRow {
        id: record.document,
        recording: record.recording_id,
        index: record.index,
        format: record.format.clone(),
        size: record.size,
        sha256: record.sha256.clone(),
        // The catalog keeps microseconds.
        duration: Duration::from_micros(u64::try_from(record.duration.as_micros()).unwrap_or(u64::MAX)),
    };
    let is_of = |recording: &RecordingRow| {
        (recording.resource, recording.call, &recording.graph) == (record.resource, record.call_id, &record.graph)
    };
    said == *row && recording.is_none_or(is_of)
}

/// What a service has, while none has it.
struct Data {
    objects: Objects,
    recordings: PathBuf,
    catalog: PathBuf,
    _lock: Lock,
}

impl Data {
    fn open(config: &Config) -> Result<Self, FsckError> {
        let service = &config.service;
        let _lock = lock_data(&service.data_dir)?;
        let objects = Objects::local(&service.objects_dir())?;
        Ok(Self { objects, recordings: service.recordings_dir(), catalog: service.catalog(), _lock })
    }

    /// Compares documents with what the catalog says of them.
    async fn compare(&self, rows: &Rows, listing: &Listing, survey: &Survey, faults: &mut Vec<Fault>) {
        let mut unknown = listing.documents.clone();
        let recordings: BTreeMap<_, _> = rows.recordings.iter().map(|row| (row.id, row)).collect();
        for row in &rows.chunks {
            let recording = recordings.get(&row.recording).copied();
            if recording.is_none() {
                faults.push(Fault::NoRecording(row.id));
            }
            let stored = unknown.remove(&row.id).unwrap_or_default();
            faults.extend(self.check_document(row, recording, stored).await);
        }
        // What is to be deleted is; what is left is stored again.
        let on_their_way = on_their_way(survey);
        let is_known = |document: &ChunkId| rows.deletions.contains(document) || on_their_way.contains(document);
        faults.extend(unknown.into_keys().filter(|document| !is_known(document)).map(Fault::Unknown));
    }

    /// Returns what is wrong with a document that the catalog knows.
    async fn check_document(&self, row: &ChunkRow, recording: Option<&RecordingRow>, stored: Stored) -> Vec<Fault> {
        let document = row.id;
        let lacks = |part| Fault::Lacks { document, part };
        let content = match stored.content {
            None => Some(lacks("content")),
            Some(size) if size != row.size => Some(Fault::Changed { document, by: "size" }),
            Some(_) => match self.objects.digest(document).await {
                Ok((_, sha256)) if sha256 == row.sha256 => None,
                Ok(_) => Some(Fault::Changed { document, by: "SHA-256" }),
                Err(cause) => Some(Fault::Unreadable { document, cause }),
            },
        };
        let metadata = stored.metadata.is_none().then(|| lacks("metadata"));
        let record = match stored.record {
            None => Some(lacks("record")),
            Some(_) => match self.objects.record(document).await {
                Ok(record) => (!says_the_same(&record, row, recording)).then_some(Fault::Differs(document)),
                Err(cause) => Some(Fault::Unreadable { document, cause }),
            },
        };
        [content, metadata, record].into_iter().flatten().collect()
    }

    /// Returns what is known of a document, which is whole.
    async fn whole(&self, document: ChunkId, stored: Stored) -> Result<Record, Fault> {
        let Stored { content, metadata, record } = stored;
        let parts = [("content", content), ("metadata", metadata), ("record", record)];
        if let Some((part, _)) = parts.into_iter().find(|(_, size)| size.is_none()) {
            return Err(Fault::Lacks { document, part });
        }
        match self.objects.record(document).await {
            Ok(record) if content == Some(record.size) => Ok(record),
            Ok(_) => Err(Fault::Changed { document, by: "size" }),
            Err(cause) => Err(Fault::Unreadable { document, cause }),
        }
    }
}

#[cfg(test)]
mod tests;
