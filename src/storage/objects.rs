//! Finished chunks: each is a document of two parts, its content and its metadata, under its id; and a record of what
//! the catalog knows of it, which is told to nobody.
//!
//! ```text
//!  put      content ──► metadata ──► record
//!  delete   record ──► metadata ──► content
//! ```
//!
//! The record is there only where the rest is: what has none is on its way in, and its files are still with its
//! recording; or on its way out, and no catalog that is made again shall know it.
//!
//! What [`Objects::put`] has said is there survives a power failure.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::TryStreamExt;
use object_store::GetOptions;
use object_store::GetRange;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use sha2::Digest;
use sha2::Sha256;
use tokio::io::AsyncRead;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::model::ChunkId;
use crate::storage::record;
use crate::storage::record::Record;
use crate::storage::record::RecordError;

const CONTENT: &str = "content";
const METADATA: &str = "metadata";
const RECORD: &str = "record";

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The media.
    Content,
    /// What the media is.
    Metadata,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Content => CONTENT,
            Self::Metadata => METADATA,
        }
    }
}

/// What can go wrong with stored documents. Reads after "failed to store: ".
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] object_store::Error),
    /// A file that is to be stored cannot be read.
    #[error("a finished file cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// What is known of a document cannot be told.
    #[error("the record of a document {0}")]
    Record(#[from] RecordError),
}

impl ObjectsError {
    /// Returns whether there is no such document.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Store(object_store::Error::NotFound { .. }))
    }
}

/// How many bytes the parts of a document have; None where one is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// The media.
    pub content: Option<u64>,
    /// What the media is.
    pub metadata: Option<u64>,
    /// What the catalog knows of it.
    pub record: Option<u64>,
}

/// All that is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Documents.
    pub documents: BTreeMap<ChunkId, Stored>,
    /// Names of what is no part of any.
    pub strangers: Vec<String>,
}

/// Where documents are.
#[derive(Debug, Clone)]
pub struct Objects(Arc<dyn ObjectStore>);

