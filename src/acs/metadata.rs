//! The metadata file beside each chunk: the schema of "Call Recording overview", field for field.
//!
//! Times are RFC 3339 in UTC, durations whole milliseconds, bit rates bit/s. `notes` is ours: it is there only when a
//! reader must know something that the schema has no word for.

use serde::{Deserialize, Serialize};

/// One metadata file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The resource that the recording belongs to; `local` for one made by the command line.
    pub resource_id: String,
    /// Id of the call.
    pub call_id: String,
    /// Id of this chunk's document.
    pub chunk_document_id: String,
    /// Which chunk of the recording, from 0.
    pub chunk_index: u32,
    /// When its first sample was recorded.
    pub chunk_start_time: String,
    /// How long its media plays, in milliseconds.
    pub chunk_duration: u64,
    /// Pauses in it.
    pub pause_resume_intervals: Vec<PauseResumeInterval>,
    /// What it is.
    pub recording_info: RecordingInfo,
    /// Who is in it.
    pub participants: Vec<Participant>,
    /// What else a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseResumeInterval {
    /// When it began.
    pub start_time: String,
    /// How long it lasted, in milliseconds.
    pub duration: u64,
}

/// What a recording is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingInfo {
    /// `audio` or `audioVideo`.
    pub content_type: String,
    /// `mixed` or `unmixed`.
    pub channel_type: String,
    /// `wav`, `mp3`, `mp4`; the extension of any other.
    pub format: String,
    /// Its audio.
    pub audio_configuration: AudioConfiguration,
}

/// Audio of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioConfiguration {
    /// Samples per second.
    pub sample_rate: u32,
    /// Bit/s of the whole file.
    pub bit_rate: u32,
    /// Channels in the file.
    pub channels: u32,
}

/// A participant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who.
    pub participant_id: String,
    /// Channel in an unmixed recording, from 0; absent where the participant has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<u32>,
}
