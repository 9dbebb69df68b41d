//! Sounds, the same each time: noise by seed, tones, and recorded speech.

use std::path::Path;

use super::RATE;
use super::wav::Wav;

/// Random numbers by seed (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Takes the seed from `REELGRAPH_TEST_SEED`, else from the clock, and prints it.
    pub(crate) fn for_test(test: &str) -> Self {
        let given = std::env::var("REELGRAPH_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = given.unwrap_or_else(|| now.map_or(1, |now| now.as_nanos() as u64));
        println!("{test}: REELGRAPH_TEST_SEED={seed}");
        Self(seed)
    }

    /// Returns a number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number from −1 to 1.
    fn level(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Returns white noise that never exceeds `peak`: no stretch of it is like another, so a sample in a wrong place shows.
pub(crate) fn noise(seed: u64, n: usize, peak: i16) -> Vec<i16> {
    let mut random = Random::new(seed);
    (0..n).map(|_| (random.level() * f64::from(peak)) as i16).collect()
}

/// Returns a cosine from its peak on.
pub(crate) fn tone(hz: f64, rate: usize, n: usize, amplitude: f64) -> Vec<i16> {
    let step = std::f64::consts::TAU * hz / rate as f64;
    (0..n).map(|at| ((at as f64 * step).cos() * amplitude).round() as i16).collect()
}

/// Returns `n` samples of speech at 16 kHz, loudest at −9 dBFS; other seeds begin elsewhere in it.
pub(crate) fn speech(seed: usize, n: usize) -> Vec<i16> {
    const FILES: [&str; 3] = ["0870", "0890", "0920"];
    let name = |number: &str| {
        format!("/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-{number}.wav")
    };
    let all: Vec<i16> = FILES.iter().flat_map(|number| Wav::read(Path::new(&name(number))).samples).collect();
    let peak = all.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(1);
    let scaled = all.iter().map(|sample| (i32::from(*sample) * 11_600 / i32::from(peak)) as i16);
    scaled.cycle().skip(seed * 3 * RATE % all.len()).take(n).collect()
}

/// Makes samples quieter.
pub(crate) fn scaled(samples: &[i16], factor: f64) -> Vec<i16> {
    samples.iter().map(|sample| (f64::from(*sample) * factor) as i16).collect()
}
