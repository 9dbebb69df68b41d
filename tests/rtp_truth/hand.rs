//! Calls of numbered frames, written packet by packet.

use crate::frames;
use crate::frames::Found;
use crate::frames::Said;
use crate::support::call::Call;
use crate::support::call::Recording;
use crate::support::captured::T0;
use crate::support::pcap;
use crate::support::pcap::Datagram;
use crate::support::pcap::Rtp;
use reelgraph::send::SerialCoder;

/// Length of a frame.
pub(crate) const FRAME_NS: u64 = 20_000_000;
const FRAME_TICKS: u32 = 160;

/// A recording's hold, less what a path's least delay may be misjudged by.
const IN_TIME_NS: u64 = 390_000_000;

/// What a sender's time-stamps do while nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeStamps {
    Stop,
    GoOn,
}

/// A call on its way to a capture. A frame is said at `now_ns` of the call, and numbers count on.
pub(crate) struct Hand {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    now_ns: u64,
    number: u16,
    coder: SerialCoder,
    datagrams: Vec<Datagram>,
    said: Vec<Said>,
}

impl Hand {
    pub(crate) fn new(sequence: u16, timestamp: u32) -> Self {
        let (coder, datagrams, said) = (SerialCoder::default(), Vec::new(), Vec::new());
        Self { sequence, timestamp, ssrc: 0x1234_5678, now_ns: 0, number: 1, coder, datagrams, said }
    }

    /// Sends a packet that arrives at `arrival_ns`.
    fn send(&mut self, payload_type: u8, payload: Vec<u8>, arrival_ns: u64) {
        let Self { sequence, timestamp, ssrc, .. } = *self;
        let rtp = Rtp { ns: 0, marker: false, payload_type, sequence, timestamp, ssrc, payload };
        self.datagrams.push(Datagram { ns: T0 + arrival_ns, from: 40_000, to: 5_004, payload: rtp.bytes() });
        self.sequence = sequence.wrapping_add(1);
    }

    /// Says so many frames, whose packets arrive when `arrival_ns` tells by their time.
    pub(crate) fn talk_over(&mut self, n: u64, arrival_ns: impl Fn(u64) -> u64) {
        for _ in 0..n {
            let (now_ns, number) = (self.now_ns, self.number);
            let arrival_ns = arrival_ns(now_ns);
            self.send(0, self.coder.payload(number).to_vec(), arrival_ns);
            let is_due = arrival_ns - now_ns <= IN_TIME_NS;
            self.said.push(Said { number, at_ns: now_ns as i64, is_due });
            self.pass(FRAME_NS, TimeStamps::GoOn);
            self.number += 1;
        }
    }

    /// Says so many frames.
    pub(crate) fn talk(&mut self, n: u64) {
        self.talk_over(n, |now_ns| now_ns);
    }

    /// Says so many frames that are lost.
    pub(crate) fn lose(&mut self, n: u64) {
        for _ in 0..n {
            self.sequence = self.sequence.wrapping_add(1);
            self.pass(FRAME_NS, TimeStamps::GoOn);
            self.number += 1;
        }
    }

    /// Says nothing for so long.
    pub(crate) fn pass(&mut self, ns: u64, time_stamps: TimeStamps) {
        self.now_ns += ns;
        if time_stamps == TimeStamps::GoOn {
            let ticks = ns * u64::from(FRAME_TICKS) / FRAME_NS;
            self.timestamp = self.timestamp.wrapping_add(ticks as u32);
        }
    }

    /// Sends a packet of another content, which takes no time.
    pub(crate) fn other(&mut self, payload_type: u8, payload: &[u8]) {
        self.send(payload_type, payload.to_vec(), self.now_ns);
    }

    /// Sends the last packet again, `later_ns` behind the first time.
    pub(crate) fn again(&mut self, later_ns: u64) {
        let mut again = self.datagrams.last().expect("a packet").clone();
        again.ns += later_ns;
        self.datagrams.push(again);
    }

    /// Records the call: all frames that came in time are in their place.
    #[track_caller]
    pub(crate) fn check(mut self, name: &str) -> (Found, Recording) {
        self.datagrams.sort_by_key(|datagram| datagram.ns);
        let call = Call::new();
        let path = call.path("call.pcap");
        pcap::write(&path, &self.datagrams);
        assert_eq!(pcap::read(&path), self.datagrams, "what is written is what is read");
        // Whoever sends there, as a socket would have had it.
        let mut source = path.into_os_string();
        source.push("?port=5004");
        let recording = call.with_file("caller", source.as_ref()).record("mixed-wav");
        let found = frames::check(name, &recording.wav().samples, &self.said, 20);
        println!(
            "{name}: {} frames in time and {} others, {:.2} ms off at most; {}",
            found.n_due, found.n_others, found.off_ms, recording.json["participants"][0]["packets"]
        );
        (found, recording)
    }
}
