//! Where input samples stand among output positions: a straight line, and others after it with slopes of their own.
//!
//! The resampler walks along it, and pauses and expected times are read off the same numbers: what is judged and what
//! comes out cannot come apart. All is integer: a slope is exact to 0.2 ppb and known as it is, and a turn of the line
//! costs less than 2⁻³² of a sample, so that hours with many turns add up to nothing.
//!
//! Knows samples and slopes; must not know filters, times of day or GStreamer.

/// Into how many parts 1/`up` of an input sample is divided, as a power of two.
pub(super) const FINE_BITS: u32 = 32;

/// As much as none: slopes are told in parts per billion.
const PPB: i128 = 1_000_000_000;

const NS_PER_SECOND: i128 = 1_000_000_000;

/// A line: which time of the input each output position has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Units of one input sample.
    unit: u64,
    /// Units from one output to the next where nothing is corrected.
    step_nominal: u64,
    /// Units from one output to the next.
    step: u64,
    /// An output position on the line, counted from the spurt's begin.
    out: u64,
    /// The input sample at or before that position…
    input: u64,
    /// … and how many units before it.
    phase: u64,
}

impl Line {
    /// Returns the line of a spurt that nobody corrects, for rates in Hz above 0.
    pub(super) fn new(rate_in: u32, rate_out: u32) -> Self {
        let (up, down) = ratio(rate_in, rate_out);
        let step = u64::from(down) << FINE_BITS;
        Self { unit: u64::from(up) << FINE_BITS, step_nominal: step, step, out: 0, input: 0, phase: 0 }
    }

    /// Returns the line that goes on from input sample `n`, not before this one's begin, where every input sample is
    /// longer than nominal by so many parts per billion (−500 000 000 ‥ 1 000 000 000).
    pub(super) fn turned(&self, n: u64, ppb: i64) -> Self {
        let length = PPB + i128::from(ppb.clamp(-500_000_000, 1_000_000_000));
        let step = (i128::from(self.step_nominal) * PPB + length / 2) / length;
        let before = i128::from(self.step);
        // The first output at or behind the sample keeps its share of a step.
        let n_steps = -(-self.units(n)).div_euclid(before);
        let beyond = (n_steps * before - self.units(n)) * step / before;
        let unit = i128::from(self.unit);
        Self {
            step: step as u64,
            out: self.out.saturating_add_signed(n_steps as i64),
            input: n + (beyond / unit) as u64,
            phase: (beyond % unit) as u64,
            ..*self
        }
    }

    /// Returns the output position with which the line begins.
    pub(super) fn out(&self) -> u64 {
        self.out
    }

    /// Returns the time of that position: the input sample at or before it, and the units from there.
    pub(super) fn begin(&self) -> (u64, u64) {
        (self.input, self.phase)
    }

    /// Returns units from one output to the next.
    pub(super) fn step(&self) -> u64 {
        self.step
    }

    /// Returns units of one input sample.
    pub(super) fn unit(&self) -> u64 {
        self.unit
    }

    /// Returns the output position at or before input sample `n`.
    pub(super) fn position(&self, n: u64) -> i128 {
        i128::from(self.out) + self.units(n).div_euclid(i128::from(self.step))
    }

    /// Returns the output position nearest to input sample `n`, the later of two.
    pub(super) fn nearest(&self, n: u64) -> u64 {
        let step = i128::from(self.step);
        let steps = (2 * self.units(n) + step).div_euclid(2 * step);
        u64::try_from(i128::from(self.out) + steps).unwrap_or(0)
    }

    /// Returns the first input sample at or behind an output position.
    pub(super) fn sample(&self, position: i128) -> u64 {
        let units = (position - i128::from(self.out)) * i128::from(self.step) + i128::from(self.phase);
        let samples = i128::from(self.input) - (-units).div_euclid(i128::from(self.unit));
        u64::try_from(samples.max(0)).unwrap_or(u64::MAX)
    }

