//! How far a sender's clock has come apart from its samples, and how much longer they are to be so that it does not.
//!
//! A sample count is exact and a clock is true, and over an hour the two differ by a second. The difference is what a
//! packet's time is behind the samples before it; what answers is the *correction*, by how much each sample is longer
//! than nominal. It follows the difference as a spring without a memory: nothing can wind up, and what remains is the
//! drift times [`FOLLOW_NS`], 0.3 ms at 300 ppm.
//!
//! Pure: times in, parts per billion out.

/// A difference below this is left alone: containers round times to a millisecond, and files stay what they are. A
/// little less than the 1.25 ms by which packets of 2.5 ms may be off (`position.rs`), which a drift would else reach.
pub(super) const SLACK_NS: u64 = 1_100_000;
const ENGAGE_NS: i64 = SLACK_NS as i64;

/// The most that samples and their packets' times come apart before the correction has caught up; a test has the worst.
pub(super) const APART_NS_MAX: u64 = 2 * SLACK_NS;

/// Time in which a difference is made up, but for 1/e of it.
const FOLLOW_NS: i64 = 1_000_000_000;

/// Time over which differences are averaged, so that the noise of single times is not heard as a wavering pitch. Less
/// than a quarter of [`FOLLOW_NS`]: more, and the two would swing.
const SMOOTH_NS: i64 = 200_000_000;

/// The longest that one packet counts for.
const LENGTH_NS_MAX: i64 = 10_000_000_000;

/// A difference beyond this is no drift.
const LATE_NS_MAX: i64 = 10_000_000;

/// How far clocks drift, in parts per billion.
const DRIFT_PPB_MAX: i64 = 500_000;

/// How much more is needed to make up what a drift has done before it was noticed.
const CATCH_UP_PPB: i64 = 100_000;

/// The most that a sample is longer or shorter, in parts per billion: a hundredth of a semitone.
pub(super) const CORRECTION_PPB_MAX: i64 = DRIFT_PPB_MAX + CATCH_UP_PPB;

const _: () = assert!(4 * SMOOTH_NS < FOLLOW_NS);

/// The drift of one spurt.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Drift {
    late_ns: i64,
    ppb: Option<i64>,
}

impl Drift {
    /// Takes note of a packet of `length_ns` whose time is `late_ns` behind where the samples before it end. Returns by
    /// how many parts per billion its samples are to be longer than nominal; None as long as nothing was ever to be
    /// corrected.
    pub(super) fn observe(&mut self, late_ns: i64, length_ns: u64) -> Option<i64> {
        let length_ns = i64::try_from(length_ns).unwrap_or(LENGTH_NS_MAX).min(LENGTH_NS_MAX);
        let late_ns = late_ns.clamp(-LATE_NS_MAX, LATE_NS_MAX);
        self.late_ns += (late_ns - self.late_ns) * length_ns / (SMOOTH_NS + length_ns);
        if self.ppb.is_some() || self.late_ns.abs() >= ENGAGE_NS {
            // The packet's own length is part of the time, so that one of many seconds does not overshoot.
            let ppb = self.late_ns * 1_000_000_000 / (FOLLOW_NS + length_ns);
            self.ppb = Some(ppb.clamp(-CORRECTION_PPB_MAX, CORRECTION_PPB_MAX));
        }
        self.ppb
    }

    /// Returns by how many parts per billion samples are longer than nominal.
    pub(super) fn ppb(&self) -> i64 {
        self.ppb.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR_NS: i64 = 3_600_000_000_000;

    /// A noise of ±1, the same for the same seed.
    struct Noise(u32);

    impl Noise {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(self.0) / f64::from(u32::MAX) * 2.0 - 1.0
        }
    }

    /// True differences in ns at each packet of a sender whose clock is off by `drift_ppm`, and the corrections.
    fn simulated(drift_ppm: f64, length_ns: i64, noise_ns: f64, until_ns: i64) -> Vec<(f64, Option<i64>)> {
        let (mut drift, mut noise) = (Drift::default(), Noise(7));
        let (mut pts_ns, mut end_ns) = (0.0, 0.0);
        let mut seen = Vec::new();
        for _ in 0..until_ns / length_ns {
            let late_ns = pts_ns - end_ns;
            let ppb = drift.observe((late_ns + noise_ns * noise.next()) as i64, length_ns as u64);
            seen.push((late_ns, ppb));
            pts_ns += length_ns as f64 * (1.0 + drift_ppm * 1e-6);
            end_ns += length_ns as f64 * (1.0 + ppb.unwrap_or(0) as f64 * 1e-9);
        }
        seen
    }

