//! What was asked for is noted once, and names and keys are told to nobody.

use crate::story_of_calls;
use crate::support::server::Server;
use crate::told;

#[test]
fn what_is_done_is_in_the_audit_once_and_no_name_is_in_the_log() {
    let server = Server::start_logging("[resources.default]\n[resources.other]\n", "debug");
    let kept = server.path("kept.json");
    let mut command = story_of_calls(&server, "audit.py");
    command.arg("--other").arg(server.path("data/connection-strings/other"));
    command.arg("--keys").arg(server.path("data/keys/default")).arg("--kept").arg(&kept);
    told(&server, command);
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
