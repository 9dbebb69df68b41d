//! Random numbers by seed: the same seed, the same calls.
//!
//! SplitMix64 (Steele, Lea, Flood 2014), written out because its eight lines are a contract: a crate may change what
//! it draws for a seed with any version, and with it every capture that a test compares.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// Returns the stream of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a stream of its own for the `index`-th of several.
    pub(super) fn of_stream(seed: u64, index: u64) -> Self {
        let mut seeds = Self::new(seed ^ index.wrapping_mul(0xD1B5_4A32_D192_ED03));
        Self(seeds.next())
    }

    /// Draws a number of 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Draws a number from 0 to `end`, `end` excluded unless it is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Draws whether something happens that has this chance, 0 ‥ 1.
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        let drawn = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        drawn < chance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_reference() {
        // The first outputs of the reference implementation for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], expected);
    }

    #[test]
    fn bounds_are_kept() {
        let mut random = Random::new(1);
        assert!((0..10_000).all(|_| random.below(20) < 20));
        assert_eq!(random.below(0), 0);
        assert!((0..1_000).all(|_| random.happens(1.0)) && !(0..1_000).any(|_| random.happens(0.0)));
    }
}
