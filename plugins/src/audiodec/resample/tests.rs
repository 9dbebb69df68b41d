//! The resampler against ideal sines, however its input is cut.

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

/// What comes out of `input` when from each of these samples on all are so many parts per billion longer.
fn corrected(rate_in: u32, rate_out: u32, input: &[i16], turns: &[(usize, i64)], piece: usize) -> Vec<i16> {
    let mut resampler = Resampler::new(rate_in, rate_out);
    let mut output = Vec::new();
    let ends = turns.iter().skip(1).map(|turn| turn.0).chain([input.len()]);
    resampler.push(&input[..turns[0].0], &mut output);
    for (&(from, ppb), until) in turns.iter().zip(ends) {
        resampler.correct(ppb);
        assert!(resampler.is_corrected());
        input[from..until].chunks(piece).for_each(|piece| resampler.push(piece, &mut output));
    }
    resampler.drain(&mut output);
    assert!(!resampler.is_corrected());
    output
}

/// Signal to noise in dB of a 1 kHz tone of two seconds against the sine that each output's time in the input tells.
fn corrected_snr_db(rate_in: u32, rate_out: u32, turns: &[(usize, i64)]) -> f64 {
    let sine = |at: f64| 16_000.0 * (TAU * 1_000.0 * at / f64::from(rate_in)).sin();
    let input: Vec<i16> = (0..2 * rate_in).map(|n| sine(f64::from(n)).round() as i16).collect();
    let output = corrected(rate_in, rate_out, &input, turns, 160);
    let per_sample = f64::from(rate_out) / f64::from(rate_in);
    let (mut at_in, mut at_out, mut length) = (0.0, 0.0, per_sample);
    let mut turns = turns.iter().peekable();
    let (mut signal, mut noise) = (0.0, 0.0);
    for (n, &got) in output.iter().enumerate() {
        while let Some(&(from, ppb)) = turns.next_if(|turn| at_out + (turn.0 as f64 - at_in) * length <= n as f64) {
            at_out += (from as f64 - at_in) * length;
            (at_in, length) = (from as f64, per_sample * (1.0 + ppb as f64 * 1e-9));
        }
        let ideal = sine(at_in + (n as f64 - at_out) / length);
        if (400..output.len() - 400).contains(&n) {
            signal += ideal * ideal;
            noise += (ideal - f64::from(got)).powi(2);
        }
    }
    10.0 * (signal / noise).log10()
}

#[test]
fn high_tones_of_a_drifting_call_are_as_clean_as_low_ones() {
    for frequency in [1_000.0, 2_500.0, 3_400.0] {
        for ppb in [600_000, 100_000, -20_000, -600_000] {
            let sine = |at: f64| 16_000.0 * (TAU * frequency * at / 8_000.0).sin();
            let input: Vec<i16> = (0..16_000).map(|n| sine(f64::from(n)).round() as i16).collect();
            let output = corrected(8_000, 16_000, &input, &[(0, ppb)], 160);
            let length = 2.0 * (1.0 + ppb as f64 * 1e-9);
            let inner = 400..output.len() - 400;
            let (signal, noise) = inner.fold((0.0, 0.0), |(signal, noise), n| {
                let ideal = sine(n as f64 / length);
                (signal + ideal * ideal, noise + (ideal - f64::from(output[n])).powi(2))
            });
            let snr = 10.0 * f64::log10(signal / noise);
            assert!(snr > 80.0, "{frequency} Hz, {ppb} ppb: {snr:.1} dB");
        }
    }
}

#[test]
fn corrected_tones_match_the_ideal_sine_to_the_sample() {
    for (rate_in, rate_out) in RATES.into_iter().chain([(16_000, 16_000), (8_000, 8_000), (24_000, 16_000)]) {
        for ppb in [300_000, -300_000, 600_000, -600_000] {
            let snr = corrected_snr_db(rate_in, rate_out, &[(0, ppb)]);
            assert!(snr > 80.0, "{rate_in} to {rate_out}, {ppb} ppb: {snr:.1} dB");
        }
    }
}

#[test]
fn a_correction_begins_changes_and_goes_without_a_step() {
    for (rate_in, rate_out) in RATES.into_iter().chain([(16_000, 16_000), (8_000, 8_000), (24_000, 16_000)]) {
        let at = rate_in as usize / 2;
        let more = rate_in as usize / 50 + 7;
        let turns = [(at, 600_000), (at + more, -600_000), (at + 2 * more, 123_457), (at + 3 * more, 0)];
        let snr = corrected_snr_db(rate_in, rate_out, &turns);
        assert!(snr > 80.0, "{rate_in} to {rate_out}: {snr:.1} dB");
    }
}

#[test]
fn what_comes_before_a_correction_is_what_it_always_was() {
    let input: Vec<i16> = (0..16_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 16) as i16).collect();
    for (rate_in, rate_out) in RATES.into_iter().chain([(16_000, 16_000)]) {
        let at = 8_000;
        // What is still inside the filter comes out of another table, and may be rounded in another way.
        let n_inside = Resampler::new(rate_in, rate_out).look_ahead() * usize::from(rate_in != rate_out);
        let n_before = (at - n_inside) * rate_out as usize / rate_in as usize;
        let output = corrected(rate_in, rate_out, &input, &[(at, 500_000)], 160);
        let usual = resampled(rate_in, rate_out, &input);
        assert!(output[..n_before] == usual[..n_before], "{rate_in} to {rate_out}");
    }
}

/// A turn that is asked for too early waits, and none of it is lost: the next one says what holds.
#[test]
fn turns_within_the_look_ahead_are_left_out() {
    let input = vec![1_000; 3_200];
    let mut resampler = Resampler::new(16_000, 16_000);
    let mut output = Vec::new();
    for piece in input.chunks(5) {
        let before = resampler.line();
        resampler.correct(600_000);
        resampler.push(piece, &mut output);
        assert!(resampler.line().position(3_200) >= before.position(3_200));
    }
    resampler.drain(&mut output);
    assert_eq!((output.len(), output[1_600], output[3_100]), (3_202, 1_000, 1_000));
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
        fn corrected_output_does_not_depend_on_the_cuts_and_is_as_long_as_it_should(
            rates in proptest::sample::select(RATES.iter().copied().chain([(16_000, 16_000)]).collect::<Vec<_>>()),
            input in proptest::collection::vec(any::<i16>(), 4_000..6_000),
            turns in proptest::collection::vec((700usize..900, -600_000i64..=600_000), 1..5),
            piece in 1usize..1_500,
        ) {
            let mut at = 0;
            let turns: Vec<_> = turns.into_iter().map(|(more, ppb)| { at += more; (at, ppb) }).collect();
            let whole = corrected(rates.0, rates.1, &input, &turns, input.len());
            prop_assert_eq!(&corrected(rates.0, rates.1, &input, &turns, piece), &whole);
            let ends = turns.iter().skip(1).map(|turn| turn.0).chain([input.len()]);
            let more = |((from, ppb), end): (&(usize, i64), usize)| (end - from) as f64 * *ppb as f64 * 1e-9;
            let longer: f64 = turns.iter().zip(ends).map(more).sum();
            let n = (input.len() as f64 + longer) * f64::from(rates.1) / f64::from(rates.0);
            prop_assert!((whole.len() as f64 - n).abs() <= 0.5 + 1e-6, "{} samples, not {}", whole.len(), n);
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
