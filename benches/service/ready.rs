//! From the request to stop until the file can be loaded: of recordings of some seconds, and of an hour.
//!
//! An hour is not waited for. What it takes to finish a recording depends on its file, and on nothing else that grows:
//! so while it is recorded, its file in the spool is made as long as that of an hour, by what has been recorded so far
//! over and over. From there all is as always: the recorder writes on, the request to stop, the last tick, the check of
//! every frame, the hash, sync, the copy into the store, metadata, catalog. What is not in memory any more has been
//! dropped from the page cache before.

use std::fs::File;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use anyhow::ensure;
use rustix::fs::Advice;
use rustix::fs::fadvise;

use crate::calls::Call;
use crate::calls::Ready;
use crate::calls::Started;
use crate::client::Client;
use crate::figures::Figures;
use crate::service::Service;

/// Seconds that a file is made to hold.
const HOUR: u64 = 3_600;

/// What is recorded before a file is made longer, and after it: the service syncs once a second.
const BEFORE: Duration = Duration::from_secs(2);
const AFTER: Duration = Duration::from_secs(3);

/// Longest wait for a recording's file to appear in the spool.
const FILE: Duration = Duration::from_secs(10);

/// What a recording is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Wav,
    Mp3,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
        }
    }

    /// Bytes of a header, or of the info tag; of a sample or a frame; of a second.
    fn layout(self) -> (usize, usize, u64) {
        match self {
            Self::Wav => (44, 2, 32_000),
            Self::Mp3 => (216, 216, 6_000),
        }
    }
}

/// Where the blocks of a file are when it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cached {
    InMemory,
    OnDisk,
}

/// Stops recordings one by one, each when the one before it is ready.
pub(crate) fn stop_each(client: &mut Client, recordings: &[Started]) -> anyhow::Result<Vec<Ready>> {
    let stop = |recording: &Started| {
        let stop_sent_ns = recording.stop(client)?;
        recording.ready(client, stop_sent_ns)
    };
    recordings.iter().map(stop).collect()
}

/// Stops recordings at once, and waits until all are ready.
pub(crate) fn stop_all(client: &mut Client, recordings: &[Started]) -> anyhow::Result<Vec<Ready>> {
    let stopped = recordings.iter().map(|recording| recording.stop(client)).collect::<anyhow::Result<Vec<_>>>()?;
    let ready = |(recording, stop_sent_ns): (&Started, i64)| recording.ready(client, stop_sent_ns);
    recordings.iter().zip(stopped).map(ready).collect()
}

/// Returns how long it took from the requests until the files could be loaded.
pub(crate) fn times<'a>(ready: impl Iterator<Item = &'a Ready>) -> Figures {
    let mut figures = Figures::default();
    ready.for_each(|ready| figures.add(ready.loaded_ns - ready.stop_sent_ns));
    figures
}

/// Records a call for an hour, as far as its file tells, and stops it. Each call is one measurement.
pub(crate) fn hours(
    service: &Service,
    client: &mut Client,
    calls: &[Call],
    format: Format,
    cached: Cached,
) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    for call in calls {
        let known = files(&service.data, format)?;
        let recording = call.record(client, format.name())?;
        let path = new_file(&service.data, format, &known)?;
        std::thread::sleep(BEFORE);
        let file = lengthen(&path, format)?;
        if cached == Cached::OnDisk {
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
        drop(file);
        std::thread::sleep(AFTER);
        let stop_sent_ns = recording.stop(client)?;
        let ready = recording.ready(client, stop_sent_ns)?;
        figures.add(ready.loaded_ns - stop_sent_ns);
        ensure!(ready.duration_ms >= HOUR * 1_000, "only {} ms are in the file", ready.duration_ms);
        // What else is on the disk is nothing of the next one's.
        let document = ready.content.split("/content/").next().context("no document")?;
        client.ask("DELETE", document, "", 200)?;
    }
    Ok(figures)
}

/// Files that are being recorded.
fn files(data: &Path, format: Format) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for recording in std::fs::read_dir(data.join("recordings"))?.flatten() {
        let spool = recording.path().join(format!(".reelgraph-mixed-{}", format.name()));
        found.push(spool.join(format!("000.{}", format.name())));
    }
    Ok(found)
}

fn new_file(data: &Path, format: Format, known: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let until = Instant::now() + FILE;
    loop {
        let found = files(data, format)?.into_iter().find(|path| !known.contains(path) && path.exists());
        if let Some(path) = found {
            return Ok(path);
        }
        ensure!(Instant::now() < until, "a recording has no file");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Makes a file that is being written as long as that of an hour, and lets it be on the disk.
fn lengthen(path: &Path, format: Format) -> anyhow::Result<File> {
    let (head, unit, per_second) = format.layout();
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let there = std::fs::read(path)?;
    let media = there.get(head..).context("nothing has been recorded")?;
    let media = &media[..media.len() / unit * unit];
    ensure!(media.len() as u64 > per_second, "less than a second has been recorded");
    let mut len = (head + media.len()) as u64;
    while len < head as u64 + HOUR * per_second {
        file.write_all_at(media, len)?;
        len += media.len() as u64;
    }
    file.sync_all()?;
    Ok(file)
}
