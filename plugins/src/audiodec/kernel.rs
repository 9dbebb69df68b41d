//! The taps of the resampler: a windowed sinc, sampled at as many phases as the ratio needs or the table may hold.
//!
//! Knows ratios and table sizes; must not know samples or streams.

use std::f64::consts::PI;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::Weak;

use crate::lock::lock_anyway;

/// Zero crossings of the sinc on each side of its centre, in samples of the lower rate. With [`KAISER_BETA`] the band
/// from 0.45 to 0.55 of the lower rate is the transition.
const ZERO_CROSSINGS: u32 = 28;

/// Shape of the Kaiser window for 88 dB: 0.1102 · (88 − 8.7), where 88 = 7.95 + 14.36 · 0.1 · 2 · [`ZERO_CROSSINGS`].
const KAISER_BETA: f64 = 8.74;

/// Most taps of a table, 128 KiB. Every pair of the usual rates has its exact phases in less; odd pairs, as 11 025 to
/// 16 000 Hz, interpolate between the phases that fit.
const TABLE_TAPS_MAX: usize = 32 * 1024;

/// Taps are a multiple of this many, so that the inner loop has no remainder.
pub(super) const LANES: usize = 8;

/// How many input samples after its own time an output sample needs where the rate does not go down.
pub(super) const HALF_UPWARD: usize = (ZERO_CROSSINGS as usize).next_multiple_of(LANES / 2);

/// The table in steps of all ratios that do not go down: they have the same filter.
static UPWARD: LazyLock<Arc<Kernel>> = LazyLock::new(|| Arc::new(Kernel::in_steps(1, 1)));

/// Outputs for inputs.
type Ratio = (u32, u32);

/// Tables in steps of the ratios that go down, as long as anybody has them.
static DOWNWARD: Mutex<Vec<(Ratio, Weak<Kernel>)>> = Mutex::new(Vec::new());

/// How often the kernel is sampled between two input samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phases {
    /// One row for each phase that the ratio has.
    Exact,
    /// This many equal steps; what lies between two rows is interpolated.
    Steps(u32),
}

/// A table of filter taps for the ratio `up / down`.
///
/// The row of fraction f weighs the inputs `i − half + 1 ..= i + half` for the output at input time `i + f`.
#[derive(Debug)]
pub(super) struct Kernel {
    half: usize,
    phases: Phases,
    rows: Vec<f32>,
    identity: bool,
}

impl Kernel {
    /// Returns the taps that turn `down` input samples into `up` output samples; both are above 0 and without a common
    /// divisor.
    pub(super) fn new(up: u32, down: u32) -> Arc<Self> {
        let half = half(up, down);
        match up as usize * 2 * half <= TABLE_TAPS_MAX {
            true => Arc::new(Self::design(up, down, Phases::Exact)),
            false => Self::between_phases(up, down),
        }
    }

    /// As [`Kernel::new`], for outputs at any time between two input samples. The table is one for the whole process:
    /// a thousand streams have the same.
    pub(super) fn between_phases(up: u32, down: u32) -> Arc<Self> {
        if up >= down {
            return UPWARD.clone();
        }
        let mut known = lock_anyway(&DOWNWARD);
        known.retain(|(_, kernel)| kernel.strong_count() > 0);
        let found = known.iter().find(|(ratio, _)| *ratio == (up, down)).and_then(|(_, kernel)| kernel.upgrade());
        found.unwrap_or_else(|| {
            let kernel = Arc::new(Self::in_steps(up, down));
            known.push(((up, down), Arc::downgrade(&kernel)));
            kernel
        })
    }

    fn in_steps(up: u32, down: u32) -> Self {
        Self::design(up, down, Phases::Steps((TABLE_TAPS_MAX / (2 * half(up, down))) as u32))
    }

    fn design(up: u32, down: u32, phases: Phases) -> Self {
        let half = half(up, down);
        let bandwidth = f64::min(1.0, f64::from(up) / f64::from(down));
        let (n_steps, n_rows) = match phases {
            Phases::Exact => (up, up),
            Phases::Steps(steps) => (steps, steps + 1),
        };
        let mut rows = Vec::with_capacity(n_rows as usize * 2 * half);
        for row in 0..n_rows {
            let fraction = f64::from(row) / f64::from(n_steps);
            push_row(&mut rows, fraction, half, bandwidth);
        }
        Self { half, phases, rows, identity: up > down }
    }

    /// Returns how many taps one row has.
    pub(super) fn taps(&self) -> usize {
        2 * self.half
    }

    /// Returns how many input samples after its own time an output sample needs.
    pub(super) fn half(&self) -> usize {
        self.half
    }

    /// Returns how the rows lie between two input samples.
    pub(super) fn phases(&self) -> Phases {
        self.phases
    }

    /// Returns the taps of a row.
    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.rows[index * self.taps()..][..self.taps()]
    }

    /// Returns the taps of a row and those of the next one.
    pub(super) fn two_rows(&self, index: usize) -> (&[f32], &[f32]) {
        self.rows[index * self.taps()..][..2 * self.taps()].split_at(self.taps())
    }

    /// Whether row 0 is the input sample itself, as in every upsampling: the sinc's zeros fall on the other samples.
    pub(super) fn row_0_is_identity(&self) -> bool {
        self.identity
    }
}

