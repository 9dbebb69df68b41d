//! Which sequence numbers of a stream have been passed, and what became of the last of them. Pure.

/// How many are remembered: more than a path mixes up.
const REMEMBERED: i64 = u128::BITS as i64;

/// What became of the packets whose place has been passed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passed {
    /// The highest number; None before the first.
    highest: Option<i64>,
    /// Bit n is of the number that is n below the highest: it has come.
    came: u128,
    /// It was missing when it was passed, and is.
    missing: u128,
}

impl Passed {
    /// Returns whether a number has been passed, and if so whether its packet had come.
    pub(super) fn get(&self, sequence: i64) -> Option<bool> {
        let back = self.highest? - sequence;
        (back >= 0).then(|| bit(back).is_some_and(|bit| self.came & bit != 0))
    }

    /// Returns how many numbers are missing between the highest and `sequence`.
    pub(super) fn missing_before(&self, sequence: i64) -> u64 {
        self.highest.map_or(0, |highest| u64::try_from(sequence - highest - 1).unwrap_or(0))
    }

    /// Passes a number whose packet has come, and all before it. Returns how many of them are missing.
    pub(super) fn pass(&mut self, sequence: i64) -> u64 {
        let n_missing = self.missing_before(sequence);
        let step = self.highest.map_or(REMEMBERED, |highest| sequence - highest);
        if step > 0 {
            let shift = u32::try_from(step).unwrap_or(u128::BITS);
            let shifted = |bits: u128| bits.checked_shl(shift).unwrap_or(0);
            let missing = match self.highest {
                Some(_) => shifted(self.missing) | !(shifted(u128::MAX) | 1),
                None => 0,
            };
            (self.highest, self.came, self.missing) = (Some(sequence), shifted(self.came) | 1, missing);
        }
        n_missing
    }

    /// Passes a number and all before it, of which nobody asks what became.
    pub(super) fn skip(&mut self, sequence: i64) {
        self.pass(sequence);
        self.missing = 0;
    }

    /// Takes note of a packet that has come after all. Returns whether [`Self::pass`] has counted it as missing.
    pub(super) fn find(&mut self, sequence: i64) -> bool {
        let bit = self.highest.and_then(|highest| bit(highest - sequence));
        let found = bit.map_or(0, |bit| self.missing & bit);
        self.came |= found;
        self.missing &= !found;
        found != 0
    }
}

fn bit(back: i64) -> Option<u128> {
    1_u128.checked_shl(u32::try_from(back).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_all_is_found_once() {
        for step in [1, 2, 3, 64, 126, 127, 128, 129, 5_000] {
            let mut passed = Passed::default();
            assert_eq!((passed.get(10), passed.pass(10)), (None, 0), "nothing is missing before the first");
            assert_eq!(passed.pass(10 + step), (step - 1) as u64);
            assert_eq!((passed.get(10 + step), passed.get(11 + step)), (Some(true), None));
            // Who is not remembered has not come, and is not found.
            assert_eq!(passed.get(10), Some(step < REMEMBERED), "{step}");
            let found = (0..12 + step).filter(|sequence| passed.find(*sequence));
            let expected = (11..10 + step).filter(|sequence| 10 + step - sequence < REMEMBERED);
            assert_eq!(found.collect::<Vec<_>>(), expected.clone().collect::<Vec<_>>(), "{step}");
            assert!(expected.clone().all(|sequence| passed.get(sequence) == Some(true)));
            assert!(!expected.clone().any(|sequence| passed.find(sequence)));
        }
    }

    #[test]
    fn what_was_skipped_is_not_missed() {
        let mut passed = Passed::default();
        passed.skip(10);
        passed.skip(20);
        assert_eq!((passed.find(15), passed.get(20), passed.get(15)), (false, Some(true), Some(false)));
        assert_eq!((passed.pass(23), passed.find(22)), (2, true));
    }

    #[test]
    fn a_number_below_the_highest_changes_nothing() {
        let mut passed = Passed::default();
        passed.pass(100);
        passed.pass(103);
        assert_eq!((passed.pass(101), passed.pass(103), passed.pass(50)), (0, 0, 0));
        assert_eq!((passed.get(101), passed.missing_before(105)), (Some(false), 1));
    }
}
