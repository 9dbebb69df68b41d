//! Follows a part of a recording to its end, and has its chunks finished.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::engine::Listener;
use crate::engine::Report;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::storage::Ended;
use crate::storage::Finisher;
use crate::storage::Lock;
use crate::storage::PartFiles;
use crate::supervisor::core::Outcome;
use crate::supervisor::finish::Finishing;
use crate::supervisor::meter::Meter;
use crate::supervisor::task::Event;

/// Reports that may wait for who follows. Where there is no room they wait with the recording.
pub(super) const REPORTS_MAX: usize = 256;

/// Where a recording tells what happens to it.
pub(super) struct Told(pub(super) Sender<Report>);

impl Listener for Told {
    fn tell(&mut self, report: Report) -> Option<Report> {
        match self.0.try_send(report) {
            Err(TrySendError::Full(report)) => Some(report),
            Ok(()) | Err(TrySendError::Closed(_)) => None,
        }
    }
}

/// Who follows a recording.
pub(super) struct Follower {
    pub(super) recording: RecordingId,
    /// From 0.
    pub(super) part: u32,
    pub(super) reports: Receiver<Report>,
    pub(super) finisher: Finisher,
    /// Nobody else touches its spool.
    pub(super) lock: Lock,
    /// The directory that its files are finished in: nothing else is in it.
    pub(super) dir: PathBuf,
    pub(super) finishing: Finishing,
    pub(super) meter: Arc<Meter>,
}

impl Follower {
    pub(super) async fn run(mut self) {
        let opening = self.finisher.opening().clone();
        let mut finisher = Some(self.finisher);
        // Nobody writes to it any more.
        let mut is_closed = false;
        let ended = loop {
            let (Some(report), Some(mut with)) = (self.reports.recv().await, finisher.take()) else { break None };
            self.meter.told(self.recording, &report);
            let (with, told) = match report {
                Report::Progress { .. } | Report::Entry(_) => {
                    let told = with.on(report);
                    (with, told)
                }
                report => {
                    if matches!(report, Report::Ended { .. } | Report::GivenUp(_)) {
                        self.finishing.tell(Event::Stopped(self.recording)).await;
                    }
                    let finished = self.finishing.in_turn(move || {
                        let told = with.on(report);
                        (with, told)
                    });
                    let Some(finished) = finished.await else { break None };
                    finished
                }
            };
            match told {
                Ok(None) => finisher = Some(with),
                Ok(Some(ended)) => {
                    is_closed = true;
                    break Some((ended, with.into_parts().1));
                }
                Err(error) => {
                    let (reason, error) = (EndReason::Failed, Some(error.to_string()));
                    let unfinished = error.clone();
                    let ended = Ended { reason, error, unfinished, lost_samples: 0, tracks: Default::default() };
                    break Some((ended, with.into_parts().1));
                }
            }
        };
        // Nobody says how it ended: a bug of ours. What is on the disk can be recovered.
        let failed = || {
            let error = Some("the recording ended without a word".to_owned());
            let (unfinished, lost_samples, tracks) = (error.clone(), 0, Default::default());
            (Ended { reason: EndReason::Failed, error, unfinished, lost_samples, tracks }, Vec::new())
        };
        let (ended, chunks) = ended.unwrap_or_else(failed);
        let Ended { reason, error, unfinished, .. } = ended;
        let (is_whole, stored) = (unfinished.is_none(), Vec::new());
        let outcome = Outcome { part: self.part, reason, error: error.or(unfinished), is_whole };
        let files = PartFiles { dir: self.dir, part: self.part, stored, is_whole, is_closed };
        self.finishing.deliver(&opening, files, chunks, outcome).await;
        drop(self.lock);
    }
}
