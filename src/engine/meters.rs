//! What a worker measures of itself. Written by one thread, read by any.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Lateness is counted in steps of this.
const STEP_NS: u64 = 1_000_000;

/// Steps that are told apart; all that is later is one.
const STEPS: usize = 2_000;

/// Counts of one worker.
#[derive(Debug)]
pub(super) struct Meters {
    lateness: Vec<AtomicU64>,
    worst_ns: AtomicU64,
    late_ns: AtomicU64,
    ticks: AtomicU64,
    busy_ns: AtomicU64,
    /// Share of its time that the worker is busy, of late, in 1/1000.
    pub(super) load: AtomicU64,
}

impl Default for Meters {
    fn default() -> Self {
        let lateness = std::iter::repeat_with(AtomicU64::default).take(STEPS + 1).collect();
        let [worst_ns, late_ns, ticks, busy_ns, load] = [const { AtomicU64::new(0) }; 5];
        Self { lateness, worst_ns, late_ns, ticks, busy_ns, load }
    }
}

impl Meters {
    /// Takes note of a recording's tick that began so much later than it should have.
    pub(super) fn ticked(&self, late_ns: u64) {
        let step = ((late_ns / STEP_NS) as usize).min(STEPS);
        self.lateness[step].fetch_add(1, Relaxed);
        self.worst_ns.fetch_max(late_ns, Relaxed);
        self.late_ns.fetch_add(late_ns, Relaxed);
        self.ticks.fetch_add(1, Relaxed);
    }

    /// Takes note of a pass over all recordings: how long it took, and how much time it had.
    pub(super) fn passed(&self, busy_ns: u64, of_ns: u64) {
        self.busy_ns.fetch_add(busy_ns, Relaxed);
        let now = busy_ns.saturating_mul(1_000) / of_ns.max(1);
        // The mean of about the last ten.
        let before = self.load.load(Relaxed);
        self.load.store((before * 9 + now) / 10, Relaxed);
    }

    /// Adds what this worker has measured to what others have.
    pub(super) fn add_to(&self, ticks: &mut Ticks) {
        if ticks.lateness.is_empty() {
            ticks.lateness = vec![0; STEPS + 1];
        }
        for (sum, count) in ticks.lateness.iter_mut().zip(&self.lateness) {
            *sum += count.load(Relaxed);
        }
        ticks.worst_ns = ticks.worst_ns.max(self.worst_ns.load(Relaxed));
        ticks.late_ns += self.late_ns.load(Relaxed);
        ticks.n += self.ticks.load(Relaxed);
        ticks.busy_ns += self.busy_ns.load(Relaxed);
    }
}

/// How ticks went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticks {
    /// How many, each of one recording.
    pub n: u64,
    /// How late the latest began, in ns.
    pub worst_ns: u64,
    /// How late all of them began together, in ns.
    pub late_ns: u64,
    /// Time that workers were busy, in ns.
    pub busy_ns: u64,
    /// How often ticks were late, by milliseconds; the last is for all that is later.
    lateness: Vec<u64>,
}

impl Ticks {
    /// Returns the lateness in milliseconds, rounded up, that `share` (0 to 1) of the ticks do not exceed.
    pub fn lateness_ms(&self, share: f64) -> u64 {
        let wanted = (self.n as f64 * share).ceil() as u64;
        let mut sum = 0;
        let step = self.lateness.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        step.map_or(0, |step| step as u64 + 1).min(self.worst_ns.div_ceil(STEP_NS))
    }

    /// Returns how many ticks were less late than so many milliseconds, 2 s at most.
    pub fn n_within(&self, milliseconds: u64) -> u64 {
        self.lateness.iter().take((milliseconds as usize).min(STEPS)).sum()
    }

    /// Returns how ticks went since `before`. Of the latest one is only known between which milliseconds it began: the
    /// later is told, or the latest ever where that is less.
    pub fn since(&self, before: &Self) -> Self {
        let earlier = before.lateness.iter().chain(std::iter::repeat(&0));
        let lateness: Vec<u64> = self.lateness.iter().zip(earlier).map(|(now, then)| now - then).collect();
        let is_beyond = lateness.last().is_some_and(|count| *count > 0);
        let last = lateness.iter().rposition(|count| *count > 0).map_or(0, |step| (step as u64 + 1) * STEP_NS);
        Self {
            n: self.n - before.n,
            late_ns: self.late_ns - before.late_ns,
            worst_ns: if is_beyond { self.worst_ns } else { last.min(self.worst_ns) },
            busy_ns: self.busy_ns - before.busy_ns,
            lateness,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_lateness_are_told_from_above() {
        let meters = Meters::default();
        (0..990).for_each(|_| meters.ticked(300_000));
        (0..9).for_each(|_| meters.ticked(5_200_000));
        meters.ticked(80_000_000);
        let mut ticks = Ticks::default();
        meters.add_to(&mut ticks);
        assert_eq!((ticks.n, ticks.worst_ns), (1_000, 80_000_000));
        assert_eq!([0, 1, 6, 80, 81, 5_000].map(|ms| ticks.n_within(ms)), [0, 990, 999, 999, 1_000, 1_000]);
        assert_eq!(ticks.late_ns, 990 * 300_000 + 9 * 5_200_000 + 80_000_000);
        assert_eq!([0.5, 0.99, 0.999, 1.0].map(|share| ticks.lateness_ms(share)), [1, 1, 6, 80]);
    }

    #[test]
    fn ticks_of_a_while_know_nothing_of_those_before() {
        let meters = Meters::default();
        let ticks = || {
            let mut ticks = Ticks::default();
            meters.add_to(&mut ticks);
            ticks
        };
        assert_eq!(ticks().since(&Ticks::default()).n, 0);
        meters.ticked(700_000_000);
        let before = ticks();
        (0..10).for_each(|_| meters.ticked(3_300_000));
        let since = ticks().since(&before);
        assert_eq!((since.n, since.worst_ns, since.lateness_ms(0.5)), (10, 4_000_000, 4));
        meters.ticked(9_000_000_000);
        assert_eq!(ticks().since(&before).worst_ns, 9_000_000_000, "beyond what is told apart");
    }

    #[test]
    fn load_follows_what_passes_take() {
        let meters = Meters::default();
        (0..60).for_each(|_| meters.passed(50, 100));
        assert!(meters.load.load(Relaxed).abs_diff(500) <= 10);
    }
}
