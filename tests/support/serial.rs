//! Reads numbered frames (`reelgraph send --serial`) from a recording: 16 kHz, one channel.
//!
//! Written from the contract alone (the text over `SerialCoder`), with nothing of the code that writes: each bit of a
//! number, spread, is one of two tones, 100 Hz apart, all multiples of 50 Hz with known phases. A frame counts only if
//! every bit is beyond doubt and all of it is as loud, and where, as it was sent: what is concealed, faded, cut, moved
//! or mixed has no number.

use std::f64::consts::TAU;
use std::sync::OnceLock;

/// Samples of a frame, at 16 kHz.
pub(crate) const FRAME: usize = 320;

const BITS: usize = 16;

/// Amplitude of a tone that is on: half of 0.054 of full scale, since the window's mean is a half.
const LEVEL: f64 = 0.054 / 2.0 * 32_768.0;

/// The tone that is on is so many times as loud as the other of its bit.
const CLEAR: f64 = 2.5;

/// How far a single tone, and the mean of all that are on, may be from [`LEVEL`]. MP3 at 48 kbit/s needs the first.
const TONE_RANGE: std::ops::RangeInclusive<f64> = 0.5..=1.6;
const MEAN_RANGE: std::ops::RangeInclusive<f64> = 0.85..=1.15;

/// Least share of all that is on that has the phase of its place. Half a sample beside it is 0.92, one sample 0.7.
const IN_PHASE: f64 = 0.8;

/// Frames in which a grid is searched. Few, since clocks drift.
const SEARCHED: usize = 10;

/// Numbers that make a grid sure.
const SURE: usize = 2;

/// A frame's place is looked for so many samples around where it should be: clocks may drift.
const DRIFT: usize = 1;

/// A frame of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Its first sample.
    pub(crate) at: usize,
    /// What it says; None where it says nothing for certain.
    pub(crate) number: Option<u16>,
}

/// Finds the frames of a recording and reads all of them, one behind the other. Where no number was read for ten frames
/// the grid is searched anew, so that it may jump.
pub(crate) fn read(samples: &[i16]) -> Vec<Frame> {
    // The last frame of a recording ends with it, and the grid may be a sample late.
    let samples = &[samples, &[0; 2 * DRIFT]].concat()[..];
    let (mut at, mut frames, mut n_unread) = (0, Vec::new(), SEARCHED);
    while at + FRAME <= samples.len() {
        if n_unread >= SEARCHED {
            let around = &samples[at..(at + (SEARCHED + 1) * FRAME).min(samples.len())];
            let grid = find_grid(around);
            let n_read = around[grid.min(around.len())..].chunks_exact(FRAME).filter_map(number).count();
            // Searched again before numbers could pass that are too few here.
            (at, n_unread) = if n_read >= SURE { (at + grid, 0) } else { (at, SURE) };
        }
        let last = samples.len() - FRAME;
        let (place, tones) = place(samples, at.min(last), last);
        let number = tones.number();
        n_unread = if number.is_some() { 0 } else { n_unread + 1 };
        frames.push(Frame { at: place, number });
        at = place + FRAME;
    }
    frames
}

/// Returns where the frame is that should be at `at`, and its tones.
fn place(samples: &[i16], at: usize, last: usize) -> (usize, Tones) {
    let tones = |at: usize| (at, Tones::of(&samples[at..at + FRAME]));
    let here = tones(at);
    let around = (at.saturating_sub(DRIFT)..=(at + DRIFT).min(last)).map(tones);
    // Only a number is trusted to move the grid, and only where it is clearer.
    let best = around.max_by(|a, b| a.1.fit().total_cmp(&b.1.fit()));
    best.filter(|(_, tones)| tones.number().is_some() && tones.fit() > here.1.fit() * 1.02).unwrap_or(here)
}

/// Reads one frame, which begins with its first sample.
pub(crate) fn number(frame: &[i16]) -> Option<u16> {
    Tones::of(frame).number()
}

/// Returns where frames begin, below [`FRAME`]: where most of what is there has the phases of a frame.
pub(crate) fn find_grid(samples: &[i16]) -> usize {
    let fit = |grid: usize| -> f64 {
        let frames = samples.get(grid..).unwrap_or_default().chunks_exact(FRAME);
        frames.map(|frame| Tones::of(frame).fit()).sum()
    };
    if samples.iter().all(|sample| *sample == 0) {
        return 0;
    }
    let fits = (0..FRAME).map(|grid| (fit(grid), grid));
    fits.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, grid)| grid)
}

/// The tones in a stretch of sound: what of each has the phase of its place, and what has not.
struct Tones([(f64, f64); 2 * BITS]);

impl Tones {
    fn of(frame: &[i16]) -> Self {
        static WAVES: OnceLock<Vec<[(f64, f64); FRAME]>> = OnceLock::new();
        let wave = |tone: usize| {
            // Sample 0 is at the time of the sender's sample 0, which is half of its samples behind the frame's begin.
            let (hz, index) = (250.0 + 100.0 * tone as f64, tone as f64);
            let (step, phase) = (TAU * hz / 16_000.0, TAU * (hz * 0.5 / 8_000.0 + 0.24 * index * index));
            std::array::from_fn(|at| (step * at as f64 + phase).sin_cos())
        };
        let waves = WAVES.get_or_init(|| (0..2 * BITS).map(wave).collect());
        Self(std::array::from_fn(|tone| {
            let (mut along, mut across) = (0.0, 0.0);
            for (sample, (sin, cos)) in frame.iter().zip(&waves[tone]) {
                along += f64::from(*sample) * cos;
                across += f64::from(*sample) * sin;
            }
            let scale = 2.0 / FRAME as f64;
            (along * scale, across * scale)
        }))
    }

    /// Of each bit: the tone that is louder, and whether it is the upper one; how loud the other is.
    fn bits(&self) -> impl Iterator<Item = ((f64, f64), bool, f64)> {
        let level = |(along, across): (f64, f64)| along.hypot(across);
        self.0.chunks(2).map(move |pair| match level(pair[1]) > level(pair[0]) {
            true => (pair[1], true, level(pair[0])),
            false => (pair[0], false, level(pair[1])),
        })
    }

    /// How much of what is louder has the phase of its place.
    fn fit(&self) -> f64 {
        self.bits().map(|((along, _), _, _)| along).sum()
    }

    fn number(&self) -> Option<u16> {
        let (mut spread, mut sum) = (0u32, 0.0);
        for (bit, ((along, across), is_upper, off)) in self.bits().enumerate() {
            let on = along.hypot(across);
            if on < off * CLEAR || !TONE_RANGE.contains(&(on / LEVEL)) {
                return None;
            }
            spread |= u32::from(is_upper) << bit;
            sum += on;
        }
        let is_whole = MEAN_RANGE.contains(&(sum / BITS as f64 / LEVEL)) && self.fit() >= sum * IN_PHASE;
        // What is written is 21845 · number; −3 times that is the number again.
        is_whole.then_some((spread * 65_533 % 65_536) as u16)
    }
}
