//! Numbered frames: 20 ms of µ-law that tell their number, also from a recording of them.
//!
//! This is a contract with whoever reads recordings. Frame `n` is 160 samples at 8 kHz. With `i` = 0 ‥ 159:
//!
//! ```text
//! x[i] = w[i] · Σ A · cos(2π · (f · (i + ½) / 8000 + p))        over the 16 tones that are on
//!               b = 0 ‥ 15
//!
//! w[i] = ½ − ½ · cos(2π · (i + ½) / 160)                        Hann: silent at both edges
//! A    = 0.054 of full scale (−25.4 dBFS)
//! s    = 21845 · n mod 65536                                    so n = 65533 · s mod 65536
//! tone j = 2b + (bit b of s), bit 0 the lowest                  j = 0 ‥ 31
//! f    = 250 Hz + 100 Hz · j                                    250, 350 … 3 350 Hz
//! p    = 6 · j² / 25 turns
//! ```
//!
//! Then µ-law (ITU-T G.711). Numbers are 16 bits and wrap.
//!
//! - Each bit sounds as one of two tones, never as both or none: the second one is the complement of the first, and so
//!   the check. Noise, half a frame, two frames over one another, and what loss concealment makes of pitch periods
//!   have both tones, or neither, in some pair.
//! - 21845 is 0101 0101 0101 0101: whatever it is added to, eight bits at least change. So of a frame and the next one
//!   eight pairs of tones are different, and what is cut out across the two has no number.
//! - All tones are multiples of 50 Hz, so orthogonal over 20 ms, and 100 Hz apart: the window spreads each by 50 Hz to
//!   either side, which leaves the others' own frequencies free. A plain DFT over the frame reads them exactly.
//! - Each tone that is on shows an amplitude of A/2 in that DFT. A frame that is faded or cut shows less.
//! - The phases keep peaks low: no sample of any number is above 0.47 of full scale, so that all stays below −6 dBFS
//!   behind µ-law and a resampler too, where a mixer's limiter leaves it as it is.
//! - They tell as well where in a frame one is: what is shifted by a pitch period has other phases.
//!
//! An exact repetition of a whole frame cannot be told from the frame itself, except by its place.

use std::f64::consts::TAU;

/// Samples of a frame, at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;

/// Samples a second.
const SAMPLE_HZ: f64 = 8_000.0;

/// Bits of a number.
const BITS: usize = 16;

/// Tones: two for each bit.
const TONES: usize = 2 * BITS;

/// Spreads a change of 1 over many bits.
const SPREAD: u16 = 0x5555;

/// Amplitude of a tone before the window, of full scale.
const AMPLITUDE: f64 = 0.054;

const TONE_HZ: f64 = 250.0;
const SPACING_HZ: f64 = 100.0;

/// Writes numbered frames.
#[derive(Debug, Clone)]
pub struct SerialCoder {
    /// Every tone behind its window.
    tones: Vec<[f64; FRAME_SAMPLES]>,
}

impl Default for SerialCoder {
    fn default() -> Self {
        Self { tones: (0..TONES).map(tone).collect() }
    }
}

impl SerialCoder {
    /// Returns the samples of a frame, 16 bits.
    pub fn samples(&self, number: u16) -> [i16; FRAME_SAMPLES] {
        let spread = number.wrapping_mul(SPREAD);
        let mut sums = [0.0; FRAME_SAMPLES];
        for bit in 0..BITS {
            let tone = &self.tones[2 * bit + usize::from(spread >> bit & 1)];
            sums.iter_mut().zip(tone).for_each(|(sum, sample)| *sum += sample);
        }
        sums.map(|sum| (sum * 32_768.0).round() as i16)
    }

    /// Returns the payload of a frame: µ-law.
    pub fn payload(&self, number: u16) -> [u8; FRAME_SAMPLES] {
        self.samples(number).map(mu_law)
    }
}