fn half(up: u32, down: u32) -> usize {
    let stretched = (ZERO_CROSSINGS * down).div_ceil(up).max(ZERO_CROSSINGS) as usize;
    stretched.next_multiple_of(LANES / 2)
}

/// Appends one row whose taps sum to 1, so that a constant stays what it is in every phase.
fn push_row(rows: &mut Vec<f32>, fraction: f64, half: usize, bandwidth: f64) {
    let taps: Vec<f64> =
        (0..2 * half).map(|tap| kernel(fraction + half as f64 - 1.0 - tap as f64, bandwidth)).collect();
    let sum: f64 = taps.iter().sum();
    rows.extend(taps.into_iter().map(|tap| (tap / sum) as f32));
}

/// The windowed sinc at a distance in input samples, with the cut-off at `bandwidth` of the input's Nyquist rate; its
/// peak is the window's, `bessel_i0(KAISER_BETA)`.
fn kernel(distance: f64, bandwidth: f64) -> f64 {
    let scaled = distance * bandwidth;
    let edge = scaled / f64::from(ZERO_CROSSINGS);
    if edge.abs() >= 1.0 {
        return 0.0;
    }
    let sinc = if scaled == 0.0 { 1.0 } else { (PI * scaled).sin() / (PI * scaled) };
    sinc * bessel_i0(KAISER_BETA * (1.0 - edge * edge).sqrt())
}

/// Modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..64 {
        term *= quarter / f64::from(k * k);
        if sum + term == sum {
            break;
        }
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain in dB of the whole prototype filter at a frequency in units of the lower rate.
    fn gain_db(up: u32, down: u32, frequency: f64) -> f64 {
        let lower = f64::min(1.0, f64::from(up) / f64::from(down));
        let steps = 64;
        let half = f64::from(ZERO_CROSSINGS) / lower;
        let n = (half * f64::from(steps)) as i64;
        let response: f64 = (-n..=n)
            .map(|i| {
                let t = i as f64 / f64::from(steps);
                kernel(t, lower) * (2.0 * PI * frequency * lower * t).cos()
            })
            .sum();
        20.0 * (response.abs() * lower / f64::from(steps) / bessel_i0(KAISER_BETA)).log10()
    }

    #[test]
    fn passband_is_flat_and_stopband_is_below_80_db() {
        for (up, down) in [(2, 1), (1, 3), (160, 441), (1, 24)] {
            for step in 0..=45 {
                let gain = gain_db(up, down, f64::from(step) / 100.0);
                assert!(gain.abs() < 0.1, "{up}/{down} at {step} %: {gain} dB");
            }
            for step in 55..150 {
                let gain = gain_db(up, down, f64::from(step) / 100.0);
                assert!(gain < -80.0, "{up}/{down} at {step} %: {gain} dB");
            }
        }
    }

    #[test]
    fn table_is_bounded_for_every_pair_of_rates() {
        for (up, down) in [(2, 1), (1, 2), (160, 147), (48_000, 8_001), (8_000, 191_999), (1, 24), (640, 441)] {
            let kernel = Kernel::new(up, down);
            assert!(kernel.rows.len() <= TABLE_TAPS_MAX + kernel.taps(), "{up}/{down}: {}", kernel.rows.len());
            assert_eq!(kernel.taps() % LANES, 0);
        }
        assert_eq!(Kernel::new(160, 441).phases(), Phases::Exact);
        assert!(matches!(Kernel::new(640, 441).phases(), Phases::Steps(_)));
    }

    #[test]
    fn streams_share_a_table() {
        assert!(Arc::ptr_eq(&Kernel::between_phases(2, 1), &Kernel::between_phases(1, 1)));
        assert!(Arc::ptr_eq(&Kernel::new(640, 441), &Kernel::between_phases(6, 1)));
        let kernel = Kernel::between_phases(1, 3);
        assert!(Arc::ptr_eq(&Kernel::between_phases(1, 3), &kernel));
        assert!(!Arc::ptr_eq(&Kernel::between_phases(2, 3), &kernel));
        for (up, down) in [(1, 1), (2, 1), (160, 147), (1, 3), (2, 3), (160, 441), (8_000, 191_999)] {
            let between = Kernel::between_phases(up, down);
            assert_eq!(between.half(), Kernel::new(up, down).half(), "{up}/{down}");
            assert_eq!(up >= down, between.half() == HALF_UPWARD);
        }
    }

    #[test]
    fn upsampling_keeps_the_input_samples() {
        let kernel = Kernel::new(2, 1);
        let (centre, others): (Vec<_>, Vec<_>) =
            kernel.row(0).iter().enumerate().partition(|(tap, _)| *tap == kernel.half() - 1);
        assert!((centre[0].1 - 1.0).abs() < 1e-6);
        assert!(others.iter().all(|(_, tap)| tap.abs() < 1e-6));
    }
}
