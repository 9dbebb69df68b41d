//! What other people's programs say of a file.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::program::Program;
use super::signal;

/// Runs a program to its end and returns both its outputs; it must succeed.
#[track_caller]
pub(crate) fn run(program: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> (Vec<u8>, String) {
    let (status, stdout, errors) = Program::start(Command::new(program).args(args)).finish_with_bytes();
    assert!(status.success(), "{program}: {errors}");
    (stdout, errors)
}

/// Runs a program whose arguments are words, with a file as its last one; returns what it prints. It must not complain.
#[track_caller]
pub(crate) fn report(program: &str, words: &str, path: &Path) -> String {
    let (text, errors) = run(program, words.split_whitespace().map(OsStr::new).chain([path.as_os_str()]));
    assert_eq!(errors, "", "{program} on {}", path.display());
    String::from_utf8(text).expect("text").trim().to_owned()
}

/// Makes a file of another format with ffmpeg; the name's ending says which.
#[track_caller]
pub(crate) fn convert(from: &Path, options: &str, to: &Path) {
    let before = ["-nostdin", "-v", "error", "-y", "-i"].map(OsStr::new).into_iter().chain([from.as_os_str()]);
    let options = options.split_whitespace().map(OsStr::new);
    run("ffmpeg", before.chain(options).chain([to.as_os_str()]));
}

/// Returns the interleaved samples that ffmpeg decodes at the file's own rate, without an error.
#[track_caller]
pub(crate) fn decoded(path: &Path) -> Vec<i16> {
    decoded_with(path, "")
}

/// As [`decoded`], with options for the output (`-ar 16000`).
#[track_caller]
pub(crate) fn decoded_with(path: &Path, options: &str) -> Vec<i16> {
    let before = ["-nostdin", "-v", "error", "-i"].map(OsStr::new).into_iter().chain([path.as_os_str()]);
    let after = options.split_whitespace().chain(["-f", "s16le", "-"]).map(OsStr::new);
    let (bytes, errors) = run("ffmpeg", before.chain(after));
    assert_eq!(errors, "", "ffmpeg on {}", path.display());
    signal::from_bytes(&bytes)
}

/// Returns values of ffprobe in its own order, e.g. `stream=sample_rate,channels`.
#[track_caller]
pub(crate) fn ffprobe(path: &Path, entries: &str) -> String {
    report("ffprobe", &format!("-v error -select_streams a -of csv=p=0 -show_entries {entries}"), path)
}

/// Returns a field that mediainfo tells of the audio.
#[track_caller]
pub(crate) fn mediainfo(path: &Path, field: &str) -> String {
    report("mediainfo", &format!("--Inform=Audio;%{field}%"), path)
}

/// Returns what soxi tells: samples per channel, rate, channels, bits.
#[track_caller]
pub(crate) fn soxi(path: &Path) -> [u64; 4] {
    ["-s", "-r", "-c", "-b"].map(|option| report("soxi", option, path).parse().expect("a number"))
}

/// Returns the seconds that ffprobe sees.
#[track_caller]
pub(crate) fn ffprobe_seconds(path: &Path) -> f64 {
    let seconds = ffprobe(path, "format=duration");
    // A file without a sample has no duration.
    if seconds == "N/A" { 0.0 } else { seconds.parse().unwrap_or_else(|_| panic!("{}: {seconds}", path.display())) }
}

/// Returns the packets that ffprobe counts.
#[track_caller]
pub(crate) fn ffprobe_packets(path: &Path) -> u64 {
    let words = "-v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0";
    report("ffprobe", words, path).parse().expect("a count")
}

/// Text tags (ID3, APE) are none of what a recording needs; and one of half a second looks like chance to mp3val.
const NO_FAULTS: [&str; 2] =
    ["No supported tags in the file", "Too few MPEG frames (it's unlikely that this is a MPEG audio file)"];

/// Asserts that mp3val finds frames and nothing to complain of.
#[track_caller]
pub(crate) fn mp3val(path: &Path) {
    let report = report("mp3val", "", path);
    let is_no_fault = |line: &str| line.starts_with("INFO") || NO_FAULTS.iter().any(|text| line.ends_with(text));
    let complains = |line: &&str| line.contains(": ") && !is_no_fault(line);
    assert!(report.contains("MPEG frames"), "mp3val on {}: {report}", path.display());
    assert_eq!(report.lines().find(complains), None, "mp3val on {}", path.display());
}
