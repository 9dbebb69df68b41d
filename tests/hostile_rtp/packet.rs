//! Packets of a sender of numbered frames, and capture files, written by hand.

use std::net::Ipv4Addr;
use std::net::SocketAddrV4;
use std::path::Path;

use reelgraph::send::SerialCoder;

/// Between packets, in ms.
pub(crate) const STEP_MS: u64 = 20;

pub(crate) const SSRC: u32 = 0x1234;

/// An RTP packet.
#[derive(Debug, Clone)]
pub(crate) struct Rtp {
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: Vec<u8>,
}

impl Rtp {
    /// Numbered frame `n` of a sender whose counters wrap soon.
    pub(crate) fn frame(n: u16) -> Self {
        thread_local!(static CODER: SerialCoder = SerialCoder::default());
        Self {
            payload_type: 0,
            sequence: 65_480u16.wrapping_add(n),
            timestamp: (u32::MAX - 9_000).wrapping_add(u32::from(n) * 160),
            ssrc: SSRC,
            payload: CODER.with(|coder| coder.payload(n).to_vec()),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let head = [&[0x80, self.payload_type][..], &self.sequence.to_be_bytes(), &self.timestamp.to_be_bytes()];
        [&head.concat()[..], &self.ssrc.to_be_bytes(), &self.payload].concat()
    }
}

/// A goodbye, with the empty report that stands before it.
pub(crate) fn bye(ssrc: u32) -> Vec<u8> {
    let ssrc = ssrc.to_be_bytes();
    [&[0x80, 201, 0, 1][..], &ssrc, &[0x81, 203, 0, 1], &ssrc].concat()
}

/// A sender report that says nothing true.
pub(crate) fn sender_report(ssrc: u32) -> Vec<u8> {
    [&[0x80, 200, 0, 6][..], &ssrc.to_be_bytes(), &[0xee; 20]].concat()
}

/// A datagram in a capture.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    /// From the capture's begin.
    pub(crate) at_us: u64,
    pub(crate) from: SocketAddrV4,
    pub(crate) to: u16,
    pub(crate) payload: Vec<u8>,
}

/// Where the honest sender of captures is, and where it sends to.
pub(crate) const SENDER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 4_000);
pub(crate) const PORT: u16 = 5_004;

impl Captured {
    /// What the honest sender sends at so many ms.
    pub(crate) fn new(at_ms: u64, payload: Vec<u8>) -> Self {
        Self { at_us: at_ms * 1_000, from: SENDER, to: PORT, payload }
    }

    /// Numbered frame `n`, on time.
    pub(crate) fn frame(n: u16) -> Self {
        Self::new(u64::from(n) * STEP_MS, Rtp::frame(n).bytes())
    }
}

/// The first `n` frames.
pub(crate) fn frames(n: u16) -> Vec<Captured> {
    (0..n).map(Captured::frame).collect()
}

/// Returns a capture: pcap with microseconds, raw IP, of 2023.
pub(crate) fn pcap(datagrams: &[Captured]) -> Vec<u8> {
    const BEGIN_S: u64 = 1_700_000_000;
    let mut bytes = [0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 65_535, 101].map(u32::to_le_bytes).concat();
    let mut sorted = datagrams.to_vec();
    sorted.sort_by_key(|datagram| datagram.at_us);
    for Captured { at_us, from, to, payload } in sorted {
        let udp_bytes = (8 + payload.len()) as u16;
        let ip_bytes = 20 + udp_bytes;
        let times = [(BEGIN_S + at_us / 1_000_000) as u32, (at_us % 1_000_000) as u32];
        bytes.extend([times[0], times[1], ip_bytes.into(), ip_bytes.into()].map(u32::to_le_bytes).concat());
        let [high, low] = ip_bytes.to_be_bytes();
        bytes.extend([0x45, 0, high, low, 0, 1, 0, 0, 64, 17, 0, 0]);
        bytes.extend(from.ip().octets());
        bytes.extend([10, 0, 0, 2]);
        bytes.extend([from.port(), to, udp_bytes, 0].map(u16::to_be_bytes).concat());
        bytes.extend(payload);
    }
    bytes
}

/// Writes a capture.
pub(crate) fn write(path: &Path, datagrams: &[Captured]) {
    std::fs::write(path, pcap(datagrams)).expect("the temporary directory can be written");
}
