//! What cannot be begun: ports that are taken, options that mean nothing. Nothing is left behind.

use std::net::SocketAddrV4;
use std::net::UdpSocket;

use crate::packet::PORT;
use crate::packet::frames;
use crate::rig::call;
use crate::support::program;
use crate::voice::Live;
use crate::voice::Phone;
use crate::voice::address;
use crate::voice::arguments;

/// Runs a command that must end with this code and these words, and leave nothing.
#[track_caller]
fn check(mut args: Vec<String>, code: i32, says: &str) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    args.extend(["--out".to_owned(), dir.path().join("out").display().to_string()]);
    let output = program::run(&args).check_code(code);
    assert!(output.stderr.contains(says), "{args:?}: {}", output.stderr);
    assert_eq!((output.stdout.as_str(), program::names(&dir.path().join("out"))), ("", vec![]), "{args:?}");
}

#[test]
fn a_port_that_is_taken_is_told_and_nothing_is_begun() {
    let to = SocketAddrV4::new(address(), PORT);
    let taken = UdpSocket::bind(to).expect("a port that nobody has");
    check(arguments(to, "codec=pcmu", "--duration 1s"), 1, &format!("UDP port {to} cannot be taken"));
    drop(taken);
    // Not this machine's.
    let elsewhere = SocketAddrV4::new([192, 0, 2, 1].into(), PORT);
    check(arguments(elsewhere, "codec=pcmu", "--duration 1s"), 1, "UDP port 192.0.2.1:5004 cannot be taken");
}

#[test]
fn two_recordings_do_not_share_a_port() {
    let live = Live::start("codec=pcmu", "--duration 2s");
    check(arguments(live.to, "codec=pcmu", "--duration 1s"), 1, "Address already in use");
    let spoken = Phone::new(live.to).speak(120, |_, _| ());
    live.finish(0).check_frames(&spoken);
}

#[test]
fn two_participants_on_one_port_are_told() {
    let to = SocketAddrV4::new(address(), PORT);
    let again = format!("--participant other=rtp://{to}?codec=opus --duration 1s");
    check(arguments(to, "codec=pcmu", &again), 1, "cannot be taken");
}

#[test]
fn the_next_port_may_be_somebody_elses() {
    let address = address();
    let _taken = UdpSocket::bind((address, PORT + 1)).expect("a port that nobody has");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut args = arguments(SocketAddrV4::new(address, PORT), "codec=pcmu", "--duration 200ms");
    args.extend(["--out".to_owned(), dir.path().display().to_string()]);
    // Nobody sends, which is noted.
    program::run(&args).check_code(4);
}

#[test]
fn options_that_mean_nothing_are_usage_errors() {
    let to = SocketAddrV4::new(address(), PORT);
    for (query, says) in [
        ("", "say what is sent"),
        ("codec=mp3", "is not opus, pcmu"),
        ("codec=pcmu&ssrc=x", "32 bits"),
        ("codec=pcmu&pt=200", "0 to 127"),
        ("codec=pcmu&source=here", "IP:PORT"),
        ("codec=pcmu&port=4000", "port is for captures"),
        ("codec=pcmu&codec=opus", "given twice"),
        ("codec=l16&channels=3", "1 or 2"),
        ("codec=pcmu&nonsense", "no option"),
    ] {
        check(arguments(to, query, "--duration 1s"), 2, says);
    }
}

#[test]
fn options_of_a_capture_that_mean_nothing_are_usage_errors() {
    for (options, says) in [
        ("?ssrc=0x1234567890", "32 bits"),
        ("?port=70000", "a UDP port"),
        ("?color=red", "no option"),
        ("?port=5004&port=5006", "given twice"),
        ("?codec=pcmu&rate=8000", "rate is for codec=l16"),
        ("?codec=opus&pt=111&event-pt=111", "must differ"),
    ] {
        let call = call(&frames(10), options);
        let output = call.run(&[], "mixed-wav", &call.path("out")).check_code(2);
        assert!(output.stderr.contains(says), "{options}: {}", output.stderr);
        assert_eq!(program::names(&call.path("out")), [""; 0], "{options}");
    }
}
