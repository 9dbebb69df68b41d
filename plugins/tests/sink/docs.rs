//! The launch lines of the documentation: each runs by itself and writes what the sentence before it says.

use std::path::Path;
use std::process::Command;

use crate::foreign;
use crate::run::Dir;

const DOCUMENTATION: &str = include_str!("../../src/sink/mod.rs");

/// Returns the launch lines in the order of the text.
fn lines() -> Vec<&'static str> {
    let mut lines = DOCUMENTATION.lines().map(|line| line.trim_start_matches("//!").trim());
    let mut found = Vec::new();
    while lines.by_ref().any(|line| line == "```text") {
        found.extend(lines.by_ref().take_while(|line| *line != "```"));
    }
    found
}

/// Runs a line with the plugin of this build.
#[track_caller]
fn run(line: &str, dir: &Path) {
    let plugin = std::env::current_exe().expect("a test has a file").with_file_name("");
    let mut words = line.split_whitespace();
    let program = words.next().expect("a program");
    let output = Command::new(program)
        .args(words)
        .current_dir(dir)
        .env("GST_PLUGIN_PATH", plugin)
        .env("GST_REGISTRY", dir.join("registry.bin"))
        .output()
        .expect("gst-launch-1.0 is installed");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Asserts that these are samples of a 440 Hz sine, which is what `audiotestsrc` plays.
#[track_caller]
fn check_tone(samples: &[i16]) {
    let rising = samples.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
    let expected = samples.len() * 440 / 16_000;
    assert!(rising.abs_diff(expected) <= 1, "{rising} periods, {expected} expected");
}

#[test]
fn the_launch_lines_write_a_second_of_tone() {
    let dir = Dir::new();
    let lines = lines();
    assert_eq!(lines.len(), 2);
    lines.iter().for_each(|line| run(line, dir.path()));

    let wav = foreign::sox(&dir.file("tone.wav"));
    assert_eq!(wav.len(), 16_000);
    check_tone(&wav);

    // Nobody counts the samples for the tag in this line: what remains is the encoder's padding.
    let mp3 = foreign::ffmpeg(&dir.file("tone-000.mp3"));
    assert_eq!(mp3.len(), 30 * 576 - 576 - 529);
    check_tone(&mp3[..16_000]);
    assert!(foreign::lag(&wav, &mp3).abs() <= 1, "{}", foreign::lag(&wav, &mp3));
}
