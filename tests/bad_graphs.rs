//! What tests of `graph/` are told of elements, held against the elements of this machine.
//!
//! `src/graph/tests/catalogue.txt` stands in for GStreamer's registry there. Here the same bad graphs are checked by
//! the program itself, and what the list says of Reelgraph's elements is compared with what they are.

mod support;

use std::path::{Path, PathBuf};

use reelgraph::graph::Elements;
use reelgraph::graph::elements::{Direction, PadTemplate, Presence, Property, PropertyKind};
use reelgraph::pipeline::Installed;
use support::program::{self, Program};

/// Elements that graphs of these tests use and that there will be.
const LATER: [&str; 3] = ["reelgrid", "reelmp4mux", "reelvideodec"];

/// What the list lets elements take that will take it when there are pictures.
const LATER_CAPS: &str = "; video/x-raw";

const CATALOGUE: &str = include_str!("../src/graph/tests/catalogue.txt");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_graphs")
}

/// Returns the errors that a file is said to have, one a line.
fn expected(file: &Path) -> String {
    let snapshot = folder().join("snapshots").join(file.with_extension("snap").file_name().expect("a name"));
    let text = std::fs::read_to_string(&snapshot).unwrap_or_else(|error| panic!("{}: {error}", snapshot.display()));
    let (_, rest) = text.split_once("---\n").expect("a header");
    let (_, errors) = rest.split_once("---\n").expect("the header ends");
    errors.trim_end().to_owned()
}

#[test]
fn the_program_says_of_each_bad_graph_what_the_tests_say() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let uses_later = |path: &&PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        LATER.iter().any(|element| text.contains(&format!("{element:?}")))
    };
    let (later, files): (Vec<_>, Vec<_>) = files.iter().partition(uses_later);
    assert!(later.len() < 5 && files.len() > 50, "{} and {}", later.len(), files.len());
    for file in files {
        let name = file.file_name().unwrap();
        let check = ["check".as_ref(), name];
        let output = Program::start(program::command(check).current_dir(folder())).finish().check_code(3);
        assert_eq!(output.stderr.trim_end(), expected(file), "{}", file.display());
        assert_eq!(output.stdout, "", "{}", file.display());
    }
}

fn init() {
    gst::init().unwrap();
    gstreel::plugin_register_static().unwrap();
}

fn pad(pad: &PadTemplate) -> String {
    let direction = if pad.direction == Direction::Sink { "sink" } else { "src" };
    let presence = match pad.presence {
        Presence::Always => "always",
        Presence::Sometimes => "sometimes",
        Presence::Request => "request",
    };
    format!("  {direction} {} {presence} {}", pad.name, pad.caps)
}

fn property(property: &Property) -> String {
    let kind = match &property.kind {
        PropertyKind::Bool => "bool".to_owned(),
        PropertyKind::Int { min, max } => format!("int {min} {max}"),
        PropertyKind::UInt { min, max } => format!("uint {min} {max}"),
        PropertyKind::Float { min, max } => format!("float {min} {max}"),
        PropertyKind::Enum { nicks } => format!("enum {}", nicks.join(" ")),
        PropertyKind::Flags { nicks } => format!("flags {}", nicks.join(" ")),
        PropertyKind::Text => "text".to_owned(),
        PropertyKind::Other(type_) => format!("other {type_}"),
    };
    format!("  {} {} {kind}", if property.writable { "set" } else { "get" }, property.name)
}

/// Returns what the list should say of an element.
fn entry(element: &str) -> Vec<String> {
    let factory = Installed.factory(element).unwrap_or_else(|| panic!("{element} is not installed"));
    let mut pads: Vec<String> = factory.pads.iter().map(pad).collect();
    let mut properties: Vec<String> = factory.properties.iter().map(property).collect();
    pads.sort();
    properties.sort_by_key(|line| line[6..].to_owned());
    [vec![element.to_owned()], pads, properties].concat()
}

#[test]
fn the_list_says_of_our_elements_what_they_are() {
    init();
    let ours = CATALOGUE.lines().filter(|line| line.starts_with("reel"));
    let (later, there): (Vec<&str>, Vec<&str>) = ours.partition(|element| LATER.contains(element));
    assert_eq!((later.as_slice(), there.len()), (&LATER[..], 7), "all but reelsrc, which no graph names");
    for element in there {
        let lines = CATALOGUE.lines().skip_while(|line| *line != element);
        let (first, rest) = (lines.clone().take(1), lines.skip(1).take_while(|line| line.starts_with(' ')));
        let said: Vec<&str> = first.chain(rest).map(|line| line.trim_end_matches(LATER_CAPS)).collect();
        let right = entry(element);
        assert!(said == right, "catalogue.txt should say:\n{}", right.join("\n"));
    }
}
