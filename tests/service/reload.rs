//! What changes while the service runs.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::ask;
use crate::support::program;
use crate::support::server::Server;

/// Tells it to read again, and waits until it has.
#[track_caller]
fn reload(server: &mut Server, times: usize) {
    server.signal("HUP");
    server.wait_for("keys and certificate were read again", times);
}

#[track_caller]
fn keys(server: &Server) -> [String; 2] {
    let text = std::fs::read_to_string(server.path("data/keys/default")).expect("they are there");
    let keys: Vec<_> = text.lines().map(str::to_owned).collect();
    keys.try_into().expect("two keys")
}

#[track_caller]
fn rotate(server: &Server, key: &str) {
    let config = server.path("config.toml");
    program::run(["keys", "rotate", "--key", key, "--config", config.to_str().expect("a path in UTF-8")]).check_code(0);
}

/// A connection that is kept.
struct Kept(TcpStream);

impl Kept {
    #[track_caller]
    fn new(server: &Server) -> Self {
        let address = server.http();
        let stream = TcpStream::connect(address.strip_prefix("http://").expect("an address")).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is one");
        Self(stream)
    }

    #[track_caller]
    fn ask(&mut self) {
        self.0.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is open");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nok\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("it is answered");
            answer.extend(byte);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn keys_change_while_connections_are_kept() {
    let mut server = Server::start("");
    let [first, second] = keys(&server);
    let mut kept = Kept::new(&server);
    kept.ask();
    let statuses = |server: &Server, keys: [&str; 3]| keys.map(|key| ask(server, &server.authority(), key));
    rotate(&server, "primary");
    let [third, _] = keys(&server);
    assert_eq!(statuses(&server, [&first, &second, &third]), [200, 200, 401], "nobody has told it");
    reload(&mut server, 1);
    assert_eq!(statuses(&server, [&first, &second, &third]), [401, 200, 200]);
    let connection = std::fs::read_to_string(server.connection()).expect("it is there");
    let endpoint = server.https();
    assert_eq!(connection, format!("endpoint={endpoint}/;accesskey={third}\n"));

    std::fs::write(server.path("data/keys/default"), "half of a k").expect("it can be written");
    reload(&mut server, 2);
    assert_eq!(statuses(&server, [&first, &second, &third]), [401, 200, 200]);
    std::fs::remove_file(server.path("data/keys/default")).expect("it is there");
    reload(&mut server, 3);
    assert_eq!(statuses(&server, [&first, &second, &third]), [401, 200, 200]);
    kept.ask();
    assert!(!server.log().contains(&third) && !server.log().contains(&first), "a key is in the log");
    server.end(&["keys stay as they were"]);
}

/// Makes a certificate of somebody's, who certifies themselves.
#[track_caller]
fn make(dir: &Path, name: &str) {
    let args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let mut command = Command::new("openssl");
    command.args(args).args(["-subj", "/CN=somebody", "-addext", "subjectAltName=DNS:localhost"]);
    command.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]).current_dir(dir);
    let output = command.output().expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_certificate_of_somebodys_is_shown_and_changed() {
    let dir = tempfile::tempdir().expect("the temporary directory can be written");
    ["one", "two"].into_iter().for_each(|name| make(dir.path(), name));
    let take = |name: &str| {
        for kind in ["pem", "key"] {
            let [from, to] = [name, "used"].map(|name| dir.path().join(format!("{name}.{kind}")));
            std::fs::copy(from, to).expect("it is there");
        }
    };
    take("one");
    let [certificate, key] = ["used.pem", "used.key"].map(|name| dir.path().join(name));
    let mut server = Server::start(&format!("certificate = {certificate:?}\ncertificate-key = {key:?}"));
    assert!(!server.path("data/tls").exists() && server.told("certificate authority").is_none(), "it needs no own one");
    let [access, _] = keys(&server);
    let trusts =
        |server: &Server| ["one", "two"].map(|name| ask(server, &dir.path().join(format!("{name}.pem")), &access));
    assert_eq!(trusts(&server), [200, 0]);
    take("two");
    assert_eq!(trusts(&server), [200, 0], "nobody has told it");
    reload(&mut server, 1);
    assert_eq!(trusts(&server), [0, 200]);
    // Of another certificate, and of none.
    std::fs::copy(dir.path().join("one.key"), &key).expect("it is there");
    reload(&mut server, 2);
    std::fs::write(&certificate, "").expect("it can be written");
    reload(&mut server, 3);
    assert_eq!(trusts(&server), [0, 200]);
    server.end(&["the certificate stays as it was"]);
}

#[test]
fn the_names_of_a_service_are_those_that_its_configuration_says() {
    let settings = "hosts = [\"rec.example.com:9443\"]\ncontent-url = \"https://files.example.com\"";
    let server = Server::start(settings);
    assert_eq!(server.https(), "https://rec.example.com:9443");
    let connection = std::fs::read_to_string(server.connection()).expect("it is there");
    assert!(connection.starts_with("endpoint=https://rec.example.com:9443/;accesskey="));
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-ext", "subjectAltName", "-in"]);
    let output = openssl.arg(server.path("data/tls/server.pem")).output().expect("openssl is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in ["DNS:rec.example.com", "DNS:files.example.com", "DNS:localhost", "IP Address:127.0.0.1"] {
        assert!(text.contains(name), "{text}");
    }
    server.end(&[]);
}
