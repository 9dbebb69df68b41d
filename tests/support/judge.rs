//! What other people's programs say of a file.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::signal;

/// Runs a program to its end and returns both its outputs; it must succeed.
#[track_caller]
pub(crate) fn run(program: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> (Vec<u8>, String) {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program}: {errors}");
    (output.stdout, errors)
}

/// Runs a program whose arguments are words, with a file as its last one; returns what it prints.
#[track_caller]
fn ask(program: &str, words: &str, path: &Path) -> String {
    let args = words.split(' ').map(OsStr::new).chain([path.as_os_str()]);
    String::from_utf8(run(program, args).0).expect("text").trim().to_owned()
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
    ask("ffprobe", &format!("-v error -select_streams a -of csv=p=0 -show_entries {entries}"), path)
}

/// Returns a field that mediainfo tells of the audio.
#[track_caller]
pub(crate) fn mediainfo(path: &Path, field: &str) -> String {
    ask("mediainfo", &format!("--Inform=Audio;%{field}%"), path)
}

/// Returns what soxi tells: samples per channel, rate, channels, bits.
#[track_caller]
pub(crate) fn soxi(path: &Path) -> [u64; 4] {
    ["-s", "-r", "-c", "-b"].map(|option| ask("soxi", option, path).parse().expect("a number"))
}

/// Returns what another program prints of a file.
#[track_caller]
pub(crate) fn report(program: &str, words: &str, path: &Path) -> String {
    ask(program, words, path)
}

/// Asserts that mp3val finds whole frames, and a tag that counts them.
#[track_caller]
pub(crate) fn mp3val(path: &Path) {
    let report = ask("mp3val", "-si", path);
    let is_complaint = |line: &&str| {
        (line.starts_with("WARNING") || line.starts_with("ERROR")) && !line.ends_with("No supported tags in the file")
    };
    assert_eq!(report.lines().find(is_complaint), None, "mp3val on {}", path.display());
}
