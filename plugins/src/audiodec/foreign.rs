//! Runs foreign codecs for the tests: what we decode is judged by code that is not ours.

use std::io::Write;
use std::process::Command;
use std::process::Stdio;

/// Returns what `ffmpeg` writes to `pipe:1` when it is given `input` on `pipe:0`.
#[track_caller]
pub(super) fn ffmpeg(args: &[&str], input: &[u8]) -> Vec<u8> {
    filter("ffmpeg", &[&["-v", "error", "-nostdin"], args].concat(), input)
}

/// Returns 16 kHz mono as an Ogg Opus file.
pub(super) fn opusenc(samples: &[i16]) -> Vec<u8> {
    let args = ["--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "1", "--bitrate", "32", "-", "-"];
    filter("opusenc", &args, &bytes(samples))
}

/// Returns the samples of an Ogg Opus file at 48 kHz.
pub(super) fn opusdec_48k(file: &[u8]) -> Vec<i16> {
    samples(&filter("opusdec", &["--quiet", "--no-dither", "--rate", "48000", "-", "-"], file))
}

/// Returns the packets of an Ogg file with one stream, headers and all (RFC 3533 §6).
pub(super) fn ogg_packets(mut file: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = vec![Vec::new()];
    while let Some(page) = file.strip_prefix(b"OggS") {
        let (n_lacing, body) = (usize::from(page[22]), &page[23..]);
        let (lacing, mut data) = body.split_at(n_lacing);
        for &n in lacing {
            packets.last_mut().expect("never empty").extend_from_slice(&data[..usize::from(n)]);
            data = &data[usize::from(n)..];
            if n < 255 {
                packets.push(Vec::new());
            }
        }
        file = data;
    }
    packets.pop();
    packets
}

#[track_caller]
fn filter(program: &str, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().expect("it ends")
    });
    assert!(output.status.success(), "{program} {args:?}");
    output.stdout
}

/// Reads S16LE.
pub(super) fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect()
}

/// Writes S16LE.
pub(super) fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// Returns seven seconds of speech, 16 kHz mono, from the pocketsphinx test data.
pub(super) fn speech() -> Vec<i16> {
    let path = "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav";
    samples(&ffmpeg(&["-i", path, "-ar", "16000", "-ac", "1", "-f", "s16le", "pipe:1"], &[]))
}

/// Returns the lag at which `late` is most like `early`, within `max` samples either way; positive: `late` is late.
pub(super) fn lag(early: &[i16], late: &[i16], max: usize) -> i64 {
    let max = max as i64;
    let n = early.len().min(late.len()) as i64;
    let likeness = |lag: i64| -> f64 {
        (max..n - max).map(|i| f64::from(early[i as usize]) * f64::from(late[(i + lag) as usize])).sum()
    };
    let scored = (-max..=max).map(|lag| (likeness(lag), lag));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).expect("at least one lag").1
}
