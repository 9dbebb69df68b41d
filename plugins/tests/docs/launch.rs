//! The launch lines of the documentation: each runs by itself and writes what the sentence before it says.
//!
//! Files are measured by ffprobe and ffmpeg, which did not write them. A line without a row in [`ROWS`] fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plugin::Place;

/// What a line writes, and what it says on the terminal.
struct Row {
    /// The file in the line: `location=…`.
    location: &'static str,
    rate: u32,
    /// Names of the files, and their samples per channel.
    files: &'static [(&'static str, usize)],
    /// Amplitudes of tones as a share of full scale, by frequency, by channel; any other of [`PITCHES`] is absent.
    tones: &'static [&'static [(f64, f64)]],
    says: &'static str,
}

/// All frequencies that some line makes.
const PITCHES: [f64; 3] = [400.0, 440.0, 1_000.0];

/// `audiotestsrc` at its own volume and pitch.
const SINE: &[&[(f64, f64)]] = &[&[(440.0, 0.8)]];

const fn row(
    location: &'static str,
    rate: u32,
    files: &'static [(&'static str, usize)],
    tones: &'static [&'static [(f64, f64)]],
    says: &'static str,
) -> Row {
    Row { location, rate, files, tones, says }
}

const ROWS: [Row; 14] = [
    row("from-mulaw.wav", 16_000, &[("from-mulaw.wav", 2 * 50 * 1_024)], SINE, ""),
    // 100 buffers at 48 kHz and the look-ahead of 6.5 ms fill 107 frames of 20 ms; the look-ahead is taken out again.
    row("from-opus.wav", 16_000, &[("from-opus.wav", 107 * 320 - 104)], SINE, ""),
    row("mix.wav", 16_000, &[("mix.wav", 102_400)], &[&[(440.0, 0.2), (1_000.0, 0.2)]], ""),
    // Above −6 dBFS the limiter bends it a little.
    row("level.wav", 8_000, &[("level.wav", 10_240)], &[&[(440.0, 0.778)]], "reel-level"),
    row("five.wav", 16_000, &[("five.wav", 102_400)], &[&[(440.0, 0.8)], &[(1_000.0, 0.8)], &[], &[], &[]], ""),
    row("pinned.wav", 16_000, &[("pinned.wav", 102_400)], &[&[], &[(440.0, 0.8)]], ""),
    row("gate.wav", 16_000, &[("gate.wav", 32_000)], SINE, ""),
    // A third of it is the other tone.
    row("gate-tone.wav", 16_000, &[("gate-tone.wav", 48_000)], &[&[(440.0, 0.5333), (400.0, 0.0163)]], ""),
    row("part-%d.wav", 16_000, &[("part-0.wav", 16_000), ("part-1.wav", 16_000), ("part-2.wav", 16_000)], SINE, ""),
    row(
        "size-%d.wav",
        16_000,
        &[
            ("size-0.wav", 9_978),
            ("size-1.wav", 9_978),
            ("size-2.wav", 9_978),
            ("size-3.wav", 9_978),
            ("size-4.wav", 48_000 - 4 * 9_978),
        ],
        SINE,
        "",
    ),
    row(
        "meta.wav",
        16_000,
        &[("meta.wav", 16_000)],
        SINE,
        "reel-chunk, index=(uint)0, start=(guint64)0, samples=(guint64)16000",
    ),
    row("meta-pause.wav", 16_000, &[("meta-pause.wav", 32_000)], SINE, "pause-durations=(guint64)< 1000000000 >"),
    row("tone.wav", 16_000, &[("tone.wav", 16_000)], SINE, ""),
    // Nobody counts the samples for the tag in this line: what remains is the encoder's padding, silence of 11 ms. LAME
    // makes all 5 % quieter.
    row("tone-%03d.mp3", 16_000, &[("tone-000.mp3", 30 * 576 - 576 - 529)], &[&[(440.0, 0.7517)]], ""),
];

fn sources(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        match path.extension() {
            _ if path.is_dir() => sources(&path, found),
            Some(extension) if extension == "rs" => drop(found.insert(path)),
            _ => (),
        }
    }
}

