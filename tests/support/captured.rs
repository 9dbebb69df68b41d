//! A call that is sent into a capture, and what is in it.

use std::path::PathBuf;

use serde_json::Value;

use super::pcap::{self, Datagram, Report, Rtp};
use super::program;

/// Time zero of captures.
pub(crate) const T0: u64 = 1_700_000_000_000_000_000;

/// A capture, and what the program said of it.
pub(crate) struct Captured {
    /// Keeps the file.
    _dir: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) json: Value,
}

/// Sends with these options, words, into a capture.
#[track_caller]
pub(crate) fn capture(words: &str) -> Captured {
    capture_with(words, |_| Vec::new())
}

/// As [`capture`], of media files that are made in the capture's directory.
#[track_caller]
pub(crate) fn capture_with(words: &str, files: impl Fn(&std::path::Path) -> Vec<PathBuf>) -> Captured {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("call.pcap");
    let mut command = program::command(["send", "--json", "--to"]);
    command.arg(&path).args(words.split_whitespace()).args(files(dir.path()));
    let output = program::Program::start(&mut command).finish().check_code(0);
    assert_eq!(output.stderr, "");
    let json = serde_json::from_str(&output.stdout).expect("one JSON document");
    Captured { _dir: dir, path, json }
}

impl Captured {
    pub(crate) fn datagrams(&self) -> Vec<Datagram> {
        pcap::read(&self.path)
    }

    /// The RTP packets of a stream, in order of arrival.
    pub(crate) fn rtp(&self, stream: u16) -> Vec<Rtp> {
        let is_streams = |datagram: &Datagram| (datagram.to - 5_004) / 2 == stream;
        let datagrams = self.datagrams().into_iter().filter(is_streams);
        datagrams.filter_map(|datagram| pcap::rtp(datagram.ns, &datagram.payload)).collect()
    }

    /// The reports of a stream.
    pub(crate) fn reports(&self, stream: u16) -> Vec<Report> {
        let is_streams = |datagram: &Datagram| (datagram.to - 5_004) / 2 == stream;
        let datagrams = self.datagrams().into_iter().filter(is_streams);
        datagrams.filter_map(|datagram| pcap::report(datagram.ns, &datagram.payload)).collect()
    }

    /// A number of the program's document, as in `streams/0/ssrc`.
    #[track_caller]
    pub(crate) fn number(&self, pointer: &str) -> u64 {
        number(&self.json, pointer)
    }
}

/// A number of a document, as in `streams/0/ssrc`.
#[track_caller]
pub(crate) fn number(json: &Value, pointer: &str) -> u64 {
    json.pointer(&format!("/{pointer}")).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {json}"))
}

/// Of each packet, in order of arrival, which of its stream it is, counted from the first sequence number.
pub(crate) fn indices(packets: &[Rtp], first: u16) -> Vec<u64> {
    let mut last = 0i64;
    let index = |packet: &Rtp| {
        let step = packet.sequence.wrapping_sub(first).wrapping_sub(last as u16) as i16;
        last += i64::from(step);
        last as u64
    };
    packets.iter().map(index).collect()
}
