//! What can be asked for is what `/openapi.json` says, of those who may.

use crate::machine;
use crate::story_of_calls;
use crate::support::server::Server;
use crate::told;
use std::path::Path;

#[test]
fn whatever_is_told_can_be_asked_for_and_by_nobody_else() {
    let _machine = machine();
    let limits = "requests-per-second = 1000000\nrecordings-max = 100\n";
    let server = Server::start(&format!("[resources.default]\n{limits}[resources.other]\n{limits}"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = story_of_calls(&server, "openapi.py");
    command.arg("--other").arg(server.path("data/connection-strings/other"));
    command.arg("--http").arg(server.http()).arg("--hooks").arg(root.join("tests/service/openapi_hooks.py"));
    command.arg("--schemathesis").arg(root.join("target/interop/schemathesis/bin/st"));
    println!("{}", told(&server, command));
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.signal("TERM");
    server.ended();
}
