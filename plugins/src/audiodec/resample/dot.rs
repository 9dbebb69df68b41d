//! Sums of products, and what becomes a sample: the inner loops of the resampler. Knows slices.

use crate::audiodec::kernel::LANES;

/// So many outputs of one phase are summed up together. Telephone packets of 20 ms are ten of them.
pub(super) const BLOCK: usize = 16;

/// Sum of products of two slices whose length is a multiple of [`LANES`]; the lanes let it compile to SIMD without
/// changing the order of additions.
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

/// Returns [`dot`] of the same taps with inputs from 0, 1, 2… on, of which there are [`BLOCK`] − 1 more than taps. Each
/// is the same sum in the same order, to the bit, but side by side: a tap is loaded once, and no lanes are left to add.
pub(super) fn dots(inputs: &[f32], taps: &[f32]) -> [f32; BLOCK] {
    let mut sums = [0.0f32; BLOCK];
    for lane in 0..LANES {
        let mut products = [0.0f32; BLOCK];
        for at in (lane..taps.len()).step_by(LANES) {
            let Some(inputs) = inputs.get(at..).and_then(<[f32]>::first_chunk::<BLOCK>) else { break };
            for (product, input) in products.iter_mut().zip(inputs) {
                *product += input * taps[at];
            }
        }
        for (sum, product) in sums.iter_mut().zip(products) {
            *sum += product;
        }
    }
    sums
}

/// Rounds to the nearest sample value and saturates. The offset makes truncation a floor, which compiles to one
/// instruction where `round` is a call.
pub(super) fn to_sample(value: f32) -> i16 {
    ((value.clamp(-32_768.0, 32_767.0) + 32_768.5) as i32 - 32_768) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_side_by_side_are_the_same_to_the_bit() {
        let noise = |n: usize| (n as u32).wrapping_mul(2_654_435_761) as f32 / 1e5 - 21_474.0;
        let inputs: Vec<f32> = (0..56 + BLOCK - 1).map(noise).collect();
        let taps: Vec<f32> = (1_000..1_056).map(|n| noise(n) * 1e-5).collect();
        for (at, sum) in dots(&inputs, &taps).into_iter().enumerate() {
            assert_eq!(sum.to_bits(), dot(&inputs[at..at + 56], &taps).to_bits(), "{at}");
        }
    }
}
