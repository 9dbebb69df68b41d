//! Metadata files and journals, read as JSON and not by the program's types.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// A chunk's metadata file.
#[derive(Debug, Clone)]
pub(crate) struct Metadata(pub(crate) Value);

impl Metadata {
    #[track_caller]
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// Milliseconds.
    pub(crate) fn duration(&self) -> u64 {
        self.0["chunkDuration"].as_u64().expect("chunkDuration is a number")
    }

    pub(crate) fn start(&self) -> jiff::Timestamp {
        timestamp(&self.0["chunkStartTime"])
    }

    /// Wall clock and milliseconds.
    pub(crate) fn pauses(&self) -> Vec<(jiff::Timestamp, u64)> {
        let intervals = self.0["pauseResumeIntervals"].as_array().expect("pauseResumeIntervals is an array");
        intervals.iter().map(|i| (timestamp(&i["startTime"]), i["duration"].as_u64().expect("a number"))).collect()
    }

    /// Names and channels.
    pub(crate) fn participants(&self) -> Vec<(String, Option<u64>)> {
        let participants = self.0["participants"].as_array().expect("participants is an array");
        let name = |p: &Value| p["participantId"].as_str().expect("participantId is a text").to_owned();
        participants.iter().map(|p| (name(p), p["channel"].as_u64())).collect()
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = self.0["notes"].as_array().into_iter().flatten();
        notes.map(|note| note.as_str().expect("a note is a text").to_owned()).collect()
    }

    pub(crate) fn audio(&self, field: &str) -> u64 {
        self.0["recordingInfo"]["audioConfiguration"][field].as_u64().expect("a number")
    }
}

fn timestamp(value: &Value) -> jiff::Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no time"))
}

/// Returns what lies between two times, zero where it is negative.
pub(crate) fn between(from: jiff::Timestamp, to: jiff::Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Returns the wall clock at recording time zero, from the journal of a spool; None before it is there.
pub(crate) fn began(spool: &Path) -> Option<jiff::Timestamp> {
    let journal = std::fs::read_to_string(spool.join("journal")).ok()?;
    let opening: Value = serde_json::from_str(journal.lines().next()?).ok()?;
    opening["started-at"].as_str()?.parse().ok()
}

/// Returns the monotonic clock at recording time zero, in ns, from the journal of a spool; None before it is there.
pub(crate) fn monotonic_zero_ns(spool: &Path) -> Option<u64> {
    let journal = std::fs::read_to_string(spool.join("journal")).ok()?;
    let opening: Value = serde_json::from_str(journal.lines().next()?).ok()?;
    let zero = &opening["monotonic-zero"];
    Some(zero["secs"].as_u64()? * 1_000_000_000 + zero["nanos"].as_u64()?)
}

/// A finished file and its metadata's.
pub(crate) struct Finished {
    pub(crate) media: PathBuf,
    pub(crate) metadata: Metadata,
}

/// Returns the finished files of a recording, in order. Every file must have its metadata, and every metadata its file.
#[track_caller]
pub(crate) fn finished(out: &Path, graph: &str, extension: &str) -> Vec<Finished> {
    let all = super::program::names(out);
    let ours: Vec<_> = all.iter().filter(|name| name.starts_with(&format!("{graph}-"))).collect();
    let media: Vec<_> = ours.iter().filter(|name| name.ends_with(&format!(".{extension}"))).collect();
    assert_eq!(media.len() * 2, ours.len(), "a file without metadata, or metadata without a file: {all:?}");
    let read = |(index, name): (usize, &&&String)| {
        assert_eq!(***name, format!("{graph}-{index:03}.{extension}"), "{all:?}");
        let metadata = Metadata::read(&out.join(format!("{graph}-{index:03}.json")));
        assert_eq!(metadata.0["chunkIndex"].as_u64(), Some(index as u64));
        Finished { media: out.join(name.as_str()), metadata }
    };
    media.iter().enumerate().map(read).collect()
}
