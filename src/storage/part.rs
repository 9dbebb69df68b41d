//! Parts of a service's recordings: what each process that recorded one has of it, in a directory of its own.
//!
//! ```text
//!  ID/      the first: .reelgraph-mixed-wav/journal, mixed-wav-000.wav, …
//!  ID-1/    what came after the service was killed and started again; its chunks are counted on
//! ```
//!
//! A directory goes when all of its chunks are stored, and known to be.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

use uuid::Uuid;

use crate::acs::metadata::Metadata;
use crate::model::ChunkId;
use crate::model::RecordingId;
use crate::session::JournalError;
use crate::session::Ledger;
use crate::storage::Finalised;
use crate::storage::Spool;
use crate::storage::StorageError;
use crate::storage::begin::GONE;
use crate::storage::discard_dir;
use crate::storage::finalise::settle;
use crate::storage::inspect;
use crate::storage::recover;
use crate::storage::sidecar;

/// What the name of a directory ends in whose part cannot be read.
pub(super) const DAMAGED: &str = ".damaged";

/// A part that nobody records into any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    /// Its directory.
    pub dir: PathBuf,
    /// Which it is, from 0.
    pub part: u32,
    /// What is known of it.
    pub ledger: Ledger,
    /// Chunks of the recording that are in it or before it.
    pub n_chunks: u32,
}

/// The files of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct PartFiles {
    /// Its directory.
    pub dir: PathBuf,
    /// Which it is, from 0.
    pub part: u32,
    /// Files of it that are stored somewhere else.
    pub stored: Vec<PathBuf>,
    /// There is nothing else in it.
    pub is_whole: bool,
    /// Nobody writes to it any more: not even a thread that was given up.
    pub is_closed: bool,
}

impl PartFiles {
    /// Takes away what is stored somewhere else. What cannot be taken away stays until it is looked at again.
    pub fn discard(&self) {
        if self.is_whole {
            return discard_dir(&self.dir);
        }
        self.stored.iter().for_each(|path| remove(path));
    }
}

/// Takes away all parts of a recording.
pub fn discard_parts(recordings: &Path, recording: RecordingId) {
    for entry in std::fs::read_dir(recordings).into_iter().flatten().filter_map(Result::ok) {
        if named(&entry.file_name().to_string_lossy()).is_some_and(|(id, _)| id == recording) {
            discard_dir(&entry.path());
        }
    }
}

fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "a file stays that is stored");
        }
        _ => (),
    }
}

/// Returns the directory of a part, under that of all recordings.
pub fn part_dir(recordings: &Path, recording: RecordingId, part: u32) -> PathBuf {
    let id = recording.0.simple();
    recordings.join(if part == 0 { id.to_string() } else { format!("{id}-{part}") })
}

/// Returns whose part a directory is of, and which; None where it is none of a recording's.
pub(super) fn named(name: &str) -> Option<(RecordingId, u32)> {
    let (id, part) = match name.split_once('-') {
        None => (name, 0),
        Some((id, part)) => (id, part.parse().ok()?),
    };
    Uuid::try_parse(id).ok().filter(|_| id.len() == 32).map(|id| (RecordingId(id), part))
}

/// What is left from before in the directory of recordings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Leftovers {
    /// Parts.
    pub parts: Vec<Left>,
    /// Recordings of which a part cannot be read: it is kept aside.
    pub damaged: BTreeSet<RecordingId>,
}

