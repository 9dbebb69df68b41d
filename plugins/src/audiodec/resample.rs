//! A streaming resampler for mono S16: polyphase, linear phase, without delay on the timeline.
//!
//! Output sample n is the input at time n · in / out exactly; the filter's own delay shows only as output that comes
//! later (`look_ahead` input samples), never as output that stands elsewhere. What comes out does not depend on how the
//! input is cut: each output sample is the same sum over the same input samples in the same order.
//!
//! Knows samples and rates; must not know time, codecs or GStreamer.

use crate::audiodec::kernel::Kernel;
use crate::audiodec::kernel::LANES;
use crate::audiodec::kernel::Phases;

/// Input is worked off in pieces of this many samples, so that the window stays small whatever is pushed.
const PIECE_SAMPLES: usize = 1024;

/// Converts mono S16 from one sample rate to another.
#[derive(Debug)]
pub(super) struct Resampler {
    /// `None` at equal rates: samples pass untouched.
    filter: Option<Filter>,
}

#[derive(Debug)]
struct Filter {
    kernel: Kernel,
    up: u32,
    down: u32,
    /// Input around the next output: begins with the first sample that it needs, or before.
    window: Vec<f32>,
    /// Where in `window` the taps of the next output begin.
    at: usize,
    /// Time of the next output after input sample `at + half − 1`, in 1/`up` of an input sample.
    phase: u32,
    /// From one output to the next, in whole input samples and in 1/`up` of one: a division for each is slow.
    step: usize,
    step_phase: u32,
    n_in: u64,
    n_out: u64,
}

impl Resampler {
    /// Returns a resampler from `rate_in` to `rate_out`, both in Hz and above 0.
    pub(super) fn new(rate_in: u32, rate_out: u32) -> Self {
        let divisor = gcd(rate_in, rate_out);
        let filter = (rate_in != rate_out).then(|| Filter::new(rate_out / divisor, rate_in / divisor));
        Self { filter }
    }

    /// Returns how many input samples after its own time an output sample needs.
    pub(super) fn look_ahead(&self) -> usize {
        self.filter.as_ref().map_or(0, |filter| filter.kernel.half())
    }

    /// Takes `input` and appends to `output` what can be told from the input so far.
    pub(super) fn push(&mut self, input: &[i16], output: &mut Vec<i16>) {
        let Some(filter) = &mut self.filter else {
            output.extend_from_slice(input);
            return;
        };
        for piece in input.chunks(PIECE_SAMPLES) {
            filter.n_in += piece.len() as u64;
            filter.window.extend(piece.iter().map(|&sample| f32::from(sample)));
            filter.produce(output);
        }
    }

    /// Appends what is still owed, as if silence followed, and begins anew: then `n` input samples have given
    /// `round(n · out / in)` output samples.
    pub(super) fn drain(&mut self, output: &mut Vec<i16>) {
        let Some(filter) = &mut self.filter else { return };
        let n_owed = (filter.n_in * u64::from(filter.up) + u64::from(filter.down / 2)) / u64::from(filter.down);
        let end = output.len() + n_owed.saturating_sub(filter.n_out) as usize;
        filter.window.extend(std::iter::repeat_n(0.0, filter.kernel.half()));
        filter.produce(output);
        output.truncate(end);
        self.reset();
    }

    /// Forgets the input so far.
    pub(super) fn reset(&mut self) {
        if let Some(filter) = &mut self.filter {
            filter.reset();
        }
    }
}

impl Filter {
    fn new(up: u32, down: u32) -> Self {
        let kernel = Kernel::new(up, down);
        let (step, step_phase) = ((down / up) as usize, down % up);
        let window = Vec::new();
        let mut filter = Self { kernel, up, down, window, at: 0, phase: 0, step, step_phase, n_in: 0, n_out: 0 };
        filter.reset();
        filter
    }

    /// Silence stands before the first sample, as much as makes the first output fall on it.
    fn reset(&mut self) {
        self.window.clear();
        self.window.resize(self.kernel.half() - 1, 0.0);
        (self.at, self.phase, self.n_in, self.n_out) = (0, 0, 0, 0);
    }

    fn produce(&mut self, output: &mut Vec<i16>) {
        let taps = self.kernel.taps();
        let n_before = output.len();
        while self.at + taps <= self.window.len() {
            output.push(to_sample(self.sum(&self.window[self.at..self.at + taps])));
            self.at += self.step;
            self.phase += self.step_phase;
            if self.phase >= self.up {
                self.phase -= self.up;
                self.at += 1;
            }
        }
        self.n_out += (output.len() - n_before) as u64;
        self.forget_used();
    }

