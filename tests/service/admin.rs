//! What whoever runs the service may ask, and who may not.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use crate::story_of_calls;
use crate::support::server::Server;
use crate::told;

/// Asks by curl, with more options; returns status and answer.
#[track_caller]
fn ask(server: &Server, path: &str, options: &[&str]) -> (u16, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--max-time", "20", "--noproxy", "*", "--write-out", "\n%{http_code}"]);
    let output = curl.args(options).arg(format!("{}{path}", server.admin())).output().expect("curl is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (answer, status) = text.rsplit_once('\n').expect("a status");
    (status.parse().expect("a number"), answer.to_owned())
}

#[track_caller]
fn token(server: &Server) -> String {
    let text = std::fs::read_to_string(server.path("data/admin-token")).expect("it is there");
    format!("Authorization: Bearer {}", text.trim())
}

#[track_caller]
fn put(server: &Server, path: &str, body: &str) -> u16 {
    ask(server, path, &["-X", "PUT", "-H", &token(server), "--data-raw", body]).0
}

/// Starts a recording of a call in which nobody speaks.
#[track_caller]
fn start(server: &Server) {
    told(server, story_of_calls(server, "recording.py"));
}

#[test]
fn nobody_comes_in_without_the_token_or_by_a_foreign_name() {
    let server = Server::start("");
    let mode = server.path("data/admin-token").metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let open = ["/healthz", "/readyz", "/metrics"];
    let closed = ["/recordings/7/graph.dot", "/log-level", "/gst-debug", "/", "/healthz/", "/metrics/../log-level"];
    let token = token(&server);
    for (path, is_open) in open.map(|path| (path, true)).into_iter().chain(closed.map(|path| (path, false))) {
        let status = |options: &[&str]| ask(&server, path, &[&["--path-as-is"], options].concat()).0;
        assert_eq!(status(&[]), if is_open { 200 } else { 401 }, "{path}");
        let wrong = format!("{}x", &token[..token.len() - 1]);
        for header in [wrong.as_str(), "Authorization: Bearer ", "Authorization: Basic Og==", &token[..token.len() - 2]]
        {
            assert_eq!(status(&["-H", header]), if is_open { 200 } else { 401 }, "{path} {header}");
        }
        assert_ne!(status(&["-H", &token]), 401, "{path}");
        // A page of a browser that has been led here by its name, whatever it knows.
        for host in ["Host: evil.example", "Host: evil.example:9464", "Host: 10.1.2.3", "Host: localhost.evil.example"]
        {
            assert_eq!(status(&["-H", host, "-H", &token]), 421, "{path} {host}");
        }
        assert_ne!(status(&["-H", "Host: localhost:1", "-H", &token]), 421, "{path}");
    }
    let key = std::fs::read_to_string(server.path("data/keys/default")).expect("it is there");
    let key = format!("Authorization: Bearer {}", key.lines().next().expect("a key"));
    assert_eq!(ask(&server, "/log-level", &["-X", "PUT", "-H", &key, "-d", "debug"]).0, 401, "a client's key");
    assert!(!server.log().contains(token.trim_start_matches("Authorization: Bearer ")), "the token is in the log");
    // It stays what it is.
    let server = server.kill_and_start_again();
    assert_eq!(self::token(&server), token);
    server.end(&[]);
}

#[test]
fn logs_are_changed_while_it_runs() {
    let mut server = Server::start("");
    // Who speaks no TLS where it is spoken is told of at this level.
    let told = "DEBUG reelgraph::api::listen: no TLS";
    let speak = |server: &Server| {
        let address = server.https().replace("https://localhost", "127.0.0.1");
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is one");
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("it is open");
        // It tells first what is wrong, and may have closed already.
        let _ = stream.read_to_end(&mut Vec::new());
    };
    speak(&server);
    assert_eq!(put(&server, "/log-level", "info,reelgraph::api=debug"), 204);
    speak(&server);
    server.wait_for(told, 1);
    assert_eq!(put(&server, "/log-level", "info"), 204);
    speak(&server);
    assert_eq!(put(&server, "/log-level", "info,reelgraph=debug"), 204);
    speak(&server);
    // In order: not the first, and not the third.
    server.wait_for(told, 2);
    assert_eq!(server.log().matches(told).count(), 2, "{}", server.log());
    for bad in ["", "verbose", "a=b=c", "[x]=debug", "gst=off", "info,,debug"] {
        assert_eq!(put(&server, "/log-level", bad), 400, "{bad:?}");
    }

    assert_eq!(server.log().matches(" gst: ").count(), 0, "{}", server.log());
    assert_eq!(put(&server, "/gst-debug", "reelsplit:LOG,GST_STATES:5,3"), 204);
    start(&server);
    server.wait_for(" gst: ", 1);
    for bad in ["7", "9", "*:9", "reelsink:MEMDUMP", "3,reelgate:7", "TRACE", "", "x y:3"] {
        assert_eq!(put(&server, "/gst-debug", bad), 400, "{bad:?}");
    }
    assert_eq!(ask(&server, "/gst-debug", &["-H", &token(&server)]).0, 405);
}

#[test]
fn it_is_not_ready_when_it_is_to_end() {
    let server = Server::start("shutdown-timeout = \"60s\"");
    assert_eq!(ask(&server, "/readyz", &[]), (200, "ok\n".to_owned()));
    start(&server);
    server.signal("TERM");
    let told = (0..500).map(|_| ask(&server, "/readyz", &[])).find(|(status, _)| *status != 200);
    assert_eq!(told, Some((503, "the service is ending\n".to_owned())));
    assert_eq!(ask(&server, "/healthz", &[]), (200, "ok\n".to_owned()), "a recording goes on");
}

#[test]
fn who_wants_no_admin_has_none() {
    let server = Server::start("admin = \"\"");
    assert_eq!(server.told("metrics and health "), None);
    assert!(!server.path("data/admin-token").exists());
    server.end(&[]);
}
