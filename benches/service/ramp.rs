//! A sound that tells of each sample when it was spoken: it goes up by one step a sample, and down again, in two
//! seconds. As L16 it comes into a WAV file as it is, so that the file tells which samples are in it.

use std::path::Path;

use crate::RATE;
use crate::wav;

/// Loudest sample: far below where a mixer limits.
const PEAK: i64 = 8_000;

/// Samples after which it begins again.
const PERIOD: i64 = 4 * PEAK;

/// How long the sound is before it is repeated: whole periods.
const SECONDS: i64 = 60;

/// How far a sample may be from what it should be: where clocks are followed it is interpolated.
const STEPS: i64 = 3;

/// Samples that must fit for their place to be sure: a coincidence does not last so long.
const SURE: usize = 24;

/// Samples of silence behind one another that are no part of the sound.
const SILENT: usize = 4;

/// What is in a file from one sample to another without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Its first sample in the file, and the one behind its last.
    pub(crate) begin: usize,
    pub(crate) end: usize,
    /// When the sample at `begin` was spoken, and what would have been spoken at `end`, in samples of a period.
    pub(crate) first: i64,
    pub(crate) next: i64,
}

fn value(position: i64) -> i64 {
    let at = position.rem_euclid(PERIOD);
    if at < PERIOD / 2 { at - PEAK } else { 3 * PEAK - at }
}

/// Writes the sound, to be sent without end.
pub(crate) fn write(path: &Path) {
    let samples: Vec<_> = (0..SECONDS * RATE as i64).map(|position| value(position) as i16).collect();
    wav::write(path, RATE as u32, 1, &samples);
}

/// Returns the time between two positions in ns, the shorter way round; positive where `to` is later.
pub(crate) fn between_ns(from: i64, to: i64) -> i64 {
    let samples = (to - from + PERIOD / 2).rem_euclid(PERIOD) - PERIOD / 2;
    samples * 1_000_000_000 / RATE as i64
}

/// Returns what is spoken at an instant, in samples of a period.
pub(crate) fn position_at(ns: i64) -> i64 {
    ((i128::from(ns) * RATE as i128 + 500_000_000) / 1_000_000_000) as i64 % PERIOD
}

/// Returns what a file holds, one run behind the other. What is between two of them, or silent, is in none.
pub(crate) fn read(samples: &[i16]) -> Vec<Run> {
    let (mut runs, mut at) = (Vec::new(), 0);
    while at + SURE <= samples.len() {
        let run = place(&samples[at..at + SURE]).map(|first| (first, follow(&samples[at..], first)));
        // Silence before samples that are nearly none fits, too, until it is looked at.
        let Some((first, (len, next))) = run.filter(|(_, (len, _))| *len > 0) else {
            at += 1;
            continue;
        };
        runs.push(Run { begin: at, end: at + len, first, next });
        at += len;
    }
    runs
}

/// Returns where in a period the first of these samples is, if all of them fit there.
fn place(samples: &[i16]) -> Option<i64> {
    let first = i64::from(*samples.first()?);
    let fits = |position: &i64| samples.iter().zip(*position..).all(|(sample, at)| is_near(*sample, at));
    [first + PEAK, 3 * PEAK - first].into_iter().find(fits)
}

fn is_near(sample: i16, position: i64) -> bool {
    (i64::from(sample) - value(position)).abs() <= STEPS
}

/// Returns how many samples go on from `first` without a gap, and what would come then.
fn follow(samples: &[i16], first: i64) -> (usize, i64) {
    let mut position = first;
    for (at, sample) in samples.iter().enumerate() {
        let silence = samples[at..].iter().take(SILENT);
        if !is_near(*sample, position) || silence.len() == SILENT && silence.clone().all(|sample| *sample == 0) {
            return (at, position);
        }
        // A clock that is followed moves it by a sample now and then; at the peaks nothing can be told.
        let off = i64::from(*sample) - value(position);
        let slope = value(position + 1) - value(position);
        if off.abs() > 1 && value(position).abs() < PEAK - 2 * STEPS {
            position += off.signum() * slope;
        }
        position += 1;
    }
    (samples.len(), position)
}
