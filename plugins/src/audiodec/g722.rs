//! G.722 at 64 kbit/s: sub-band ADPCM, one byte for two samples at 16 kHz (ITU-T G.722).
//!
//! Integer arithmetic as in the recommendation, so the output is the same to the bit as every conforming decoder's.
//! Every byte is a code: nothing can be corrupt.
//!
//! Knows bytes and samples; must not know time or GStreamer.

/// Delay in samples of 16 kHz of encoder and decoder together, from the 24-tap filters that split and join the bands;
/// measured with speech and an impulse through ffmpeg's encoder.
pub(super) const DELAY_SAMPLES: usize = 22;

/// Sample rate of the decoded audio in Hz. RTP's clock of 8000 is an error that became the standard (RFC 3551 §4.5.2).
pub(super) const RATE: u32 = 16_000;

/// Inverse quantiser of the lower band, 6 bits (Table 17 of the recommendation, with the sign folded in).
static QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576,
    -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040,
    -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
    4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// Inverse quantiser of the lower band's predictor, 4 bits.
static QM4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];

/// Inverse quantiser of the higher band, 2 bits.
static QM2: [i32; 4] = [-7408, -1616, 7408, 1616];

/// Logarithmic step multipliers of the lower band, by 4-bit code.
static WL: [i32; 16] = [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

/// Logarithmic step multipliers of the higher band, by 2-bit code.
static WH: [i32; 4] = [798, -214, 798, -214];

/// Antilogarithm of the step size, 32 steps to a factor of two.
static ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
    3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// Every other tap of the 24-tap filter that joins the bands; the other half is the same backwards.
static QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// A decoder with the state of one stream.
#[derive(Debug, Clone)]
pub(super) struct G722 {
    low: Band,
    high: Band,
    join: Join,
}

impl G722 {
    /// Returns a decoder in the recommendation's reset state.
    pub(super) fn new() -> Self {
        let band = |step| Band { step, ..Band::default() };
        Self { low: band(32), high: band(8), join: Join::default() }
    }

    /// Appends two samples for each byte.
    pub(super) fn append(&mut self, bytes: &[u8], output: &mut Vec<i16>) {
        output.reserve(2 * bytes.len());
        for &code in bytes {
            let low = self.low_sample(usize::from(code & 0x3f));
            let high = self.high_sample(usize::from(code >> 6));
            output.extend(self.join.pair(low, high));
        }
    }

    /// Appends the `n` samples that are still under way between the bands, as if both fell silent. Changes nothing.
    pub(super) fn tail(&self, n: usize, output: &mut Vec<i16>) {
        let end = output.len() + n;
        let mut join = self.join.clone();
        while output.len() < end {
            output.extend(join.pair(0, 0));
        }
        output.truncate(end);
    }

    fn low_sample(&mut self, code: usize) -> i32 {
        let band = &mut self.low;
        let sample = band.predicted + ((band.step * QM6[code]) >> 15);
        let coarse = code >> 2;
        let difference = (band.step * QM4[coarse]) >> 15;
        band.adapt_step(WL[coarse], 18_432, 8);
        band.predict(difference);
        sample.clamp(-16_384, 16_383)
    }

    fn high_sample(&mut self, code: usize) -> i32 {
        let band = &mut self.high;
        let difference = (band.step * QM2[code]) >> 15;
        let sample = band.predicted + difference;
        band.adapt_step(WH[code], 22_528, 10);
        band.predict(difference);
        sample.clamp(-16_384, 16_383)
    }
}

/// Adaptive quantiser and predictor of one band: two poles, six zeros.
#[derive(Debug, Clone, Default)]
struct Band {
    /// Prediction of the next sample.
    predicted: i32,
    /// The zeros' part of the prediction.
    predicted_by_zeros: i32,
    /// Quantiser step.
    step: i32,
    /// Logarithm of the step.
    log_step: i32,
    /// The last two reconstructed samples, newest first.
    reconstructed: [i32; 2],
    /// The last two partly reconstructed samples, newest first.
    partial: [i32; 2],
    poles: [i32; 2],
    zeros: [i32; 6],
    /// The last six quantised differences, newest first.
    differences: [i32; 6],
}

impl Band {
    /// Blocks 3L and 3H: the step follows the codes.
    fn adapt_step(&mut self, multiplier: i32, log_max: i32, exponent_max: i32) {
        self.log_step = (((self.log_step * 127) >> 7) + multiplier).clamp(0, log_max);
        let mantissa = ILB[((self.log_step >> 6) & 31) as usize];
        let shift = exponent_max - (self.log_step >> 11);
        let step = if shift < 0 { mantissa << -shift } else { mantissa >> shift };
        self.step = step << 2;
    }

    /// Blocks 4L and 4H: adapts poles and zeros to the difference just decoded and predicts the next sample.
    fn predict(&mut self, difference: i32) {
        let reconstructed = saturate(self.predicted + difference);
        let partial = saturate(self.predicted_by_zeros + difference);
        let poles = self.adapted_poles(partial);
        self.adapt_zeros(difference);
        self.differences.rotate_right(1);
        self.differences[0] = difference;
        self.partial = [partial, self.partial[0]];
        self.poles = poles;

        let first = (poles[0] * saturate(2 * reconstructed)) >> 15;
        let second = (poles[1] * saturate(2 * self.reconstructed[0])) >> 15;
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        let by_zeros: i32 =
            self.zeros.iter().zip(&self.differences).map(|(zero, past)| (zero * saturate(2 * past)) >> 15).sum();
        self.predicted_by_zeros = saturate(by_zeros);
        self.predicted = saturate(saturate(first + second) + self.predicted_by_zeros);
    }

    /// UPPOL2 and UPPOL1.
    fn adapted_poles(&self, partial: i32) -> [i32; 2] {
        let agree = |past: i32| (partial < 0) == (past < 0);
        let scaled = saturate(self.poles[0] << 2);
        let against = if agree(self.partial[0]) { (-scaled).min(32_767) } else { scaled };
        let leak = if agree(self.partial[1]) { 128 } else { -128 };
        let second = (leak + (against >> 7) + ((self.poles[1] * 32_512) >> 15)).clamp(-12_288, 12_288);

        let push = if agree(self.partial[0]) { 192 } else { -192 };
        let bound = saturate(15_360 - second);
        let first = saturate(push + ((self.poles[0] * 32_640) >> 15)).clamp(-bound, bound);
        [first, second]
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let push = if difference == 0 { 0 } else { 128 };
        for (zero, past) in self.zeros.iter_mut().zip(&self.differences) {
            let step = if (*past < 0) == (difference < 0) { push } else { -push };
            *zero = saturate(step + ((*zero * 32_640) >> 15));
        }
    }
}

/// The receiving QMF: joins one sample of each band to two samples of the full band.
#[derive(Debug, Clone, Default)]
struct Join {
    /// Differences of the bands, oldest first.
    differences: [i32; 12],
    /// Sums of the bands, oldest first.
    sums: [i32; 12],
}

impl Join {
    fn pair(&mut self, low: i32, high: i32) -> [i16; 2] {
        self.differences.rotate_left(1);
        self.differences[11] = low - high;
        self.sums.rotate_left(1);
        self.sums[11] = low + high;
        let first: i32 = self.differences.iter().zip(QMF.iter().rev()).map(|(value, tap)| value * tap).sum();
        let second: i32 = self.sums.iter().zip(&QMF).map(|(value, tap)| value * tap).sum();
        [saturate(first >> 11) as i16, saturate(second >> 11) as i16]
    }
}

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audiodec::foreign::bytes;
    use crate::audiodec::foreign::ffmpeg;
    use crate::audiodec::foreign::lag;
    use crate::audiodec::foreign::samples;
    use crate::audiodec::foreign::speech;
    use proptest::prelude::*;

    fn encoded(samples: &[i16]) -> Vec<u8> {
        let args = ["-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "pipe:0", "-c:a", "g722", "-f", "g722", "pipe:1"];
        ffmpeg(&args, &bytes(samples))
    }

    fn decoded(codes: &[u8]) -> Vec<i16> {
        let mut samples = Vec::new();
        G722::new().append(codes, &mut samples);
        samples
    }

    #[track_caller]
    fn check_against_ffmpeg(codes: &[u8]) {
        let theirs = samples(&ffmpeg(&["-f", "g722", "-i", "pipe:0", "-f", "s16le", "pipe:1"], codes));
        let ours = decoded(codes);
        assert_eq!(ours.len(), theirs.len());
        let differing = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
        assert_eq!(differing, None);
    }

    #[test]
    fn speech_is_equal_to_the_bit_to_ffmpeg() {
        check_against_ffmpeg(&encoded(&speech()));
    }

    #[test]
    fn random_bytes_are_equal_to_the_bit_to_ffmpeg() {
        let mut state = 0x2545_f491u32;
        let codes: Vec<u8> = (0..200_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (state >> 11) as u8
            })
            .collect();
        check_against_ffmpeg(&codes);
        for code in [0x00, 0x3f, 0xc0, 0xff, 0x84, 0x20] {
            check_against_ffmpeg(&vec![code; 20_000]);
        }
    }

    #[test]
    fn delay_is_what_speech_and_an_impulse_say() {
        let speech = speech();
        assert_eq!(lag(&speech, &decoded(&encoded(&speech)), 60), DELAY_SAMPLES as i64);
        let mut impulse = vec![0i16; 4_000];
        impulse[2_000] = 20_000;
        let heard = decoded(&encoded(&impulse));
        let peak = (0..heard.len()).max_by_key(|&i| heard[i]).unwrap();
        assert_eq!(peak, 2_000 + DELAY_SAMPLES);
    }

    #[test]
    fn tail_is_what_is_still_in_the_filter() {
        let mut decoder = G722::new();
        let mut samples = Vec::new();
        decoder.append(&encoded(&speech()[16_000..17_000]), &mut samples);
        samples.clear();
        // After twelve silent pairs nothing of the stream is left in the filter.
        decoder.tail(27, &mut samples);
        assert_eq!(samples.len(), 27);
        assert!(samples[..DELAY_SAMPLES].iter().any(|&sample| sample != 0));
        assert_eq!(samples[24..], [0; 3]);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_cuts_give_the_same_samples(
            codes in proptest::collection::vec(any::<u8>(), 0..2_000),
            cut in 0usize..2_000,
        ) {
            let (head, tail) = codes.split_at(cut.min(codes.len()));
            let mut decoder = G722::new();
            let mut samples = Vec::new();
            decoder.append(head, &mut samples);
            decoder.append(tail, &mut samples);
            prop_assert_eq!(samples.len(), 2 * codes.len());
            prop_assert_eq!(samples, decoded(&codes));
        }
    }
}
