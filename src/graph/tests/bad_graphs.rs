//! One file per way to be wrong, in `tests/bad_graphs/`, each with the whole text of its errors beside it.

use std::fs;
use std::path::Path;

use crate::graph::check;
use crate::graph::tests::catalogue::Catalogue;

/// Every kind of error, as it is spelt in `error.rs`, must be provoked by some file.
fn kinds() -> Vec<&'static str> {
    let source = include_str!("../error.rs");
    let (_, kinds) = source.split_once("pub enum GraphErrorKind {").expect("error.rs has the kinds");
    let (kinds, _) = kinds.split_once("\n}").expect("the enum ends");
    let variants = kinds.lines().filter_map(|line| line.strip_prefix("    "));
    let variants = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    variants.filter_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()).next()).collect()
}

#[test]
fn every_bad_graph_is_told_everything_that_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_graphs");
    let catalogue = Catalogue::new();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder.join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut provoked = String::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let errors = check(name, &text, &catalogue).expect_err(name);
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(lines.iter().all(|line| !line.contains('\n')), "an error is one line: {lines:?}");
        provoked.extend(errors.iter().map(|error| format!("{:?}\n", error.kind)));
        settings.bind(|| insta::assert_snapshot!(path.file_stem().unwrap().to_str(), lines.join("\n")));
    }
    // Two take files of a size that would be no pleasure to keep, which `totality` makes; two are rules of the program
    // and not of the language: `tests/bad_input` sees that it has them.
    let elsewhere = ["TooBig", "TooManyNodes", "NoVideoYet", "OneTrackYet"];
    for kind in kinds().iter().filter(|kind| !elsewhere.contains(kind)) {
        let is_provoked = provoked.lines().any(|line| line.split(['(', ' ']).next() == Some(kind));
        assert!(is_provoked, "no file in tests/bad_graphs has error {kind}");
    }
}

#[test]
fn kinds_are_found_in_their_file() {
    let kinds = kinds();
    assert!(kinds.contains(&"UnknownElement") && kinds.contains(&"NoInputs") && kinds.contains(&"Media"), "{kinds:?}");
}
