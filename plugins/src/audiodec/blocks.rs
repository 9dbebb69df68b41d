//! Decoded samples on their way out: runs of samples at consecutive indices, each index at most once.
//!
//! Knows indices and samples; must not know codecs or GStreamer.

use crate::samples::ns_of;
use crate::samples::position_at_ns;
use std::ops::Range;

/// A run of samples at consecutive indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Index of the first sample: its time in seconds × rate.
    pub(super) index: u64,
    /// Whether it does not begin where the block before it ended.
    pub(super) is_discont: bool,
    /// Mono S16.
    pub(super) samples: Vec<i16>,
}

impl Block {
    /// Returns the index after the last sample.
    pub(super) fn end(&self) -> u64 {
        self.index + self.samples.len() as u64
    }
}

/// Collects blocks until they are taken.
#[derive(Debug)]
pub(super) struct Blocks {
    rate: u32,
    /// Samples outside these times are cut.
    bounds_ns: Range<u64>,
    bounds: Range<u64>,
    done: Vec<Block>,
    /// Where the next sample stands.
    next: u64,
    /// Where the last kept sample ended; no index before it is ever filled again.
    end: Option<u64>,
    /// Before it all is told: there is a sample, or nothing.
    told: u64,
    /// Length of the last block taken: the next will be much the same.
    len_hint: usize,
    /// Samples that were kept at this rate, and how long those at others were.
    n_kept: u64,
    kept_before_ns: u64,
    n_cut: u64,
    n_overlapping: u64,
    n_disconts: u64,
}

impl Blocks {
    /// Returns an empty collection of samples at `rate` Hz.
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate,
            bounds_ns: 0..u64::MAX,
            bounds: 0..u64::MAX,
            done: Vec::new(),
            next: 0,
            end: None,
            told: 0,
            len_hint: 0,
            n_kept: 0,
            kept_before_ns: 0,
            n_cut: 0,
            n_overlapping: 0,
            n_disconts: 0,
        }
    }

    /// Returns samples per second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Goes over to another rate; blocks of the old one must have been taken.
    pub(super) fn change_rate(&mut self, rate: u32) {
        let convert = |index| position_at_ns(ns_of(index, self.rate), rate);
        (self.next, self.end, self.told) = (convert(self.next), self.end.map(convert), convert(self.told));
        (self.kept_before_ns, self.n_kept) = (self.kept_ns(), 0);
        self.rate = rate;
        self.bounds = bounds(&self.bounds_ns, rate);
    }

    /// Begins a new timeline, of which only `bounds_ns` is kept: earlier positions may come again.
    pub(super) fn begin_timeline(&mut self, bounds_ns: Range<u64>) {
        self.bounds = bounds(&bounds_ns, self.rate);
        self.bounds_ns = bounds_ns;
        (self.next, self.end, self.told) = (0, None, 0);
    }

    /// Puts the next sample at a time.
    pub(super) fn go_to(&mut self, time_ns: u64) {
        self.next = position_at_ns(time_ns, self.rate);
    }

    /// Leaves all before a time empty: whoever comes for it has been told that nothing is there.
    pub(super) fn tell_empty(&mut self, until_ns: u64) {
        self.told = self.told.max(position_at_ns(until_ns, self.rate));
    }

    /// Returns the first time of the timeline.
    pub(super) fn start_ns(&self) -> u64 {
        self.bounds_ns.start
    }

    /// Returns the time after the last sample; None where the timeline has none yet.
    pub(super) fn end_ns(&self) -> Option<u64> {
        self.end.map(|end| ns_of(end, self.rate))
    }

    /// Returns the first time that may still be filled.
    pub(super) fn free_ns(&self) -> u64 {
        self.end.map_or(self.bounds_ns.start, |end| ns_of(end, self.rate).max(self.bounds_ns.start))
    }

    /// Appends samples; what is out of bounds is cut, what would be emitted twice is dropped.
    pub(super) fn append(&mut self, samples: &[i16]) {
        let whole = self.next..self.next + samples.len() as u64;
        self.next = whole.end;
        let inside = clamp(&whole, &self.bounds);
        self.n_cut += samples.len() as u64 - (inside.end - inside.start);
        let kept = clamp(&inside, &(self.end.unwrap_or(0).max(self.told)..u64::MAX));
        self.n_overlapping += (inside.end - inside.start) - (kept.end - kept.start);
        if kept.is_empty() {
            return;
        }
        self.n_kept += kept.end - kept.start;
        let samples = &samples[(kept.start - whole.start) as usize..(kept.end - whole.start) as usize];
        match self.done.last_mut() {
            Some(block) if block.end() == kept.start => block.samples.extend_from_slice(samples),
            _ => self.begin_block(kept.start, samples),
        }
        self.end = Some(kept.end);
    }

    fn begin_block(&mut self, index: u64, samples: &[i16]) {
        let is_discont = self.end != Some(index);
        self.n_disconts += u64::from(is_discont && self.end.is_some());
        let mut run = Vec::with_capacity(self.len_hint.max(samples.len()));
        run.extend_from_slice(samples);
        self.done.push(Block { index, is_discont, samples: run });
    }

    /// Takes what was collected.
    pub(super) fn take(&mut self) -> Vec<Block> {
        if let Some(block) = self.done.last() {
            self.len_hint = block.samples.len();
        }
        std::mem::take(&mut self.done)
    }

    /// Returns how long all is that was kept.
    pub(super) fn kept_ns(&self) -> u64 {
        self.kept_before_ns.saturating_add(ns_of(self.n_kept, self.rate))
    }

    /// Returns how many samples were out of bounds.
    pub(super) fn n_cut(&self) -> u64 {
        self.n_cut
    }

    /// Returns how many samples had an index that was filled already.
    pub(super) fn n_overlapping(&self) -> u64 {
        self.n_overlapping
    }

    /// Returns how often a block did not begin where the last one ended, the first of a timeline not counted.
    pub(super) fn n_disconts(&self) -> u64 {
        self.n_disconts
    }
}