/// Looks at all that is left from before in the directory of recordings. A part that cannot be read is kept under
/// another name, and told; what is no part is not touched. Documents that `is_known` are stored.
///
/// # Errors
///
/// The directory cannot be read.
pub fn look_at_all(recordings: &Path, is_known: impl Fn(ChunkId) -> bool) -> Result<Leftovers, StorageError> {
    let entries = std::fs::read_dir(recordings).map_err(StorageError::io(recordings, "read"))?;
    let mut left = Leftovers::default();
    for entry in entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let (dir, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if let Some((recording, _)) = name.strip_suffix(DAMAGED).and_then(named) {
            left.damaged.insert(recording);
        }
        if name.strip_suffix(GONE).and_then(named).is_some() {
            discard_dir(&dir);
        }
        let Some((recording, part)) = named(&name) else { continue };
        match look(&dir, part, &is_known) {
            Ok(part) => left.parts.extend(part),
            Err(error) => {
                left.damaged.insert(recording);
                keep_aside(&dir, &error);
            }
        }
    }
    Ok(left)
}

/// What may be read another time, or by another version, keeps its name.
fn keep_aside(dir: &Path, error: &StorageError) {
    let is_passing = matches!(
        error,
        StorageError::Io { .. } | StorageError::Journal(JournalError::Io { .. } | JournalError::Version { .. })
    );
    if is_passing {
        return tracing::error!(%error, "a recording cannot be finished now");
    }
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(DAMAGED);
    let kept = dir.with_file_name(name);
    match std::fs::rename(dir, &kept) {
        Ok(()) => tracing::error!(%error, kept = %kept.display(), "a recording cannot be finished"),
        Err(cause) => tracing::error!(%error, %cause, "a recording can neither be finished nor be put aside"),
    }
}

/// Looks at a part that is left. Documents that `is_known` are stored: their files are taken away. None where there is
/// nothing in it: then there is no directory, either.
///
/// # Errors
///
/// It cannot be read, or is none: it stays as it is.
pub fn look(dir: &Path, part: u32, is_known: impl Fn(ChunkId) -> bool) -> Result<Option<Left>, StorageError> {
    let Some((spool, ledger)) = read(dir)? else {
        discard_dir(dir);
        return Ok(None);
    };
    for index in spool.finished_chunks()? {
        if is_known(sidecar::document(&ledger.opening, index)) {
            [spool.finished(index), spool.metadata(index)].iter().for_each(|path| remove(path));
        }
    }
    let mut n_chunks = spool.finished_chunks()?.last().map_or(0, |last| last + 1);
    for index in spool.chunks()? {
        let makes_chunk = recover::makes_chunk(&spool, &ledger, index);
        let in_doubt = |error| {
            // A number that nothing has is no harm.
            tracing::warn!(%error, path = %spool.chunk(index).display(), "a chunk cannot be looked into now");
            true
        };
        if makes_chunk.unwrap_or_else(in_doubt) {
            n_chunks = n_chunks.max(index + 1);
        }
    }
    let n_chunks = ledger.opening.first_chunk.saturating_add(n_chunks);
    Ok(Some(Left { dir: dir.to_owned(), part, ledger, n_chunks }))
}

/// Reads what is known of a part that is left; None where there is nothing in it that is not to be taken away.
pub(super) fn read(dir: &Path) -> Result<Option<(Spool, Ledger)>, StorageError> {
    let spools = Spool::unfinished(dir)?;
    if let Some(read) = spools.first().map_or(Ok(None), |spool| recover::read(dir, spool))? {
        return Ok(Some(read));
    }
    // It was killed before it began, or when all was stored. Anything else is not ours to take away.
    let mut entries = std::fs::read_dir(dir).map_err(StorageError::io(dir, "read"))?.filter_map(Result::ok);
    match entries.find(|entry| !spools.contains(&entry.path())) {
        Some(entry) => Err(StorageError::Unknown { path: entry.path() }),
        None => Ok(None),
    }
}

/// A part that has been finished, as far as it can be.
#[derive(Debug)]
pub struct FinishedPart {
    /// What is known of it.
    pub ledger: Ledger,
    /// All of its chunks that are finished, also those that were before.
    pub chunks: Vec<Finalised>,
    /// Why that is not all, if it is not: a second call goes on.
    pub unfinished: Option<StorageError>,
}

