//! The service as whoever runs it meets it: keys and certificates that change while it runs, and clients that are slow,
//! idle, and many.

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod audit;
mod crowd;
mod drain;
mod fsck;
mod keys;
mod kill;
mod metrics;
mod openapi;
mod own;
mod reload;

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::support::program::Program;
use crate::support::server::Server;
use crate::support::sound;
use crate::support::wav;

/// Lets tests that take all of the machine run one at a time: one of them judges how late recordings are written.
fn machine() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a program of this directory that tells its story to a service.
fn story(server: &Server, program: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut command = Command::new("python3");
    command.arg(root.join("service").join(program)).env("PYTHONPATH", root.join("support"));
    command.arg("--connection").arg(server.connection()).arg("--authority").arg(server.authority());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// As [`story`], of calls whose parties send a tone.
fn story_of_calls(server: &Server, program: &str) -> Command {
    let tone = server.path("tone.wav");
    wav::write(&tone, 16_000, 1, &sound::tone(440.0, 16_000, 32_000, 3_000.0));
    let mut command = story(server, program);
    command.args(["--reelgraph", env!("CARGO_BIN_EXE_reelgraph"), "--tone"]).arg(tone);
    command
}

/// Lets a story be told; returns what it told.
#[track_caller]
fn told(server: &Server, mut story: Command) -> String {
    let output = Program::start(&mut story).finish();
    assert!(output.status.success(), "{story:?}: {}\n{}", output.stderr, server.log());
    output.stdout
}

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
