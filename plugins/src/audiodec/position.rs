//! Where a packet stands against the ones before it: times, sample indices and the decision between them.
//!
//! Numbers only: no samples, no GStreamer.

use crate::audiodec::conceal::CONCEAL_MAX_MS;
use crate::samples::ns_of;
use crate::samples::position_at_ns;

/// Packets nearer than this to where they are expected, and nearer than half their own length, follow without a seam:
/// time-stamps of containers are rounded to 1 ms, and twice that must not open a hole. The error of single times does
/// not add up, as the expectation counts samples from the spurt's first; where it is a clock's, samples follow it.
const TOLERANCE_NS_MAX: u64 = 5_000_000;

/// Whether something was lost in front of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing that anybody knows of: a hole is a pause of the sender.
    Nothing,
    /// A hole is a loss.
    Loss,
}

/// A packet as the decision sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// Its time.
    pub(super) pts_ns: u64,
    /// Where the packets before it end.
    pub(super) expected_ns: u64,
    /// How many samples it holds.
    pub(super) n: usize,
    /// Samples per second.
    pub(super) rate: u32,
    /// What is known of a hole before it.
    pub(super) before: Before,
}

/// Where a packet stands; sample counts are at the decode rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Right after the last one.
    Follows,
    /// After a loss of this many samples, short enough to be concealed.
    AfterLoss(usize),
    /// After a pause of this many samples.
    AfterPause(usize),
    /// Elsewhere: a new spurt.
    Elsewhere,
    /// Its first samples, this many, stand where others were already emitted.
    Overlaps(usize),
    /// All of it does.
    Past,
}

/// Decides where a packet stands.
pub(super) fn place(arrival: Arrival) -> Place {
    let Arrival { pts_ns, expected_ns, n, rate, before } = arrival;
    let distance_ns = pts_ns.abs_diff(expected_ns);
    let half_ns = ns_of(n as u64, rate) / 2;
    if before == Before::Nothing && distance_ns < TOLERANCE_NS_MAX.min(half_ns) {
        return Place::Follows;
    }
    let distance = usize::try_from(position_at_ns(distance_ns, rate)).unwrap_or(usize::MAX);
    match (distance, pts_ns > expected_ns, before) {
        (0, _, _) => Place::Follows,
        (hole, true, Before::Nothing) => Place::AfterPause(hole),
        (hole, true, Before::Loss) if hole <= conceal_max(rate) => Place::AfterLoss(hole),
        (_, true, Before::Loss) => Place::Elsewhere,
        (overlap, false, _) if overlap < n => Place::Overlaps(overlap),
        (_, false, _) => Place::Past,
    }
}

/// Returns the longest loss that is concealed, in samples.
pub(super) fn conceal_max(rate: u32) -> usize {
    (u64::from(rate) * u64::from(CONCEAL_MAX_MS) / 1000) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    #[track_caller]
    fn check(late_us: i64, before: Before, expected: Place) {
        let expected_ns = 10 * SECOND;
        let pts_ns = expected_ns.saturating_add_signed(late_us * 1000);
        assert_eq!(place(Arrival { pts_ns, expected_ns, n: 160, rate: 8_000, before }), expected);
    }

    #[test]
    fn distance_and_loss_decide() {
        use Before::Loss;
        use Before::Nothing;
        check(0, Nothing, Place::Follows);
        check(4_999, Nothing, Place::Follows);
        check(-4_999, Nothing, Place::Follows);
        check(5_000, Nothing, Place::AfterPause(40));
        check(-5_000, Nothing, Place::Overlaps(40));
        check(-19_875, Nothing, Place::Overlaps(159));
        check(-20_000, Nothing, Place::Past);
        check(-9_000_000, Loss, Place::Past);
        check(12_000_000, Nothing, Place::AfterPause(96_000));
        check(0, Loss, Place::Follows);
        check(50, Loss, Place::Follows);
        check(1_000, Loss, Place::AfterLoss(8));
        check(-1_000, Loss, Place::Overlaps(8));
        check(60_000, Loss, Place::AfterLoss(480));
        check(60_125, Loss, Place::Elsewhere);
    }

    #[test]
    fn short_packets_have_a_narrow_tolerance() {
        let short = |late_ns| Arrival {
            pts_ns: SECOND + late_ns,
            expected_ns: SECOND,
            n: 20,
            rate: 8_000,
            before: Before::Nothing,
        };
        assert_eq!(place(short(1_249_999)), Place::Follows);
        assert_eq!(place(short(1_250_000)), Place::AfterPause(10));
    }

    proptest! {
        #[test]
        fn any_times_have_a_place(pts_ns: u64, expected_ns: u64, n in 0usize..10_000, loss: bool) {
            let before = if loss { Before::Loss } else { Before::Nothing };
            let decided = place(Arrival { pts_ns, expected_ns, n, rate: 48_000, before });
            prop_assert!(!matches!(decided, Place::Overlaps(overlap) if overlap >= n));
        }
    }
}
