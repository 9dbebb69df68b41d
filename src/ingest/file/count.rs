//! Time by counting samples. Pure: no buffers, no clock. What demuxers round, this does not: a PTS is the number of
//! samples before it, converted once.

use gst::ClockTime;
use gst::prelude::*;

/// A jump of the file's own time-stamps beyond this is a hole in the media: more than what demuxers round (1 ms in
/// Matroska), and what a decoder conceals is not called a hole.
const HOLE_MIN: ClockTime = ClockTime::from_mseconds(60);

/// Longest hole that is believed where the file declares no duration. Damaged time-stamps may lie centuries ahead.
const HOLE_MAX: ClockTime = ClockTime::from_seconds(3600);

/// No call lasts longer than a week; a header that declares more is damaged.
const DECLARED_MAX: ClockTime = ClockTime::from_seconds(7 * 24 * 3600);

/// Where some samples stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Media time of the first sample.
    pub(super) pts: ClockTime,
    /// Up to the next span's `pts`, where no hole follows.
    pub(super) duration: ClockTime,
    /// A hole lies before it.
    pub(super) after_hole: bool,
}

/// Counts one track's samples into media time.
#[derive(Debug)]
pub(super) struct Counter {
    rate: u32,
    /// Media time from which `samples` are counted: that of the last hole or change of rate.
    base: ClockTime,
    samples: u64,
    /// The file's own time where media time is `ClockTime::ZERO`.
    origin: Option<ClockTime>,
    /// Media time beyond which no hole ends.
    believed: Option<ClockTime>,
}

impl Counter {
    /// Starts at zero; `declared` is the file's duration, beyond which no time-stamp is believed.
    pub(super) fn new(rate: u32, declared: Option<ClockTime>) -> Self {
        Self {
            rate,
            base: ClockTime::ZERO,
            samples: 0,
            origin: None,
            believed: declared.filter(|d| *d <= DECLARED_MAX),
        }
    }

    /// Returns media time after everything counted so far.
    pub(super) fn position(&self) -> ClockTime {
        self.time_of(self.samples)
    }

    /// Returns the whole samples that `length` holds at this rate.
    pub(super) fn samples_in(&self, length: ClockTime) -> u64 {
        length.nseconds().mul_div_floor(u64::from(self.rate), ClockTime::SECOND.nseconds()).unwrap_or(u64::MAX)
    }

    /// Counts on at another rate.
    pub(super) fn set_rate(&mut self, rate: u32) {
        if rate != self.rate {
            *self = Self { rate, base: self.position(), samples: 0, ..*self };
        }
    }

    /// Counts the next samples. `file_time` is what the file says about the first of them.
    pub(super) fn count(&mut self, samples: u64, file_time: Option<ClockTime>) -> Span {
        let after_hole = match file_time.and_then(|time| self.hole_up_to(time)) {
            Some(end) => {
                (self.base, self.samples) = (end, 0);
                true
            }
            None => false,
        };
        let pts = self.position();
        self.samples += samples;
        Span { pts, duration: self.position() - pts, after_hole }
    }

    /// Media time of `file_time` if a hole lies before it.
    fn hole_up_to(&mut self, file_time: ClockTime) -> Option<ClockTime> {
        let position = self.position();
        let origin = *self.origin.get_or_insert(file_time.saturating_sub(position));
        let end = file_time.checked_sub(origin)?;
        let hole = end.checked_sub(position)?;
        let is_believed = match self.believed {
            Some(declared) => end <= declared,
            None => hole <= HOLE_MAX,
        };
        (hole > HOLE_MIN && is_believed).then_some(end)
    }

    fn time_of(&self, samples: u64) -> ClockTime {
        let since_base = samples.mul_div_floor(ClockTime::SECOND.nseconds(), u64::from(self.rate));
        since_base.map_or(self.base, |since_base| self.base.saturating_add(ClockTime::from_nseconds(since_base)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn ms(ms: u64) -> ClockTime {
        ClockTime::from_mseconds(ms)
    }

    proptest! {
        #[test]
        fn spans_touch_and_never_drift(rate in 1u32..200_000, lengths in prop::collection::vec(0u64..10_000, 1..200)) {
            let mut counter = Counter::new(rate, None);
            let (mut total, mut end) = (0u128, ClockTime::ZERO);
            for samples in lengths {
                let span = counter.count(samples, None);
                prop_assert_eq!(span.pts, end);
                end = span.pts + span.duration;
                total += u128::from(samples);
                prop_assert_eq!(u128::from(end.nseconds()), total * 1_000_000_000 / u128::from(rate));
            }
        }

        #[test]
        fn no_time_stamp_turns_time_back(stamps in prop::collection::vec(any::<Option<u64>>(), 1..50)) {
            let mut counter = Counter::new(48_000, None);
            let mut end = ClockTime::ZERO;
            for stamp in stamps {
                let stamp = stamp.and_then(|ns| (ns != u64::MAX).then(|| ClockTime::from_nseconds(ns)));
                let span = counter.count(960, stamp);
                prop_assert!(span.pts >= end);
                prop_assert!(span.pts - end <= HOLE_MAX);
                end = span.pts + span.duration;
            }
        }
    }

    #[test]
    fn rounded_time_stamps_are_not_holes_and_jumps_are() {
        let mut counter = Counter::new(48_000, None);
        assert_eq!(counter.count(960, Some(ms(500))), Span { pts: ms(0), duration: ms(20), after_hole: false });
        assert_eq!(counter.count(960, Some(ms(521))), Span { pts: ms(20), duration: ms(20), after_hole: false });
        assert_eq!(counter.count(960, Some(ms(900))), Span { pts: ms(400), duration: ms(20), after_hole: true });
        assert_eq!(counter.count(960, Some(ms(100))), Span { pts: ms(420), duration: ms(20), after_hole: false });
    }

    #[test]
    fn a_hole_beyond_the_declared_end_is_not_believed() {
        let mut counter = Counter::new(48_000, Some(ms(1_000)));
        counter.count(960, Some(ms(0)));
        assert_eq!(counter.count(960, Some(ms(2_000))).pts, ms(20));
        assert_eq!(counter.count(960, Some(ms(800))).pts, ms(800));
    }

    #[test]
    fn a_change_of_rate_counts_on_from_where_it_was() {
        let mut counter = Counter::new(48_000, None);
        counter.count(480, None);
        counter.set_rate(8_000);
        assert_eq!(counter.count(80, None), Span { pts: ms(10), duration: ms(10), after_hole: false });
    }
}
