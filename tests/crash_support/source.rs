//! Media whose samples tell their place.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const RATE: u32 = 16_000;

/// Writes a sweep of `seconds` to `name.wav`: nowhere like itself a few samples later, and so low that two of them
/// together stay below −6 dBFS, where a mix is exact.
pub(crate) fn sweep(dir: &Path, name: &str, seconds: u32, from_hz: u32, to_hz: u32) -> PathBuf {
    let path = dir.join(format!("{name}.wav"));
    let (rate, seconds) = (RATE.to_string(), seconds.to_string());
    let made = Command::new("sox")
        .args(["-D", "-r", &rate, "-c", "1", "-b", "16", "-n"])
        .arg(&path)
        .args(["synth", &seconds, "sine", &format!("{from_hz}-{to_hz}"), "gain", "-15"])
        .status();
    assert!(made.expect("sox is installed").success());
    path
}

/// Makes a file with ffmpeg; its format is what the name's ending says.
pub(crate) fn ffmpeg(dir: &Path, input: &[&str], options: &[&str], name: &str) -> PathBuf {
    let path = dir.join(name);
    let quiet = ["-nostdin", "-v", "error", "-y"];
    let made = Command::new("ffmpeg").args(quiet).args(input).args(options).arg(&path).status();
    assert!(made.expect("ffmpeg is installed").success(), "{name}");
    path
}

/// A generator of numbers that are the same for the same seed (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    /// Takes the seed from `REELGRAPH_TEST_SEED`, else from the clock, and prints it.
    pub(crate) fn new(test: &str) -> Self {
        let given = std::env::var("REELGRAPH_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = given.unwrap_or_else(|| now.map_or(1, |now| now.as_nanos() as u64));
        println!("{test}: REELGRAPH_TEST_SEED={seed}");
        Self(seed)
    }

    /// Returns a number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
