//! What `reelgraph show` prints, given to the tools that it is meant for.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::judge;
use support::program::{self, Program};
use support::signal::tone_db;

/// What the line of a graph writes when it runs on test sources: five seconds, a tone a participant.
struct Row {
    graph: &'static str,
    format: &'static str,
    rate: u32,
    channels: usize,
    /// Samples per channel.
    samples: usize,
    /// How far a tone may be from what its source makes, as a share of that. None: the graph takes tones away.
    tolerance: Option<f64>,
}

const fn row(
    graph: &'static str,
    format: &'static str,
    rate: u32,
    channels: usize,
    samples: usize,
    tolerance: Option<f64>,
) -> Row {
    Row { graph, format, rate, channels, samples, tolerance }
}

const ROWS: [Row; 6] = [
    // LAME makes all 5 % quieter.
    row("mixed-mp3", "mp3", 16_000, 1, 80_000, Some(0.07)),
    row("mixed-wav", "wav", 16_000, 1, 80_000, Some(0.001)),
    row("unmixed-wav", "wav", 16_000, 5, 80_000, Some(0.001)),
    row("examples/mixed-flac", "flac", 16_000, 1, 80_000, Some(0.001)),
    // What is read of Opus is always 48 kHz.
    row("examples/mixed-ogg-opus", "ogg", 48_000, 1, 240_000, Some(0.05)),
    // A steady tone is noise to a noise suppressor.
    row("examples/noise-suppression", "mp3", 16_000, 1, 80_000, None),
];

const PARTICIPANTS: [usize; 3] = [1, 2, 5];

/// Volume of a source, and above what the mixer's limiter is at work.
const VOLUME: f64 = 0.2;
const THRESHOLD: f64 = 0.5;

fn pipelines() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines")
}

/// Returns the names of all graphs in the repository: shipped ones, and examples by their path.
fn graphs() -> Vec<String> {
    let named = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(pipelines().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
        files.map(|path| format!("{folder}{}", path.file_stem().unwrap().to_str().unwrap())).collect()
    };
    let mut graphs = [named(""), named("examples/")].concat();
    graphs.sort();
    graphs
}

/// Returns what a graph is called on the command line.
fn argument(graph: &str) -> String {
    match graph.starts_with("examples/") {
        true => pipelines().join(format!("{graph}.toml")).to_str().unwrap().to_owned(),
        false => graph.to_owned(),
    }
}

#[track_caller]
fn show(graph: &str, language: &str, participants: usize) -> String {
    let participants = participants.to_string();
    let arguments = ["show", &argument(graph), "--as", language, "--participants", &participants];
    program::run(arguments).check_code(0).stdout
}

/// Runs a line in `dir` with the plugin of this build, which must end well and in time.
#[track_caller]
fn bash(line: &str, dir: &Path) {
    let library = std::env::current_exe().expect("a test has a file").with_file_name("libgstreel.so");
    let found = library.exists();
    assert!(found, "{} is missing: build it with `cargo build -p gst-plugin-reel`", library.display());
    let plugins = dir.join("plugins");
    if !plugins.exists() {
        std::fs::create_dir(&plugins).unwrap();
        std::os::unix::fs::symlink(library, plugins.join("libgstreel.so")).unwrap();
    }
    let mut command = Command::new("bash");
    command.args(["-c", line]).current_dir(dir).env("GST_PLUGIN_PATH", plugins);
    command.env("GST_REGISTRY", dir.join("registry.bin")).env("G_DEBUG", "fatal_warnings");
    Program::start(&mut command).finish().check_code(0);
}

/// Returns rate and channels that a file says, and the samples of each channel.
#[track_caller]
fn measure(file: &Path) -> (String, Vec<Vec<i16>>) {
    let format = judge::ffprobe(file, "stream=sample_rate,channels");
    let n_channels: usize = format.split(',').nth(1).and_then(|n| n.parse().ok()).expect("a number of channels");
    let samples = judge::decoded(file);
    let channel = |index| samples.iter().skip(index).step_by(n_channels).copied().collect();
    (format, (0..n_channels).map(channel).collect())
}