    /// Returns the time from the spurt's begin to input sample `n`, rounded down to the nanosecond, where outputs come
    /// `rate_out` times a second.
    pub(super) fn ns(&self, n: u64, rate_out: u32) -> u64 {
        let step = i128::from(self.step);
        let units = i128::from(self.out) * step + self.units(n);
        let ns = units.saturating_mul(NS_PER_SECOND).div_euclid(step * i128::from(rate_out.max(1)));
        u64::try_from(ns.max(0)).unwrap_or(u64::MAX)
    }

    /// Units from the line's begin to input sample `n`.
    fn units(&self, n: u64) -> i128 {
        (i128::from(n) - i128::from(self.input)) * i128::from(self.unit) - i128::from(self.phase)
    }
}

/// Returns how many outputs stand for how many inputs, without a common divisor; rates are in Hz and above 0.
pub(super) fn ratio(rate_in: u32, rate_out: u32) -> (u32, u32) {
    let divisor = gcd(rate_in, rate_out).max(1);
    (rate_out / divisor, rate_in / divisor)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_that_was_never_turned_is_the_ratio_of_the_rates() {
        let line = Line::new(8_000, 16_000);
        assert_eq!((line.position(0), line.position(3), line.sample(3), line.sample(6)), (0, 6, 2, 3));
        let line = Line::new(44_100, 16_000);
        assert_eq!((line.position(440), line.position(441), line.sample(160), line.sample(159)), (159, 160, 441, 439));
        assert_eq!((line.nearest(2), line.nearest(1)), (1, 0));
        // 7 / 44 100 s.
        assert_eq!(line.ns(7, 16_000), 158_730);
        assert_eq!(Line::new(16_000, 16_000).ns(57_600_000, 16_000), 3_600_000_000_000);
    }

    #[test]
    fn a_turned_line_goes_on_where_it_was() {
        // From input 1000 on, 500 ppm longer: 10⁶ samples later, 500 positions more.
        let line = Line::new(16_000, 16_000).turned(1_000, 500_000);
        assert_eq!((line.out(), line.begin()), (1_000, (1_000, 0)));
        assert_eq!((line.position(1_000), line.nearest(1_001_000)), (1_000, 1_001_500));
        // And 500 ppm shorter than nominal from there on.
        let line = line.turned(1_001_000, -500_000);
        assert_eq!(line.nearest(2_001_000), 2_001_000);
        // 8 to 16 kHz: twice as many.
        assert_eq!(Line::new(8_000, 16_000).turned(0, 300_000).nearest(1_000_000), 2_000_600);
    }

    proptest! {
        /// The position of a sample, told in floating point by adding up lengths, is the line's, however it turns.
        #[test]
        fn lengths_add_up(
            rates in proptest::sample::select(
                vec![(8_000, 16_000), (16_000, 16_000), (44_100, 16_000), (24_000, 16_000)],
            ),
            turns in proptest::collection::vec((0u64..100_000, -600_000i64..=600_000), 1..40),
        ) {
            let per_sample = f64::from(rates.1) / f64::from(rates.0);
            let mut line = Line::new(rates.0, rates.1);
            let (mut n, mut at, mut length) = (0, 0.0, per_sample);
            for (n_more, ppb) in turns {
                n += n_more;
                at += n_more as f64 * length;
                let before = line;
                line = line.turned(n, ppb);
                prop_assert!(line.out() as i128 >= before.position(n) && line.out() as f64 > at - 1e-3);
                length = per_sample * (1.0 + ppb as f64 / 1e9);
                let exact = line.ns(n + 7_000, rates.1) as f64 * f64::from(rates.1) / 1e9;
                // A slope is exact to 0.2 ppb, and a nanosecond is 2·10⁻⁵ of a sample.
                let off = (exact - at - 7_000.0 * length).abs();
                prop_assert!(off < 2e-10 * at + 3e-5, "{} is off by {}", at, off);
                for position in [at as i128 + 3, at as i128 + 5_000] {
                    let sample = line.sample(position);
                    prop_assert!(line.position(sample) >= position && line.position(sample - 1) < position);
                }
            }
        }
    }
}