/// Finishes a part that nobody records into any more.
///
/// # Errors
///
/// It cannot be read, or somebody else has it.
pub fn finish_part(dir: &Path) -> Result<FinishedPart, StorageError> {
    let nothing = || StorageError::NothingToRecover { dir: dir.to_owned() };
    let spool = Spool::unfinished(dir)?.into_iter().next().ok_or_else(nothing)?;
    let _lock = Spool::named(dir, &spool).lock()?;
    let (spool, mut ledger) = recover::read(dir, &spool)?.ok_or_else(nothing)?;
    let mut chunks = Vec::new();
    let mut unfinished = recover::finish(&spool, &mut ledger, &mut chunks).err();
    for index in spool.finished_chunks()? {
        if chunks.iter().all(|chunk| chunk.media.index != index) {
            // What is wrong with one is no reason to keep the others.
            match finished(&spool, &ledger, index) {
                Ok(chunk) => chunks.push(chunk),
                Err(error) => drop(unfinished.get_or_insert(error)),
            }
        }
    }
    chunks.sort_by_key(|chunk| chunk.media.index);
    Ok(FinishedPart { ledger, chunks, unfinished })
}

/// Returns what a chunk is that was finished before.
fn finished(spool: &Spool, ledger: &Ledger, index: u32) -> Result<Finalised, StorageError> {
    let (path, metadata_path) = (spool.finished(index), spool.metadata(index));
    let text = std::fs::read(&metadata_path).map_err(StorageError::io(&metadata_path, "read"))?;
    let unknown = || StorageError::Unknown { path: metadata_path.clone() };
    let metadata: Metadata = serde_json::from_slice(&text).map_err(|_| unknown())?;
    let mut media = ledger.chunks.get(&index).and_then(|row| row.media.clone()).ok_or_else(unknown)?;
    if let Some(content) = inspect::make_whole(&path, &ledger.opening.format)? {
        (media.samples, media.rate, media.channels) = (content.samples, content.rate, content.channels);
    }
    let (size, sha256) = settle(&path)?;
    let document = sidecar::document(&ledger.opening, index);
    Ok(Finalised { document, path, metadata_path, metadata, media, size, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    use tempfile::TempDir;

    use crate::engine::Report;
    use crate::model::EndReason;
    use crate::session::Entry;
    use crate::session::Journal;
    use crate::session::Opening;
    use crate::session::Owner;
    use crate::storage::Finisher;

    /// A part of a service's recording that was killed with a chunk of so many bytes.
    fn killed(format: &str, bytes: &[u8]) -> TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        let opening = Opening {
            owner: Some(Box::new(Owner { resource: Uuid::from_u128(3), region: "eus".to_owned() })),
            first_chunk: 5,
            graph: "g".to_owned(),
            format: format.to_owned(),
            ..crate::session::opening()
        };
        let spool = dir.path().join(".reelgraph-g");
        std::fs::create_dir(&spool).expect("it can be made");
        let mut journal = Journal::create(&spool.join("journal")).expect("it can be made");
        journal.append(&Entry::Began(opening)).expect("it can be written");
        std::fs::write(spool.join(format!("000.{format}")), bytes).expect("it can be written");
        dir
    }

    #[test]
    fn chunks_are_counted_on_by_what_finishing_makes_of_those_before() {
        let wav = |channels, len: usize| {
            let header = gstreel::formats::wav::Header::new(16_000, channels).expect("a format that can be");
            [header.bytes(0).to_vec(), vec![1; 200]].concat()[..len].to_vec()
        };
        // Of 16 kHz and 48 kbit/s: 216 bytes.
        let frame = [&[0xff, 0xf3, 0x38, 0xc4][..], &[0; 212]].concat();
        let whole = (0..15).map(|n| ("mp3", frame.repeat(n)));
        let torn = (1..15).map(|n| ("mp3", frame.repeat(n)[..n * 216 - 100].to_vec()));
        let mono = (0..100).map(|len| ("wav", wav(1, len)));
        let many = (0..100).map(|len| ("wav", wav(5, len)));
        let unknown = [0, 1, 100].map(|len| ("flac", vec![7; len])).into_iter();
        let mut made = [0, 0];
        for (format, bytes) in whole.chain(torn).chain(mono).chain(many).chain(unknown) {
            let dir = killed(format, &bytes);
            let left = look(dir.path(), 1, |_| false).expect("it can be read").expect("there is something in it");
            let finished = finish_part(dir.path()).expect("it can be finished");
            assert!(finished.unfinished.is_none(), "{:?}", finished.unfinished);
            let n_chunks = finished.chunks.len();
            assert_eq!(left.n_chunks as usize, 5 + n_chunks, "{format}, {} bytes", bytes.len());
            made[n_chunks] += 1;
        }
        assert!(made[0] > 100 && made[1] > 50, "{made:?}");
    }

    #[test]
    fn who_goes_on_and_records_nothing_more_has_not_failed() {
        let header = gstreel::formats::wav::Header::new(16_000, 1).expect("a format that can be");
        let dir = killed("wav", &header.bytes(0));
        let (spool, ledger) = read(dir.path()).expect("it can be read").expect("there is something in it");
        let mut finisher = Finisher::new(spool, ledger.opening);
        let (reason, tracks, counts) = (EndReason::Stopped, Default::default(), Default::default());
        let ended = finisher.on(Report::Ended { reason, lost_samples: 0, tracks, counts }).expect("it can be finished");
        let ended = ended.expect("it has ended");
        assert_eq!((ended.reason, ended.error, ended.unfinished), (reason, None, None));
        assert_eq!(finisher.into_parts().1, []);
    }

    fn look_in(dir: &TempDir) -> (usize, Vec<RecordingId>, Vec<String>) {
        let left = look_at_all(dir.path(), |_| false).expect("it can be read");
        let entries = std::fs::read_dir(dir.path()).expect("it can be read").filter_map(Result::ok);
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        (left.parts.len(), left.damaged.into_iter().collect(), names)
    }

    #[test]
    fn what_is_no_part_or_cannot_be_read_is_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let id = RecordingId(Uuid::from_u128(7));
        let [first, second] = [0, 1].map(|part| part_dir(dir.path(), id, part));
        let write = |path: PathBuf| {
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            std::fs::write(path, "RIFF").expect("it can be written");
        };
        write(dir.path().join("aside").join("mixed-wav-000.wav"));
        // Finished, without a journal; a chunk with one that is none; and what was killed before it began.
        write(first.join("mixed-wav-000.wav"));
        write(second.join(".reelgraph-mixed-wav/000.wav"));
        write(second.join(".reelgraph-mixed-wav/journal"));
        std::fs::create_dir_all(part_dir(dir.path(), id, 2).join(".reelgraph-mixed-wav")).expect("it can be made");
        let hex = id.0.simple();
        let kept = [format!("{hex}-1.damaged"), format!("{hex}.damaged"), "aside".to_owned()];
        assert_eq!(look_in(&dir), (0, vec![id], kept.to_vec()));
        // It is not forgotten by the next one.
        assert_eq!(look_in(&dir), (0, vec![id], kept.to_vec()));
        discard_parts(dir.path(), id);
        assert_eq!(look_in(&dir).2, kept);
    }

    #[test]
    fn directories_tell_whose_part_they_are_of() {
        let id = RecordingId(Uuid::from_u128(7));
        for part in [0, 1, 12] {
            let dir = part_dir(Path::new("/r"), id, part);
            assert_eq!(named(&dir.file_name().expect("a name").to_string_lossy()), Some((id, part)));
        }
        for other in ["", "aside", "lost+found", "7", "-1", &format!("{}-x", id.0.simple()), &id.0.to_string()] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
