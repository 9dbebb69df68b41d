//! Measures sound.

use super::RATE;

/// Returns bytes as samples; an odd last byte is left out.
pub(crate) fn from_bytes(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])).collect()
}

/// Level of silence.
const SILENCE_DB: f64 = -200.0;

fn db(power: f64) -> f64 {
    if power > 0.0 { 10.0 * power.log10() } else { SILENCE_DB }
}

/// Returns the level of a tone in one stretch of sound, in dBFS (0: a sine of full scale), by Goertzel's algorithm
/// behind a Hann window.
pub(crate) fn tone_db(samples: &[i16], rate: usize, hz: f64) -> f64 {
    let (n, omega) = (samples.len() as f64, std::f64::consts::TAU * hz / rate as f64);
    let coefficient = 2.0 * omega.cos();
    let (mut last, mut before) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let hann = 0.5 - 0.5 * (std::f64::consts::TAU * (at as f64 + 0.5) / n).cos();
        let next = f64::from(*sample) / 32_768.0 * hann + coefficient * last - before;
        (before, last) = (last, next);
    }
    let power = last * last + before * before - coefficient * last * before;
    // Half the samples' number is what a sine sums up to, and Hann's window leaves half of it.
    db(power / (n / 4.0).powi(2))
}

/// Returns the level of a tone where it is loudest, in windows of 100 ms that overlap by half.
pub(crate) fn loudest_tone_db(samples: &[i16], hz: f64) -> f64 {
    const WINDOW: usize = RATE / 10;
    let last = samples.len().saturating_sub(WINDOW);
    let starts = (0..=last).step_by(WINDOW / 2).chain([last]);
    let levels = starts.map(|start| tone_db(&samples[start..(start + WINDOW).min(samples.len())], RATE, hz));
    levels.fold(SILENCE_DB, f64::max)
}

/// Returns the level of sound in dBFS (0: a square of full scale).
pub(crate) fn rms_db(samples: &[i16]) -> f64 {
    db(energy(samples) / samples.len().max(1) as f64 / 32_768f64.powi(2))
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

/// Returns how far the difference to `truth` is below it, in dB.
#[track_caller]
pub(crate) fn snr_db(truth: &[i16], heard: &[i16]) -> f64 {
    assert_eq!(truth.len(), heard.len());
    let noise: f64 = truth.iter().zip(heard).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    db(energy(truth) / noise.max(1e-9))
}

/// Returns by how many samples `heard` is later than `said`, where they agree best within ±`max`.
pub(crate) fn lag(said: &[i16], heard: &[i16], max: usize) -> i64 {
    let max = max as i64;
    let n = said.len().min(heard.len()) as i64;
    let likeness = |lag: i64| -> f64 {
        let pairs = (max..n - max).map(|at| (said[at as usize], heard[(at + lag) as usize]));
        pairs.map(|(a, b)| f64::from(a) * f64::from(b)).sum()
    };
    let lags = (-max..=max).map(|lag| (likeness(lag), lag));
    lags.max_by(|a, b| a.0.total_cmp(&b.0)).expect("there are lags").1
}

/// Asserts that samples are equal, and says where they first are not.
#[track_caller]
pub(crate) fn assert_same(what: &str, expected: &[i16], actual: &[i16]) {
    let differs = expected.iter().zip(actual).position(|(a, b)| a != b);
    if let Some(at) = differs {
        let (from, to) = (at.saturating_sub(2), at + 4);
        let around = |samples: &[i16]| samples[from..to.min(samples.len())].to_vec();
        let (expected, actual) = (around(expected), around(actual));
        panic!("{what}: first difference at sample {at}: expected {expected:?}, got {actual:?} (from {from})");
    }
    assert_eq!(actual.len(), expected.len(), "{what}: samples");
}
