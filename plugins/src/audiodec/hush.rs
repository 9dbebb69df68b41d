//! Pauses as a decoder keeps them: what was said in one is silence before anything is made of it.
//!
//! Whatever stands behind a decoder mixes samples with their neighbours (its own resampler does) or gives them out
//! later (a noise suppressor, an echo). A gate behind all that takes the time of a pause out, and could not tell what
//! of the sound around it came from inside. Pure: knows positions and samples.

use crate::audiodec::line::Line;
use crate::timeline::Timeline;

/// How far back a decoder remembers what it makes lost samples of: more than two of the longest periods of a voice.
const MEMORY_MS: u64 = 100;

/// Where samples stand that are to be decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Recording position of the first sample of the spurt, at `rate_out`; negative where it is before the recording.
    pub(super) start: i64,
    /// Where they stand from there on, as they will come out.
    pub(super) line: Line,
    /// Samples per second of what a gate will see, on whose samples pauses begin and end.
    pub(super) rate_out: u32,
}

impl Grid {
    /// Returns the recording position at or before sample `n` of the spurt.
    fn position(self, n: u64) -> u64 {
        let position = i128::from(self.start) + self.line.position(n);
        u64::try_from(position.max(0)).unwrap_or(u64::MAX)
    }

    /// Returns the first sample of the spurt that is at or behind a recording position.
    fn sample(self, position: u64) -> u64 {
        self.line.sample(i128::from(position) - i128::from(self.start))
    }
}

/// Silences `samples`, of which the first is sample `at` of its spurt, where they are inside pauses; the first
/// `n_invented` of them also where they were made of what was.
pub(super) fn hush(timeline: &Timeline, grid: Grid, at: u64, n_invented: usize, samples: &mut [i16]) {
    if timeline.is_empty() {
        return;
    }
    let end = at.saturating_add(samples.len() as u64);
    let memory = MEMORY_MS * u64::from(grid.rate_out) / 1_000;
    let begin = grid.position(at);
    if n_invented > 0 && timeline.touches(begin.saturating_sub(memory), begin, grid.rate_out) {
        samples[..n_invented].fill(0);
    }
    let mut from = at;
    while from < end {
        let stretch = timeline.stretch(grid.position(from), grid.rate_out);
        let until = grid.sample(stretch.end).clamp(from + 1, end);
        if stretch.paused {
            samples[(from - at) as usize..(until - at) as usize].fill(0);
        }
        from = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::tests::pause;
    use proptest::prelude::*;

    /// One sample a millisecond behind, one or two of them before.
    fn hushed(rate: u32, start: i64, at: u64, n_invented: usize, n: usize) -> Vec<u64> {
        let mut samples = vec![1; n];
        hush(
            &pause(203, 207),
            Grid { start, line: Line::new(rate, 1_000), rate_out: 1_000 },
            at,
            n_invented,
            &mut samples,
        );
        (0..n as u64).filter(|n| samples[*n as usize] == 0).map(|n| at + n).collect()
    }

    #[test]
    fn what_is_inside_a_pause_is_silence_and_nothing_else() {
        assert_eq!(hushed(1_000, 200, 0, 0, 10), [3, 4, 5, 6]);
        assert_eq!(hushed(1_000, 0, 204, 0, 10), [204, 205, 206]);
        assert_eq!(hushed(1_000, 205, 0, 0, 10), [0, 1]);
        assert_eq!(hushed(1_000, -10, 210, 0, 10), [213, 214, 215, 216]);
        // Two samples for each that the gate will see: both of it.
        assert_eq!(hushed(2_000, 200, 0, 0, 20), [6, 7, 8, 9, 10, 11, 12, 13]);
        // One for two: the one that a paused sample lies on.
        assert_eq!(hushed(500, 200, 0, 0, 10), [2, 3]);
    }

    #[test]
    fn what_is_made_of_a_pause_is_silence_too() {
        assert_eq!(hushed(1_000, 208, 0, 3, 5), [0, 1, 2]);
        assert_eq!(hushed(1_000, 208, 90, 3, 5), [90, 91, 92]);
        assert_eq!(hushed(1_000, 208, 100, 3, 5), [0; 0]);
        assert_eq!(hushed(1_000, 100, 0, 3, 5), [0; 0]);
    }

    proptest! {
        /// However samples come in slices, and at whatever rates, the same ones are silent.
        #[test]
        fn slices_do_not_matter(start in -200i64..400, rate in 1u32..5_000, cut in 0usize..300) {
            let grid = Grid { start, line: Line::new(rate, 1_000), rate_out: 1_000 };
            let (mut whole, mut parts) = (vec![1; 300], vec![1; 300]);
            hush(&pause(203, 207), grid, 0, 0, &mut whole);
            hush(&pause(203, 207), grid, 0, 0, &mut parts[..cut]);
            hush(&pause(203, 207), grid, cut as u64, 0, &mut parts[cut..]);
            prop_assert_eq!(&whole, &parts);
            for (n, sample) in whole.into_iter().enumerate() {
                let at = start as f64 + n as f64 * 1_000.0 / f64::from(rate);
                prop_assert_eq!(sample == 0, (203.0..207.0).contains(&at), "sample {} at {}", n, at);
            }
        }
    }
}
