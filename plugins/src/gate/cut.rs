//! One pad's way through the pauses: which part of a buffer goes where. Pure.

use crate::gate::Mode;
use crate::samples;
use crate::timeline::{Stretch, Timeline};

/// Level and pitch of the tone that stands for a pause: heard, but not louder than speech.
const TONE_AMPLITUDE: f64 = 1_600.0;
const TONE_HZ: f64 = 400.0;

/// What to do next with a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// An edge stands before the next sample.
    Edge {
        paused: bool,
        /// Recording time of the edge.
        at: gst::ClockTime,
        /// Recording time − recorded time from here on.
        skipped: gst::ClockTime,
    },
    /// These frames of the buffer go on, from this position of recorded time.
    Pass { range: std::ops::Range<u64>, position: u64 },
    /// So many frames are replaced, from this position of recorded time.
    Replace { frames: u64, position: u64 },
    /// So many frames go nowhere.
    Drop { frames: u64 },
}

/// Where one pad stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    paused: bool,
    /// What was told before a flush is to be corrected, whatever it was.
    told_before_flush: bool,
    /// Samples that pauses have taken out.
    skipped: u64,
    /// Recording position after the last sample seen.
    end: u64,
}

impl Cut {
    /// Forgets where media stood.
    pub(crate) fn flush(&mut self) {
        *self = Self { told_before_flush: true, ..Self::default() };
    }

    /// Recording time up to which media has passed.
    pub(crate) fn passed(&self, rate: u32) -> gst::ClockTime {
        samples::time_of(self.end, rate)
    }

    /// Decides on `frames` samples that begin at recording position `position`.
    pub(crate) fn apply(
        &mut self,
        timeline: &Timeline,
        mode: Mode,
        rate: u32,
        position: u64,
        frames: u64,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        // Edges in a hole before the media are told, too: who counts pauses sees no other sign of them.
        let mut at = self.end.min(position);
        while at < position {
            at = self.enter(timeline, mode, rate, at, &mut actions).end.min(position);
        }
        let end = position.saturating_add(frames);
        while at < end {
            let stretch = self.enter(timeline, mode, rate, at, &mut actions);
            let until = stretch.end.min(end);
            let recorded = at - self.skipped;
            actions.push(match (stretch.paused, mode) {
                (false, _) => Action::Pass { range: at - position..until - position, position: recorded },
                (true, Mode::Skip) => Action::Drop { frames: until - at },
                (true, _) => Action::Replace { frames: until - at, position: recorded },
            });
            at = until;
        }
        self.end = self.end.max(end);
        actions
    }

    /// Goes on at `at`: says whether that is inside a pause, and how far.
    fn enter(&mut self, timeline: &Timeline, mode: Mode, rate: u32, at: u64, actions: &mut Vec<Action>) -> Stretch {
        let stretch = timeline.stretch(at, rate);
        self.skipped = if mode == Mode::Skip { timeline.paused_before(at, rate) } else { 0 };
        self.edge(stretch.paused, at, rate, actions);
        stretch
    }

    fn edge(&mut self, paused: bool, at: u64, rate: u32, actions: &mut Vec<Action>) {
        if std::mem::take(&mut self.told_before_flush) || paused != self.paused {
            self.paused = paused;
            let (at, skipped) = (samples::time_of(at, rate), samples::time_of(self.skipped, rate));
            actions.push(Action::Edge { paused, at, skipped });
        }
    }

    /// The stream ends: an open pause ends with it.
    pub(crate) fn finish(&mut self, timeline: &Timeline, mode: Mode, rate: u32) -> Vec<Action> {
        let mut actions = Vec::new();
        if mode == Mode::Skip {
            self.skipped = timeline.paused_before(self.end, rate);
        }
        self.edge(false, self.end, rate, &mut actions);
        actions
    }

    /// Returns where a hole at recording positions `hole` is in recorded time; None where pauses take all of it.
    pub(crate) fn recorded(
        timeline: &Timeline,
        mode: Mode,
        rate: u32,
        hole: std::ops::Range<u64>,
    ) -> Option<std::ops::Range<u64>> {
        if mode != Mode::Skip {
            return Some(hole);
        }
        let is_paused = timeline.stretch(hole.start, rate).paused;
        let recorded = |at: u64| at - timeline.paused_before(at, rate);
        let recorded = recorded(hole.start)..recorded(hole.end);
        Some(recorded).filter(|recorded| !is_paused || !recorded.is_empty())
    }
}

