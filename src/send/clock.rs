//! When media is sent: the sender's clock, which may be fast or slow, against true time.
//!
//! Media of `n` ticks is sent at `start + n / (hz · (1 + skew))`, rounded down to the nanosecond. Every time comes from
//! its tick alone, so that no error adds up. Must not know what is sent.

/// Parts of skew in 1.
const PPB: i128 = 1_000_000_000;

/// Most skew either way, in parts of 10⁹: 1 000 ppm, ten times that of a bad crystal.
pub const SKEW_PPB_MAX: i64 = 1_000_000;

/// A sender's clock that counts ticks of a codec's time-stamps.
#[derive(Debug, Clone, Copy)]
pub(super) struct SenderClock {
    hz: u32,
    skew_ppb: i64,
    start_ns: u64,
}

impl SenderClock {
    /// Returns a clock of `hz` ticks a second that is fast by `skew_ppb` parts of 10⁹ (at most [`SKEW_PPB_MAX`] either
    /// way, beyond which it is cut), and whose tick 0 is `start_ns` after time zero.
    pub(super) fn new(hz: u32, skew_ppb: i64, start_ns: u64) -> Self {
        Self { hz: hz.max(1), skew_ppb: skew_ppb.clamp(-SKEW_PPB_MAX, SKEW_PPB_MAX), start_ns }
    }

    /// Returns the nanoseconds from time zero to a tick.
    pub(super) fn sent_ns(&self, ticks: u64) -> u64 {
        let since_start = i128::from(ticks) * PPB * 1_000_000_000 / self.ticks_per_gigasecond();
        self.start_ns.saturating_add(u64::try_from(since_start).unwrap_or(u64::MAX))
    }

    /// Returns the first tick that is not before `at_ns` nanoseconds from time zero.
    pub(super) fn tick_from(&self, at_ns: u64) -> u64 {
        let since_start = i128::from(at_ns.saturating_sub(self.start_ns));
        let floor = since_start * self.ticks_per_gigasecond() / (PPB * 1_000_000_000);
        let floor = u64::try_from(floor).unwrap_or(u64::MAX);
        if self.sent_ns(floor) >= at_ns { floor } else { floor.saturating_add(1) }
    }

    fn ticks_per_gigasecond(&self) -> i128 {
        i128::from(self.hz) * (PPB + i128::from(self.skew_ppb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn times_are_those_of_the_formula() {
        // 20 ms at +200 ppm: 20 000 000 / 1.0002 = 19 996 000.79…; an hour: 3 600 s / 1.0002 = 3 599.280 143 971 2… s.
        let cases = [
            (0, 0, 160, 20_000_000),
            (0, 5, 160, 20_000_005),
            (200_000, 0, 160, 19_996_000),
            (-200_000, 0, 160, 20_004_000),
            (200_000, 0, 28_800_000, 3_599_280_143_971),
            (1_000_000, 7, 0, 7),
        ];
        for (skew_ppb, start_ns, ticks, expected) in cases {
            let clock = SenderClock::new(8_000, skew_ppb, start_ns);
            assert_eq!(clock.sent_ns(ticks), expected, "{ticks} ticks at {skew_ppb} ppb");
        }
    }

    proptest! {
        #[test]
        fn a_tick_is_found_from_its_time(
            hz in prop::sample::select(vec![8_000u32, 16_000, 48_000]),
            skew in -SKEW_PPB_MAX..=SKEW_PPB_MAX,
            start in 0u64..1_000_000_000_000,
            tick in 0u64..1_000_000_000_000,
        ) {
            let clock = SenderClock::new(hz, skew, start);
            prop_assert_eq!(clock.tick_from(clock.sent_ns(tick)), tick);
            prop_assert_eq!(clock.tick_from(clock.sent_ns(tick) + 1), tick + 1);
        }
    }
}
