//! What other people's programs say of a file.

use std::process::Command;

/// Runs a program to its end and returns both its outputs; it must succeed.
#[track_caller]
pub(crate) fn run(program: &str, args: &[&str]) -> (Vec<u8>, String) {
    let output = Command::new(program).args(args).output().expect("the program is installed");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {errors}");
    (output.stdout, errors)
}

fn to_samples(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])).collect()
}

/// Returns the interleaved samples that ffmpeg decodes, without an error.
#[track_caller]
pub(crate) fn ffmpeg(location: &str) -> Vec<i16> {
    let (samples, errors) = run("ffmpeg", &["-v", "error", "-i", location, "-f", "s16le", "-"]);
    assert_eq!(errors, "", "ffmpeg on {location}");
    to_samples(&samples)
}

/// Returns the interleaved samples that sox reads.
#[track_caller]
pub(crate) fn sox(location: &str) -> Vec<i16> {
    let (samples, errors) = run("sox", &["-D", location, "-t", "raw", "-e", "signed", "-b", "16", "-"]);
    assert_eq!(errors, "", "sox on {location}");
    to_samples(&samples)
}

/// Returns values that ffprobe tells of the audio stream, e.g. `duration_ts,sample_rate`, in its own order.
///
/// The info tag's frame is no packet.
#[track_caller]
pub(crate) fn ffprobe(location: &str, entries: &str) -> String {
    let entries = format!("stream={entries}");
    let args = [
        "-v",
        "error",
        "-count_packets",
        "-select_streams",
        "a",
        "-show_entries",
        &entries,
        "-of",
        "csv=p=0",
        location,
    ];
    String::from_utf8(run("ffprobe", &args).0).expect("text").trim().to_owned()
}

/// Returns what mediainfo tells in a field of the audio stream.
#[track_caller]
pub(crate) fn mediainfo(location: &str, field: &str) -> String {
    let (out, _) = run("mediainfo", &[&format!("--Inform=Audio;%{field}%"), location]);
    String::from_utf8(out).expect("text").trim().to_owned()
}

/// Asserts that mp3val finds whole frames and a tag that counts them; that there is no ID3 tag is all it may miss.
///
/// Returns its summary.
#[track_caller]
pub(crate) fn mp3val(location: &str) -> String {
    let report = String::from_utf8(run("mp3val", &[location]).0).expect("text");
    let complaint = report.lines().find(|line| {
        let is_complaint = line.starts_with("WARNING") || line.starts_with("ERROR");
        is_complaint && !line.ends_with("No supported tags in the file")
    });
    assert_eq!(complaint, None, "mp3val on {location}");
    report.lines().find(|line| line.starts_with("INFO")).expect("a summary").to_owned()
}

/// Returns by how many samples `heard` is later than `said`, where they agree best within ±1200.
pub(crate) fn lag(said: &[i16], heard: &[i16]) -> i32 {
    let likeness = |lag: i32| -> f64 {
        let (said_from, heard_from) = ((-lag).max(0) as usize, lag.max(0) as usize);
        let pairs = said[said_from..].iter().zip(&heard[heard_from..]);
        pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let best = (-1_200..=1_200).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)));
    best.expect("there are lags")
}
