//! What was asked for is noted once, and names and keys are told to nobody.

use std::path::Path;
use std::process::Command;

use crate::support::program::Program;
use crate::support::server::Server;
use crate::support::sound;
use crate::support::wav;

#[test]
fn what_is_done_is_in_the_audit_once_and_no_name_is_in_the_log() {
    let server = Server::start_logging("[resources.default]\n[resources.other]\n", "debug");
    let (tone, kept) = (server.path("tone.wav"), server.path("kept.json"));
    wav::write(&tone, 16_000, 1, &sound::tone(440.0, 16_000, 32_000, 3_000.0));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut command = Command::new("python3");
    command.arg(root.join("service/audit.py")).env("PYTHONPATH", root.join("support"));
    command.args(["--reelgraph", env!("CARGO_BIN_EXE_reelgraph")]).env("PYTHONDONTWRITEBYTECODE", "1");
    for (option, path) in [
        ("--connection", server.connection()),
        ("--other", server.path("data/connection-strings/other")),
        ("--keys", server.path("data/keys/default")),
        ("--authority", server.authority()),
        ("--tone", tone),
        ("--kept", kept.clone()),
    ] {
        command.arg(option).arg(path);
    }
    let output = Program::start(&mut command).finish();
    assert!(output.status.success(), "{}\n{}", output.stderr, server.log());
    let kept = std::fs::read(&kept).expect("the story was told");
    let secrets: Vec<String> = serde_json::from_slice(&kept).expect("texts");
    // Also of what is told when the next one begins.
    let log = server.log();
    let server = server.kill_and_start_again();
    let log = log + &server.log();
    assert!(log.contains("DEBUG"), "{log}");
    for secret in &secrets {
        let found = log.lines().find(|line| line.contains(secret) && !line.contains("accesskey"));
        assert_eq!(found, None, "{secret}");
    }
    server.end(&[]);
}
