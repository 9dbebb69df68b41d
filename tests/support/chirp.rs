//! Sound that tells its time: a short chirp every second, and the place of each in a recording, to some microseconds.
//!
//! A chirp lies within one packet of 20 ms, so that it comes whole or not at all. It is found where it is most like
//! itself: nothing that a decoder makes of a neighbour is.

use std::f64::consts::TAU;

use super::RATE;

/// The middle of a chirp, behind the begin of its second: the middle of a packet.
const MIDDLE: f64 = 0.510;

/// Half of a chirp.
const HALF: f64 = 0.006;

/// It rises from 400 to 2 800 Hz: what every codec of calls lets pass.
const MIDDLE_HZ: f64 = 1_600.0;
const RISE_HZ: f64 = 1_200.0;

/// Of full scale: below −6 dBFS, where a mixer leaves it as it is.
const AMPLITUDE: f64 = 0.4;

/// How far from its place a chirp is looked for, in samples of a recording.
const REACH: usize = RATE / 25;

/// A chirp that was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Heard {
    /// Which, from 0.
    pub(crate) number: usize,
    /// Where its middle is, in seconds from the begin of the recording.
    pub(crate) at: f64,
    /// By how much that is later than it should be, in milliseconds.
    pub(crate) late_ms: f64,
}

/// Returns so many seconds of chirps.
pub(crate) fn pattern(rate: usize, seconds: usize) -> Vec<i16> {
    let sample = |at: usize| (AMPLITUDE * 32_768.0 * chirp(at as f64 / rate as f64 - MIDDLE)).round() as i16;
    let second: Vec<_> = (0..rate).map(sample).collect();
    second.repeat(seconds)
}

/// Media time of the middle of a chirp, in seconds.
pub(crate) fn middle(number: usize) -> f64 {
    number as f64 + MIDDLE
}

/// Finds chirps 0 ‥ `n` in a recording (16 kHz); `truth` tells in which second of it the middle of each should be.
/// Those that were lost or changed on their way, whose likeness (0 ‥ 1) to what was sent is too small, are left out.
pub(crate) fn find(samples: &[i16], n: usize, likeness_min: f64, truth: impl Fn(usize) -> f64) -> Vec<Heard> {
    let half = (HALF * RATE as f64) as usize;
    let shape: Vec<f64> = (0..=2 * half).map(|at| chirp((at as f64 - half as f64) / RATE as f64)).collect();
    let heard = (0..n).filter_map(|number| {
        let expected = truth(number);
        let first = ((expected * RATE as f64).round() as usize).checked_sub(half + REACH)?;
        let around = samples.get(first..first + 2 * REACH + shape.len())?;
        let at = (first + half) as f64 + place(around, &shape, likeness_min)?;
        let at = at / RATE as f64;
        Some(Heard { number, at, late_ms: (at - expected) * 1e3 })
    });
    heard.collect()
}

/// Returns from which sample on, and a part of one, `around` is most like `shape`.
fn place(around: &[i16], shape: &[f64], likeness_min: f64) -> Option<f64> {
    let product = |at: usize| -> f64 { shape.iter().zip(&around[at..]).map(|(a, b)| a * f64::from(*b)).sum() };
    let last = around.len() - shape.len();
    let products: Vec<_> = (0..=last).map(product).collect();
    let best = (1..last).max_by(|a, b| products[*a].total_cmp(&products[*b]))?;
    let energy: f64 = around[best..best + shape.len()].iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let likeness = products[best] / (energy * shape.iter().map(|level| level * level).sum::<f64>()).sqrt();
    if likeness.is_nan() || likeness < likeness_min {
        return None;
    }
    let [before, here, behind] = [best - 1, best, best + 1].map(|at| products[at]);
    Some(best as f64 + (before - behind) / (2.0 * (before - 2.0 * here + behind)))
}

/// Returns the mean lateness of those whose number is in a range, in milliseconds; there must be some.
#[track_caller]
pub(crate) fn mean_late_ms(heard: &[Heard], numbers: std::ops::Range<usize>) -> f64 {
    let chosen: Vec<_> = heard.iter().filter(|heard| numbers.contains(&heard.number)).collect();
    assert!(!chosen.is_empty(), "no chirp of {numbers:?} was heard");
    chosen.iter().map(|heard| heard.late_ms).sum::<f64>() / chosen.len() as f64
}

/// A chirp at a time from its middle, −1 ‥ 1.
fn chirp(at: f64) -> f64 {
    if at.abs() >= HALF {
        return 0.0;
    }
    let window = 0.5 + 0.5 * (TAU * at / (2.0 * HALF)).cos();
    window * (TAU * (MIDDLE_HZ * at + RISE_HZ / HALF * at * at / 2.0)).cos()
}
