//! README and docs stay true: commands are run, lists are compared with what there is, links lead somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const README: &str = include_str!("../README.md");
const GRAPHS: &str = include_str!("../docs/graphs.md");
const COMMAND_LINE: &str = include_str!("../docs/command-line.md");

/// Runs the suite itself, so it cannot be run by a test of it.
const NOT_RUN: &str = "make test";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of all `sh` blocks of a text, without comments.
fn commands(text: &str) -> Vec<&str> {
    let mut in_block = false;
    let mut commands = Vec::new();
    for line in text.lines() {
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
fn table(text: &str, header: &str) -> BTreeSet<String> {
    let rows = text.lines().skip_while(|line| *line != header).skip(2).take_while(|line| line.starts_with('|'));
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
    // What those of graphs.md need is made by those of README.
    let [in_readme, in_graphs] = [README, GRAPHS].map(commands);
    let is_run = |command: &&str| !command.starts_with("make ");
    let in_readme: Vec<_> = in_readme.into_iter().filter(is_run).collect();
    assert_eq!((in_readme.len(), in_graphs.len()), (5, 5), "commands came or went: {in_readme:?}, {in_graphs:?}");
    // As one script, since one sets a variable for the others.
    assert_done(&bash(&[in_readme, in_graphs].concat().join("\n"), dir.path()), "README and graphs.md");
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
    let makes: Vec<_> = commands(README).into_iter().filter(|command| command.starts_with("make ")).collect();
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
    assert_eq!(table(GRAPHS, "| element | does |"), elements);

    let graphs = reelgraph::graph::shipped::SHIPPED.map(|graph| graph.name.to_owned());
    assert_eq!(table(README, "| graph | writes |"), BTreeSet::from(graphs));
}

/// Returns whether an option stands in a text, and not as a part of another.
fn explains(text: &str, option: &str) -> bool {
    let is_whole = |at: usize| !text[at + option.len()..].starts_with(|c: char| c == '-' || c.is_ascii_lowercase());
    text.match_indices(option).any(|(at, _)| is_whole(at))
}

#[test]
fn all_options_of_record_and_send_are_explained() {
    for (command, least) in [("record", 13), ("send", 20)] {
        let help = Command::new(env!("CARGO_BIN_EXE_reelgraph")).args([command, "--help"]).output().unwrap();
        let help = assert_done(&help, "--help");
        let words = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        let names = words.map(|word| word.trim_end_matches(|c: char| !c.is_ascii_lowercase()));
        let options: BTreeSet<_> = names.filter(|option| !["--help", "--version"].contains(option)).collect();
        assert!(options.len() >= least, "{command} has lost options: {options:?}");
        for option in options {
            assert!(explains(COMMAND_LINE, option), "command-line.md does not explain {option} of {command}");
        }
    }
}

#[test]
fn the_graph_that_is_explained_is_the_shipped_one() {
    let explained = GRAPHS.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let plan = |text| {
        gst::init().unwrap();
        gstreel::plugin_register_static().unwrap();
        reelgraph::graph::check("mixed-mp3.toml", text, &reelgraph::pipeline::Installed).unwrap()
    };
    assert_eq!(plan(explained), plan(reelgraph::graph::shipped::shipped("mixed-mp3").unwrap().text));
}

/// Targets of the links of a text.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// What the headings of a text are linked by.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut n_links = 0;
    for path in docs.chain([root().join("README.md")]) {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in links(&text).into_iter().filter(|link| !link.starts_with("https://")) {
            n_links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let to = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            let linked = std::fs::read_to_string(&to).unwrap_or_else(|error| panic!("{path:?} to {link}: {error}"));
            assert!(anchor.is_empty() || anchors(&linked).contains(anchor), "{path:?}: {link}");
        }
    }
    assert!(n_links >= 55, "{n_links}");
}
