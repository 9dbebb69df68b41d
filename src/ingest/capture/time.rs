//! Times of a capture into nanoseconds since the epoch. Pure.

const NS_PER_SECOND: i128 = 1_000_000_000;

/// How a pcapng interface counts time: the options `if_tsresol` and `if_tsoffset` of the pcapng draft, §4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// The high bit says that the others are a negative power of 2; else they are one of 10.
    pub(super) resolution: u8,
    /// Seconds to add.
    pub(super) offset_seconds: i64,
}

impl Default for Clock {
    /// Counts microseconds, as an interface without options does.
    fn default() -> Self {
        Self { resolution: 6, offset_seconds: 0 }
    }
}

impl Clock {
    /// Returns the time of a count of units, rounded down to a nanosecond. What lies before 1677 or after 2262 becomes
    /// the first or last time that there is.
    pub(super) fn ns(self, units: u64) -> i64 {
        let exponent = u32::from(self.resolution & 0x7f);
        let since_offset = match self.resolution & 0x80 {
            0 => decimal(units, exponent),
            // 2^64 · 10^9 stays below 2^94.
            _ => (i128::from(units) * NS_PER_SECOND) >> exponent,
        };
        saturated(since_offset + i128::from(self.offset_seconds) * NS_PER_SECOND)
    }
}

/// Units of 10^−exponent seconds in nanoseconds.
fn decimal(units: u64, exponent: u32) -> i128 {
    let units = i128::from(units);
    match exponent {
        0..=9 => units * 10i128.pow(9 - exponent),
        // 10^29 is more than any count of units: there is nothing left of it.
        10..=38 => units / 10i128.pow(exponent - 9),
        _ => 0,
    }
}

fn saturated(ns: i128) -> i64 {
    i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
}

/// Returns the time of a pcap record. `fraction` counts `unit_ns`, and may be more than a second where a writer is
/// careless.
pub(super) fn classic_ns(seconds: u32, fraction: u32, unit_ns: i64) -> i64 {
    i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * unit_ns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(resolution: u8, offset_seconds: i64, units: u64, ns: i64) {
        assert_eq!(Clock { resolution, offset_seconds }.ns(units), ns);
    }

    #[test]
    fn every_resolution_counts_the_same_instant() {
        // 1 500 000 000.25 s.
        check(0, 0, 1_500_000_000, 1_500_000_000_000_000_000);
        check(3, 0, 1_500_000_000_250, 1_500_000_000_250_000_000);
        check(6, 0, 1_500_000_000_250_000, 1_500_000_000_250_000_000);
        check(9, 0, 1_500_000_000_250_000_000, 1_500_000_000_250_000_000);
        check(10, 0, 15_000_000_002_500_000_009, 1_500_000_000_250_000_000);
        check(0x80, 0, 1_500_000_000, 1_500_000_000_000_000_000);
        check(0x80 | 2, 0, 6_000_000_001, 1_500_000_000_250_000_000);
        check(0x80 | 32, 0, 6_442_450_945_073_741_824, 1_500_000_000_250_000_000);
    }

    #[test]
    fn an_offset_is_added_in_seconds() {
        check(6, 1_500_000_000, 250_000, 1_500_000_000_250_000_000);
        check(6, -1, 250_000, -750_000_000);
    }

    #[test]
    fn no_value_overflows() {
        for resolution in 0..=255 {
            for offset in [i64::MIN, -1, 0, i64::MAX] {
                for units in [0, 1, u64::MAX] {
                    Clock { resolution, offset_seconds: offset }.ns(units);
                }
            }
        }
        check(0, 0, u64::MAX, i64::MAX);
        check(127, 0, u64::MAX, 0);
        check(0, i64::MIN, 0, i64::MIN);
        assert_eq!(classic_ns(u32::MAX, u32::MAX, 1000), 4_294_967_295_000_000_000 + 4_294_967_295_000);
    }
}
