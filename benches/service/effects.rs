//! When starts, pauses and resumes take effect: what is in the files, against when each of them was asked for.
//!
//! ```text
//!  asked        start          pause    resume
//!  (sent)         ▼              ▼         ▼
//!  spoken  ~~~~~~~|~~~~~~~~~~~~~~|~~~~~~~~~|~~~~~~      each sample tells when it was spoken (see `ramp`)
//!  in the file    └ first run ───┘         └ second …
//! ```
//!
//! A request is sent before it arrives, so that what takes effect later than it arrived is later still by this clock. A
//! sample counts as spoken when its sender should have sent it; that it is later on the wire makes an effect seem
//! earlier, by some 0.1 ms.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use reelgraph::engine::clock::monotonic_ns;

use crate::RATE;
use crate::calls::Call;
use crate::calls::Ready;
use crate::calls::Sent;
use crate::calls::Started;
use crate::client::Client;
use crate::figures::Figures;
use crate::ramp;
use crate::wav::Wav;

/// Time between requests, so that they come at all phases of ticks and packets: up to so many ms.
const SPREAD_MS: u64 = 23;

/// What is further off than this is no effect of its request: the sound repeats itself after four times as much.
const TOLERANCE_NS: i64 = 500_000_000;

/// Samples of two packets: fewer are silent before the first that comes, and behind the last.
const PACKETS: usize = 2 * RATE / 50;

/// How much is recorded before the first pause, and behind the last resume.
const AROUND: Duration = Duration::from_millis(700);

/// A recording of somebody who sends the ramp.
pub(crate) struct Measured {
    /// Of which stream.
    stream: usize,
    started: Started,
    /// When pauses and resumes were sent, in turn.
    changes_ns: Vec<i64>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Effects {
    /// From the request until the first sample that is in the file was spoken.
    pub(crate) starts: Figures,
    /// From the request until its answer.
    pub(crate) answers: Figures,
    /// From a request to pause, or to resume, until the first sample that it made a difference to was spoken.
    pub(crate) pauses: Figures,
    pub(crate) resumes: Figures,
}

/// Starts a recording of each call, one behind the other, then pauses and resumes each as often as is said. Calls are
/// those of the streams from the `first` on.
pub(crate) fn ask(client: &mut Client, calls: &[Call], first: usize, n_pauses: usize) -> anyhow::Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        spread(index);
        measured.push(Measured { stream: first + index, started: call.record(client, "wav")?, changes_ns: Vec::new() });
    }
    std::thread::sleep(AROUND);
    for change in 0..2 * n_pauses {
        for (index, own) in measured.iter_mut().enumerate() {
            spread(index + change);
            let answer = if change % 2 == 0 { own.started.pause(client)? } else { own.started.resume(client)? };
            own.changes_ns.push(answer.sent_ns);
        }
    }
    std::thread::sleep(AROUND);
    Ok(measured)
}

/// Stops recordings: one by one, each when the one before it is ready; or all at once.
pub(crate) fn end(
    client: &mut Client,
    measured: Vec<Measured>,
    stop: impl Fn(&mut Client, &[Started]) -> anyhow::Result<Vec<Ready>>,
) -> anyhow::Result<Vec<(Measured, Ready)>> {
    let started: Vec<_> = measured.iter().map(|own| own.started.clone()).collect();
    Ok(measured.into_iter().zip(stop(client, &started)?).collect())
}

fn spread(index: usize) {
    // From one request to the next all phases come.
    let phase = (index as u64 * 7 + monotonic_ns() as u64 / 1_000) % SPREAD_MS;
    std::thread::sleep(Duration::from_millis(phase));
}

/// Loads a finished recording into a file.
fn load(client: &mut Client, ready: &Ready, to: &Path) -> anyhow::Result<Wav> {
    std::fs::write(to, client.get(&ready.content)?.body)?;
    Ok(Wav::read(to))
}

impl Effects {
    /// Loads the files of recordings that have ended, and judges them.
    pub(crate) fn judge_all(
        &mut self,
        client: &mut Client,
        ended: &[(Measured, Ready)],
        sent: &Sent,
        dir: &Path,
    ) -> anyhow::Result<()> {
        for (measured, ready) in ended {
            self.judge(measured, sent, &load(client, ready, &dir.join("judged.wav"))?)?;
        }
        Ok(())
    }

    fn judge(&mut self, measured: &Measured, sent: &Sent, wav: &Wav) -> anyhow::Result<()> {
        let Measured { stream, started, changes_ns } = measured;
        let runs = ramp::read(&wav.samples);
        let n_runs = 1 + changes_ns.len() / 2;
        ensure!(runs.len() == n_runs, "{} of {n_runs} runs are in a file: {runs:?}, {changes_ns:?}", runs.len());
        let late_ns = |position: i64, sent_ns: i64| {
            let asked = ramp::position_at(sent_ns - sent.begun_ns[*stream]);
            let late_ns = ramp::between_ns(asked, position);
            ensure!(late_ns.abs() < TOLERANCE_NS, "{late_ns} ns late: {runs:?}");
            Ok(late_ns)
        };
        self.answers.add(started.answered_ns - started.sent_ns);
        self.starts.add(late_ns(runs[0].first, started.sent_ns)?);
        for (changes, around) in changes_ns.chunks_exact(2).zip(runs.windows(2)) {
            self.pauses.add(late_ns(around[0].next, changes[0])?);
            self.resumes.add(late_ns(around[1].first, changes[1])?);
        }
        let between = runs.windows(2).map(|pair| &wav.samples[pair[0].end..pair[1].begin]);
        let (begin, end) = (&wav.samples[..runs[0].begin], &wav.samples[runs[n_runs - 1].end..]);
        ensure!(begin.len().max(end.len()) < PACKETS, "{} and {} samples around {runs:?}", begin.len(), end.len());
        let astray = between.chain([begin, end]).flatten().filter(|sample| **sample != 0).count();
        ensure!(astray == 0, "{astray} samples are astray around {runs:?}");
        Ok(())
    }
}
