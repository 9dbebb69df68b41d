//! What the catalog keeps of recordings, and how it comes back from it. Pure.

use crate::catalog::ChunkRow;
use crate::catalog::RecordingRow;
use crate::catalog::RepeatRow;
use crate::catalog::Rows;
use crate::catalog::Update;
use crate::model::RecordingId;
use crate::supervisor::ChunkView;
use crate::supervisor::Phase;
use crate::supervisor::core::Core;
use crate::supervisor::core::Recording;
use crate::supervisor::input::Effect;

/// Returns what is to be saved of a recording that has ended.
pub(super) fn updates(id: RecordingId, recording: &Recording) -> Vec<Update> {
    let row = RecordingRow {
        id,
        resource: recording.resource,
        call: recording.call,
        graph: recording.graph.clone(),
        pins: recording.pins.clone(),
        started_at: recording.started_at,
        paused: recording.paused,
        paused_at: recording.paused_at,
        stopping: None,
        end: recording.end.clone(),
    };
    let chunk = |chunk: &ChunkView| {
        Update::Chunk(ChunkRow {
            id: chunk.document,
            recording: id,
            index: chunk.index,
            format: chunk.format.clone(),
            size: chunk.size,
            sha256: chunk.sha256.clone(),
            duration: chunk.duration,
        })
    };
    std::iter::once(Update::Recording(row)).chain(recording.chunks.iter().map(chunk)).collect()
}

impl Core {
    /// Returns all that a catalog without anything in it is to know.
    pub(in crate::supervisor) fn all_updates(&self) -> Vec<Update> {
        let ended = self.recordings.iter().filter(|(_, recording)| recording.phase == Phase::Ended);
        let repeats = self.repeated.values().cloned().map(Update::Repeat);
        ended.flat_map(|(id, recording)| updates(*id, recording)).chain(repeats).collect()
    }

    /// Takes in what was saved before the service was started; returns what was left to be done. Whoever deletes what
    /// has expired in the meantime is told so as time passes.
    pub(in crate::supervisor) fn restore(&mut self, rows: Rows) -> Vec<Effect> {
        for row in rows.recordings {
            // One that has not ended is not taken up again.
            let Some(end) = row.end else { continue };
            let recording = Recording {
                resource: row.resource,
                call: row.call,
                phase: Phase::Ended,
                graph: row.graph,
                paused: row.paused,
                paused_at: row.paused_at,
                pins: row.pins,
                started_at: row.started_at,
                started_ns: 0,
                members: Vec::new(),
                changed_ns: 0,
                deferred: Vec::new(),
                waiting: Vec::new(),
                chunks: Vec::new(),
                asked_as: None,
                end: Some(end),
            };
            self.recordings.insert(row.id, recording);
        }
        for row in rows.chunks {
            if let Some(recording) = self.recordings.get_mut(&row.recording) {
                let ChunkRow { id: document, index, format, size, sha256, duration, recording: id } = row;
                recording.chunks.push(ChunkView { document, index, format, size, sha256, duration });
                self.documents.insert(document, id);
            }
        }
        let keyed = |row: RepeatRow| ((row.resource, row.id.clone()), row);
        self.repeated.extend(rows.repeats.into_iter().map(keyed));
        rows.deletions.into_iter().map(Effect::Delete).collect()
    }
}
