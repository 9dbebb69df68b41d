//! What every SDK is to do here, and the table of what they did.

use std::io::Write;

/// What every SDK is to do, by the names that stories give it.
const ROWS: [&str; 33] = [
    "start: callKey",
    "start: groupCallId",
    "start: roomId",
    "start: callConnectionId",
    "start: mixed wav",
    "start: unmixed wav",
    "start: affinity",
    "start: ordering",
    "start: paused",
    "start: callback",
    "start: storage of the service",
    "start: retried, one recording",
    "state: active",
    "state: inactive",
    "pause, and again",
    "resume, and again",
    "stop",
    "download",
    "download: range",
    "download: from",
    "download: metadata",
    "delete",
    "400: started twice",
    "400: formats",
    "400: video",
    "400: word",
    "401: key",
    "404: call",
    "404: recording",
    "404: state after stop",
    "404: stop twice",
    "404: deleted",
    "405: storage elsewhere",
];

/// What one SDK did.
pub(crate) struct Column {
    /// Its language, the version that it says it has, and which half of it.
    pub(crate) name: String,
    /// Rows of the matrix.
    pub(crate) done: Vec<String>,
}

/// Asserts that every SDK did everything, and shows it: past the harness, which keeps what passing tests print.
#[track_caller]
pub(crate) fn check(columns: &[Column]) {
    let mut lines = vec![String::new()];
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    lines.push(format!("{:32} {}", "", names.join("  ")));
    for row in ROWS {
        let cells = columns.iter().map(|Column { name, done }| {
            let cell = if done.iter().any(|done| done == row) { "yes" } else { "NO" };
            format!("{cell:width$}", width = name.len())
        });
        lines.push(format!("{row:32} {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned());
    }
    let shown = lines.join("\n") + "\n\n";
    std::io::stderr().write_all(shown.as_bytes()).expect("somebody looks");
    assert!(!shown.contains("NO"), "not every SDK did everything");
    let unknown = columns.iter().flat_map(|column| &column.done).find(|done| !ROWS.contains(&done.as_str()));
    assert_eq!(unknown, None, "the matrix does not know it");
}
