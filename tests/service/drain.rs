//! How the service ends.

use crate::story_of_calls;
use crate::support::server::Server;
use crate::told;

#[test]
fn a_service_that_is_to_end_lets_recordings_end() {
    let server = Server::start("shutdown-timeout = \"1h\"");
    let mut command = story_of_calls(&server, "drain.py");
    command.args(["--pid", &server.id().to_string()]);
    told(&server, command);
    // Nothing runs any more: it ends, though it has an hour for it, which nobody here waits for.
    server.ended();
}