fn bounds(bounds_ns: &Range<u64>, rate: u32) -> Range<u64> {
    position_at_ns(bounds_ns.start, rate)..position_at_ns(bounds_ns.end, rate)
}

/// The part of `range` that lies in `within`; empty, but inside `range`, if none does.
fn clamp(range: &Range<u64>, within: &Range<u64>) -> Range<u64> {
    let start = within.start.clamp(range.start, range.end);
    start..within.end.clamp(start, range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn block(index: u64, is_discont: bool, samples: &[i16]) -> Block {
        Block { index, is_discont, samples: samples.to_vec() }
    }

    #[test]
    fn consecutive_samples_become_one_block() {
        let mut blocks = Blocks::new(1_000);
        blocks.go_to(5 * MS);
        blocks.append(&[1, 2]);
        blocks.append(&[3]);
        blocks.go_to(8 * MS);
        blocks.append(&[4]);
        assert_eq!(blocks.take(), [block(5, true, &[1, 2, 3, 4])]);
        blocks.append(&[5]);
        blocks.go_to(20 * MS);
        blocks.append(&[6]);
        assert_eq!(blocks.take(), [block(9, false, &[5]), block(20, true, &[6])]);
        assert_eq!(blocks.n_disconts(), 1);
        assert_eq!(blocks.free_ns(), 21 * MS);
    }

    #[test]
    fn what_comes_for_a_time_that_was_told_to_be_empty_is_dropped() {
        let mut blocks = Blocks::new(1_000);
        blocks.append(&[1]);
        blocks.tell_empty(5 * MS);
        blocks.go_to(3 * MS);
        blocks.append(&[2, 3, 4]);
        assert_eq!(blocks.take(), [block(0, true, &[1]), block(5, true, &[4])]);
        assert_eq!(blocks.n_overlapping(), 2);
    }

    #[test]
    fn no_index_is_filled_twice() {
        let mut blocks = Blocks::new(1_000);
        blocks.append(&[1, 2, 3]);
        blocks.go_to(MS);
        blocks.append(&[7]);
        blocks.append(&[8, 9]);
        assert_eq!(blocks.take(), [block(0, true, &[1, 2, 3, 9])]);
        assert_eq!(blocks.n_overlapping(), 2);
        blocks.begin_timeline(0..u64::MAX);
        blocks.append(&[4]);
        assert_eq!(blocks.take(), [block(0, true, &[4])]);
    }

    #[test]
    fn samples_out_of_bounds_are_cut_and_counted() {
        let mut blocks = Blocks::new(1_000);
        blocks.begin_timeline(2 * MS..4 * MS);
        blocks.append(&[0, 1]);
        blocks.append(&[2, 3, 4]);
        blocks.append(&[5]);
        assert_eq!(blocks.take(), [block(2, true, &[2, 3])]);
        assert_eq!(blocks.n_cut(), 4);
        blocks.append(&[]);
        assert_eq!(blocks.take(), []);
    }

    #[test]
    fn another_rate_keeps_the_place() {
        let mut blocks = Blocks::new(1_000);
        blocks.go_to(10 * MS);
        blocks.append(&[1, 2]);
        blocks.take();
        blocks.change_rate(2_000);
        blocks.append(&[3]);
        assert_eq!(blocks.take(), [block(24, false, &[3])]);
    }
}
