//! From an exact sum to 16 bits: unity gain below −6 dBFS, a soft curve above. Pure.
//!
//! ```text
//!  out
//!   1 ┤                        . ─ ─ ─ ─   asymptote: full scale is never reached
//!     │              .  ─
//! 0.5 ┤         ⟋               y = T + R·u/√(1 + u²),  u = (|x| − T)/R
//!     │     ⟋                   slope 1 and curvature 0 at T: no edge to hear
//!     └─────────┬──────────────────── in
//!              0.5 = T
//! ```
//!
//! The gain of a sample depends on that sample alone. So there is no look-ahead (no latency), no attack or release
//! (nothing that pumps when ten people talk), and the same output however the stream is cut into buffers.

/// −6.02 dBFS: up to here the sum passes as it is.
pub(crate) const THRESHOLD: i32 = 16_384;

/// What is left above the threshold.
const RANGE: f64 = (i16::MAX as i32 - THRESHOLD) as f64;

/// Returns what becomes of `sum`, and how many samples were above the threshold.
pub(crate) fn limit(sum: &[i32]) -> (Vec<i16>, u64) {
    // As nearly always none is, those that are get counted only then.
    let magnitudes = sum.iter().fold(0, |magnitudes, x| magnitudes | x.unsigned_abs());
    if magnitudes < THRESHOLD as u32 {
        return (sum.iter().map(|x| *x as i16).collect(), 0);
    }
    let limited = sum.iter().filter(|x| x.unsigned_abs() > THRESHOLD as u32).count() as u64;
    (sum.iter().map(|x| curve(*x)).collect(), limited)
}

fn curve(x: i32) -> i16 {
    let magnitude = x.unsigned_abs();
    if magnitude <= THRESHOLD as u32 {
        return x as i16;
    }
    let u = (magnitude - THRESHOLD as u32) as f64 / RANGE;
    let y = f64::from(THRESHOLD) + RANGE * u / (1.0 + u * u).sqrt();
    // Truncation and the asymptote keep it at 32 766 or less for any i32 sum.
    let y = (y as i32).min(i32::from(i16::MAX) - 1);
    (if x < 0 { -y } else { y }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_threshold_the_sum_is_exact() {
        for x in -THRESHOLD..=THRESHOLD {
            assert_eq!(i32::from(curve(x)), x);
        }
    }

    #[test]
    fn above_it_grows_on_without_a_step_and_never_clips() {
        let mut last = THRESHOLD;
        for x in THRESHOLD + 1..10 * 32_768 {
            let y = i32::from(curve(x));
            assert!((0..=1).contains(&(y - last)), "step of {} at {x}", y - last);
            assert!(y < 32_767);
            assert_eq!(i32::from(curve(-x)), -y);
            last = y;
        }
        assert!(curve(i32::MAX) < i16::MAX && curve(i32::MIN) > i16::MIN);
    }

    #[test]
    fn counts_what_it_limited() {
        let (out, limited) = limit(&[16_384, -16_384, 16_385, -40_000]);
        assert_eq!((limited, &out[..2]), (2, &[16_384, -16_384][..]));
        assert_eq!(limit(&[16_383, -16_383]), (vec![16_383, -16_383], 0));
    }
}
