//! Positions of many lanes on one sample grid: what fits where, and up to where the output may go.
//!
//! Pure: no pad, no buffer, no lock. All positions are in recording time, in samples.

use std::collections::BTreeMap;

/// Media further ahead of the output than this is not taken: a time-stamp gone wrong must not fill the memory.
const WINDOW_SECONDS: u64 = 30;

/// What went wrong with media, in samples, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Came when the output had passed its position.
    pub(crate) late: u64,
    /// Its lane held media at this position already.
    pub(crate) overlap: u64,
    /// Further ahead than the window.
    pub(crate) ahead: u64,
}

/// One sink pad.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    /// Position after its last sample.
    end: u64,
    /// It has had media since the start or the last flush.
    started: bool,
    eos: bool,
}

/// The clock of an element that has a `timeline` pad.
#[derive(Debug, Clone, Copy, Default)]
struct Horizon {
    position: u64,
    eos: bool,
}

/// Where the samples of a buffer go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Position of the first sample that is taken.
    pub(crate) at: u64,
    /// Which samples of the buffer are taken.
    pub(crate) range: std::ops::Range<usize>,
}

/// Up to where output may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Everybody's media before this position has come.
    pub(crate) known: u64,
    /// No more will come: `known` is the end of the recording.
    pub(crate) last: bool,
}

/// All lanes of one element.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: BTreeMap<u32, Lane>,
    horizon: Option<Horizon>,
    /// Position after the last sample that went out.
    emitted: u64,
    lost: Lost,
}

impl Lanes {
    pub(crate) fn add(&mut self, lane: u32) {
        self.lanes.entry(lane).or_default();
    }

    pub(crate) fn remove(&mut self, lane: u32) {
        self.lanes.remove(&lane);
    }

    /// Returns the lanes that are there.
    pub(crate) fn names(&self) -> impl Iterator<Item = u32> {
        self.lanes.keys().copied()
    }

    /// From now on the horizon says how far to go, not the slowest lane.
    pub(crate) fn follow_horizon(&mut self) {
        self.horizon.get_or_insert_default();
    }

    pub(crate) fn forget_horizon(&mut self) {
        self.horizon = None;
    }

    pub(crate) fn has_horizon(&self) -> bool {
        self.horizon.is_some()
    }

    pub(crate) fn emitted(&self) -> u64 {
        self.emitted
    }

    pub(crate) fn lost(&self) -> Lost {
        self.lost
    }

    pub(crate) fn set_emitted(&mut self, position: u64) {
        debug_assert!(position >= self.emitted);
        self.emitted = position;
    }

    /// Says that media before `position` has come, or never will.
    pub(crate) fn advance_horizon(&mut self, position: u64) {
        let horizon = self.horizon.get_or_insert_default();
        horizon.position = horizon.position.max(position);
    }

    pub(crate) fn end_horizon(&mut self) {
        self.horizon.get_or_insert_default().eos = true;
    }

