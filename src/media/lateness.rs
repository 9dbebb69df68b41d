//! How late a sender's packets are, and from where on that means another time rather than a slow path. Pure.

/// How far a live recording is behind: what comes later than this after its time is not heard. Long enough for the
/// jitter of a bad mobile network, and for two looks at a packet that does not fit.
pub const HOLD: std::time::Duration = std::time::Duration::from_millis(400);

/// A packet that is later than this, after as long a silence, does not tell of a slow path, but on a rough one: the
/// sender's time has stood still meanwhile, or the path was blocked. Who comes after it tells which.
pub(super) const JUMP_NS: i64 = 200_000_000;

/// A packet may be later by as much as can still be heard.
pub(super) const LATE_MAX_NS: i64 = HOLD.as_nanos() as i64;

/// On a path that has made packets late, it is no surprise if one is so many times as late.
const ROUGH: i64 = 2;

/// A share of 1/512 of how rough a path is, is forgotten with each packet: the half in 7 s.
const ROUGH_SHARE: i64 = 512;

/// Where so many packets in a row that came after a silence were late by more than [`JUMP_NS`] for so long, none was
/// late: their time is another.
const LATE_RUN: u32 = 50;
const LATE_RUN_NS: i64 = 3_000_000_000;

/// How late packets have been of late.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lateness {
    rough_ns: i64,
    /// How many packets in a row were late by more than [`JUMP_NS`], and since when.
    n_late: u32,
    since_ns: i64,
    /// One of them was so late that it could not be heard.
    is_beyond: bool,
}

impl Lateness {
    /// Takes note of a packet that fits, came after a silence, and later by `late_ns` than the path allows. In a flow
    /// no time can have stood still: a path that becomes slow there is a slow path.
    pub(super) fn note(&mut self, late_ns: i64, silence_ns: i64, arrival_ns: i64) {
        self.rough_ns = (self.rough_ns - self.rough_ns / ROUGH_SHARE).max(late_ns.min(LATE_MAX_NS));
        if late_ns <= JUMP_NS {
            (self.n_late, self.is_beyond) = (0, false);
        } else if self.n_late > 0 {
            self.n_late = self.n_late.saturating_add(1);
        } else if silence_ns >= JUMP_NS {
            (self.n_late, self.since_ns) = (1, arrival_ns);
        }
    }

    /// Takes note of a packet that was too late to be heard. Where all are late since a silence, that is no accident.
    pub(super) fn note_beyond(&mut self) {
        self.is_beyond |= self.n_late > 0;
    }

    /// Returns by how much a packet that comes now, after a silence, may be late that is not of another time.
    pub(super) fn max_ns(&self, silence_ns: i64, arrival_ns: i64) -> i64 {
        let is_long = self.n_late >= LATE_RUN && arrival_ns.saturating_sub(self.since_ns) >= LATE_RUN_NS;
        let is_another_time = is_long || self.is_beyond;
        match silence_ns < JUMP_NS {
            _ if is_another_time => JUMP_NS,
            true => LATE_MAX_NS,
            false => (ROUGH * self.rough_ns).clamp(JUMP_NS, LATE_MAX_NS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// What is known after packets that were late by so much, of which the first came after a silence.
    fn after(late_ms: impl IntoIterator<Item = i64>) -> Lateness {
        let mut lateness = Lateness::default();
        for (n, late_ms) in late_ms.into_iter().enumerate() {
            lateness.note(late_ms * MS, if n == 0 { JUMP_NS } else { 0 }, n as i64 * 20 * MS);
        }
        lateness
    }

    #[test]
    fn a_late_packet_after_a_silence_surprises_on_a_smooth_path_only() {
        let after_silence = |lateness: Lateness| lateness.max_ns(JUMP_NS, 0) / MS;
        assert_eq!(after_silence(after([0, 30, 10])), 200);
        assert_eq!(after_silence(after([0, 150, 20])), 299);
        assert_eq!(after_silence(after([0, 250, 0])), 400);
        // What it was in a bad minute is forgotten.
        assert_eq!(after_silence(after([250].into_iter().chain([10; 1_500]))), 200);
        assert_eq!(after([0, 30]).max_ns(JUMP_NS - 1, 0) / MS, 400, "nor in a flow");
    }

    #[test]
    fn packets_that_are_late_for_good_are_of_another_time() {
        let in_flow = |lateness: Lateness, n: i64| lateness.max_ns(20 * MS, n * 20 * MS) / MS;
        assert_eq!(in_flow(after([250; 149]), 149), 400);
        assert_eq!(in_flow(after([250; 150]), 150), 200);
        assert_eq!(in_flow(after([250; 150].into_iter().chain([190])), 151), 400, "one was in time");
        assert_eq!(in_flow(after([0].into_iter().chain([250; 300])), 301), 400, "a path may become slow");
        let mut beyond = after([250; 3]);
        beyond.note_beyond();
        assert_eq!(in_flow(beyond, 3), 200, "nobody would hear the next one");
        let mut alone = after([0; 3]);
        alone.note_beyond();
        assert_eq!(in_flow(alone, 3), 400);
    }
}
