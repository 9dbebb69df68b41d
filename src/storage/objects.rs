//! Finished chunks: each is a document of two parts, its content and its metadata, under its id.
//!
//! What [`Objects::put`] has said is there survives a power failure.

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use object_store::GetOptions;
use object_store::GetRange;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use tokio::io::AsyncWriteExt;

use crate::model::ChunkId;

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The media.
    Content,
    /// What the media is.
    Metadata,
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
}

impl ObjectsError {
    /// Returns whether there is no such document.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Store(object_store::Error::NotFound { .. }))
    }
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

    /// Stores a document: its content first, so that whoever finds metadata finds what it is of. May be called again.
    ///
    /// # Errors
    ///
    /// It may not be there.
    pub async fn put(&self, document: ChunkId, content: &FilePath, metadata: &FilePath) -> Result<(), ObjectsError> {
        for (part, file) in [(Part::Content, content), (Part::Metadata, metadata)] {
            let mut file = tokio::fs::File::open(file).await?;
            let mut writer = BufWriter::new(Arc::clone(&self.0), path(document, part));
            tokio::io::copy(&mut file, &mut writer).await?;
            writer.shutdown().await?;
        }
        Ok(())
    }

    /// Returns how many bytes a part has.
    ///
    /// # Errors
    ///
    /// It is not there, or cannot be read.
    pub async fn size(&self, document: ChunkId, part: Part) -> Result<u64, ObjectsError> {
        Ok(self.0.head(&path(document, part)).await?.size)
    }

    /// Reads a part, or a range of it that is not empty.
    ///
    /// # Errors
    ///
    /// It is not there, or cannot be read.
    pub async fn read(
        &self,
        document: ChunkId,
        part: Part,
        range: Option<Range<u64>>,
    ) -> Result<impl Stream<Item = object_store::Result<Bytes>> + Send + 'static, ObjectsError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        Ok(self.0.get_opts(&path(document, part), options).await?.into_stream())
    }

    /// Deletes a document: its metadata first. One that is not there is deleted already.
    ///
    /// # Errors
    ///
    /// It may still be there.
    pub async fn delete(&self, document: ChunkId) -> Result<(), ObjectsError> {
        for part in [Part::Metadata, Part::Content] {
            match self.0.delete(&path(document, part)).await.map_err(ObjectsError::from) {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => (),
            }
        }
        Ok(())
    }
}

fn path(document: ChunkId, part: Part) -> Path {
    let name = match part {
        Part::Content => "content",
        Part::Metadata => "metadata",
    };
    Path::from_iter([document.0.simple().to_string().as_str(), name])
}
