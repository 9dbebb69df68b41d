//! Connections that come as nobody should, by streams in memory and time that passes at once.

use super::*;

use std::time::Duration;

use axum::routing::get;
use jiff::Timestamp;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio::io::duplex;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::config::host::Name;
use crate::config::tls;

struct Rig {
    server: Arc<Server>,
    ending: watch::Sender<()>,
    roots: RootCertStore,
    _tls: watch::Sender<Arc<ServerConfig>>,
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let names = [Name::Dns("localhost".to_owned()), Name::Ip([127, 0, 0, 1].into())];
        let files = tls::ready(dir.path(), &names, Timestamp::now()).expect("it is made");
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(dir.path().join(tls::AUTHORITY)).expect("it was written");
        roots.add(authority).expect("it is an authority");
        let slow = || async {
            sleep(Duration::from_secs(3)).await;
            "late\n"
        };
        let router = Router::new().route("/", get(|| async { "here\n" })).route("/slow", get(slow));
        let (_tls, tls) = watch::channel(tls::load(&files).expect("it can be served with"));
        let (ending, ended) = watch::channel(());
        let tunnelled = vec!["localhost:8443".to_owned(), "rec.example.com:443".to_owned()];
        let admin = Router::new().route("/", get(|| async { "own\n" }));
        let server = Server { router, admin, tls, secure: Connections::new(2), tunnelled, ended };
        Self { server: Arc::new(server), ending, roots, _tls }
    }

    /// Returns the client's end of a connection.
    fn connect(&self, speaks: Speaks) -> DuplexStream {
        let (client, io) = duplex(1 << 20);
        let (server, place) = (Arc::clone(&self.server), Connections::new(1).enter().expect("there is room"));
        tokio::spawn(async move {
            match speaks {
                Speaks::Http => server.answer(io, Arrival::default(), place, &server.router).await,
                Speaks::Admin => server.answer(io, Arrival::default(), place, &server.admin).await,
                Speaks::Https => server.secure(io, Arrival::default(), place).await,
                Speaks::Connect => server.tunnel(io, Arrival::default(), place).await,
            }
        });
        client
    }

    /// Returns what is answered to bytes, and after how long the connection was closed.
    async fn ask(&self, speaks: Speaks, bytes: &[u8]) -> (String, Duration) {
        let (mut client, begin) = (self.connect(speaks), Instant::now());
        // Who is refused early does not read the rest.
        let _ = client.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer).await;
        (String::from_utf8_lossy(&answer).into_owned(), begin.elapsed())
    }
}

