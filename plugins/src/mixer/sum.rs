//! The accumulator: one window of sums, addressed by position. Pure.

use std::collections::BTreeMap;

use crate::join::{Blend, Piece, Span};
use crate::messages;
use crate::mixer::limiter;
use crate::samples;

/// Level of digital silence, in dBFS.
const SILENCE_DB: f64 = -200.0;

/// Everybody's samples, added up.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    /// Sums from position `base` on.
    window: Vec<i32>,
    /// Position of the first sum; what goes out begins here.
    base: u64,
    /// Energy of each lane since the last piece.
    energy: BTreeMap<u32, u64>,
    limited: u64,
    post_levels: bool,
}

impl Sum {
    /// Returns an empty accumulator; with `post_levels` each piece carries everybody's level.
    pub(crate) fn new(post_levels: bool) -> Self {
        Self { post_levels, ..Self::default() }
    }

    /// Samples that the limiter has changed.
    pub(crate) fn limited(&self) -> u64 {
        self.limited
    }

    fn level(&mut self, frames: usize, at: gst::ClockTime) -> messages::Level {
        let db = |energy: u64| match energy {
            0 => SILENCE_DB,
            energy => 10.0 * (energy as f64 / frames as f64 / f64::powi(32_768.0, 2)).log10(),
        };
        let rms_db = self.energy.iter_mut().map(|(lane, energy)| (*lane, db(std::mem::take(energy)))).collect();
        messages::Level { at, rms_db }
    }
}

impl Blend for Sum {
    fn channels(&self) -> u32 {
        1
    }

    fn delay(&self, _rate: u32) -> u64 {
        0
    }

    fn add(&mut self, lane: u32, at: u64, samples: &[i16]) {
        let energy = self.energy.entry(lane).or_default();
        *energy += samples.iter().map(|&s| i64::from(i32::from(s) * i32::from(s)) as u64).sum::<u64>();
        let Some(first) = at.checked_sub(self.base).map(|first| first as usize) else { return };
        let end = first + samples.len();
        if self.window.len() < end {
            self.window.resize(end, 0);
        }
        add_into(&mut self.window[first..end], samples);
    }

    fn take(&mut self, span: Span) -> Piece {
        let n = (span.until - span.from) as usize;
        if self.window.len() < n {
            self.window.resize(n, 0);
        }
        let mut samples = vec![0; n];
        self.limited += limiter::limit(&self.window[..n], &mut samples);
        self.window.drain(..n);
        self.base = span.until;
        let at = samples::time_of(span.from, span.rate);
        let message = self.post_levels.then(|| self.level(n, at).structure());
        Piece { event: None, message, samples }
    }
}

fn add_into(sums: &mut [i32], samples: &[i16]) {
    sums.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += i32::from(*sample));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u64, until: u64) -> Span {
        Span { from, until, known: until, rate: 16_000, last: false }
    }

    #[test]
    fn voices_add_at_their_positions() {
        let mut sum = Sum::new(false);
        sum.add(0, 0, &[1, 2, 3, 4]);
        sum.add(1, 2, &[10, 20, 30]);
        assert_eq!(sum.take(span(0, 3)).samples, [1, 2, 13]);
        sum.add(0, 4, &[5]);
        assert_eq!(sum.take(span(3, 7)).samples, [24, 35, 0, 0]);
    }

    #[test]
    fn a_full_scale_square_is_zero_dbfs() {
        gst::init().unwrap();
        let mut sum = Sum::new(true);
        sum.add(3, 0, &[-32_768; 160]);
        sum.add(4, 0, &[0; 160]);
        let message = sum.take(span(0, 160)).message.unwrap();
        assert_eq!(messages::Level::read(&message).unwrap().rms_db, [(3, 0.0), (4, SILENCE_DB)]);
    }
}
