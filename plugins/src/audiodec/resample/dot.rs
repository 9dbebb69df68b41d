//! Sums of products, and what becomes a sample: the inner loops of the resampler. Knows slices.

use crate::audiodec::kernel::LANES;

/// So many outputs of one phase are summed up together. Telephone packets of 20 ms are five of them.
pub(super) const BLOCK: usize = 32;

/// Sum of products of two slices whose length is a multiple of [`LANES`]; the lanes let it compile to SIMD without
/// changing the order of additions.
#[inline(always)]
pub(super) fn dot(inputs: &[f32], taps: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (inputs, _) = inputs.as_chunks::<LANES>();
    let (taps, _) = taps.as_chunks::<LANES>();
    for (inputs, taps) in inputs.iter().zip(taps) {
        for ((lane, input), tap) in lanes.iter_mut().zip(inputs).zip(taps) {
            *lane += input * tap;
        }
    }
    lanes.iter().sum()
}

/// Returns sums of products of the same taps with inputs from 0, 1, 2… on, of which there are [`BLOCK`] more than
/// taps. They are summed up side by side: a tap is loaded once, and no lanes are left to add.
#[inline(always)]
pub(super) fn dots(inputs: &[f32], taps: &[f32]) -> [f32; BLOCK] {
    let mut sums = [0.0f32; BLOCK];
    for (inputs, tap) in inputs.windows(BLOCK).zip(taps) {
        for (sum, input) in sums.iter_mut().zip(inputs) {
            *sum += input * tap;
        }
    }
    sums
}

/// 1.5 · 2²³: to a number this large is added what has no fraction any more, and its last bits are a whole number.
const WHOLE: f32 = 12_582_912.0;

/// Rounds to the nearest sample value, of two to the even one, and saturates. By adding: conversions of numbers that
/// may be out of range are made one by one, and take longer than all the products.
#[inline(always)]
pub(super) fn to_sample(value: f32) -> i16 {
    (value.clamp(-32_768.0, 32_767.0) + WHOLE).to_bits() as i16
}
