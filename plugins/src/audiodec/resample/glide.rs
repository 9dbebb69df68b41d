//! Outputs of a corrected line in blocks: where each input sample gives a whole number of outputs, their phases hardly
//! move from one input sample to the next, and what lies between the first of a block and its last is interpolated.
//!
//! In a block they move by less than 1/128 of an input sample. A straight line between two kernels so far apart is off
//! by that squared, an eighth, and the square of the frequency: −85 dB at 3.4 of 8 kHz, −106 dB at 1 kHz.
//!
//! Blocks begin where lines do and after each other, so they are the same however the input is cut. Pure.

use crate::audiodec::resample::dot::BLOCK;

/// How far phases move in a block, as a part of an input sample.
const PART: u64 = 128;

/// Most outputs of an input sample: 8 to 48 kHz.
pub(super) const UP_MAX: usize = 6;

/// The block that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Phase of its first output.
    pub(super) phase: u64,
    /// Input samples of the whole block.
    pub(super) n: usize,
    /// Those of which the outputs have been made.
    pub(super) done: usize,
}

/// Blocks of one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glide {
    /// Outputs of one input sample.
    pub(super) up: usize,
    block: Option<Block>,
}

impl Glide {
    /// Returns blocks for a ratio that has them.
    pub(super) fn new(up: u32, down: u32) -> Option<Self> {
        let up = up as usize;
        (down == 1 && up <= UP_MAX).then_some(Self { up, block: None })
    }

    /// Begins anew.
    pub(super) fn anew(self) -> Self {
        Self { block: None, ..self }
    }

    /// Returns the block that is being made, or the one that begins at `phase`; `step` leads from one output to the
    /// next, `unit` is an input sample. None where a phase is about to pass an input sample.
    pub(super) fn block(&mut self, phase: u64, unit: u64, step: u64) -> Option<Block> {
        if self.block.is_none() {
            let moves = self.moves(unit, step);
            let room = |k: u64| match ((phase + k * step) % unit, moves) {
                (_, 0) => BLOCK as u64,
                (fraction, 1..) => (unit - fraction).min(unit / PART) / moves.unsigned_abs(),
                (fraction, _) => fraction.min(unit / PART) / moves.unsigned_abs(),
            };
            let n = (0..self.up as u64).map(room).min().unwrap_or(0).min(BLOCK as u64) as usize;
            self.block = (n > 0).then_some(Block { phase, n, done: 0 });
        }
        self.block
    }

    /// By how much phases move from one input sample to the next.
    pub(super) fn moves(&self, unit: u64, step: u64) -> i64 {
        (self.up as u64 * step) as i64 - unit as i64
    }

    /// Takes note that outputs of `n` input samples have been made.
    pub(super) fn made(&mut self, n: usize) {
        self.block =
            self.block.map(|block| Block { done: block.done + n, ..block }).filter(|block| block.done < block.n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ratios_that_leave_no_whole_number_of_outputs_have_no_blocks() {
        assert!(Glide::new(1, 1).is_some() && Glide::new(6, 1).is_some());
        assert!(Glide::new(7, 1).is_none() && Glide::new(160, 147).is_none() && Glide::new(1, 3).is_none());
    }

    proptest! {
        /// No phase of a block passes an input sample, and all blocks together are all outputs.
        #[test]
        fn phases_of_a_block_stay_between_two_samples(up in 1u64..=6, ppm in -600i64..=600, phase in 0.0f64..1.0) {
            let unit = up << 32;
            let step = ((1i64 << 32) * (1_000_000 + ppm) / 1_000_000) as u64;
            let phase = ((unit as f64 * phase) as u64).min(unit - 1);
            let mut glide = Glide::new(up as u32, 1).unwrap();
            let moves = glide.moves(unit, step);
            let Some(block) = glide.block(phase, unit, step) else { return Ok(()) };
            prop_assert!((1..=BLOCK).contains(&block.n));
            for k in 0..up {
                let end = ((phase + k * step) % unit) as i64 + moves * block.n as i64;
                prop_assert!((0..=unit as i64).contains(&end), "{} of {}", end, unit);
            }
            glide.made(block.n - 1);
            let rest = glide.block(0, unit, step);
            prop_assert_eq!(rest.filter(|_| block.n > 1).map(|rest| rest.done), (block.n > 1).then_some(block.n - 1));
            glide.made(1);
            prop_assert!(glide.block.is_none());
        }
    }
}
