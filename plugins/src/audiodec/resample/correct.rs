//! The resampler's walk along a line that is turned now and then: outputs at any time between two input samples.
//!
//! A turn is told when its input sample comes and takes effect when the outputs have come so far, a look-ahead later.
//! So the samples before it stand where they were said to, and a pause that was cut out of them is where it was.
//!
//! Knows lines and windows; must not know rates or who turns.

use std::sync::Arc;

use crate::audiodec::kernel::HALF_UPWARD;
use crate::audiodec::kernel::Kernel;
use crate::audiodec::kernel::LANES;
use crate::audiodec::kernel::Phases;
use crate::audiodec::line::FINE_BITS;
use crate::audiodec::line::Line;
use crate::audiodec::resample::Window;
use crate::audiodec::resample::dot::BLOCK;
use crate::audiodec::resample::dot::dots;
use crate::audiodec::resample::dot::to_sample;
use crate::audiodec::resample::glide::Glide;
use crate::audiodec::resample::glide::UP_MAX;

/// Taps of every ratio that does not go down.
const TAPS: usize = 2 * HALF_UPWARD;

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
    /// How outputs are made in blocks, where the ratio allows it.
    glide: Option<Glide>,
    /// The line that is walked from its first output on.
    next: Option<Line>,
}

impl Correction {
    /// Begins at an output `phase` / `up` input samples after one, on a line that is not corrected yet.
    pub(super) fn new(kernel: Arc<Kernel>, (up, down): (u32, u32), line: Line, phase: u32) -> Self {
        let Phases::Steps(steps) = kernel.phases() else { unreachable!("it was made in steps") };
        let mut correction = Self {
            kernel,
            phase: u64::from(phase) << FINE_BITS,
            unit: line.unit(),
            step: 0,
            step_phase: 0,
            rows_per_unit: f64::from(steps) / line.unit() as f64,
            row_max: steps - 1,
            glide: Glide::new(up, down),
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
        self.glide = self.glide.map(Glide::anew);
    }

    /// Appends what `window` tells, whose last sample is the one before input sample `n_in`, and counts it in `n_out`.
    #[inline(always)]
    pub(super) fn produce(&mut self, window: &mut Window, n_in: u64, n_out: &mut u64, output: &mut Vec<i16>) {
        loop {
            let n_max = self.next.map_or(u64::MAX, |line| line.out().saturating_sub(*n_out));
            let made = self.block(window, n_max, output).unwrap_or_else(|| self.one(window, output));
            let Some(n) = made else { return };
            *n_out += n;
            if n == n_max {
                self.turn_if_due(window, n_in, *n_out);
            }
        }
    }

    /// Appends what the window tells of a block, at most `n_max` outputs; returns how many, or nothing where input is
    /// missing. None where one output has to come by itself.
    #[inline(always)]
    fn block(&mut self, window: &mut Window, n_max: u64, output: &mut Vec<i16>) -> Option<Option<u64>> {
        let (unit, step) = (self.unit, self.step as u64 * self.unit + self.step_phase);
        let mut glide = self.glide.filter(|glide| n_max >= glide.up as u64)?;
        let block = glide.block(self.phase, unit, step)?;
        // The last output of an input sample may lie behind the next one.
        let reach = ((block.phase + (glide.up - 1) as u64 * step) / unit) as usize;
        let n_ready = (window.samples.len() + 1).saturating_sub(window.at + TAPS + reach);
        let n = n_ready.min(block.n - block.done).min((n_max / glide.up as u64) as usize);
        if n == 0 {
            return Some(None);
        }
        let mut outputs = [[0; BLOCK]; UP_MAX];
        for (k, outputs) in outputs[..glide.up].iter_mut().enumerate() {
            let phase = block.phase + k as u64 * step;
            let (ahead, begin) = ((phase / unit) as usize, phase % unit);
            let end = begin.saturating_add_signed(glide.moves(unit, step) * block.n as i64);
            let mut rest = [0.0; TAPS + BLOCK];
            let inputs = window.piece(window.at + ahead, &mut rest);
            let (begins, ends) = (dots(inputs, &self.taps(begin)), dots(inputs, &self.taps(end)));
            let per_sample = 1.0 / block.n as f32;
            for at in 0..BLOCK {
                let share = (block.done + at) as f32 * per_sample;
                outputs[at] = to_sample(begins[at] + share * (ends[at] - begins[at]));
            }
        }
        interleave(&outputs, glide.up, n, output);
        glide.made(n);
        self.glide = Some(glide);
        let n = (n * glide.up) as u64;
        let phase = self.phase + n * self.step_phase;
        window.at += n as usize * self.step + (phase / unit) as usize;
        self.phase = phase % unit;
        Some(Some(n))
    }

    /// The taps of a phase.
    #[inline(always)]
    fn taps(&self, phase: u64) -> [f32; TAPS] {
        let (index, between) = self.row(phase);
        let (below, above) = self.kernel.two_rows(index);
        let mut taps = [0.0; TAPS];
        for (tap, (below, above)) in taps.iter_mut().zip(below.iter().zip(above)) {
            *tap = below + between * (above - below);
        }
        taps
    }

    /// Appends the next output.
    #[inline(always)]
    fn one(&mut self, window: &mut Window, output: &mut Vec<i16>) -> Option<u64> {
        let taps = self.kernel.taps();
        let inputs = window.samples.get(window.at..window.at + taps)?;
        let (index, between) = self.row(self.phase);
        output.push(to_sample(dot_between(inputs, self.kernel.two_rows(index), between)));
        window.at += self.step;
        self.phase += self.step_phase;
        if self.phase >= self.unit {
            self.phase -= self.unit;
            window.at += 1;
        }
        self.glide = self.glide.map(Glide::anew);
        Some(1)
    }

    /// The row of the kernel below a phase, and how far the phase is from there to the next.
    #[inline(always)]
    fn row(&self, phase: u64) -> (usize, f32) {
        // 48 bits of phase are exact in 53.
        let row = phase as i64 as f64 * self.rows_per_unit;
        let index = (row as u32).min(self.row_max) as usize;
        (index, (row - index as f64) as f32)
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

/// Appends the first of each of `up` rows, then the second, `n` of each.
#[inline(always)]
fn interleave(rows: &[[i16; BLOCK]; UP_MAX], up: usize, n: usize, output: &mut Vec<i16>) {
    match up {
        1 => output.extend_from_slice(&rows[0][..n]),
        2 => {
            let pairs: [[i16; 2]; BLOCK] = std::array::from_fn(|at| [rows[0][at], rows[1][at]]);
            output.extend_from_slice(pairs[..n].as_flattened());
        }
        _ => (0..n).for_each(|at| rows[..up].iter().for_each(|row| output.push(row[at]))),
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