impl Objects {
    /// Keeps documents in a directory that is there.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn local(dir: &FilePath) -> Result<Self, ObjectsError> {
        let store = LocalFileSystem::new_with_prefix(dir)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self(Arc::new(store)))
    }

    /// Stores a document: its content first, so that whoever finds metadata finds what it is of, and whoever finds its
    /// record finds all of it. May be called again.
    ///
    /// # Errors
    ///
    /// It may not be there.
    pub async fn put(&self, record: &Record, content: &FilePath, metadata: &FilePath) -> Result<(), ObjectsError> {
        let document = record.document;
        for (part, file) in [(CONTENT, content), (METADATA, metadata)] {
            self.write(document, part, &mut tokio::fs::File::open(file).await?).await?;
        }
        self.write(document, RECORD, &mut record.to_bytes().as_slice()).await
    }

    /// Returns whether another chunk is stored as this one's document. It is not to be replaced.
    pub async fn holds_other(&self, record: &Record) -> bool {
        self.record(record.document).await.is_ok_and(|stored| stored.sha256 != record.sha256)
    }

    async fn write(
        &self,
        document: ChunkId,
        part: &str,
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<(), ObjectsError> {
        let mut writer = BufWriter::new(Arc::clone(&self.0), path(document, part));
        tokio::io::copy(from, &mut writer).await?;
        Ok(writer.shutdown().await?)
    }

    /// Returns all that is stored.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub async fn list(&self) -> Result<Listing, ObjectsError> {
        let mut listing = Listing::default();
        let mut found = self.0.list(None);
        while let Some(object) = found.try_next().await? {
            let mut size = |document, select: fn(&mut Stored) -> &mut Option<u64>| {
                *select(listing.documents.entry(document).or_default()) = Some(object.size);
            };
            match named(object.location.as_ref()) {
                Some((document, CONTENT)) => size(document, |stored| &mut stored.content),
                Some((document, METADATA)) => size(document, |stored| &mut stored.metadata),
                Some((document, RECORD)) => size(document, |stored| &mut stored.record),
                _ => listing.strangers.push(object.location.to_string()),
            }
        }
        listing.strangers.sort();
        Ok(listing)
    }

    /// Returns what the catalog knows of a document.
    ///
    /// # Errors
    ///
    /// It is not there, or cannot be read.
    pub async fn record(&self, document: ChunkId) -> Result<Record, ObjectsError> {
        let path = path(document, RECORD);
        // Nothing that is too long is read.
        let range = Some(GetRange::Bounded(0..record::BYTES_MAX + 1));
        let bytes = self.0.get_opts(&path, GetOptions { range, ..GetOptions::default() }).await?.bytes().await?;
        Ok(Record::read(document, &bytes)?)
    }

    /// Reads a document's content; returns its size and its SHA-256, in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// It is not there, or cannot be read.
    pub async fn digest(&self, document: ChunkId) -> Result<(u64, String), ObjectsError> {
        let mut content = std::pin::pin!(self.read(document, Part::Content, None).await?.1);
        let (mut hash, mut size) = (Sha256::new(), 0);
        while let Some(bytes) = content.try_next().await? {
            hash.update(&bytes);
            size += bytes.len() as u64;
        }
        Ok((size, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// Returns how many bytes a part has.
    ///
    /// # Errors
    ///
    /// It is not there, or cannot be read.
    pub async fn size(&self, document: ChunkId, part: Part) -> Result<u64, ObjectsError> {
        Ok(self.0.head(&path(document, part.name())).await?.size)
    }

    /// Reads a part, or a range of it that is not empty; returns how many bytes the part has, too.
    ///
    /// # Errors
    ///
    /// It is not there, or cannot be read.
    pub async fn read(
        &self,
        document: ChunkId,
        part: Part,
        range: Option<Range<u64>>,
    ) -> Result<(u64, impl Stream<Item = object_store::Result<Bytes>> + Send + 'static), ObjectsError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.0.get_opts(&path(document, part.name()), options).await?;
        Ok((found.meta.size, found.into_stream()))
    }

    /// Deletes a document: its record first. One that is not there is deleted already.
    ///
    /// # Errors
    ///
    /// It may still be there.
    pub async fn delete(&self, document: ChunkId) -> Result<(), ObjectsError> {
        for part in [RECORD, METADATA, CONTENT] {
            match self.0.delete(&path(document, part)).await.map_err(ObjectsError::from) {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => (),
            }
        }
        Ok(())
    }
}

fn path(document: ChunkId, part: &str) -> Path {
    Path::from_iter([document.0.simple().to_string().as_str(), part])
}

/// Returns of which document something is what part, by its path.
fn named(path: &str) -> Option<(ChunkId, &str)> {
    let (document, part) = path.split_once('/')?;
    let id = Uuid::try_parse(document).ok().filter(|id| id.simple().to_string() == document)?;
    Some((ChunkId(id), part))
}

#[cfg(test)]
mod tests {
    use super::*;

    use jiff::Timestamp;

    use crate::model::EndReason;
    use crate::storage::record::tests::record;

    #[tokio::test]
    async fn a_document_has_a_record_when_the_rest_is_there_and_goes_whole() {
        let [dir, files] = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
        let objects = Objects::local(dir.path()).expect("it is there");
        let (content, metadata) = (files.path().join("content"), files.path().join("metadata"));
        std::fs::write(&content, "abc").expect("it is written");
        let record = record();
        assert!(objects.put(&record, &content, &metadata).await.is_err());
        let stored = async || objects.list().await.expect("it can be read").documents.remove(&record.document);
        assert_eq!(stored().await, Some(Stored { content: Some(3), ..Stored::default() }));
        std::fs::write(&metadata, "{}").expect("it is written");
        objects.put(&record, &content, &metadata).await.expect("it is stored");
        let len = record.to_bytes().len() as u64;
        assert_eq!(stored().await, Some(Stored { content: Some(3), metadata: Some(2), record: Some(len) }));
        assert_eq!(objects.record(record.document).await.ok(), Some(record.clone()));
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        assert_eq!(objects.digest(record.document).await.ok(), Some((3, sha256)));
        // As often as one likes, and otherwise.
        let mut later = record.clone();
        (later.reason, later.stored_at) = (EndReason::Stopped, Timestamp::MAX);
        assert!(!objects.holds_other(&later).await);
        objects.put(&later, &content, &metadata).await.expect("it is stored");
        let mut other = later.clone();
        other.sha256 = "0".repeat(64);
        assert!(objects.holds_other(&other).await);
        assert_eq!(objects.record(record.document).await.ok(), Some(later));
        objects.delete(record.document).await.expect("it is deleted");
        assert_eq!(objects.list().await.ok(), Some(Listing::default()));
        objects.delete(record.document).await.expect("it was deleted");
        assert!(!objects.holds_other(&record).await);
        assert!(objects.record(record.document).await.is_err_and(|error| error.is_not_found()));
    }

    #[tokio::test]
    async fn what_is_no_document_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let id = record().document.0;
        let names = [id.to_string(), id.simple().to_string().to_uppercase(), "x".to_owned(), "y/z".to_owned()];
        let paths = names.iter().map(|name| format!("{name}/content"));
        let paths: Vec<_> = paths.chain([format!("{}/other", id.simple()), "content".to_owned()]).collect();
        for path in &paths {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("it is made");
            std::fs::write(path, "").expect("it is written");
        }
        let listing = Objects::local(dir.path()).expect("it is there").list().await.expect("it can be read");
        let mut expected = paths;
        expected.sort();
        assert_eq!(listing, Listing { strangers: expected, ..Listing::default() });
    }
}
