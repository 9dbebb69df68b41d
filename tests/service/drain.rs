//! How the service ends.

use std::path::Path;
use std::process::Command;

use crate::support::program::Program;
use crate::support::server::Server;
use crate::support::sound;
use crate::support::wav;

#[test]
fn a_service_that_is_to_end_lets_recordings_end() {
    let server = Server::start("shutdown-timeout = \"60s\"");
    let tone = server.path("tone.wav");
    wav::write(&tone, 16_000, 1, &sound::tone(440.0, 16_000, 32_000, 3_000.0));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut command = Command::new("python3");
    command.arg(root.join("service/drain.py")).env("PYTHONPATH", root.join("support"));
    command.args(["--reelgraph", env!("CARGO_BIN_EXE_reelgraph"), "--pid", &server.id().to_string()]);
    command.arg("--connection").arg(server.connection()).arg("--authority").arg(server.authority());
    let output = Program::start(command.arg("--tone").arg(tone).env("PYTHONDONTWRITEBYTECODE", "1")).finish();
    assert!(output.status.success(), "{}\n{}", output.stderr, server.log());
    // Nothing runs any more: it ends at once, though it has a minute for it.
    let begun = std::time::Instant::now();
    server.ended();
    assert!(begun.elapsed().as_secs() < 30);
}