/// Returns all launch lines by what they write.
fn lines() -> BTreeMap<String, String> {
    let mut files = BTreeSet::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut lines = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(file).expect("text");
        for line in
            text.lines().filter_map(|line| line.strip_prefix("//! ")).filter(|l| l.starts_with("gst-launch-1.0"))
        {
            let location = line.split("location=").nth(1).and_then(|rest| rest.split([' ', '"']).next());
            let location = location.unwrap_or_else(|| panic!("a line that writes no file: {line}"));
            assert_eq!(lines.insert(location.to_owned(), line.to_owned()), None, "two lines write {location}");
        }
    }
    lines
}

#[track_caller]
fn tool(program: &str, arguments: &[&str], file: &Path) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .arg(file)
        .args(if program == "ffmpeg" { &["-f", "s16le", "-"][..] } else { &[] })
        .output();
    let output = output.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{program} on {}: {errors}", file.display());
    output.stdout
}

/// Returns rate and channels that a file says, and the interleaved samples that are in it.
#[track_caller]
fn measure(file: &Path) -> (String, Vec<i16>) {
    let entries = ["-v", "error", "-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0"];
    let format = String::from_utf8(tool("ffprobe", &entries, file)).expect("text").trim().to_owned();
    let bytes = tool("ffmpeg", &["-v", "error", "-i"], file);
    (format, bytes.chunks_exact(2).map(|s| i16::from_le_bytes([s[0], s[1]])).collect())
}

/// Returns the amplitude of a tone as a share of full scale, by Goertzel's algorithm.
fn amplitude(samples: &[f64], hz: f64, rate: u32) -> f64 {
    let step = std::f64::consts::TAU * hz / f64::from(rate);
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, sample + 2.0 * step.cos() * last - before);
    }
    let power = last * last + before * before - 2.0 * step.cos() * last * before;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

#[track_caller]
fn check(row: &Row, name: &str, n: usize, file: &Path) {
    let n_channels = row.tones.len();
    let (format, samples) = measure(file);
    assert_eq!(format, format!("{},{n_channels}", row.rate), "{name}");
    assert_eq!(samples.len(), n * n_channels, "{name}");
    for (channel, tones) in row.tones.iter().enumerate() {
        let one = samples.iter().skip(channel).step_by(n_channels).map(|sample| f64::from(*sample) / 32_768.0);
        let one: Vec<f64> = one.collect();
        for hz in PITCHES {
            let expected = tones.iter().find(|(pitch, _)| *pitch == hz).map_or(0.0, |(_, amplitude)| *amplitude);
            let heard = amplitude(&one, hz, row.rate);
            // A tone that is cut in the middle of a period is heard a little beside its pitch.
            let seconds = n as f64 / f64::from(row.rate);
            let beside = tones.iter().filter(|(pitch, _)| *pitch != hz);
            let leak: f64 = beside.map(|(pitch, a)| a / (std::f64::consts::PI * (pitch - hz).abs() * seconds)).sum();
            let tolerance = 0.003 + 0.015 * expected + leak;
            assert!(
                (heard - expected).abs() < tolerance,
                "{name}, channel {channel}: {heard} of {hz} Hz, not {expected}"
            );
        }
    }
}

#[test]
fn each_line_writes_what_it_should_and_nothing_else() {
    let place = Place::new("docs-launch");
    let mut lines = lines();
    for row in ROWS {
        let line = lines.remove(row.location).unwrap_or_else(|| panic!("no line writes {}", row.location));
        let said = place.run(&line);
        assert!(said.contains(row.says), "{line} does not say {:?}:\n{said}", row.says);
        for (name, n) in row.files {
            let file = place.files().join(name);
            check(&row, name, *n, &file);
            std::fs::remove_file(file).expect("it was there");
        }
        let others: Vec<_> = std::fs::read_dir(place.files()).expect("readable").flatten().collect();
        assert!(others.is_empty(), "{line} writes {others:?}, too");
    }
    assert!(lines.is_empty(), "nobody says what these write: {lines:?}");
}

#[test]
fn a_measured_tone_is_what_it_is() {
    let wave = |hz: f64| (0..16_000).map(move |at| (std::f64::consts::TAU * hz * f64::from(at) / 16_000.0).sin() * 0.5);
    let both: Vec<f64> = wave(440.0).zip(wave(1_000.0)).map(|(a, b)| a + 0.5 * b).collect();
    for (hz, expected) in [(440.0, 0.5), (1_000.0, 0.25), (400.0, 0.0), (441.0, 0.0)] {
        assert!((amplitude(&both, hz, 16_000) - expected).abs() < 1e-6, "{hz} Hz");
    }
}
