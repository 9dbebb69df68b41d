//! Recording time and recorded time: the pauses of one recording, and what they do to positions.
//!
//! Pure: it takes times and positions and knows no clock, no pad and no buffer.
//!
//! ```text
//! recording time   0 ──────────── pause ░░░░░░░░░ resume ──────────── pause ░░░░ (stop)
//! recorded time    0 ────────────┼──────────────────────┤               (mode `skip`)
//! ```
//!
//! Edges come in the order of their time: an edge before the last one is moved to it. A pause while paused and a
//! resume while running change nothing.

use crate::samples;

/// What became of an edge that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduled {
    /// It stands at this recording time: later than asked for where the media has already passed.
    At(gst::ClockTime),
    /// Nothing changed: paused already, or running already.
    Nothing,
}

/// One pause; open as long as nobody resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    start: gst::ClockTime,
    stop: Option<gst::ClockTime>,
}

/// A stretch of media on which the gate does one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Inside a pause, else recorded.
    pub paused: bool,
    /// Position after its last sample, in recording time; `u64::MAX` where nothing is scheduled after it.
    pub end: u64,
}

/// The pauses of one recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Ascending, without overlap; only the last may be open.
    intervals: Vec<Interval>,
}

impl Timeline {
    /// Pauses at recording time `at`, or at `passed` where media up to there has gone through already.
    pub fn pause(&mut self, at: gst::ClockTime, passed: gst::ClockTime) -> Scheduled {
        let at = at.max(passed);
        match self.intervals.last() {
            Some(Interval { stop: None, .. }) => Scheduled::Nothing,
            Some(&Interval { stop: Some(stop), .. }) if at < stop => self.push(stop),
            _ => self.push(at),
        }
    }

    fn push(&mut self, start: gst::ClockTime) -> Scheduled {
        self.intervals.push(Interval { start, stop: None });
        Scheduled::At(start)
    }

    /// Resumes at recording time `at`, or at `passed` where media up to there has gone through already.
    pub fn resume(&mut self, at: gst::ClockTime, passed: gst::ClockTime) -> Scheduled {
        match self.intervals.last_mut() {
            Some(Interval { start, stop: stop @ None }) => {
                let at = at.max(passed).max(*start);
                *stop = Some(at);
                Scheduled::At(at)
            }
            _ => Scheduled::Nothing,
        }
    }

    /// Whether there was never a pause.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// Returns pauses that begin at the sample at or before theirs, and end at the one at or behind it.
    pub fn widened(&self, rate: u32) -> Self {
        let before = |time: gst::ClockTime| {
            let nearest = samples::position_at(time, rate);
            samples::time_of(nearest - u64::from(nearest > 0 && samples::time_of(nearest, rate) > time), rate)
        };
        let behind = |time: gst::ClockTime| {
            let nearest = samples::position_at(time, rate);
            let is_early = samples::time_of(nearest, rate) < time;
            samples::time_of(nearest.saturating_add(u64::from(is_early)), rate)
        };
        let widen = |pause: &Interval| Interval { start: before(pause.start), stop: pause.stop.map(behind) };
        Self { intervals: self.intervals.iter().map(widen).collect() }
    }

    /// Returns all edges in their order: true for a pause, and its recording time.
    pub fn edges(&self) -> Vec<(bool, gst::ClockTime)> {
        let of = |interval: &Interval| [Some((true, interval.start)), interval.stop.map(|stop| (false, stop))];
        self.intervals.iter().flat_map(of).flatten().collect()
    }

    /// Returns what to do with media at `position` (recording time in samples at `rate`), and how far.
    pub fn stretch(&self, position: u64, rate: u32) -> Stretch {
        for interval in &self.intervals {
            let start = samples::position_at(interval.start, rate);
            let stop = interval.stop.map_or(u64::MAX, |stop| samples::position_at(stop, rate));
            if position < start {
                return Stretch { paused: false, end: start };
            }
            if position < stop {
                return Stretch { paused: true, end: stop };
            }
        }
        Stretch { paused: false, end: u64::MAX }
    }

    /// Returns whether any sample from `from` to `to` (recording time in samples at `rate`) is inside a pause.
    pub fn touches(&self, from: u64, to: u64, rate: u32) -> bool {
        self.paused_before(to, rate) > self.paused_before(from, rate)
    }

