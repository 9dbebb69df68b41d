//! The shape of the code base, kept by a test: rooms in their order, words where they belong, files of a size.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms in import order: a room imports only rooms above it. A new arrow edits this table and says so.
const ROOMS: [&str; 17] = [
    "model",
    "acs",
    "telemetry",
    "config",
    "graph",
    "media",
    "pipeline",
    "session",
    "engine",
    "storage",
    "catalog",
    "ingest",
    "send",
    "supervisor",
    "api",
    "app",
    "cli",
];

/// Where GStreamer may be known.
const GST_ROOMS: [&str; 7] = ["telemetry", "pipeline", "engine", "ingest", "send", "storage", "app"];

const LINES_MAX: usize = 500;
const IMP_LINES_MAX: usize = 600;
const WIDTH_MAX: usize = 120;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files with one of the extensions below `dir`, with their texts, by path from the root.
fn texts(dir: &str, extensions: &[&str]) -> BTreeMap<String, String> {
    fn collect(dir: &Path, extensions: &[&str], found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if path.is_dir() && !path.ends_with("target") {
                collect(&path, extensions, found);
            } else if extensions.contains(&extension) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(&root().join(dir), extensions, &mut found);
    assert!(!found.is_empty(), "{dir} has no files");
    found
}

fn sources() -> BTreeMap<String, String> {
    let mut sources = texts("src", &["rs"]);
    sources.extend(texts("plugins", &["rs"]));
    sources.extend(texts("tests", &["rs"]));
    sources.extend(texts("benches", &["rs"]));
    sources.extend(texts("fuzz", &["rs"]));
    sources
}

/// The room of a file in `src/`; None for `lib.rs` and `main.rs`.
fn room_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("src/")?;
    let room = rest.split_once('/').map_or(rest.strip_suffix(".rs")?, |(room, _)| room);
    (room != "lib" && room != "main").then_some(room)
}

#[track_caller]
fn check(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn a_room_imports_only_rooms_above_it() {
    let place = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut problems = Vec::new();
    for (path, text) in texts("src", &["rs"]) {
        let Some(room) = room_of(&path) else { continue };
        let Some(own) = place(room) else {
            problems.push(format!("{path}: room {room} is not in the table"));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let imported = line[at + 7..].split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
                if place(imported).is_some_and(|imported| imported > own) {
                    problems.push(format!("{path}:{}: {room} imports {imported}", number + 1));
                }
            }
        }
    }
    check(problems);
}

#[test]
fn gstreamer_and_azure_stay_in_their_rooms() {
    let mut problems = Vec::new();
    for (path, text) in texts("src", &["rs"]) {
        let Some(room) = room_of(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let uses_gst = code.contains("gst::") && !code.contains("gst::init");
            if uses_gst && !GST_ROOMS.contains(&room) {
                problems.push(format!("{path}:{}: {room} knows GStreamer", number + 1));
            }
            let lower = line.to_lowercase();
            let azure = ["azure", "eventgrid", "microsoft", "documentid", "servercallid", "contentlocation"];
            if room != "acs" && azure.iter().any(|word| lower.contains(word)) {
                problems.push(format!("{path}:{}: a word of Azure's", number + 1));
            }
        }
    }
    check(problems);
}

#[test]
fn plugins_know_no_service() {
    let manifest = std::fs::read_to_string(root().join("plugins/Cargo.toml")).unwrap();
    for word in ["tokio", "serde", "prometheus", "reelgraph ="] {
        assert!(!manifest.contains(word), "the plugin depends on {word}");
    }
}

#[test]
fn structure_and_field_names_are_spelled_in_one_file() {
    let mut problems = Vec::new();
    for (path, text) in texts("plugins/src", &["rs"]) {
        let names = |line: &str| line.contains("\"reel-") || line.contains("-stats\"");
        let spells = |line: &&str| names(line) && !line.trim_start().starts_with("//");
        let lines = text.lines().filter(spells);
        let is_contract = path.ends_with("messages.rs");
        problems.extend(lines.filter(|_| !is_contract).map(|line| format!("{path}: {}", line.trim())));
    }
    check(problems);
}

#[test]
fn files_begin_with_their_purpose_and_have_a_size() {
    let mut problems = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//!") {
            problems.push(format!("{path} does not begin with //!"));
        }
        let (lines, max) = (text.lines().count(), if path.ends_with("imp.rs") { IMP_LINES_MAX } else { LINES_MAX });
        if lines > max {
            problems.push(format!("{path} has {lines} lines, {max} are enough"));
        }
        for (number, line) in text.lines().enumerate() {
            let at = format!("{path}:{}", number + 1);
            // Launch lines are run as they stand, rows of a table cannot be broken.
            let is_whole = line.starts_with("//! gst-launch-1.0 ") || line.starts_with("//! |");
            if line.chars().count() > WIDTH_MAX && !is_whole {
                problems.push(format!("{at} is wider than {WIDTH_MAX}"));
            }
            if line.trim_end() != line {
                problems.push(format!("{at} has blanks at its end"));
            }
        }
    }
    check(problems);
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    // In two parts, so that this file does not find itself.
    let words = ["todo", "unimplemented"].map(|word| format!("{word}!("));
    let marks = [["#[ig", "nore"].concat(), ["#[should", "_panic"].concat(), ["super::", "super"].concat()];
    let mut problems = Vec::new();
    for (path, text) in sources() {
        let found = words.iter().chain(&marks).filter(|word| text.contains(word.as_str()));
        problems.extend(found.map(|word| format!("{path} has {word}")));
    }
    check(problems);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let mut problems = Vec::new();
    for manifest in ["Cargo.toml", "plugins/Cargo.toml", "fuzz/Cargo.toml"] {
        let text = std::fs::read_to_string(root().join(manifest)).unwrap();
        let mut in_dependencies = false;
        let mut previous = "";
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies") && !line.contains("profile");
            }
            let declares = in_dependencies && line.contains('=') && !line.contains("workspace = true");
            let declares = declares && !line.contains(".workspace");
            // Of several that belong together the first says it for all.
            if declares && !previous.starts_with('#') && !previous.contains('=') {
                problems.push(format!("{manifest}: {line}"));
            }
            previous = line;
        }
    }
    check(problems);
}