#[tokio::test(start_paused = true)]
async fn tunnels_lead_to_the_service_alone() {
    let rig = Rig::new();
    let long = format!("CONNECT localhost:8443 HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(2 * HEAD_BYTES_MAX));
    let many = format!("CONNECT localhost:8443 HTTP/1.1\r\n{}\r\n", "A: a\r\n".repeat(1_000));
    for (asked, expected) in [
        ("CONNECT localhost:8443 HTTP/1.1\r\nHost: localhost:8443\r\n\r\n", "200"),
        ("CONNECT LOCALHOST:8443 HTTP/1.1\r\n\r\n", "200"),
        ("CONNECT rec.example.com:443 HTTP/1.0\r\n\r\n", "200"),
        ("CONNECT localhost:8080 HTTP/1.1\r\nHost: localhost:8443\r\n\r\n", "403"),
        ("CONNECT localhost HTTP/1.1\r\n\r\n", "403"),
        ("CONNECT rec.example.com:80 HTTP/1.1\r\n\r\n", "403"),
        ("CONNECT rec.example.com.:443 HTTP/1.1\r\n\r\n", "403"),
        ("CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n", "403"),
        ("CONNECT [::1]:8443 HTTP/1.1\r\n\r\n", "403"),
        ("CONNECT a@localhost:8443 HTTP/1.1\r\n\r\n", "403"),
        ("CONNECT localhost:08443 HTTP/1.1\r\n\r\n", "403"),
        ("CONNECT http://localhost:8443/ HTTP/1.1\r\n\r\n", "4"),
        ("CONNECT /localhost:8443 HTTP/1.1\r\n\r\n", "4"),
        ("CONNECT * HTTP/1.1\r\n\r\n", "4"),
        ("CONNECT  HTTP/1.1\r\n\r\n", "4"),
        ("CONNECT localhost:8443\r\n\r\n", "4"),
        ("CONNECT localhost:8443 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "403"),
        ("CONNECT localhost:8443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "403"),
        ("CONNECT localhost:8443 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "4"),
        ("GET / HTTP/1.1\r\nHost: localhost:8443\r\n\r\n", "405"),
        ("GET http://localhost:8443/ HTTP/1.1\r\nHost: localhost:8443\r\n\r\n", "405"),
        ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405"),
        ("connect localhost:8443 HTTP/1.1\r\n\r\n", "405"),
        // TLS.
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0", "4"),
        ("\0\0\0\0\r\n\r\n", "4"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        (&long, "431"),
        (&many, "431"),
        ("", ""),
    ] {
        let (answer, _) = rig.ask(Speaks::Connect, asked.as_bytes()).await;
        let told = answer.strip_prefix("HTTP/1.1 ").or(answer.strip_prefix("HTTP/1.0 ")).unwrap_or(&answer);
        let is_expected = told.starts_with(expected) && (expected.is_empty() == told.is_empty());
        assert!(is_expected, "{:?}: {answer:?}", &asked[..asked.len().min(80)]);
    }
}

#[tokio::test]
async fn what_goes_through_a_tunnel_is_what_goes_to_the_service() {
    let rig = Rig::new();
    let mut client = rig.connect(Speaks::Connect);
    client
        .write_all(b"CONNECT rec.example.com:443 HTTP/1.1\r\nHost: rec.example.com\r\n\r\n")
        .await
        .expect("it is read");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("an answer"));
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    let config = ClientConfig::builder().with_root_certificates(rig.roots.clone()).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = TlsConnector::connect(&connector, name, client).await.expect("the service is trusted");
    client.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await.expect("it is read");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("an answer and an end");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhere\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_not_enough_is_not_waited_for() {
    let rig = Rig::new();
    for (speaks, said, deadline) in [
        (Speaks::Http, "", HEAD_DEADLINE),
        (Speaks::Http, "GET / HTTP/1.1\r\nHost: a", HEAD_DEADLINE),
        // Behind an answer.
        (Speaks::Http, "GET / HTTP/1.1\r\n\r\n", HEAD_DEADLINE),
        (Speaks::Https, "", HANDSHAKE_DEADLINE),
        (Speaks::Https, "\u{16}\u{3}\u{1}", HANDSHAKE_DEADLINE),
        (Speaks::Connect, "CONNECT localhost:8443 HTTP/1.1\r\n", HEAD_DEADLINE),
        // In a tunnel.
        (Speaks::Connect, "CONNECT localhost:8443 HTTP/1.1\r\n\r\n", HANDSHAKE_DEADLINE),
    ] {
        let (_, took) = rig.ask(speaks, said.as_bytes()).await;
        let late = took.checked_sub(deadline).unwrap_or_else(|| panic!("{speaks:?} {said:?}: closed after {took:?}"));
        assert!(late < Duration::from_secs(1), "{speaks:?} {said:?}: closed after {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_says_little_at_a_time_is_not_waited_for_either() {
    let rig = Rig::new();
    for (speaks, deadline) in [(Speaks::Http, HEAD_DEADLINE), (Speaks::Connect, HEAD_DEADLINE)] {
        let (mut client, begin) = (rig.connect(speaks), Instant::now());
        client.write_all(b"GET / HTTP/1.1\r\n").await.expect("it is read");
        while client.write_all(b"A: a\r\n").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
            assert!(begin.elapsed() < deadline * 2, "{speaks:?} is still read");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_being_answered_when_the_service_ends_is_answered_and_nothing_else() {
    let rig = Rig::new();
    let mut idle = rig.connect(Speaks::Http);
    let mut asking = rig.connect(Speaks::Http);
    asking.write_all(b"GET /slow HTTP/1.1\r\n\r\nGET /slow HTTP/1.1\r\n\r\n").await.expect("it is read");
    sleep(Duration::from_secs(1)).await;
    let begin = Instant::now();
    rig.ending.send_replace(());
    let mut text = String::new();
    idle.read_to_string(&mut text).await.expect("an end");
    assert!(text.is_empty() && begin.elapsed() < Duration::from_millis(100), "{text} {:?}", begin.elapsed());
    asking.read_to_string(&mut text).await.expect("an answer and an end");
    assert!(text.ends_with("\r\n\r\nlate\n") && text.matches("late").count() == 1, "{text}");
    assert!(begin.elapsed() < Duration::from_millis(2_100), "{:?}", begin.elapsed());
}
