//! Calls through sockets, received by the test itself.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::captured::{indices, number};
use crate::support::pcap::{self, Report, Rtp};
use crate::support::program::{self, Program};

/// Nobody waits longer for a packet, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(60);

/// A pair of ports on which nothing is lost.
struct Peer {
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

/// What came of a call.
#[derive(Default)]
struct Heard {
    packets: Vec<Rtp>,
    reports: Vec<Report>,
}

impl Peer {
    fn new() -> Self {
        let bind = |port| UdpSocket::bind(("127.0.0.1", port));
        let pair = std::iter::repeat_with(|| {
            let rtp = bind(0).expect("a port");
            let port = rtp.local_addr().expect("it is bound").port();
            Some(Self { rtp, rtcp: bind(port.checked_add(1)?).ok()? })
        });
        let peer = pair.take(1_000).flatten().next().expect("two ports side by side");
        for socket in [&peer.rtp, &peer.rtcp] {
            socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        }
        peer
    }

    fn target(&self) -> String {
        format!("rtp://{}", self.rtp.local_addr().expect("it is bound"))
    }

    fn receive(socket: &UdpSocket) -> Vec<u8> {
        let mut bytes = vec![0; 2_000];
        let (length, from) = socket.recv_from(&mut bytes).expect("a packet before the deadline");
        assert!(from.ip().is_loopback());
        bytes.truncate(length);
        bytes
    }

    /// Takes packets until `is_enough`.
    fn packets(&self, is_enough: impl Fn(&[Rtp]) -> bool) -> Vec<Rtp> {
        let mut packets = Vec::new();
        while !is_enough(&packets) {
            packets.push(pcap::rtp(0, &Self::receive(&self.rtp)).expect("RTP"));
        }
        packets
    }

