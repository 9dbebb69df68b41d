//! Media whose samples tell their place.

use std::path::{Path, PathBuf};

use super::judge;

pub(crate) const RATE: u32 = super::RATE as u32;

/// Writes a sweep of `seconds` to `name.wav`: nowhere like itself a few samples later, and so low that two of them
/// together stay below −6 dBFS, where a mix is exact.
pub(crate) fn sweep(dir: &Path, name: &str, seconds: u32, from_hz: u32, to_hz: u32) -> PathBuf {
    let path = dir.join(format!("{name}.wav"));
    let (rate, seconds) = (RATE.to_string(), seconds.to_string());
    let name = path.to_str().expect("a path of text");
    let sound = ["-D", "-r", &rate, "-c", "1", "-b", "16", "-n", name, "synth", &seconds, "sine"];
    judge::run("sox", [&sound[..], &[&format!("{from_hz}-{to_hz}"), "gain", "-15"]].concat());
    path
}

/// Makes a file with ffmpeg; its format is what the name's ending says.
pub(crate) fn ffmpeg(dir: &Path, input: &[&str], options: &[&str], name: &str) -> PathBuf {
    let path = dir.join(name);
    let quiet = ["-nostdin", "-v", "error", "-y"];
    judge::run("ffmpeg", [&quiet[..], input, options, &[path.to_str().expect("a path of text")]].concat());
    path
}