    /// Says that `lane` has nothing before `position`.
    pub(crate) fn advance(&mut self, lane: u32, position: u64) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.end = lane.end.max(position);
            lane.started = true;
        }
    }

    pub(crate) fn end(&mut self, lane: u32) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.eos = true;
        }
    }

    /// A lane that has ended begins again.
    pub(crate) fn begin(&mut self, lane: u32) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.eos = false;
        }
    }

    pub(crate) fn is_ended(&self, lane: u32) -> bool {
        self.lanes.get(&lane).is_none_or(|lane| lane.eos)
    }

    /// Forgets the time of one lane; true when by this no lane has any media left and there is no horizon, so that the
    /// whole begins anew.
    pub(crate) fn flush(&mut self, lane: u32) -> bool {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            *lane = Lane::default();
        }
        self.horizon.is_none() && self.lanes.values().all(|lane| !lane.started)
    }

    /// Forgets how far the horizon was; true when there is one: the whole begins anew with it.
    pub(crate) fn flush_horizon(&mut self) -> bool {
        self.horizon = self.horizon.map(|_| Horizon::default());
        self.horizon.is_some()
    }

    /// Forgets all but the lanes themselves.
    pub(crate) fn forget(&mut self) {
        self.restart();
        self.lost = Lost::default();
    }

    /// Forgets all time, keeps the lanes and what was counted.
    pub(crate) fn restart(&mut self) {
        self.emitted = 0;
        self.horizon = self.horizon.map(|_| Horizon::default());
        self.lanes.values_mut().for_each(|lane| *lane = Lane::default());
    }

    /// Returns how far `lane` is ahead of the output.
    pub(crate) fn lead(&self, lane: u32) -> u64 {
        self.lanes.get(&lane).map_or(0, |lane| lane.end.saturating_sub(self.emitted))
    }

    /// Finds the place for `n` samples of `lane` that say they begin at `at`.
    ///
    /// Time-stamps of foreign elements wobble: without a discontinuity, up to a millisecond off counts as contiguous.
    /// What does not fit is cut off and counted, never moved.
    pub(crate) fn place(&mut self, lane: u32, at: u64, n: usize, discont: bool, rate: u32) -> Place {
        let window_end = self.emitted + WINDOW_SECONDS * u64::from(rate);
        let Some(lane) = self.lanes.get_mut(&lane) else { return Place { at, range: 0..0 } };
        let wobbles = lane.started && !discont && at.abs_diff(lane.end) <= u64::from(rate / 1000);
        let at = if wobbles { lane.end } else { at };
        let end = at.saturating_add(n as u64);

        let own = if lane.started { lane.end } else { 0 };
        let overlap_end = own.clamp(at, end);
        let late_end = self.emitted.clamp(overlap_end, end);
        let taken_end = end.min(window_end).max(late_end);
        self.lost.overlap += overlap_end - at;
        self.lost.late += late_end - overlap_end;
        self.lost.ahead += end - taken_end;

        if taken_end > late_end {
            lane.end = taken_end;
            lane.started = true;
        }
        Place { at: late_end, range: (late_end - at) as usize..(taken_end - at) as usize }
    }

    /// Returns up to where media is complete, holding back `latency` samples behind a horizon.
    ///
    /// With a horizon it alone decides: a lane that stalls is silence. Without, the slowest lane that has not ended.
    pub(crate) fn reach(&self, latency: u64) -> Reach {
        if let Some(horizon) = self.horizon {
            let held_back = if horizon.eos { 0 } else { latency };
            return Reach { known: horizon.position.saturating_sub(held_back), last: horizon.eos };
        }
        let slowest = self.lanes.values().filter(|lane| !lane.eos).map(|lane| lane.end).min();
        let longest = self.lanes.values().map(|lane| lane.end).max().unwrap_or(0);
        Reach { known: slowest.unwrap_or(longest), last: slowest.is_none() && !self.lanes.is_empty() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: u32 = 16_000;

    fn two() -> Lanes {
        let mut lanes = Lanes::default();
        lanes.add(0);
        lanes.add(1);
        lanes
    }

    #[test]
    fn without_a_horizon_the_slowest_lane_decides() {
        let mut lanes = two();
        lanes.place(0, 0, 500, false, RATE);
        assert_eq!(lanes.reach(0), Reach { known: 0, last: false });
        lanes.place(1, 0, 300, false, RATE);
        assert_eq!(lanes.reach(0), Reach { known: 300, last: false });
        lanes.end(1);
        assert_eq!(lanes.reach(0), Reach { known: 500, last: false });
        lanes.end(0);
        assert_eq!(lanes.reach(0), Reach { known: 500, last: true });
    }

    #[test]
    fn with_a_horizon_a_stalled_lane_does_not_matter() {
        let mut lanes = two();
        lanes.follow_horizon();
        lanes.place(0, 0, 1_600, false, RATE);
        assert_eq!(lanes.reach(100), Reach { known: 0, last: false });
        lanes.advance_horizon(1_600);
        assert_eq!(lanes.reach(100), Reach { known: 1_500, last: false });
        lanes.end_horizon();
        assert_eq!(lanes.reach(100), Reach { known: 1_600, last: true });
    }

    #[test]
    fn late_samples_are_cut_and_counted() {
        let mut lanes = two();
        lanes.follow_horizon();
        lanes.advance_horizon(1_000);
        lanes.set_emitted(1_000);
        assert_eq!(lanes.place(0, 900, 300, false, RATE), Place { at: 1_000, range: 100..300 });
        assert_eq!(lanes.lost(), Lost { late: 100, ..Lost::default() });
        assert_eq!(lanes.place(1, 100, 300, false, RATE).range.len(), 0);
        assert_eq!(lanes.lost(), Lost { late: 400, ..Lost::default() });
    }

    #[test]
    fn a_wobble_is_contiguous_and_a_discontinuity_is_not() {
        let mut lanes = two();
        lanes.place(0, 0, 320, false, RATE);
        assert_eq!(lanes.place(0, 321, 320, false, RATE), Place { at: 320, range: 0..320 });
        assert_eq!(lanes.place(0, 641, 320, true, RATE), Place { at: 641, range: 0..320 });
        assert_eq!(lanes.place(0, 960, 320, true, RATE), Place { at: 961, range: 1..320 });
        assert_eq!(lanes.lost(), Lost { overlap: 1, ..Lost::default() });
    }

    #[test]
    fn a_jump_into_the_far_future_is_refused() {
        let mut lanes = two();
        assert_eq!(lanes.place(0, u64::MAX - 10, 320, true, RATE).range.len(), 0);
        assert_eq!(lanes.place(0, 30 * 16_000 - 20, 320, true, RATE).range, 0..20);
    }

    proptest! {
        /// Whatever comes, a sample is taken at most once, never before the output, never outside the window.
        #[test]
        fn nothing_is_doubled_or_lost_unseen(
            blocks in prop::collection::vec((0u64..2_000_000, 0usize..2_000, any::<bool>(), 0u64..50_000), 1..60),
        ) {
            let mut lanes = Lanes::default();
            lanes.add(0);
            let (mut offered, mut taken, mut end) = (0, 0, 0);
            for (at, n, discont, advance) in blocks {
                let place = lanes.place(0, at, n, discont, RATE);
                offered += n as u64;
                taken += place.range.len() as u64;
                if !place.range.is_empty() {
                    prop_assert!(place.at >= end && place.at >= lanes.emitted());
                    end = place.at + place.range.len() as u64;
                    prop_assert!(end <= lanes.emitted() + WINDOW_SECONDS * u64::from(RATE));
                }
                lanes.set_emitted(lanes.emitted() + advance);
            }
            let lost = lanes.lost();
            prop_assert_eq!(offered, taken + lost.late + lost.overlap + lost.ahead);
        }
    }
}
