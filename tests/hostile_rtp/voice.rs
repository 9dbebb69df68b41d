//! A live recording, and a phone that speaks numbered frames to it in real time.
//!
//! Every call has an address of 127.0.0.0/8 of its own, so that no other test, nor any other program, is on its ports.

use std::net::Ipv4Addr;
use std::net::SocketAddrV4;
use std::net::UdpSocket;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::packet::PORT;
use crate::packet::Rtp;
use crate::packet::STEP_MS;
use crate::rig::counted;
use crate::rig::counter;
use crate::rig::numbers;
use crate::support::program;
use crate::support::program::Output;
use crate::support::program::Program;
use crate::support::serial::FRAME;
use crate::support::wav::Wav;

/// A packet that left so late may be heard, or may not: the hold is 400 ms, and what comes after a silence of 200 ms
/// has to be looked at.
const LATE: Duration = Duration::from_millis(100);

/// Packets that come within the hold and a tick, and those that are kept while nobody records.
const WAITING_MAX: u64 = 30 + 64;

/// A live recording of one participant.
pub(crate) struct Live {
    dir: tempfile::TempDir,
    pub(crate) program: Program,
    pub(crate) to: SocketAddrV4,
}

/// What it came to.
pub(crate) struct Recorded {
    _dir: tempfile::TempDir,
    pub(crate) json: Value,
    pub(crate) wav: Wav,
}

/// Returns an address of this machine that nobody else has.
pub(crate) fn address() -> Ipv4Addr {
    static N_CALLS: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, high, low, N_CALLS.fetch_add(1, Relaxed))
}

/// Returns the arguments that record from an address.
pub(crate) fn arguments(to: SocketAddrV4, query: &str, options: &str) -> Vec<String> {
    let participant = format!("caller=rtp://{to}?{query}");
    let words = ["record", "mixed-wav", "--json", "--participant", &participant];
    words.into_iter().chain(options.split_whitespace()).map(str::to_owned).collect()
}

impl Live {
    /// Begins a recording; what comes from now on is in it.
    pub(crate) fn start(query: &str, options: &str) -> Self {
        let to = SocketAddrV4::new(address(), PORT);
        let dir = tempfile::tempdir().expect("a temporary directory");
        let out = dir.path().join("out");
        let mut command = program::command(arguments(to, query, options));
        let mut program = Program::start(command.arg("--out").arg(&out));
        let journal = out.join(".reelgraph-mixed-wav/journal");
        let has_begun = program.wait_until(|| std::fs::metadata(&journal).is_ok_and(|journal| journal.len() > 0));
        assert!(has_begun, "{:?}", program.finish());
        Self { dir, program, to }
    }

    /// Waits for the end, which has this code.
    #[track_caller]
    pub(crate) fn finish(self, code: i32) -> Recorded {
        let Output { stdout, .. } = self.program.finish().check_code(code);
        let json: Value = serde_json::from_str(&stdout).expect("one JSON document");
        // The last ones may still wait for their time when all is over.
        let n_open = counter(&json, "received").checked_sub(counted(&json)).expect("nothing is counted twice");
        assert!(n_open <= WAITING_MAX, "{}", json["packets"]);
        assert_eq!(json["lostSamples"], 0);
        let wav = Wav::read(&self.dir.path().join("out/mixed-wav-000.wav"));
        Recorded { _dir: self.dir, json, wav }
    }
}

impl Recorded {
    #[track_caller]
    pub(crate) fn counter(&self, name: &str) -> u64 {
        counter(&self.json, name)
    }

    /// Asserts that all that was said on time is there, once, in its place, up to the end of the recording; and that
    /// all there is was said.
    #[track_caller]
    pub(crate) fn check_frames(&self, spoken: &Spoken) {
        let found = numbers(&self.wav);
        assert!(found.is_sorted_by(|a, b| a.0 < b.0), "{found:?}");
        let first = found.first().copied().expect("there are numbers");
        let place = |n: u16| (first.1 + usize::from(n) * FRAME).wrapping_sub(usize::from(first.0) * FRAME);
        for (number, at) in &found {
            assert!(at.abs_diff(place(*number)) <= 80, "{number} is at {at} and not at {}", place(*number));
        }
        let is_whole = |n: u16| place(n) + FRAME + 80 <= self.wav.frames();
        let on_time = (0..spoken.n).filter(|n| !spoken.late.contains(n) && is_whole(*n));
        let missing: Vec<_> = on_time.filter(|n| found.iter().all(|(number, _)| number != n)).collect();
        let dropped = self.counter("kernelDrops");
        assert!(missing.len() as u64 <= dropped, "{missing:?} of {} are not there, {dropped} dropped", spoken.n);
    }
}

/// What a phone has said.
pub(crate) struct Spoken {
    /// How many frames.
    pub(crate) n: u16,
    /// Those that left late, or might have been thought lost because of one: the machine was busy.
    pub(crate) late: Vec<u16>,
}

/// A phone.
pub(crate) struct Phone {
    pub(crate) socket: UdpSocket,
    to: SocketAddrV4,
}

impl Phone {
    pub(crate) fn new(to: SocketAddrV4) -> Self {
        Self::at(*to.ip(), to)
    }

    /// A phone with an address of its own.
    pub(crate) fn at(address: Ipv4Addr, to: SocketAddrV4) -> Self {
        Self { socket: UdpSocket::bind((address, 0)).expect("a port"), to }
    }

    /// Sends bytes, now.
    pub(crate) fn send(&self, bytes: &[u8]) {
        // Nobody may listen any more.
        let _ = self.socket.send_to(bytes, self.to);
    }

    pub(crate) fn send_control(&self, bytes: &[u8]) {
        let _ = self.socket.send_to(bytes, (*self.to.ip(), self.to.port() + 1));
    }

    /// Says `n` frames in real time, or fewer where the recording ends; `each` comes behind every one.
    pub(crate) fn speak(&self, n: u16, each: impl FnMut(u16, Vec<u8>)) -> Spoken {
        self.speak_as(n, |rtp| rtp, each)
    }

    /// As [`Self::speak`], with other packets than frames have by themselves.
    pub(crate) fn speak_as(&self, n: u16, packet: impl Fn(Rtp) -> Rtp, mut each: impl FnMut(u16, Vec<u8>)) -> Spoken {
        let begun = Instant::now();
        let mut late = Vec::new();
        for number in 0..n {
            let due = begun + Duration::from_millis(STEP_MS) * number.into();
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let bytes = packet(Rtp::frame(number)).bytes();
            self.send(&bytes);
            if due.elapsed() > LATE {
                late.extend([number.saturating_sub(1), number, number + 1]);
            }
            each(number, bytes);
        }
        Spoken { n, late }
    }
}