    fn sum(&self, inputs: &[f32]) -> f32 {
        match self.kernel.phases() {
            Phases::Exact if self.phase == 0 && self.kernel.row_0_is_identity() => inputs[self.kernel.half() - 1],
            Phases::Exact => dot(inputs, self.kernel.row(self.phase as usize)),
            Phases::Steps(steps) => {
                let scaled = u64::from(self.phase) * u64::from(steps);
                let row = (scaled / u64::from(self.up)) as usize;
                let between = (scaled % u64::from(self.up)) as f32 / self.up as f32;
                let (below, above) = (dot(inputs, self.kernel.row(row)), dot(inputs, self.kernel.row(row + 1)));
                below + between * (above - below)
            }
        }
    }

    fn forget_used(&mut self) {
        // A step is never longer than the taps, so the next output begins inside the window or at its end.
        let n_used = self.at.min(self.window.len());
        self.window.copy_within(n_used.., 0);
        self.window.truncate(self.window.len() - n_used);
        self.at -= n_used;
    }
}

/// Sum of products of two slices whose length is a multiple of [`LANES`]; the lanes let it compile to SIMD without
/// changing the order of additions.
fn dot(inputs: &[f32], taps: &[f32]) -> f32 {
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

/// Rounds to the nearest sample value and saturates. The offset makes truncation a floor, which compiles to one
/// instruction where `round` is a call.
fn to_sample(value: f32) -> i16 {
    ((value.clamp(-32_768.0, 32_767.0) + 32_768.5) as i32 - 32_768) as i16
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    fn tone(rate: u32, frequency: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| 16_000.0 * (TAU * frequency * i as f64 / f64::from(rate) + 0.3).sin()).collect()
    }

    fn quantised(samples: &[f64]) -> Vec<i16> {
        samples.iter().map(|s| s.round() as i16).collect()
    }

    fn resampled(rate_in: u32, rate_out: u32, input: &[i16]) -> Vec<i16> {
        let mut resampler = Resampler::new(rate_in, rate_out);
        let mut output = Vec::new();
        resampler.push(input, &mut output);
        resampler.drain(&mut output);
        output
    }

    /// Signal to noise in dB against the ideal sine at the output rate, sample by sample: a lag of a tenth of a sample
    /// would already show.
    fn snr_db(rate_in: u32, rate_out: u32, frequency: f64) -> f64 {
        let input = quantised(&tone(rate_in, frequency, rate_in as usize));
        let output = resampled(rate_in, rate_out, &input);
        let ideal = tone(rate_out, frequency, rate_out as usize);
        assert_eq!(output.len(), ideal.len());
        let inner = rate_out as usize / 20..output.len() - rate_out as usize / 20;
        let (mut signal, mut noise) = (0.0, 0.0);
        for (ideal, &got) in ideal[inner.clone()].iter().zip(&output[inner]) {
            signal += ideal * ideal;
            noise += (ideal - f64::from(got)).powi(2);
        }
        10.0 * (signal / noise).log10()
    }

    const RATES: [(u32, u32); 14] = [
        (8_000, 16_000),
        (8_000, 48_000),
        (16_000, 8_000),
        (48_000, 16_000),
        (44_100, 16_000),
        (44_100, 48_000),
        (16_000, 44_100),
        (11_025, 16_000),
        (22_050, 16_000),
        (32_000, 48_000),
        (96_000, 16_000),
        (192_000, 8_000),
        (191_999, 8_000),
        (44_101, 48_000),
    ];

    #[test]
    fn tones_match_the_ideal_sine_to_the_sample() {
        for (rate_in, rate_out) in RATES {
            let lower = f64::from(rate_in.min(rate_out));
            for share in [0.01, 0.1, 0.25, 0.4, 0.44] {
                let snr = snr_db(rate_in, rate_out, share * lower);
                assert!(snr > 80.0, "{rate_in} to {rate_out}, {share} of the lower rate: {snr:.1} dB");
            }
        }
    }

    #[test]
    fn tones_above_the_stopband_edge_vanish() {
        for (rate_in, rate_out) in RATES.into_iter().filter(|(rate_in, rate_out)| rate_in > rate_out) {
            for share in [0.56, 0.7, 0.9] {
                let frequency = share * f64::from(rate_out);
                if frequency > 0.5 * f64::from(rate_in) {
                    continue;
                }
                let input = quantised(&tone(rate_in, frequency, rate_in as usize));
                let output = resampled(rate_in, rate_out, &input);
                let inner = &output[rate_out as usize / 20..output.len() - rate_out as usize / 20];
                let peak = inner.iter().map(|s| i32::from(*s).abs()).max().unwrap();
                // 16 000 less 80 dB is 1.6; one more for the rounding.
                assert!(peak <= 2, "{rate_in} to {rate_out}, {share}: peak {peak}");
            }
        }
    }

    #[test]
    fn sweep_stays_flat_through_the_passband() {
        let (rate_in, rate_out) = (8_000, 16_000);
        for step in 1..=36 {
            let frequency = f64::from(step) * 100.0;
            let output = resampled(rate_in, rate_out, &quantised(&tone(rate_in, frequency, 16_000)));
            let inner = &output[1_600..30_400];
            let power: f64 = inner.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / inner.len() as f64;
            let gain = 10.0 * (power / (16_000.0f64.powi(2) / 2.0)).log10();
            assert!(gain.abs() < 0.1, "{frequency} Hz: {gain} dB");
        }
    }

    #[test]
    fn values_are_rounded_to_the_nearest_sample() {
        for (value, sample) in [(0.4, 0), (0.6, 1), (-0.4, 0), (-0.6, -1), (32_766.6, 32_767), (-32_767.6, -32_768)] {
            assert_eq!(to_sample(value), sample, "{value}");
        }
        assert_eq!((to_sample(1e9), to_sample(-1e9)), (i16::MAX, i16::MIN));
    }

    #[test]
    fn equal_rates_pass_every_sample_untouched() {
        let input: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        assert_eq!(resampled(16_000, 16_000, &input), input);
        assert_eq!(Resampler::new(16_000, 16_000).look_ahead(), 0);
    }

    #[test]
    fn impulse_stays_at_its_place_on_the_timeline() {
        for (rate_in, rate_out) in RATES {
            let mut input = vec![0i16; rate_in as usize];
            input[rate_in as usize / 2] = 20_000;
            let output = resampled(rate_in, rate_out, &input);
            let peak = (0..output.len()).max_by_key(|&i| i32::from(output[i]).abs()).unwrap();
            let exact = f64::from(rate_in / 2) * f64::from(rate_out) / f64::from(rate_in);
            assert!((peak as f64 - exact).abs() <= 0.5, "{rate_in} to {rate_out}: {peak}, not {exact}");
        }
    }

    #[test]
    fn full_scale_saturates_and_never_wraps() {
        let input: Vec<i16> = (0..8_000).map(|i| if i / 40 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        let output = resampled(8_000, 16_000, &input);
        let plateau = |half_period: usize| output[half_period * 80 + 20..half_period * 80 + 60].iter();
        assert!(plateau(10).all(|&s| s > 28_000) && plateau(11).all(|&s| s < -28_000));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn output_does_not_depend_on_the_cuts(
            rates in proptest::sample::select(RATES.to_vec()),
            input in proptest::collection::vec(any::<i16>(), 1..6_000),
            cuts in proptest::collection::vec(1usize..700, 1..40),
        ) {
            let whole = resampled(rates.0, rates.1, &input);
            let mut resampler = Resampler::new(rates.0, rates.1);
            let (mut pieces, mut rest, mut cuts) = (Vec::new(), &input[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (head, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                resampler.push(head, &mut pieces);
                rest = tail;
            }
            resampler.drain(&mut pieces);
            prop_assert_eq!(&pieces, &whole);
            let (rate_in, rate_out) = (rates.0 as usize, rates.1 as usize);
            prop_assert_eq!(whole.len(), (2 * input.len() * rate_out + rate_in) / (2 * rate_in));
        }

        #[test]
        fn drained_resampler_begins_anew(input in proptest::collection::vec(any::<i16>(), 1..2_000)) {
            let mut resampler = Resampler::new(8_000, 16_000);
            let (mut first, mut second) = (Vec::new(), Vec::new());
            for output in [&mut first, &mut second] {
                resampler.push(&input, output);
                resampler.drain(output);
            }
            prop_assert_eq!(first, second);
        }
    }
}
