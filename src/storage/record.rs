//! What the catalog knows of a document, beside it: from these a catalog is made again.
//!
//! No participant's name is in it: those are in the metadata. Whoever wrote the bytes that are read, they are read to
//! the end or refused.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::session::Opening;
use crate::storage::Finalised;
use crate::storage::sidecar;

/// Version of the format; a change that old programs would misread makes it grow.
const VERSION: u32 = 1;

/// Longest that one may be: a hundred times what it is.
pub(super) const BYTES_MAX: u64 = 64 * 1024;

/// Longest name of a graph or a format.
const NAME_BYTES_MAX: usize = 255;

/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

/// What is known of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    version: u32,
    /// Of which recording it is a chunk.
    pub recording_id: RecordingId,
    /// Of which call.
    pub call_id: CallId,
    /// Whose it is.
    pub resource: ResourceId,
    /// Name of the graph.
    pub graph: String,
    /// When its part of the recording began.
    pub started_at: Timestamp,
    /// Which part that is, from 0.
    pub part: u32,
    /// Why the part ended.
    pub reason: EndReason,
    /// What went wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its id.
    pub document: ChunkId,
    /// Place among the recording's chunks, from 0.
    pub index: u32,
    /// Extension of its file.
    pub format: String,
    /// Bytes of its content.
    pub size: u64,
    /// SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
    /// How long it plays.
    pub duration: Duration,
    /// When it was stored.
    pub stored_at: Timestamp,
}

/// Why a document's record is of no use. Reads after "the record of a document ".
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is no record.
    #[error("cannot be read: {0}")]
    Malformed(serde_json::Error),
    /// A newer version of the program has written it.
    #[error("is of version {0}, which this program does not know")]
    Version(u32),
    /// It is longer than any.
    #[error("is too long")]
    TooLong,
    /// It is one of something else.
    #[error("is that of another document")]
    Foreign,
    /// What it says cannot be.
    #[error("says what cannot be of its {0}")]
    Impossible(&'static str),
}

/// Why the part of a recording ended that a document is of.
#[derive(Debug, Clone, Copy)]
pub struct PartEnd<'a> {
    /// Which part, from 0.
    pub part: u32,
    /// Why.
    pub reason: EndReason,
    /// What went wrong.
    pub error: Option<&'a str>,
}

impl Record {
    /// Returns what is to be known of a chunk that is stored at that time.
    pub fn new(opening: &Opening, end: PartEnd<'_>, chunk: &Finalised, stored_at: Timestamp) -> Self {
        Self {
            version: VERSION,
            recording_id: RecordingId(opening.recording_id),
            call_id: CallId(opening.call_id),
            // Nobody's, where no service has recorded it: then nobody can ask for it.
            resource: ResourceId(opening.owner.as_ref().map_or(Uuid::nil(), |owner| owner.resource)),
            graph: opening.graph.clone(),
            started_at: opening.started_at,
            part: end.part,
            reason: end.reason,
            error: end.error.map(str::to_owned),
            document: chunk.document,
            index: chunk.metadata.chunk_index,
            format: opening.format.clone(),
            size: chunk.size,
            sha256: chunk.sha256.clone(),
            duration: chunk.media.duration(),
            stored_at,
        }
    }

    /// Returns it as it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a record is plain data");
        text.push(b'\n');
        text
    }

    /// Reads the record of a document.
    ///
    /// # Errors
    ///
    /// It is none that this program has written of that document.
    pub fn read(document: ChunkId, bytes: &[u8]) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        if bytes.len() as u64 > BYTES_MAX {
            return Err(RecordError::TooLong);
        }
        let Versioned { version } = serde_json::from_slice(bytes).map_err(RecordError::Malformed)?;
        if version != VERSION {
            return Err(RecordError::Version(version));
        }
        let record: Self = serde_json::from_slice(bytes).map_err(RecordError::Malformed)?;
        let is_own = record.document == document && sidecar::nth(record.recording_id.0, record.index) == document;
        if !is_own {
            return Err(RecordError::Foreign);
        }
        match record.impossible() {
            Some(what) => Err(RecordError::Impossible(what)),
            None => Ok(record),
        }
    }

    /// Returns what of it cannot be.
    fn impossible(&self) -> Option<&'static str> {
        let is_format = |text: &str| {
            (1..=NAME_BYTES_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let checks = [
            ((1..=NAME_BYTES_MAX).contains(&self.graph.len()), "graph"),
            (is_format(&self.format), "format"),
            (i64::try_from(self.size).is_ok(), "size"),
            (self.sha256.len() == SHA256_DIGITS && self.sha256.bytes().all(is_digit), "sha256"),
            (i64::try_from(self.duration.as_micros()).is_ok(), "duration"),
        ];
        checks.into_iter().find(|(is_possible, _)| !is_possible).map(|(_, what)| what)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    use serde_json::Value;
    use serde_json::json;

    pub(crate) fn record() -> Record {
        let recording = Uuid::from_u128(7);
        Record {
            version: VERSION,
            recording_id: RecordingId(recording),
            call_id: CallId(Uuid::from_u128(8)),
            resource: ResourceId(Uuid::from_u128(9)),
            graph: "mixed-wav".to_owned(),
            started_at: Timestamp::UNIX_EPOCH,
            part: 1,
            reason: EndReason::Failed,
            error: Some("no room".to_owned()),
            document: sidecar::nth(recording, 3),
            index: 3,
            format: "wav".to_owned(),
            size: 44,
            sha256: "0f".repeat(32),
            duration: Duration::from_nanos(1_000_000_001),
            stored_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[track_caller]
    fn check_refused(key: &str, value: Value, expected: &str) {
        let mut changed = serde_json::to_value(record()).expect("plain data");
        changed[key] = value;
        let bytes = serde_json::to_vec(&changed).expect("plain data");
        let refused = Record::read(record().document, &bytes).expect_err(key).to_string();
        assert!(refused.contains(expected), "{key}: {refused}");
    }

    #[test]
    fn what_is_written_is_read() {
        let record = record();
        assert_eq!(Record::read(record.document, &record.to_bytes()).ok(), Some(record.clone()));
        let whole = Record { error: None, ..record };
        assert_eq!(Record::read(whole.document, &whole.to_bytes()).ok(), Some(whole));
    }

    #[test]
    fn what_was_not_written_so_is_refused() {
        check_refused("version", json!(2), "is of version 2");
        check_refused("version", json!("1"), "cannot be read");
        check_refused("document", json!(Uuid::from_u128(1)), "another document");
        check_refused("recording-id", json!(Uuid::from_u128(1)), "another document");
        check_refused("index", json!(4), "another document");
        check_refused("graph", json!(""), "of its graph");
        check_refused("format", json!("../wav"), "of its format");
        check_refused("size", json!(u64::MAX), "of its size");
        check_refused("sha256", json!("0F".repeat(32)), "of its sha256");
        check_refused("duration", json!({"secs": u64::MAX, "nanos": 0}), "of its duration");
        check_refused("started-at", json!("yesterday"), "cannot be read");
        check_refused("reason", json!("because"), "cannot be read");
        check_refused("graph", json!("x".repeat(BYTES_MAX as usize)), "is too long");
    }

    #[test]
    fn a_record_that_is_cut_off_or_flipped_is_read_whole_or_not_at_all() {
        let (record, bytes) = (record(), record().to_bytes());
        for len in 0..bytes.len() - 2 {
            assert!(Record::read(record.document, &bytes[..len]).is_err(), "{len}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                // Some are other records of the same document; none ends the program.
                let _ = Record::read(record.document, &flipped);
            }
        }
    }
}
