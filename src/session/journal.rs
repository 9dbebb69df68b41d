//! The journal: everything that happened to a recording, one JSON object a line, only ever appended to.
//!
//! It is the truth about media: after a crash the recording is rebuilt from it. A torn line is what a crash or a full
//! disk leaves and is left out; what it would have said is found again in the files.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ChannelMap, ChunkMedia, EndReason, ParticipantNumber, PauseMode};
use crate::session::JournalError;

/// Version of the format; a change that old programs would misread makes it grow.
pub const VERSION: u32 = 1;

/// Longest line that is read: far above what many participants and pauses make.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How a recording began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Opening {
    /// Version of the journal.
    pub version: u32,
    /// Random id of the recording.
    pub recording_id: uuid::Uuid,
    /// Random id of the call.
    pub call_id: uuid::Uuid,
    /// Whose it is; None where no service recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Box<Owner>>,
    /// Chunks that it had before: it goes on with those of a recording whose program was killed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first_chunk: u32,
    /// Name of the graph.
    pub graph: String,
    /// `audio`, `mixed`, `wav`: as in the graph's header.
    pub content: String,
    /// See `content`.
    pub channel_type: String,
    /// Extension of the files.
    pub format: String,
    /// What a pause leaves.
    pub pause_mode: PauseMode,
    /// Wall clock at recording time zero, RFC 3339.
    pub started_at: jiff::Timestamp,
    /// Boot during which the monotonic clock below counts.
    pub boot_id: String,
    /// Monotonic clock at recording time zero.
    pub monotonic_zero: Duration,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Whose a recording is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Owner {
    /// Id of the resource.
    pub resource: uuid::Uuid,
    /// Where its data is, in the short form that names of documents have.
    pub region: String,
}

/// Something that happened. `at` is recording time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Entry {
    /// Always first.
    Began(Opening),
    /// Somebody came.
    Joined {
        /// When.
        at: Duration,
        /// Number.
        participant: ParticipantNumber,
        /// `participantId` of the metadata.
        name: String,
    },
    /// Somebody left.
    Left {
        /// When.
        at: Duration,
        /// Who.
        participant: ParticipantNumber,
    },
    /// Somebody's media is not what it should be.
    Trouble {
        /// When.
        at: Duration,
        /// Who.
        participant: ParticipantNumber,
        /// What, for people.
        reason: String,
        /// Silence from then on.
        silent: bool,
    },
    /// Paused.
    Paused {
        /// When it takes effect.
        at: Duration,
    },
    /// Resumed.
    Resumed {
        /// When it takes effect.
        at: Duration,
    },
    /// Participants have been given channels.
    Channels {
        /// The whole map.
        map: ChannelMap,
    },
    /// A chunk has got all its media.
    ChunkHeld {
        /// What it holds.
        media: ChunkMedia,
    },
    /// A chunk's file is complete in the spool.
    FileComplete {
        /// Chunk.
        index: u32,
        /// Bytes.
        size: u64,
    },
    /// The recording cannot go on: what has been written until then is all there will be.
    Failed {
        /// When.
        at: Duration,
        /// What went wrong, for people.
        error: String,
    },
    /// The recording is over: always last.
    Ended {
        /// When.
        at: Duration,
        /// Why.
        reason: EndReason,
        /// What went wrong, for people.
        error: Option<String>,
    },
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// The last line has no end: another one must not be glued to it.
    is_torn: bool,
}

