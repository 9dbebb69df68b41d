//! A tone stays a tone while its sender's clock is followed.

use std::f64::consts::TAU;

use crate::support::RATE;
use crate::support::sound::tone;
use crate::truth::Sent;

const HZ: f64 = 1_000.0;
const AMPLITUDE: f64 = 10_000.0;

/// Seconds of it, and after how many the clock is known.
const SECONDS: usize = 60;
const LOCKED: usize = 20;

/// Samples of a spectrum: about a second.
const WINDOW: usize = 1 << 14;

/// How far from the tone its window and its clock spread it.
const SPREAD_HZ: f64 = 15.0;

/// Most of anything else, against the tone.
const OTHER_DB: f64 = -60.0;

/// Nothing but the rounding to 16 bits, twice, and of a sum of three samples; a step of a tenth of a sample would be
/// four hundred.
const STEP_MAX: f64 = 12.0;

/// Returns the power of each frequency in a stretch of sound, behind a Hann window.
fn spectrum(samples: &[i16]) -> Vec<f64> {
    let n = samples.len();
    let mut values: Vec<(f64, f64)> = (0..n)
        .map(|at| (f64::from(samples[at]) * (0.5 - 0.5 * (TAU * (at as f64 + 0.5) / n as f64).cos()), 0.0))
        .collect();
    let bits = n.trailing_zeros();
    for at in 0..n {
        let other = at.reverse_bits() >> (usize::BITS - bits);
        if at < other {
            values.swap(at, other);
        }
    }
    let mut half = 1;
    while half < n {
        for begin in (0..n).step_by(2 * half) {
            for at in 0..half {
                let (sin, cos) = (-TAU * at as f64 / (2 * half) as f64).sin_cos();
                let (even, odd) = (values[begin + at], values[begin + at + half]);
                let turned = (odd.0 * cos - odd.1 * sin, odd.0 * sin + odd.1 * cos);
                values[begin + at] = (even.0 + turned.0, even.1 + turned.1);
                values[begin + at + half] = (even.0 - turned.0, even.1 - turned.1);
            }
        }
        half *= 2;
    }
    values[..n / 2].iter().map(|(re, im)| re * re + im * im).collect()
}

/// Returns the loudest thing beside the tone, against it: level in dB and frequency.
fn loudest_other(samples: &[i16]) -> (f64, f64) {
    let powers = spectrum(samples);
    let hz = |bin: usize| bin as f64 * RATE as f64 / samples.len() as f64;
    let is_tone = |bin: usize| (hz(bin) - HZ).abs() <= SPREAD_HZ;
    let loudest = |is_wanted: &dyn Fn(usize) -> bool| {
        let bins = (0..powers.len()).filter(|bin| is_wanted(*bin));
        bins.max_by(|a, b| powers[*a].total_cmp(&powers[*b])).expect("bins")
    };
    let (carrier, other) = (loudest(&is_tone), loudest(&|bin| !is_tone(bin)));
    (10.0 * (powers[other] / powers[carrier]).log10(), hz(other))
}

/// Returns the largest difference between a sample and what its neighbours say of a sine: 0 but for rounding.
fn worst_step(samples: &[i16]) -> (f64, usize) {
    let middle = 2.0 * (TAU * HZ / RATE as f64).cos();
    let step = |at: usize| {
        let [before, here, behind] = [at - 1, at, at + 1].map(|at| f64::from(samples[at]));
        (before + behind - middle * here).abs()
    };
    let steps = (1..samples.len() - 1).map(|at| (step(at), at));
    steps.max_by(|a, b| a.0.total_cmp(&b.0)).expect("samples")
}

#[test]
fn nothing_is_heard_beside_a_tone_and_it_makes_no_step() {
    let said = tone(HZ, RATE, SECONDS * RATE, AMPLITUDE);
    for (skew_ppm, network) in [(300, ""), (-300, ""), (300, "--jitter 30ms"), (-300, "--jitter 30ms")] {
        let sent = Sent { codec: "l16", skew_ppm, network };
        let samples = sent.record(&sent.capture(RATE, &said)).wav().samples;
        let name = format!("{skew_ppm:+} ppm {network}");
        // Less its last second, in which it ends.
        let settled = &samples[LOCKED * RATE..(SECONDS - 1) * RATE];
        let windows = settled.windows(WINDOW).step_by(WINDOW / 2);
        let (db, hz) = windows.map(loudest_other).max_by(|a, b| a.0.total_cmp(&b.0)).expect("windows");
        let (step, at) = worst_step(settled);
        println!("{name}: beside the tone {db:.1} dB at {hz:.0} Hz; largest step {step:.1} of 32768");
        assert!(db <= OTHER_DB, "{name}: {db} dB at {hz} Hz");
        assert!(step <= STEP_MAX, "{name}: a step of {step} at {} s", at as f64 / RATE as f64 + LOCKED as f64);
    }
}
