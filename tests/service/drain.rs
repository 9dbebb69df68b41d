//! How the service ends.

use crate::story_of_calls;
use crate::support::server::Server;
use crate::told;

#[test]
fn a_service_that_is_to_end_lets_recordings_end() {
    let server = Server::start("shutdown-timeout = \"60s\"");
    let mut command = story_of_calls(&server, "drain.py");
    command.args(["--pid", &server.id().to_string()]);
    told(&server, command);
    // Nothing runs any more: it ends at once, though it has a minute for it.
    let begun = std::time::Instant::now();
    server.ended();
    assert!(begun.elapsed().as_secs() < 30);
}
