//! What the catalog is to know, from what is known beside the files. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::catalog::About;
use crate::catalog::ChunkRow;
use crate::catalog::EndRow;
use crate::catalog::RecordingRow;
use crate::catalog::Rows;
use crate::config::ResourceSettings;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::storage::Record;
use crate::storage::Survey;
use crate::supervisor::core::DAMAGED;
use crate::supervisor::core::expiry;

/// Returns the rows of all recordings that have documents, from the documents' records. A recording of which parts are
/// left has not ended: the next service finishes it. One that has nothing else need not be known: it is found.
pub fn rebuild(records: Vec<Record>, survey: &Survey, resources: &BTreeMap<ResourceId, ResourceSettings>) -> Rows {
    let mut recordings: BTreeMap<RecordingId, Vec<Record>> = BTreeMap::new();
    for record in records {
        recordings.entry(record.recording_id).or_default().push(record);
    }
    let mut rows = Rows::default();
    for (id, mut records) in recordings {
        records.sort_by_key(|record| (record.part, record.index));
        let expiry = |resource, ready_at| expiry(resources, resource, ready_at);
        rows.recordings.extend(recording(id, &records, survey, expiry));
        records.sort_by_key(|record| record.index);
        rows.chunks.extend(records.into_iter().map(chunk));
    }
    rows
}

/// Returns the row of a recording; None where it has no documents.
fn recording(
    id: RecordingId,
    records: &[Record],
    survey: &Survey,
    expiry: impl Fn(ResourceId, Timestamp) -> Timestamp,
) -> Option<RecordingRow> {
    let (first, last) = records.first().zip(records.last())?;
    let left = survey.parts.iter().filter(|part| part.recording == id).map(|part| part.part).max();
    let is_damaged = survey.damaged.iter().any(|part| part.recording == id);
    let end = || {
        let ready_at = records.iter().map(|record| record.stored_at).max().unwrap_or(last.stored_at);
        let expires_at = expiry(last.resource, ready_at);
        let error = records.iter().find_map(|record| record.error.clone());
        let error = error.or_else(|| is_damaged.then(|| DAMAGED.to_owned()));
        EndRow { reason: last.reason, error, ready_at, expires_at }
    };
    // Its last part may be stored and gone, and one before it not yet.
    let is_over = left.is_some_and(|part| part < last.part);
    Some(RecordingRow {
        id,
        resource: first.resource,
        call: first.call_id,
        graph: first.graph.clone(),
        pins: Vec::new(),
        started_at: first.started_at,
        paused: false,
        paused_at: first.started_at,
        about: About::default(),
        stopping: left.map(|_| if is_over { last.reason } else { EndReason::Recovered }),
        end: left.is_none().then(end),
    })
}

fn chunk(record: Record) -> ChunkRow {
    let Record { document: id, recording_id: recording, index, format, size, sha256, duration, .. } = record;
    ChunkRow { id, recording, index, format, size, sha256, duration }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;
    use std::time::Duration;

    use uuid::Uuid;

    use crate::model::CallId;
    use crate::model::ChunkId;
    use crate::storage::DamagedPart;
    use crate::storage::SurveyedPart;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    /// Records as they are on the disk: part, index, reason, error.
    fn records(of: &[(u32, u32, &str, Option<&str>)]) -> Vec<Record> {
        let recording = Uuid::from_u128(7);
        let record = |(part, index, reason, error): &(u32, u32, &str, Option<&str>)| {
            let document = Uuid::new_v5(&recording, &index.to_be_bytes());
            let text = serde_json::json!({
                "version": 1, "recording-id": recording, "call-id": Uuid::from_u128(8),
                "resource": Uuid::from_u128(9), "graph": "mixed-wav", "started-at": at(100 + i64::from(*part)),
                "part": part, "reason": reason, "error": error, "document": document, "index": index, "format": "wav",
                "size": 44, "sha256": "0".repeat(64), "duration": {"secs": 1, "nanos": 0},
                "stored-at": at(200 + i64::from(*index)),
            });
            Record::read(ChunkId(document), text.to_string().as_bytes()).expect("it is one")
        };
        of.iter().map(record).collect()
    }

    fn resources(retention: u64) -> BTreeMap<ResourceId, ResourceSettings> {
        let retention = Duration::from_secs(retention);
        let (name, region) = ("a".to_owned(), "eus".to_owned());
        let settings = ResourceSettings {
            name,
            region,
            retention,
            recordings_max: 1,
            participants_max: 1,
            calls_max: 50,
            tracks_max: 50,
            requests_per_second: 1,
        };
        BTreeMap::from([(ResourceId(Uuid::from_u128(9)), settings)])
    }

    #[track_caller]
    fn one(rows: Rows) -> RecordingRow {
        let [row] = &rows.recordings[..] else { panic!("{rows:?}") };
        assert_eq!((row.call, row.started_at), (CallId(Uuid::from_u128(8)), at(100)));
        row.clone()
    }

    #[test]
    fn a_recording_is_as_its_last_part_says() {
        let records = records(&[(2, 11, "stopped", None), (0, 0, "recovered", None), (1, 9, "failed", Some("x"))]);
        let rows = rebuild(records, &Survey::default(), &resources(50));
        let indices: Vec<_> = rows.chunks.iter().map(|chunk| chunk.index).collect();
        assert_eq!(indices, [0, 9, 11]);
        let (reason, error) = (EndReason::Stopped, Some("x".to_owned()));
        let end = EndRow { reason, error, ready_at: at(211), expires_at: at(261) };
        let row = one(rows);
        assert_eq!((row.stopping, row.end), (None, Some(end)));
    }

    #[test]
    fn files_of_a_resource_that_is_not_configured_go_too() {
        let rows = rebuild(records(&[(0, 0, "stopped", None)]), &Survey::default(), &BTreeMap::new());
        assert_eq!(one(rows).end.map(|end| end.expires_at), Some(at(200 + 24 * 3_600)));
    }

    #[test]
    fn what_is_left_ends_a_recording() {
        let of = |id: u128, part| SurveyedPart {
            dir: "/nowhere".into(),
            recording: RecordingId(Uuid::from_u128(id)),
            part,
            documents: BTreeSet::new(),
        };
        for (left, stopping) in [(1, EndReason::Recovered), (2, EndReason::Recovered), (0, EndReason::Stopped)] {
            let records = records(&[(0, 0, "recovered", None), (1, 1, "stopped", None)]);
            let survey = Survey { parts: vec![of(7, 0), of(7, left), of(9, 5)], ..Survey::default() };
            let row = one(rebuild(records, &survey, &resources(50)));
            assert_eq!((row.stopping, row.end), (Some(stopping), None), "{left}");
        }
    }

    #[test]
    fn a_part_that_cannot_be_read_is_told() {
        let recording = RecordingId(Uuid::from_u128(7));
        let damaged = vec![DamagedPart { dir: "/nowhere".into(), recording, error: None }];
        let survey = Survey { damaged, ..Survey::default() };
        let row = one(rebuild(records(&[(0, 0, "stopped", None)]), &survey, &resources(50)));
        assert_eq!(row.end.and_then(|end| end.error).as_deref(), Some(DAMAGED));
    }
}
