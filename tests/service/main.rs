//! The service as whoever runs it meets it: keys and certificates that change while it runs, and clients that are slow,
//! idle, and many.

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod audit;
mod crowd;
mod drain;
mod keys;
mod kill;
mod metrics;
mod reload;

use std::path::Path;
use std::process::Command;

use crate::support::server::Server;

/// Asks for the calls of whose key it is, with TLS; returns the status, 0 where there is no answer.
#[track_caller]
fn ask(server: &Server, authority: &Path, key: &str) -> u16 {
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
        "--max-time",
        "20",
        "--noproxy",
        "*",
    ]);
    curl.arg("--cacert").arg(authority).arg("--header").arg(format!("Authorization: Bearer {key}"));
    let output = curl.arg(format!("{}/api/v1/calls", server.https())).output().expect("curl is installed");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a status")
}