    /// Returns how many samples before `position` (recording time, at `rate`) are inside pauses.
    pub fn paused_before(&self, position: u64, rate: u32) -> u64 {
        let within = |interval: &Interval| {
            let start = samples::position_at(interval.start, rate);
            let stop = interval.stop.map_or(u64::MAX, |stop| samples::position_at(stop, rate));
            stop.min(position).saturating_sub(start)
        };
        self.intervals.iter().map(within).sum()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: u32 = 16_000;

    pub(crate) fn ms(ms: u64) -> gst::ClockTime {
        gst::ClockTime::from_mseconds(ms)
    }

    /// One pause, in milliseconds.
    pub(crate) fn pause(from: u64, to: u64) -> Timeline {
        let mut timeline = Timeline::default();
        let _ = timeline.pause(ms(from), ms(0));
        let _ = timeline.resume(ms(to), ms(0));
        timeline
    }

    #[test]
    fn widened_pauses_hold_all_samples_that_are_partly_in_them() {
        let check = |(from, to): (u64, u64), expected: std::ops::Range<u64>| {
            let mut timeline = Timeline::default();
            let _ = timeline.pause(gst::ClockTime::from_nseconds(from), ms(0));
            let _ = timeline.resume(gst::ClockTime::from_nseconds(to), ms(0));
            let widened = timeline.widened(RATE);
            let is_paused = |position: &u64| widened.stretch(*position, RATE).paused;
            assert_eq!((0..100).filter(is_paused).collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{from} to {to}");
        };
        // 62 500 ns a sample.
        check((1_000_000, 2_000_000), 16..32);
        check((1_000_001, 1_999_999), 16..32);
        check((1_062_499, 2_000_001), 16..33);
        check((1_062_500, 2_062_500), 17..33);
        check((0, 10), 0..1);
    }

    #[test]
    fn pause_twice_keeps_one_interval() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.pause(ms(100), ms(0)), Scheduled::At(ms(100)));
        assert_eq!(timeline.pause(ms(200), ms(0)), Scheduled::Nothing);
        assert_eq!(timeline.resume(ms(300), ms(0)), Scheduled::At(ms(300)));
        assert_eq!(timeline.resume(ms(400), ms(0)), Scheduled::Nothing);
        assert_eq!(timeline.paused_before(16_000, RATE), 3_200);
    }

    #[test]
    fn an_edge_in_the_past_moves_to_what_has_passed() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.pause(ms(100), ms(250)), Scheduled::At(ms(250)));
        assert_eq!(timeline.resume(ms(200), ms(250)), Scheduled::At(ms(250)));
        assert_eq!(timeline.stretch(4_000, RATE), Stretch { paused: false, end: u64::MAX });
    }

    #[test]
    fn a_pause_before_the_last_resume_begins_there() {
        let mut timeline = Timeline::default();
        timeline.pause(ms(100), ms(0));
        timeline.resume(ms(300), ms(0));
        assert_eq!(timeline.pause(ms(200), ms(0)), Scheduled::At(ms(300)));
    }

    #[test]
    fn edges_told_twice_change_nothing() {
        let mut timeline = Timeline::default();
        for (pause, at) in [(true, 100), (false, 200), (true, 300)] {
            let _ = if pause { timeline.pause(ms(at), ms(0)) } else { timeline.resume(ms(at), ms(0)) };
        }
        let edges = [(true, ms(100)), (false, ms(200)), (true, ms(300))];
        assert_eq!(timeline.edges(), edges);
        let once = timeline.clone();
        for (pause, at) in edges {
            let _ = if pause { timeline.pause(at, ms(0)) } else { timeline.resume(at, ms(0)) };
        }
        for position in 0..8_000 {
            assert_eq!(timeline.stretch(position, RATE).paused, once.stretch(position, RATE).paused, "at {position}");
        }
    }

    #[test]
    fn stretches_tell_what_to_do_and_how_far() {
        let mut timeline = Timeline::default();
        timeline.pause(ms(100), ms(0));
        timeline.resume(ms(200), ms(0));
        timeline.pause(ms(300), ms(0));
        let expected = [
            (0, false, 1_600),
            (1_599, false, 1_600),
            (1_600, true, 3_200),
            (3_199, true, 3_200),
            (3_200, false, 4_800),
            (4_800, true, u64::MAX),
        ];
        for (position, paused, end) in expected {
            assert_eq!(timeline.stretch(position, RATE), Stretch { paused, end }, "at {position}");
        }
        assert!(!timeline.touches(0, 1_600, RATE));
        assert!(timeline.touches(0, 1_601, RATE));
        assert!(timeline.touches(3_199, 3_200, RATE));
        assert!(!timeline.touches(3_200, 4_800, RATE));
        assert!(timeline.touches(4_800, u64::MAX, RATE));
    }

    #[test]
    fn a_pause_without_a_sample_is_touched_by_nothing() {
        let mut timeline = Timeline::default();
        timeline.pause(ms(100), ms(0));
        timeline.resume(ms(100), ms(0));
        assert!(!timeline.touches(0, 3_200, RATE));
        timeline.pause(ms(150), ms(0));
        assert!(timeline.touches(0, 2_401, RATE));
    }

    proptest! {
        /// Every sample is either paused or recorded, once.
        #[test]
        fn recorded_and_paused_time_make_up_recording_time(
            edges in prop::collection::vec((any::<bool>(), 0u64..5_000, 0u64..5_000), 0..20),
            rate in prop::sample::select(vec![8_000u32, 11_025, 16_000, 44_100, 48_000]),
        ) {
            let mut timeline = Timeline::default();
            for (pause, at, passed) in edges {
                let _ = if pause { timeline.pause(ms(at), ms(passed)) } else { timeline.resume(ms(at), ms(passed)) };
            }
            let end = 6 * u64::from(rate);
            let (mut position, mut paused, mut recorded) = (0, 0, 0);
            while position < end {
                let stretch = timeline.stretch(position, rate);
                let until = stretch.end.min(end);
                prop_assert!(until > position);
                *(if stretch.paused { &mut paused } else { &mut recorded }) += until - position;
                position = until;
            }
            prop_assert_eq!(paused + recorded, end);
            prop_assert_eq!(paused, timeline.paused_before(end, rate));
        }
    }
}
