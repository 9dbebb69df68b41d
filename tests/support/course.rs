//! What a recording must hold: computed from its sources and pauses, by the sample.

use std::time::Duration;

use super::source::RATE;

/// Samples per millisecond.
const PER_MS: u64 = RATE as u64 / 1_000;

/// A pause in milliseconds: start, length.
type Interval = (u64, u64);

/// Who is recorded.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    pub(crate) name: &'static str,
    pub(crate) join_ms: u64,
    pub(crate) samples: Vec<i16>,
}

/// The course of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    pub(crate) voices: Vec<Voice>,
    /// From, to, in milliseconds of recording time; in order.
    pub(crate) pauses: Vec<(u64, u64)>,
    /// A pause leaves silence, else nothing.
    pub(crate) keeps_pauses: bool,
}

impl Course {
    /// Returns the samples that were recorded when recording time had come so far.
    pub(crate) fn recorded_by(&self, time: Duration) -> u64 {
        let position = (time.as_nanos() * u128::from(RATE) / 1_000_000_000) as u64;
        let skipped = |(from, to): &(u64, u64)| position.clamp(from * PER_MS, to * PER_MS) - from * PER_MS;
        let skipped: u64 = self.pauses.iter().filter(|_| !self.keeps_pauses).map(skipped).sum();
        position - skipped
    }

    /// Returns the position in recording time of recorded sample `recorded`.
    pub(crate) fn position_of(&self, recorded: u64) -> u64 {
        let mut position = recorded;
        for (from, to) in self.pauses.iter().filter(|_| !self.keeps_pauses) {
            if position >= from * PER_MS {
                position += (to - from) * PER_MS;
            }
        }
        position
    }

    /// Returns what is heard of one voice in the recorded samples from `start` on.
    pub(crate) fn expected(&self, voice: &Voice, start: u64, len: u64) -> Vec<i16> {
        let is_paused = |at: u64| self.pauses.iter().any(|(from, to)| (from * PER_MS..to * PER_MS).contains(&at));
        let sample = |recorded: u64| {
            let at = self.position_of(recorded);
            let of_voice = at.checked_sub(voice.join_ms * PER_MS).and_then(|at| voice.samples.get(at as usize));
            of_voice.copied().filter(|_| !is_paused(at)).unwrap_or(0)
        };
        (start..start + len).map(sample).collect()
    }

    /// Returns everybody together.
    pub(crate) fn mixed(&self, start: u64, len: u64) -> Vec<i16> {
        let mut mix = vec![0; len as usize];
        for voice in &self.voices {
            let voice = self.expected(voice, start, len);
            mix.iter_mut().zip(voice).for_each(|(sum, sample)| *sum += sample);
        }
        mix
    }

    /// Returns the pauses in milliseconds (start, length) that a chunk must tell, and those that it may: where its
    /// media ends with a pause, the next media was in another chunk, or never came.
    pub(crate) fn pauses_of(&self, start: u64, len: u64) -> (Vec<Interval>, Vec<Interval>) {
        let (first, end) = (self.position_of(start), self.position_of(start + len));
        if self.keeps_pauses {
            let inside = |(from, to): &(u64, u64)| ((from * PER_MS).max(first), (to * PER_MS).min(end));
            let inside = self.pauses.iter().map(inside).filter(|(from, to)| to > from);
            return (inside.map(|(from, to)| (from / PER_MS, (to - from + PER_MS / 2) / PER_MS)).collect(), Vec::new());
        }
        let whole = |(from, to): &(u64, u64)| (*from, to - from);
        let recorded = |ms: u64| self.recorded_by(Duration::from_millis(ms));
        let is_within = |(from, _): &&(u64, u64)| (start + 1..start + len).contains(&recorded(*from));
        let is_at_end = |(from, _): &&(u64, u64)| recorded(*from) == start + len;
        let must = self.pauses.iter().filter(is_within).map(whole).collect();
        (must, self.pauses.iter().filter(is_at_end).map(whole).collect())
    }
}