impl Journal {
    /// Creates a journal; one that is there already is never overwritten.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path);
        Ok(Self { file: file.map_err(io(path, "created"))?, path: path.to_owned(), is_torn: false })
    }

    /// Opens a journal to append to it.
    pub fn append_to(path: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(io(path, "opened"))?;
        let is_torn = has_torn_end(&file).map_err(io(path, "read"))?;
        Ok(Self { file, path: path.to_owned(), is_torn })
    }

    /// Appends an entry. A crash tears the last line at most: there is one writer at a time.
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let mut line = if self.is_torn { b"\n".to_vec() } else { Vec::new() };
        serde_json::to_writer(&mut line, entry).expect("entries are plain data");
        line.push(b'\n');
        let written = self.file.write_all(&line);
        self.is_torn = written.is_err();
        written.map_err(io(&self.path, "written"))
    }

    /// Waits until all entries are on the disk.
    ///
    /// # Errors
    ///
    /// They may not be.
    pub fn sync(&self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(io(&self.path, "synced"))
    }

    /// Reads a journal. Torn lines are left out.
    pub fn read(path: &Path) -> Result<Vec<Entry>, JournalError> {
        // A pipe of that name would be waited for.
        let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(io(path, "opened"))?;
        if !file.metadata().map_err(io(path, "read"))?.is_file() {
            return Err(JournalError::NotAJournal { path: path.to_owned() });
        }
        let mut reader = BufReader::new(file);
        let mut entries = Vec::new();
        loop {
            let mut line = Vec::new();
            let limited = &mut std::io::Read::take(&mut reader, LINE_BYTES_MAX as u64);
            if limited.read_until(b'\n', &mut line).map_err(io(path, "read"))? == 0 {
                break;
            }
            match serde_json::from_slice(&line) {
                Ok(entry) => entries.push(entry),
                Err(_) if entries.is_empty() => break,
                Err(error) => tracing::warn!(%error, "a torn line of the journal is left out"),
            }
        }
        match entries.first() {
            Some(Entry::Began(Opening { version: VERSION, .. })) => Ok(entries),
            Some(Entry::Began(opening)) => {
                Err(JournalError::Version { path: path.to_owned(), version: opening.version })
            }
            _ => Err(JournalError::NotAJournal { path: path.to_owned() }),
        }
    }
}

/// Returns whether the last line of a file has no end.
fn has_torn_end(mut file: &File) -> std::io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

fn io(path: &Path, what: &'static str) -> impl Fn(std::io::Error) -> JournalError {
    move |cause| JournalError::Io { path: path.to_owned(), what, cause }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn opening() -> Opening {
        Opening {
            version: VERSION,
            recording_id: uuid::Uuid::from_u128(1),
            call_id: uuid::Uuid::from_u128(2),
            owner: None,
            first_chunk: 0,
            graph: "mixed-wav".into(),
            content: "audio".into(),
            channel_type: "mixed".into(),
            format: "wav".into(),
            pause_mode: PauseMode::Skip,
            started_at: "2026-11-22T10:00:00Z".parse().unwrap(),
            boot_id: "b".into(),
            monotonic_zero: Duration::from_secs(7),
        }
    }

    fn written(entries: &[Entry]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut journal = Journal::create(&path).unwrap();
        entries.iter().for_each(|entry| journal.append(entry).unwrap());
        (dir, path)
    }

    fn entries() -> Vec<Entry> {
        let at = Duration::from_millis(1_500);
        vec![
            Entry::Began(opening()),
            Entry::Joined { at, participant: 0, name: "Ada \"L.\"\n".into() },
            Entry::Paused { at },
            Entry::Ended { at, reason: EndReason::Stopped, error: None },
        ]
    }

    #[test]
    fn entries_are_read_back() {
        let (_dir, path) = written(&entries());
        assert_eq!(Journal::read(&path).unwrap(), entries());
        assert!(Journal::create(&path).is_err(), "a journal is never overwritten");
    }

    #[test]
    fn a_torn_end_loses_the_torn_line_only() {
        let (_dir, path) = written(&entries());
        let whole = std::fs::read(&path).unwrap();
        let last_line = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        for cut in last_line..whole.len() - 1 {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(Journal::read(&path).unwrap(), entries()[..3], "cut at {cut}");
        }
    }

    #[test]
    fn what_follows_a_torn_line_is_read() {
        let (_dir, path) = written(&entries());
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let more = Entry::FileComplete { index: 7, size: 1 };
        Journal::append_to(&path).unwrap().append(&more).unwrap();
        let expected: Vec<_> = entries()[..3].iter().cloned().chain([more]).collect();
        assert_eq!(Journal::read(&path).unwrap(), expected);
    }

    #[test]
    fn other_files_are_refused() {
        let (_dir, path) = written(&entries()[1..]);
        assert!(matches!(Journal::read(&path), Err(JournalError::NotAJournal { .. })));
        let other = Entry::Began(Opening { version: 9, ..opening() });
        let (_dir, path) = written(&[other]);
        assert!(matches!(Journal::read(&path), Err(JournalError::Version { version: 9, .. })));
        std::fs::write(&path, [0xff; 5_000]).unwrap();
        assert!(matches!(Journal::read(&path), Err(JournalError::NotAJournal { .. })));
    }
}
