//! The resampler's walk along a line that is turned now and then: outputs at any time between two input samples.
//!
//! A turn is told when its input sample comes and takes effect when the outputs have come so far, a look-ahead later.
//! So the samples before it stand where they were said to, and a pause that was cut out of them is where it was.
//!
//! Knows lines and windows; must not know rates or who turns.

use std::sync::Arc;

use crate::audiodec::kernel::Kernel;
use crate::audiodec::kernel::LANES;
use crate::audiodec::kernel::Phases;
use crate::audiodec::line::FINE_BITS;
use crate::audiodec::line::Line;
use crate::audiodec::resample::Window;
use crate::audiodec::resample::dot::to_sample;

/// Where the next output is, and the line that is walked.
#[derive(Debug)]
pub(super) struct Correction {
    kernel: Arc<Kernel>,
    /// Time of the next output after input sample `window.at + half − 1`, in units of the line.
    phase: u64,
    /// Units of one input sample.
    unit: u64,
    /// From one output to the next, in whole input samples and in units.
    step: usize,
    step_phase: u64,
    /// Rows of the kernel in a unit.
    rows_per_unit: f64,
    row_max: u32,
    /// The line that is walked from its first output on.
    next: Option<Line>,
}

impl Correction {
    /// Begins at an output `phase` / `up` input samples after one, on a line that is not corrected yet.
    pub(super) fn new(kernel: Arc<Kernel>, line: Line, phase: u32) -> Self {
        let Phases::Steps(steps) = kernel.phases() else { unreachable!("it was made in steps") };
        let mut correction = Self {
            kernel,
            phase: u64::from(phase) << FINE_BITS,
            unit: line.unit(),
            step: 0,
            step_phase: 0,
            rows_per_unit: f64::from(steps) / line.unit() as f64,
            row_max: steps - 1,
            next: None,
        };
        correction.walk(line);
        correction
    }

    /// Whether a turn was told and is still ahead.
    pub(super) fn is_turning(&self) -> bool {
        self.next.is_some()
    }

    /// Turns to `line` when its first output comes; `n_out` have come.
    pub(super) fn turn(&mut self, line: Line, n_out: u64) {
        if line.out() == n_out {
            // Only at the begin of a filter: the next output is already where the line begins.
            self.phase = line.begin().1;
            self.walk(line);
        } else {
            self.next = Some(line);
        }
    }

    fn walk(&mut self, line: Line) {
        self.step = (line.step() / self.unit) as usize;
        self.step_phase = line.step() % self.unit;
    }

    /// Appends what `window` tells, whose last sample is the one before input sample `n_in`, and counts it in `n_out`.
    #[inline(always)]
    pub(super) fn produce(&mut self, window: &mut Window, n_in: u64, n_out: &mut u64, output: &mut Vec<i16>) {
        let taps = self.kernel.taps();
        while let Some(inputs) = window.samples.get(window.at..window.at + taps) {
            // 48 bits of phase are exact in 53.
            let row = self.phase as i64 as f64 * self.rows_per_unit;
            let index = (row as u32).min(self.row_max) as usize;
            output.push(to_sample(dot_between(inputs, self.kernel.two_rows(index), (row - index as f64) as f32)));
            *n_out += 1;
            window.at += self.step;
            self.phase += self.step_phase;
            if self.phase >= self.unit {
                self.phase -= self.unit;
                window.at += 1;
            }
            self.turn_if_due(window, n_in, *n_out);
        }
    }

    /// Goes over to the next line where that begins with the next output: a fraction of a sample away from where the
    /// old one would have it, and at most one sample back, which the window still has.
    fn turn_if_due(&mut self, window: &mut Window, n_in: u64, n_out: u64) {
        let Some(line) = self.next.take_if(|line| line.out() == n_out) else { return };
        let (input, phase) = line.begin();
        // The taps of an output at an input sample begin so many samples before the window's end.
        let n_back = (n_in + self.kernel.half() as u64).saturating_sub(input + 1);
        window.at = window.samples.len().saturating_sub(n_back as usize);
        self.phase = phase;
        self.walk(line);
    }
}

/// Sum of products with taps that lie between two rows; lengths are multiples of [`LANES`].
#[inline(always)]
fn dot_between(inputs: &[f32], (below, above): (&[f32], &[f32]), between: f32) -> f32 {
    let (mut low, mut high) = ([0.0f32; LANES], [0.0f32; LANES]);
    let rows = below.as_chunks::<LANES>().0.iter().zip(above.as_chunks::<LANES>().0);
    for (inputs, (below, above)) in inputs.as_chunks::<LANES>().0.iter().zip(rows) {
        for lane in 0..LANES {
            low[lane] += inputs[lane] * below[lane];
            high[lane] += inputs[lane] * above[lane];
        }
    }
    for (low, high) in low.iter_mut().zip(high) {
        *low += between * (high - *low);
    }
    // Two by two: one after the other, each would wait for the one before it.
    let [a, b, c, d, e, f, g, h] = low;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
