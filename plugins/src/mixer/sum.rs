//! The accumulator: one window of sums, addressed by position. Pure.

use std::collections::{BTreeMap, VecDeque};

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
    /// What each lane has given that has not gone out yet.
    loudness: BTreeMap<u32, Loudness>,
    limited: u64,
    post_levels: bool,
}

/// How much energy one lane's samples have.
#[derive(Debug, Default)]
struct Loudness(VecDeque<Block>);

/// The samples of one buffer.
#[derive(Debug)]
struct Block {
    start: u64,
    len: u64,
    energy: u64,
}

impl Loudness {
    fn add(&mut self, start: u64, samples: &[i16]) {
        let energy = samples.iter().map(|&s| u64::from(i32::from(s).unsigned_abs().pow(2))).sum();
        self.0.push_back(Block { start, len: samples.len() as u64, energy });
    }

    /// Takes the energy before position `until`; of a block that goes on beyond, its share.
    fn take(&mut self, until: u64) -> u64 {
        let mut taken = 0;
        while let Some(block) = self.0.front_mut().filter(|block| block.start < until) {
            let n = until - block.start;
            if n < block.len {
                let share = (u128::from(block.energy) * u128::from(n) / u128::from(block.len)) as u64;
                *block = Block { start: until, len: block.len - n, energy: block.energy - share };
                return taken + share;
            }
            taken += block.energy;
            self.0.pop_front();
        }
        taken
    }
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

    fn level(&mut self, span: Span) -> messages::Level {
        let n = (span.until - span.from) as f64;
        let db = |energy: u64| match energy {
            0 => SILENCE_DB,
            energy => 10.0 * (energy as f64 / n / f64::powi(32_768.0, 2)).log10(),
        };
        let rms_db = self.loudness.iter_mut().map(|(lane, loudness)| (*lane, db(loudness.take(span.until)))).collect();
        messages::Level { at: samples::time_of(span.from, span.rate), rms_db }
    }
}

impl Blend for Sum {
    fn channels(&self) -> u32 {
        1
    }

    fn delay(&self, _rate: u32) -> u64 {
        0
    }

    fn enter(&mut self, lane: u32) {
        self.loudness.entry(lane).or_default();
    }

    fn leave(&mut self, lane: u32) {
        self.loudness.remove(&lane);
    }

    fn restart(&mut self) {
        self.window.clear();
        self.base = 0;
        self.loudness.values_mut().for_each(|loudness| *loudness = Loudness::default());
    }

    fn add(&mut self, lane: u32, at: u64, samples: &[i16]) {
        let Some(first) = at.checked_sub(self.base).map(|first| first as usize) else { return };
        if self.post_levels {
            self.loudness.entry(lane).or_default().add(at, samples);
        }
        if self.window.len() < first {
            self.window.resize(first, 0);
        }
        let (beside, behind) = samples.split_at(samples.len().min(self.window.len() - first));
        add_into(&mut self.window[first..], beside);
        self.window.extend(behind.iter().map(|sample| i32::from(*sample)));
    }

    fn take(&mut self, span: Span) -> Piece {
        let n = (span.until - span.from) as usize;
        if self.window.len() < n {
            self.window.resize(n, 0);
        }
        let (samples, limited) = limiter::limit(&self.window[..n]);
        self.limited += limited;
        self.window.drain(..n);
        self.base = span.until;
        let message = self.post_levels.then(|| self.level(span).structure());
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
    fn a_lane_that_is_ahead_is_as_loud_as_what_goes_out_of_it() {
        gst::init().unwrap();
        let mut sum = Sum::new(true);
        sum.enter(0);
        sum.enter(1);
        sum.add(0, 0, &[-32_768; 400]);
        for at in [0, 100, 200] {
            let level = messages::Level::read(&sum.take(span(at, at + 100)).message.unwrap()).unwrap();
            assert_eq!(level.rms_db, [(0, 0.0), (1, SILENCE_DB)], "at {at}");
        }
        sum.leave(1);
        sum.restart();
        sum.add(0, 0, &[-32_768; 50]);
        let level = messages::Level::read(&sum.take(span(0, 100)).message.unwrap()).unwrap();
        assert!((level.rms_db[0].1 + 3.0103).abs() < 1e-4, "{level:?}");
        assert_eq!(level.rms_db.len(), 1);
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
