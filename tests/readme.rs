//! README stays true: its commands are run, its lists are compared with what there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const README: &str = include_str!("../README.md");

/// Runs the suite itself, so it cannot be run by a test of it.
const NOT_RUN: &str = "make test";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of all `sh` blocks, without comments.
fn commands() -> Vec<&'static str> {
    let mut in_block = false;
    let mut commands = Vec::new();
    for line in README.lines() {
        match line {
            "```sh" => in_block = true,
            "```" => in_block = false,
            _ if in_block => commands.push(line.split("  #").next().unwrap().trim()),
            _ => (),
        }
    }
    commands
}

fn bash(script: &str, dir: &Path) -> Output {
    let script = format!("set -euo pipefail\n{script}");
    Command::new("timeout").args(["60", "bash", "-c", &script]).current_dir(dir).output().unwrap()
}

#[track_caller]
fn assert_done(output: &Output, what: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}: {}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// First cells of the rows of the table under a header line.
fn table(header: &str) -> BTreeSet<String> {
    let rows = README.lines().skip_while(|line| *line != header).skip(2).take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',').map(str::trim).collect::<Vec<_>>());
    names.map(|name| name.trim_matches('`').to_owned()).collect()
}

/// Samples per channel as ffmpeg decodes them; of 16 kHz files.
fn samples_of(file: &Path, channels: usize) -> usize {
    let arguments = ["-v", "error", "-f", "s16le", "-"];
    let output = Command::new("ffmpeg").arg("-i").arg(file).args(&arguments[..]).output().unwrap();
    assert_done(&output, "ffmpeg");
    output.stdout.len() / 2 / channels
}

#[test]
fn the_commands_do_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["target", "pipelines", "config.toml"] {
        std::os::unix::fs::symlink(root().join(name), dir.path().join(name)).unwrap();
    }
    let media = "sox -n -r 16000 -c 1 -b 16 ada.wav synth 3 sine 300 vol 0.2\n\
                 sox -n -r 48000 -c 1 -b 16 bob.wav synth 2 sine 500 vol 0.2\n\
                 opusenc --quiet bob.wav bob.ogg";
    assert_done(&bash(media, dir.path()), "test media");
    let commands: Vec<_> = commands().into_iter().filter(|command| !command.starts_with("make ")).collect();
    assert!(commands.len() >= 6, "README has lost its commands: {commands:?}");
    // As one script, since one sets a variable for the others.
    assert_done(&bash(&commands.join("\n"), dir.path()), "README");
    // From when it was there to the goodbye, 3 s of sound behind at most as much before.
    let live = samples_of(&dir.path().join("live/mixed-mp3-000.mp3"), 1);
    assert!((32_000..96_000).contains(&live), "{live}");
    let unmixed = dir.path().join("calls/unmixed-wav-000.wav");
    assert_eq!(samples_of(&unmixed, 2), 72_000, "bob joins at 2.5 s for 2 s");
    assert!(dir.path().join("graph.png").metadata().unwrap().len() > 1_000);
    assert!(dir.path().join("mixed-wav-000.wav").exists());
}

#[test]
fn the_two_commands_are_there_and_the_demo_records_the_call() {
    let makes: Vec<_> = commands().into_iter().filter(|command| command.starts_with("make ")).collect();
    assert_eq!(makes, ["make demo", NOT_RUN]);
    let shown = assert_done(&bash("scripts/demo", &root()), "make demo");
    // 6.5 s and 5 s are slept while it is recorded; how long requests took besides, the demo knows.
    for (file, channels, least) in [("mixed.mp3", 1, 104_000), ("unmixed.wav", 3, 80_000)] {
        let samples = samples_of(&root().join("target/demo").join(file), channels);
        assert!(samples >= least, "{file}: {samples}");
        assert!(shown.contains(&format!("   {samples} samples, ")), "{file}: {samples}\n{shown}");
    }
    assert_eq!(shown.matches("download: ResourceNotFoundError, 404").count(), 2, "{shown}");
    assert!(shown.contains("\"participantId\": \"8:acs:second\""), "{shown}");
    let left = |name: &str| std::fs::read_to_string(root().join("target/demo/service").join(name)).unwrap();
    let secrets = [left("keys/default"), left("admin-token")].concat();
    assert!(secrets.lines().count() >= 3 && secrets.lines().all(|secret| !shown.contains(secret)), "{shown}");
}

#[test]
fn the_tables_list_what_there_is() {
    gst::init().unwrap();
    gstreel::plugin_register_static().unwrap();
    let elements = gst::Registry::get().features_by_plugin("reel");
    let elements: BTreeSet<_> =
        elements.iter().map(|feature| gst::prelude::GstObjectExt::name(feature).to_string()).collect();
    assert_eq!(table("| element | does |"), elements);

    let graphs = reelgraph::graph::shipped::SHIPPED.map(|graph| graph.name.to_owned());
    assert_eq!(table("| graph | writes |"), BTreeSet::from(graphs));
}

#[test]
fn all_options_of_record_and_send_are_explained() {
    for command in ["record", "send"] {
        let help = Command::new(env!("CARGO_BIN_EXE_reelgraph")).args([command, "--help"]).output().unwrap();
        let help = assert_done(&help, "--help");
        let options = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        for option in options.filter(|option| !["--help", "--version"].contains(option)) {
            let option = option.trim_end_matches(|c: char| !c.is_ascii_lowercase());
            assert!(README.contains(option), "README does not explain {option} of {command}");
        }
    }
}

#[test]
fn the_graph_that_is_explained_is_the_shipped_one() {
    let explained = README.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let plan = |text| {
        gst::init().unwrap();
        gstreel::plugin_register_static().unwrap();
        reelgraph::graph::check("mixed-mp3.toml", text, &reelgraph::pipeline::Installed).unwrap()
    };
    assert_eq!(plan(explained), plan(reelgraph::graph::shipped::shipped("mixed-mp3").unwrap().text));
}
