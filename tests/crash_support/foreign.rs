//! Readers that are not ours: ffprobe, ffmpeg, soxi, mp3val.

use std::path::Path;
use std::process::Command;

/// Text tags (ID3, APE) are none of what a recording needs; and one of half a second looks like chance to mp3val.
const NO_FAULTS: [&str; 2] =
    ["No supported tags in the file", "Too few MPEG frames (it's unlikely that this is a MPEG audio file)"];

#[track_caller]
fn tool(name: &str, before: &[&str], file: &Path, after: &[&str]) -> Vec<u8> {
    let output = Command::new(name).args(before).arg(file).args(after).output();
    let output = output.unwrap_or_else(|error| panic!("{name} must be installed: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{name} {}: {error}", file.display());
    output.stdout
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("tools print text").trim().to_owned()
}

/// Returns the seconds that ffprobe sees; panics where it complains of anything.
#[track_caller]
pub(crate) fn ffprobe_seconds(file: &Path) -> f64 {
    let entries = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"];
    let seconds = text(tool("ffprobe", &entries, file, &[]));
    // A file without a sample has no duration.
    if seconds == "N/A" { 0.0 } else { seconds.parse().unwrap_or_else(|_| panic!("{}: {seconds}", file.display())) }
}

/// Returns the packets that ffprobe counts.
#[track_caller]
pub(crate) fn ffprobe_packets(file: &Path) -> u64 {
    let entries = ["-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"];
    text(tool("ffprobe", &entries, file, &[])).parse().expect("a count")
}

/// Returns the samples (interleaved) as ffmpeg decodes them, encoder delay and padding cut.
#[track_caller]
pub(crate) fn ffmpeg_samples(file: &Path) -> Vec<i16> {
    let bytes = tool("ffmpeg", &["-nostdin", "-v", "error", "-i"], file, &["-f", "s16le", "-"]);
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Returns samples per channel, rate and channels as sox reads them from a header.
#[track_caller]
pub(crate) fn soxi(file: &Path) -> (u64, u32, u32) {
    let ask = |what: &str| text(tool("soxi", &[what], file, &[])).parse::<u64>().expect("a number");
    (ask("-s"), ask("-r") as u32, ask("-c") as u32)
}

/// Asserts that mp3val finds nothing to complain of.
#[track_caller]
pub(crate) fn mp3val(file: &Path) {
    let report = text(tool("mp3val", &[], file, &[]));
    let is_no_fault = |line: &str| line.starts_with("INFO") || NO_FAULTS.iter().any(|text| line.ends_with(text));
    let complains = |line: &&str| line.contains(": ") && !is_no_fault(line);
    assert!(report.contains("MPEG frames"), "mp3val {}: {report}", file.display());
    assert_eq!(report.lines().find(complains), None, "mp3val {}", file.display());
}