    /// Takes reports up to the goodbye, then whatever packets came before it: all of them wait here.
    fn rest(&self) -> Heard {
        let mut heard = Heard::default();
        while heard.reports.last().is_none_or(|report: &Report| !report.is_goodbye) {
            heard.reports.push(pcap::report(0, &Self::receive(&self.rtcp)).expect("RTCP"));
        }
        self.rtp.set_nonblocking(true).expect("a socket");
        let mut bytes = [0; 2_000];
        while let Ok(length) = self.rtp.recv(&mut bytes) {
            heard.packets.push(pcap::rtp(0, &bytes[..length]).expect("RTP"));
        }
        self.rtp.set_nonblocking(false).expect("a socket");
        heard
    }
}

fn send(words: &str) -> Program {
    Program::start(&mut program::command(["send", "--json"].into_iter().chain(words.split_whitespace())))
}

#[track_caller]
fn finished(program: Program) -> Value {
    let output = program.finish().check_code(0);
    assert_eq!(output.stderr, "");
    serde_json::from_str(&output.stdout).expect("one JSON document")
}

#[test]
fn all_packets_come_in_order_and_a_goodbye_behind_them() {
    let peer = Peer::new();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let begun = Instant::now();
    let to = peer.target();
    let program =
        send(&format!("--serial --duration 2s --to {to} --start 100ms --skew 500ppm --log {}", log.display()));
    let Heard { packets, reports } = peer.rest();
    let took = begun.elapsed();
    let json = finished(program);
    // 100 frames in 2 s / 1.0005, after 0.1 s.
    assert!(took >= Duration::from_millis(2_099), "{took:?}");
    let first = u16::try_from(number(&json, "streams/0/firstSequence")).expect("16 bits");
    assert_eq!(indices(&packets, first), (0..100).collect::<Vec<_>>());
    let goodbye = reports.last().expect("a goodbye");
    assert_eq!((reports.len(), goodbye.packets, goodbye.octets), (2, 100, 16_000));
    assert_eq!((number(&json, "packets"), number(&json, "bytes"), number(&json, "refused")), (100, 17_200, 0));
    assert_eq!(json["stopped"], false);

    // Reports tell the wall's time, packets go by the monotonic clock: 2 s of media are 1 999 000 499.75 ns.
    assert_eq!(goodbye.ntp_ns - reports[0].ntp_ns, 1_999_000_499);
    let t0: jiff::Timestamp = json["t0Utc"].as_str().expect("a time").parse().expect("ISO 8601");
    assert_eq!(i128::from(reports[0].ntp_ns), t0.as_nanosecond() + 100_000_000);
    assert_eq!(goodbye.timestamp.wrapping_sub(reports[0].timestamp), 16_000);

    let text = std::fs::read_to_string(&log).expect("a log");
    let lines: Vec<(u64, u64)> = text
        .lines()
        .map(|line| line.split_once(' ').expect("two words"))
        .map(|(n, ns)| (n.parse().expect("a number"), ns.parse().expect("nanoseconds")))
        .collect();
    assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    let zero = number(&json, "t0MonotonicNs") + 100_000_000;
    let due = |n: u64| zero + n * 20_000_000 * 2_000 / 2_001;
    let late = lines.iter().map(|(n, ns)| ns.checked_sub(due(*n)).expect("nothing is sent before its time"));
    let worst = json["worstLatenessSeconds"].as_f64().expect("a time");
    assert!(late.max().expect("lines") as f64 <= worst * 1e9 + 1.0);
    let last = &json["lastSerial"];
    assert_eq!((last["number"].as_u64(), last["monotonicNs"].as_u64()), (Some(99), Some(lines[99].1)));
}

#[test]
fn stopped_it_says_goodbye_after_what_was_sent() {
    for (signal, option) in [("INT", ""), ("TERM", "--jitter 300ms --loss 20%")] {
        let peer = Peer::new();
        let program = send(&format!("--serial --to {} {option}", peer.target()));
        let before = peer.packets(|packets| packets.len() == 20);
        program.signal(signal);
        let Heard { packets, reports } = peer.rest();
        let json = finished(program);
        assert_eq!((&json["stopped"], number(&json, "packets")), (&Value::Bool(true), (20 + packets.len()) as u64));
        let goodbye = reports.last().expect("a goodbye");
        // Sent are those that arrived and those that were lost.
        assert_eq!(u64::from(goodbye.packets), number(&json, "packets") + number(&json, "lost"));
        let first = u16::try_from(number(&json, "streams/0/firstSequence")).expect("16 bits");
        let all = [before, packets].concat();
        assert!(indices(&all, first).is_sorted() && option.is_empty() == (number(&json, "lost") == 0));
    }
}

#[test]
fn streams_go_to_their_ports_from_their_own() {
    // Four ports in a row, two of which are the second stream's.
    let (first, second) = std::iter::repeat_with(|| {
        let first = Peer::new();
        let port = first.rtcp.local_addr().ok()?.port();
        let [rtp, rtcp] = [1, 2].map(|offset| UdpSocket::bind(("127.0.0.1", port.checked_add(offset)?)).ok());
        let second = Peer { rtp: rtp?, rtcp: rtcp? };
        second.rtcp.set_read_timeout(Some(DEADLINE)).ok()?;
        Some((first, second))
    })
    .take(1_000)
    .flatten()
    .next()
    .expect("four ports side by side");
    let program = send(&format!("--serial --duration 500ms --streams 2 --to {}", first.target()));
    let heard = [first.rest(), second.rest()];
    let json = finished(program);
    for (stream, Heard { packets, .. }) in heard.iter().enumerate() {
        let name = |name: &str| number(&json, &format!("streams/{stream}/{name}"));
        let sequence = u16::try_from(name("firstSequence")).expect("16 bits");
        assert_eq!(indices(packets, sequence), (0..25).collect::<Vec<_>>());
        assert!(packets.iter().all(|packet| u64::from(packet.ssrc) == name("ssrc")));
    }
    assert_eq!(heard[0].packets[7].payload, heard[1].packets[7].payload);
    assert_ne!(heard[0].packets[0].ssrc, heard[1].packets[0].ssrc);
}

#[test]
fn one_port_is_enough_with_mux() {
    let peer = Peer::new();
    let program = send(&format!("--serial --duration 100ms --rtcp-mux --to {}", peer.target()));
    let is_rtcp: Vec<_> = (0..7).map(|_| pcap::report(0, &Peer::receive(&peer.rtp)).is_some()).collect();
    assert_eq!(is_rtcp, [true, false, false, false, false, false, true]);
    finished(program);
}

#[test]
fn nobody_who_listens_is_no_error() {
    let target = Peer::new().target();
    let json = finished(send(&format!("--serial --duration 200ms --to {target}")));
    assert_eq!((number(&json, "packets"), number(&json, "unsent")), (10, 0));
    assert!((1..=12).contains(&number(&json, "refused")), "{json}");
}