fn tone(index: usize) -> [f64; FRAME_SAMPLES] {
    let hz = TONE_HZ + SPACING_HZ * index as f64;
    let turns = (6 * index * index % 25) as f64 / 25.0;
    std::array::from_fn(|at| {
        let at = at as f64 + 0.5;
        let window = 0.5 - 0.5 * (TAU * at / FRAME_SAMPLES as f64).cos();
        AMPLITUDE * window * (TAU * (hz * at / SAMPLE_HZ + turns)).cos()
    })
}

/// Returns a sample in µ-law (ITU-T G.711 §3): sign, three bits of segment, four of step, all inverted.
fn mu_law(sample: i16) -> u8 {
    const BIAS: u16 = 132;
    const CLIP: u16 = 32_635;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs().min(CLIP) + BIAS;
    // The highest bit is 7 to 14: the bias sets it.
    let segment = 8 - magnitude.leading_zeros() as u16;
    let step = magnitude >> (segment + 3) & 0x0F;
    !(sign | (segment as u8) << 4 | step as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What G.711 decodes, from the standard's table of segments.
    fn decoded(byte: u8) -> i32 {
        let (segment, step) = (u32::from(!byte >> 4 & 7), i32::from(!byte & 15));
        let magnitude = (((step << 3) + 0x84) << segment) - 0x84;
        if byte & 0x80 == 0 { -magnitude } else { magnitude }
    }

    #[test]
    fn mu_law_is_the_nearest_step() {
        // Loud, quiet and silent as tables have them.
        assert_eq!([0, -1, 32_767, -32_768, 1_000, -1_000].map(mu_law), [0xFF, 0x7F, 0x80, 0x00, 0xCE, 0x4E]);
        for sample in i16::MIN..=i16::MAX {
            let error = (decoded(mu_law(sample)) - i32::from(sample)).abs();
            let magnitude = i32::from(sample).abs();
            // Half a step of the segment, and what is clipped.
            let step = 8 << (31 - (magnitude.min(32_635) + 132).leading_zeros() - 7);
            let clipped = (magnitude - 32_124 - step / 2).max(0);
            assert!(error <= step / 2 + clipped, "{sample}: {error} of {step}");
        }
    }

    #[test]
    fn no_number_is_so_loud_that_a_mixer_limits_it() {
        let coder = SerialCoder::default();
        // Bits are independent: the worst sum takes from each pair whatever is larger at that sample.
        for at in 0..FRAME_SAMPLES {
            for sign in [1.0, -1.0] {
                let worst = |pair: &[[f64; FRAME_SAMPLES]]| (sign * pair[0][at]).max(sign * pair[1][at]);
                let peak: f64 = coder.tones.chunks(2).map(worst).sum();
                assert!(peak < 0.47, "{peak} at {at}");
            }
        }
    }

    #[test]
    fn neighbours_differ_in_eight_bits_and_no_two_numbers_are_the_same() {
        let spread = |number: u16| number.wrapping_mul(SPREAD);
        for number in 0..=u16::MAX {
            assert!((spread(number) ^ spread(number.wrapping_add(1))).count_ones() >= 8, "{number}");
            assert_eq!(spread(number).wrapping_mul(65_533), number);
        }
    }

    #[test]
    fn frames_are_those_of_the_formula() {
        let coder = SerialCoder::default();
        // 21845 · 2 = 43690: bits 15, 13, 11 … are set, the upper tones of every other pair.
        let number = 2;
        for at in [0, 1, 40, 79, 80, 159] {
            let time = (at as f64 + 0.5) / 8_000.0;
            let sum: f64 = (0..16u32)
                .map(|bit| {
                    let j = f64::from(2 * bit + bit % 2);
                    (TAU * ((250.0 + 100.0 * j) * time + 0.24 * j * j)).cos()
                })
                .sum();
            let expected = 0.054 * 32_768.0 * sum * (0.5 - 0.5 * (TAU * time * 50.0).cos());
            assert!((f64::from(coder.samples(number)[at]) - expected).abs() <= 0.51, "sample {at}");
        }
        assert_ne!(coder.payload(7), coder.payload(8));
    }
}
