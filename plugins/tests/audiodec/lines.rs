//! Whole launch lines around the decoder, judged by sox.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use gst::prelude::*;

use crate::DEADLINE;
use crate::init;

/// Runs a launch line to its end in a directory of its own, which it returns.
fn run_line(name: &str, line: &str) -> PathBuf {
    init();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("audiodec-{name}"));
    std::fs::create_dir_all(&directory).unwrap();
    let line = line.replace("location=", &format!("location={}/", directory.display()));
    let pipeline = gst::parse::launch(&line).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(DEADLINE, &kinds).expect("the line ends");
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
    directory
}

/// Rate and number of samples of a file, as sox says.
fn soxi(path: &Path) -> (u32, u64) {
    let ask = |what| {
        let output = Command::new("soxi").arg(what).arg(path).output().expect("sox is installed");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    (ask("-r").parse().unwrap(), ask("-s").parse().unwrap())
}

#[test]
fn lines_of_the_documentation_run() {
    let doc = include_str!("../../src/audiodec/mod.rs");
    let lines: Vec<_> = doc.lines().filter_map(|line| line.strip_prefix("//! gst-launch-1.0 ")).collect();
    assert_eq!(lines.len(), 2);
    let directory = run_line("doc-0", lines[0]);
    assert_eq!(soxi(&directory.join("from-mulaw.wav")), (16_000, 50 * 1_024 * 2));
    let directory = run_line("doc-1", lines[1]);
    let (rate, n) = soxi(&directory.join("from-opus.wav"));
    // 100 buffers of 1024 samples at 48 kHz and the pre-skip of 312 in whole frames of 20 ms, without the pre-skip.
    assert_eq!((rate, n), (16_000, 107 * 320 - 104));
}

/// The samples of a WAV file, as sox reads them.
fn sox(path: &Path) -> Vec<f64> {
    let output = Command::new("sox").arg(path).args(["-t", "s16", "-"]).output().expect("sox is installed");
    output.stdout.as_chunks::<2>().0.iter().map(|&pair| f64::from(i16::from_le_bytes(pair))).collect()
}

#[test]
fn ogg_opus_has_exactly_the_samples_that_went_in() {
    let source = "audiotestsrc num-buffers=77 samplesperbuffer=1000 wave=ticks ! audio/x-raw,rate=16000,channels=1";
    run_line("ogg", &format!("{source} ! wavenc ! filesink location=in.wav"));
    run_line("ogg", &format!("{source} ! opusenc ! oggmux ! filesink location=ticks.opus"));
    let read = "filesrc location=ticks.opus ! oggdemux ! reelaudiodec ! audio/x-raw,rate=16000";
    let directory = run_line("ogg", &format!("{read} ! wavenc ! filesink location=out.wav"));
    assert_eq!(soxi(&directory.join("out.wav")), (16_000, 77_000));
    let (before, after) = (sox(&directory.join("in.wav")), sox(&directory.join("out.wav")));
    let likeness = |lag: i64| -> f64 {
        let shifted = |i: usize| after[(i as i64 + lag) as usize];
        (200..before.len() - 200).map(|i| before[i] * shifted(i)).sum()
    };
    let lag = (-200..=200).max_by(|&a, &b| likeness(a).total_cmp(&likeness(b)));
    assert_eq!(lag, Some(0));
}