/// Asserts that a channel has the tones of these participants and no other's.
#[track_caller]
fn check_tones(samples: &[i16], row: &Row, participants: std::ops::Range<usize>, what: &str) {
    let Some(tolerance) = row.tolerance else { return };
    let is_limited = participants.len() as f64 * VOLUME > THRESHOLD;
    for participant in 0..6 {
        let heard = 10f64.powf(tone_db(samples, row.rate as usize, 300.0 + 100.0 * participant as f64) / 20.0);
        let expected = if participants.contains(&participant) { VOLUME } else { 0.0 };
        // The limiter bends the peaks: tones are a little quieter, and there are others between them.
        let off = if is_limited { 0.15 * VOLUME } else { (tolerance * VOLUME).max(0.001) };
        assert!((heard - expected).abs() < off, "{what}: tone of participant {participant} at {heard}, not {expected}");
    }
}

#[test]
fn each_graph_has_a_row() {
    let mut rows = ROWS.map(|row| row.graph);
    rows.sort_unstable();
    assert_eq!(graphs(), rows);
}

#[test]
fn each_launch_line_records_its_participants() {
    let dir = tempfile::tempdir().unwrap();
    for (row, n) in ROWS.iter().flat_map(|row| PARTICIPANTS.map(|n| (row, n))) {
        let what = format!("{} with {n}", row.graph);
        bash(&show(row.graph, "launch", n), dir.path());
        let name = row.graph.trim_start_matches("examples/");
        let file = dir.path().join(format!("{name}-000.{}", row.format));
        let (format, channels) = measure(&file);
        assert_eq!(format, format!("{},{}", row.rate, row.channels), "{what}");
        for (channel, samples) in channels.iter().enumerate() {
            assert_eq!(samples.len(), row.samples, "{what}");
            let participants = match row.channels {
                1 => 0..n,
                _ if channel < n => channel..channel + 1,
                _ => 0..0,
            };
            check_tones(samples, row, participants, &format!("{what}, channel {channel}"));
        }
        std::fs::remove_file(file).unwrap();
        assert!(!dir.path().join(format!("{name}-001.{}", row.format)).exists(), "{what}");
    }
}

#[test]
fn graphviz_reads_each_picture() {
    let dir = tempfile::tempdir().unwrap();
    for (row, n) in ROWS.iter().flat_map(|row| PARTICIPANTS.map(|n| (row, n))) {
        let file = dir.path().join("graph.dot");
        std::fs::write(&file, show(row.graph, "dot", n)).unwrap();
        let plain = judge::report("dot", "-Tplain", &file);
        let doors = plain.lines().filter(|line| line.starts_with("node ") && line.contains("@audio")).count();
        assert_eq!(doors, n, "{}:\n{plain}", row.graph);
    }
}

#[test]
fn each_text_is_a_graph_again() {
    let dir = tempfile::tempdir().unwrap();
    for row in ROWS {
        let file = dir.path().join("graph.toml");
        let shown = show(row.graph, "toml", 2);
        assert_eq!(shown, std::fs::read_to_string(pipelines().join(format!("{}.toml", row.graph))).unwrap());
        std::fs::write(&file, shown).unwrap();
        let check = |graph: &str| {
            let output = program::run(["check", graph]).check_code(0);
            output.stdout.split_once(": ").expect("a name first").1.to_owned()
        };
        assert_eq!(check(file.to_str().unwrap()), check(&argument(row.graph)));
    }
}

/// Who lacks an element wants the file most: to write another in its place.
#[test]
fn a_shipped_graph_is_shown_where_its_elements_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = program::command(arguments);
        command.env("GST_PLUGIN_SYSTEM_PATH_1_0", dir.path()).env("GST_PLUGIN_PATH_1_0", dir.path());
        Program::start(command.env("GST_REGISTRY_1_0", dir.path().join("registry"))).finish()
    };
    let said = run(&["check", "mixed-mp3"]).check_code(3).stderr;
    assert!(said.contains("lamemp3enc") && said.contains("gstreamer1.0-plugins-good"), "{said}");
    let shown = run(&["show", "mixed-mp3"]).check_code(0).stdout;
    assert_eq!(shown, std::fs::read_to_string(pipelines().join("mixed-mp3.toml")).unwrap());
}
