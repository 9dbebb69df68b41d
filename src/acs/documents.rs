//! Answers, field for field. Times are RFC 3339 in UTC with seven digits, as the service writes them. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::acs::problem::ErrorBody;
use crate::acs::routes::OBJECTS;
use crate::model::EndReason;

/// How a recording is doing. There is no "paused" and no "stopped".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RecordingState {
    /// It records.
    Active,
    /// It has not begun, is paused, or is over.
    Inactive,
}

/// `RecordingStateResponse`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordingStateDocument {
    /// Which.
    pub recording_id: String,
    /// How it is doing.
    pub recording_state: RecordingState,
    /// Always the service's own.
    pub recording_kind: &'static str,
}

impl RecordingStateDocument {
    /// Returns the answer for a recording.
    pub fn new(recording_id: String, recording_state: RecordingState) -> Self {
        Self { recording_id, recording_state, recording_kind: "azureCommunicationServices" }
    }
}

/// Why a chunk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum ChunkEndReason {
    /// With the recording.
    SessionEnded,
    /// It was as long as chunks may be.
    ChunkMaximumTimeExceeded,
    /// It was as large as chunks may be.
    ChunkMaximumSizeExceeded,
    /// It could not be stored.
    ChunkUploadFailure,
}

/// Why a recording ended, as far as the service has a word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum SessionEndReason {
    /// It has not.
    SessionStillOngoing,
    /// The call ended.
    CallEnded,
    /// It was stopped.
    InitiatorLeft,
    /// It was as long as recordings may be.
    MaximumSessionTimeReached,
    /// Nothing was heard of anybody any more.
    MediaTimeout,
    /// It failed.
    AudioStreamFailure,
    /// The service did not work for a while.
    ProcessingTimeout,
}

/// A chunk, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChunkDocument {
    /// Id of the document.
    pub document_id: String,
    /// Place among the recording's chunks, from 0.
    pub index: u32,
    /// Why it ended.
    pub end_reason: ChunkEndReason,
    /// Address of the media.
    pub content_location: String,
    /// Address of the metadata.
    pub metadata_location: String,
    /// Address that deletes both.
    pub delete_location: String,
}

/// What of a recording is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageInfo {
    /// In order.
    pub recording_chunks: Vec<ChunkDocument>,
}

/// `RecordingResult`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultDocument {
    /// Which recording.
    pub recording_id: String,
    /// What is stored of it.
    pub recording_storage_info: StorageInfo,
    /// What went wrong.
    pub errors: Vec<ErrorBody>,
    /// When it began.
    pub recording_start_time: String,
    /// How long its media is.
    pub recording_duration_ms: u64,
    /// Why it ended.
    pub session_end_reason: SessionEndReason,
    /// When it is deleted.
    pub recording_expiration_time: String,
}

impl SessionEndReason {
    /// Returns the service's word for an end; None: it has not ended.
    pub fn of(reason: Option<EndReason>) -> Self {
        match reason {
            None => Self::SessionStillOngoing,
            Some(EndReason::Stopped) => Self::InitiatorLeft,
            Some(EndReason::CallEnded) => Self::CallEnded,
            Some(EndReason::DurationReached | EndReason::PauseLimit) => Self::MaximumSessionTimeReached,
            Some(EndReason::MediaEnded | EndReason::NoParticipants) => Self::MediaTimeout,
            Some(EndReason::Failed) => Self::AudioStreamFailure,
            Some(EndReason::Recovered | EndReason::Drained) => Self::ProcessingTimeout,
        }
    }
}

/// A chunk that ended before its recording did, and is as long as this, ended for its length; a shorter one for its
/// size.
const CHUNK_LONGEST: Duration = Duration::from_secs(4 * 3_600 - 1);

impl ChunkDocument {
    /// Returns where a chunk is found below `base`, which has no slash at its end.
    pub fn new(base: &str, document_id: String, index: u32, format: &str, duration: Duration, is_last: bool) -> Self {
        let end_reason = match (is_last, duration >= CHUNK_LONGEST) {
            (true, _) => ChunkEndReason::SessionEnded,
            (false, true) => ChunkEndReason::ChunkMaximumTimeExceeded,
            (false, false) => ChunkEndReason::ChunkMaximumSizeExceeded,
        };
        let delete_location = format!("{base}{OBJECTS}{document_id}");
        Self {
            index,
            end_reason,
            content_location: format!("{delete_location}/content/{}", view(format)),
            metadata_location: format!("{delete_location}/content/{METADATA_VIEW}"),
            delete_location,
            document_id,
        }
    }
}

/// Where a chunk's content is below the content base: one word for each format.
pub fn view(format: &str) -> String {
    match format {
        "mp4" => "video".to_owned(),
        other => format!("audio{other}"),
    }
}

/// Name of the view that has the metadata.
pub const METADATA_VIEW: &str = "acsmetadata";

/// A time that has not come.
pub const NEVER: &str = "0001-01-01T00:00:00Z";

/// Writes a time.
pub fn time(time: Timestamp) -> String {
    format!("{time:.7}")
}

/// Writes a duration in milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from((duration.as_nanos() + 500_000) / 1_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_spelled_as_the_service_spells_them() {
        let state = RecordingStateDocument::new("rid".to_owned(), RecordingState::Inactive);
        let expected =
            r#"{"recordingId":"rid","recordingState":"inactive","recordingKind":"azureCommunicationServices"}"#;
        assert_eq!(serde_json::to_string(&state).expect("plain data"), expected);
        let reason = serde_json::to_string(&SessionEndReason::InitiatorLeft).expect("plain data");
        assert_eq!(reason, r#""InitiatorLeft""#);
        assert_eq!(time("2025-04-02T09:24:51.5523032Z".parse().expect("a time")), "2025-04-02T09:24:51.5523032Z");
        assert_eq!([view("mp4"), view("mp3"), view("wav")], ["video", "audiomp3", "audiowav"]);
    }
}