/// Returns what stands in the place of `frames` paused samples from recorded `position` on, interleaved.
pub(crate) fn replacement(mode: Mode, frames: u64, channels: u32, position: u64, rate: u32) -> Vec<i16> {
    let n = (frames * u64::from(channels)) as usize;
    if mode != Mode::Tone {
        return vec![0; n];
    }
    let step = std::f64::consts::TAU * TONE_HZ / f64::from(rate);
    // The phase is a function of the position, so that a pause sounds the same however it came in buffers.
    let tone = |position: u64| ((position % u64::from(rate)) as f64 * step).sin() * TONE_AMPLITUDE;
    (position..position + frames).flat_map(|at| std::iter::repeat_n(tone(at) as i16, channels as usize)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::tests::{ms, pause};

    const RATE: u32 = 1_000; // One sample a millisecond: positions are milliseconds.

    #[test]
    fn a_pause_inside_one_buffer_is_cut_out() {
        let actions = Cut::default().apply(&pause(3, 7), Mode::Skip, RATE, 0, 10);
        let expected = [
            Action::Pass { range: 0..3, position: 0 },
            Action::Edge { paused: true, at: ms(3), skipped: ms(0) },
            Action::Drop { frames: 4 },
            Action::Edge { paused: false, at: ms(7), skipped: ms(4) },
            Action::Pass { range: 7..10, position: 3 },
        ];
        assert_eq!(actions, expected);
    }

    #[test]
    fn other_modes_keep_the_length() {
        let actions = Cut::default().apply(&pause(3, 7), Mode::Silence, RATE, 0, 10);
        let expected = [
            Action::Pass { range: 0..3, position: 0 },
            Action::Edge { paused: true, at: ms(3), skipped: ms(0) },
            Action::Replace { frames: 4, position: 3 },
            Action::Edge { paused: false, at: ms(7), skipped: ms(0) },
            Action::Pass { range: 7..10, position: 7 },
        ];
        assert_eq!(actions, expected);
    }

    #[test]
    fn edges_at_the_borders_of_buffers_count_once() {
        let (mut cut, timeline) = (Cut::default(), pause(5, 10));
        let mut actions = cut.apply(&timeline, Mode::Skip, RATE, 0, 5);
        actions.extend(cut.apply(&timeline, Mode::Skip, RATE, 5, 5));
        actions.extend(cut.apply(&timeline, Mode::Skip, RATE, 10, 5));
        let expected = [
            Action::Pass { range: 0..5, position: 0 },
            Action::Edge { paused: true, at: ms(5), skipped: ms(0) },
            Action::Drop { frames: 5 },
            Action::Edge { paused: false, at: ms(10), skipped: ms(5) },
            Action::Pass { range: 0..5, position: 5 },
        ];
        assert_eq!(actions, expected);
        assert_eq!(cut.finish(&timeline, Mode::Skip, RATE), []);
    }

    #[test]
    fn after_a_flush_it_is_told_anew_how_things_stand() {
        let (mut cut, timeline) = (Cut::default(), pause(3, 7));
        cut.apply(&timeline, Mode::Skip, RATE, 0, 5);
        cut.flush();
        let expected =
            [Action::Edge { paused: false, at: ms(0), skipped: ms(0) }, Action::Pass { range: 0..2, position: 0 }];
        assert_eq!(cut.apply(&timeline, Mode::Skip, RATE, 0, 2), expected);
    }

    #[test]
    fn a_pause_in_a_hole_is_told_before_the_media_after_it() {
        let (mut cut, timeline) = (Cut::default(), pause(6, 8));
        cut.apply(&timeline, Mode::Skip, RATE, 0, 5);
        let expected = [
            Action::Edge { paused: true, at: ms(6), skipped: ms(0) },
            Action::Edge { paused: false, at: ms(8), skipped: ms(2) },
            Action::Pass { range: 0..5, position: 8 },
        ];
        assert_eq!(cut.apply(&timeline, Mode::Skip, RATE, 10, 5), expected);
    }

    #[test]
    fn media_that_goes_back_is_cut_as_what_came_before_it() {
        let (mut cut, timeline) = (Cut::default(), pause(3, 7));
        cut.apply(&timeline, Mode::Skip, RATE, 0, 10);
        let expected = [
            Action::Pass { range: 0..1, position: 2 },
            Action::Edge { paused: true, at: ms(3), skipped: ms(0) },
            Action::Drop { frames: 2 },
        ];
        assert_eq!(cut.apply(&timeline, Mode::Skip, RATE, 2, 3), expected);
    }

    #[test]
    fn a_hole_is_as_long_as_what_is_recorded_of_it() {
        let timeline = pause(10, 20);
        let cases = [
            (0..5, Some(0..5)),
            (5..15, Some(5..10)),
            (5..25, Some(5..15)),
            (12..18, None),
            (12..25, Some(10..15)),
            (25..30, Some(15..20)),
            (5..5, Some(5..5)),
            (12..12, None),
        ];
        for (hole, expected) in cases {
            assert_eq!(Cut::recorded(&timeline, Mode::Skip, RATE, hole.clone()), expected, "{hole:?}");
            assert_eq!(Cut::recorded(&timeline, Mode::Tone, RATE, hole.clone()), Some(hole));
        }
    }

    #[test]
    fn a_stop_while_paused_ends_the_interval_there() {
        let mut timeline = Timeline::default();
        let _ = timeline.pause(ms(4), ms(0));
        let mut cut = Cut::default();
        cut.apply(&timeline, Mode::Skip, RATE, 0, 10);
        let end = Action::Edge { paused: false, at: ms(10), skipped: ms(6) };
        assert_eq!(cut.finish(&timeline, Mode::Skip, RATE), [end]);
    }

    #[test]
    fn a_tone_does_not_depend_on_buffers() {
        let whole = replacement(Mode::Tone, 100, 2, 950, 16_000);
        let parts = [replacement(Mode::Tone, 33, 2, 950, 16_000), replacement(Mode::Tone, 67, 2, 983, 16_000)].concat();
        assert_eq!(whole, parts);
        assert!(whole.iter().any(|s| *s > 1_500));
    }
}
