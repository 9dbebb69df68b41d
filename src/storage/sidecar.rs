//! A chunk's metadata, from the ledger and from what its file really holds.

use std::time::Duration;

use crate::acs::ids;
use crate::acs::metadata::{AudioConfiguration, Metadata, Participant, PauseResumeInterval, RecordingInfo};
use crate::model::{ChunkId, ChunkMedia, PauseInterval};
use crate::session::{Ledger, Opening, ParticipantRow};

/// Recordings made by the command line belong to no resource.
const RESOURCE_LOCAL: &str = "local";

/// Returns the metadata of a chunk.
pub(super) fn metadata(ledger: &Ledger, media: &ChunkMedia, bit_rate: u32, notes: Vec<String>) -> Metadata {
    let opening = &ledger.opening;
    let wall = |at: Duration| opening.started_at.checked_add(at).unwrap_or(jiff::Timestamp::MAX).to_string();
    let interval = |pause: &PauseInterval| PauseResumeInterval {
        start_time: wall(pause.start),
        duration: milliseconds(pause.duration),
    };
    let participant =
        |(row, channel): (&ParticipantRow, Option<u32>)| Participant { participant_id: row.name.clone(), channel };
    Metadata {
        resource_id: opening.owner.as_ref().map_or(RESOURCE_LOCAL.to_owned(), |owner| owner.resource.to_string()),
        call_id: opening.call_id.to_string(),
        chunk_document_id: document_id(opening, media.index),
        chunk_index: opening.first_chunk.saturating_add(media.index),
        chunk_start_time: wall(media.start),
        chunk_duration: milliseconds(media.duration()),
        pause_resume_intervals: media.pauses.iter().map(interval).collect(),
        recording_info: RecordingInfo {
            content_type: opening.content.clone(),
            channel_type: opening.channel_type.clone(),
            format: opening.format.clone(),
            audio_configuration: AudioConfiguration { sample_rate: media.rate, bit_rate, channels: media.channels },
        },
        participants: ledger.participants_of(media).into_iter().map(participant).collect(),
        notes,
    }
}

/// Returns the id of a chunk's document: the same whoever finalises it, and however often. `index` is that of its file.
pub fn document(opening: &Opening, index: u32) -> ChunkId {
    nth(opening.recording_id, opening.first_chunk.saturating_add(index))
}

/// Returns the id of the document of a recording's nth chunk, from 0, whichever part it is in.
pub(super) fn nth(recording: uuid::Uuid, n: u32) -> ChunkId {
    ChunkId(uuid::Uuid::new_v5(&recording, &n.to_be_bytes()))
}

/// Returns its name in files and answers.
pub(super) fn document_id(opening: &Opening, index: u32) -> String {
    let ChunkId(id) = document(opening, index);
    opening.owner.as_ref().map_or(id.simple().to_string(), |owner| ids::document_id(&owner.region, id))
}

fn milliseconds(duration: Duration) -> u64 {
    ((duration.as_nanos() + 500_000) / 1_000_000) as u64
}