    #[test]
    fn an_hour_stays_within_a_millisecond_and_a_half_and_ends_within_a_half() {
        for drift_ppm in [0.0, 50.0, -50.0, 300.0, -300.0, 500.0, -500.0] {
            for length_ns in [2_500_000, 20_000_000, 120_000_000] {
                let seen = simulated(drift_ppm, length_ns, 20_000.0, HOUR_NS);
                let worst = seen.iter().map(|(late_ns, _)| late_ns.abs()).fold(0.0, f64::max);
                assert!(worst < 1_600_000.0 && worst < APART_NS_MAX as f64, "{drift_ppm} ppm, {length_ns}: {worst} ns");
                let (half, end) = (seen[seen.len() / 2].0, seen[seen.len() - 1].0);
                assert!(end.abs() < 600_000.0, "{drift_ppm} ppm, {length_ns}: ends with {end} ns");
                assert!((end - half).abs() < 50_000.0, "{drift_ppm} ppm, {length_ns}: grows by {} ns", end - half);
                if drift_ppm.abs() == 300.0 {
                    assert!(end.abs() < 500_000.0, "{end} ns");
                }
                assert_eq!(seen.iter().any(|(_, ppb)| ppb.is_some()), drift_ppm != 0.0);
            }
        }
    }

    #[test]
    fn noise_of_times_is_no_wavering_pitch() {
        let seen = simulated(300.0, 20_000_000, 20_000.0, HOUR_NS / 10);
        let settled = &seen[seen.len() / 2..];
        let ppb = || settled.iter().map(|(_, ppb)| ppb.unwrap());
        assert!(ppb().max().unwrap() - ppb().min().unwrap() < 20_000, "wavers by more than ±10 ppm");
        let from_one_to_the_next = settled.windows(2).map(|two| (two[0].1.unwrap() - two[1].1.unwrap()).abs()).max();
        assert!(from_one_to_the_next.unwrap() < 4_000);
    }

    #[test]
    fn a_drift_is_followed_without_swinging() {
        for drift_ppm in [50.0, 300.0, 500.0] {
            let seen = simulated(drift_ppm, 20_000_000, 0.0, HOUR_NS / 60);
            let engaged = seen.iter().position(|(_, ppb)| ppb.is_some()).unwrap();
            let after = &seen[engaged..];
            // Less a microsecond: the filter rounds down.
            let is_falling = |two: &[(f64, Option<i64>)]| two[1].0 <= two[0].0 + 1_000.0;
            let is_past_the_top = after.windows(2).skip(10).all(is_falling);
            assert!(is_past_the_top, "{drift_ppm} ppm swings");
            assert!((after[after.len() - 1].0 - drift_ppm * 1_020.0).abs() < 5_000.0, "{drift_ppm} ppm");
        }
    }

    /// What containers do to times that have no drift.
    #[test]
    fn rounded_times_are_left_alone() {
        for length_ns in [2_500_000i64, 10_000_000, 21_333_333, 23_219_954, 26_122_448, 120_000_000] {
            for (unit_ns, begin_ns) in [(1_000_000, 0), (1_000_000, 999_999), (1_000_000, 500_000), (11_111, 5_000)] {
                for rounding_ns in [0, unit_ns / 2, unit_ns - 1] {
                    let rounded = |n: i64| (begin_ns + n * length_ns + rounding_ns) / unit_ns * unit_ns;
                    let mut drift = Drift::default();
                    for n in 0..20_000 {
                        let late_ns = rounded(n) - rounded(0) - n * length_ns;
                        assert_eq!(drift.observe(late_ns, length_ns as u64), None, "{length_ns} at {n}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_differences_give_a_bounded_correction(
            seen in proptest::collection::vec((any::<i64>(), any::<u64>()), 1..200),
        ) {
            let mut drift = Drift::default();
            for (late_ns, length_ns) in seen {
                let ppb = drift.observe(late_ns, length_ns);
                prop_assert!(ppb.is_none_or(|ppb| ppb.abs() <= CORRECTION_PPB_MAX));
                prop_assert_eq!(ppb.unwrap_or(0), drift.ppb());
            }
        }

        /// However long packets are, what is once apart comes together again.
        #[test]
        fn packets_of_any_length_are_followed(
            drift_ppm in -500.0f64..500.0,
            length_ms in prop::sample::select(vec![3i64, 10, 60, 120, 500, 1_000]),
        ) {
            let seen = simulated(drift_ppm, length_ms * 1_000_000, 0.0, HOUR_NS / 30);
            let (end, _) = seen[seen.len() - 1];
            let follow_ms = 1_000.0 + length_ms as f64;
            let n_settling = 20_000 / length_ms as usize;
            let is_settled = seen[seen.len() - n_settling].1.is_some();
            prop_assert!(!is_settled || (end - drift_ppm * follow_ms).abs() < 20_000.0, "{} of {}", end, drift_ppm);
            prop_assert!(end.abs() < 1_200_000.0);
        }
    }
}
