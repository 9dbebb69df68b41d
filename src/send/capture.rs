//! Packets into a capture file, at the times at which they would arrive: as fast as the machine can.
//!
//! The file is pcap with nanoseconds, of Ethernet frames as Linux's loopback has them (addresses of zeros), with IPv4
//! and UDP, both with checksums. Stream `i` goes from 127.0.0.1:40000+2i to 127.0.0.1:port+2i; reports from and to the
//! next port, or the same.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::send::error::SendError;
use crate::send::wire::Delivery;
use crate::send::wire::Port;
use crate::send::wire::Wire;
use crate::send::wire::Zero;

/// Time zero of every capture: 2023-11-14T22:13:20Z.
pub const CAPTURE_ZERO_NS: u64 = 1_700_000_000_000_000_000;

/// Where captured calls come from.
const SOURCE_PORT: u16 = 40_000;

/// pcap with times in nanoseconds.
const MAGIC: u32 = 0xA1B2_3C4D;

const LINKTYPE_ETHERNET: u32 = 1;

/// Most bytes of a packet that are kept: all of them.
const SNAP_BYTES: u32 = 262_144;

const ETHERNET_BYTES: usize = 14;
const IP_BYTES: usize = 20;
const UDP_BYTES: usize = 8;

/// A capture file that is being written.
pub(super) struct Capture {
    path: PathBuf,
    file: BufWriter<File>,
    /// Port of the first stream.
    port: u16,
    rtcp_mux: bool,
    now_ns: u64,
    n_packets: u16,
    record: Vec<u8>,
}

impl Capture {
    /// Creates the file, or takes the place of one that is there.
    pub(super) fn create(path: &Path, port: u16, rtcp_mux: bool) -> Result<Self, SendError> {
        let file = File::create(path).map_err(|cause| SendError::Unwritable { path: path.to_owned(), cause })?;
        let (path, file) = (path.to_owned(), BufWriter::with_capacity(1 << 16, file));
        let mut capture = Self { path, file, port, rtcp_mux, now_ns: 0, n_packets: 0, record: Vec::new() };
        let header = [MAGIC, 4 << 16 | 2, 0, 0, SNAP_BYTES, LINKTYPE_ETHERNET];
        let written = capture.file.write_all(&header.map(u32::to_le_bytes).concat());
        capture.written(written)?;
        Ok(capture)
    }

    fn written(&self, written: io::Result<()>) -> Result<(), SendError> {
        written.map_err(|cause| SendError::Unwritable { path: self.path.clone(), cause })
    }
}

impl Wire for Capture {
    fn zero(&self) -> Zero {
        Zero { utc_ns: CAPTURE_ZERO_NS, monotonic_ns: None }
    }

    fn has_come(&self, _at_ns: u64) -> bool {
        true
    }

    fn wait(&mut self, _at_ns: u64) -> Result<bool, SendError> {
        Ok(true)
    }

    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn put(&mut self, at_ns: u64, stream: usize, port: Port, bytes: &[u8]) -> Result<Option<u64>, SendError> {
        let stream = u16::try_from(stream).unwrap_or(u16::MAX);
        let offset = stream.saturating_mul(2) + u16::from(port == Port::Rtcp && !self.rtcp_mux);
        let ports = [SOURCE_PORT.saturating_add(offset), self.port.saturating_add(offset)];
        let utc_ns = CAPTURE_ZERO_NS.saturating_add(at_ns);
        self.record.clear();
        record(&mut self.record, utc_ns, self.n_packets, ports, bytes);
        let written = self.file.write_all(&self.record);
        self.written(written)?;
        self.now_ns = at_ns;
        // The IP header's number wraps.
        self.n_packets = self.n_packets.wrapping_add(1);
        Ok(Some(at_ns))
    }

    fn close(&mut self) -> Result<Delivery, SendError> {
        let written = self.file.flush();
        self.written(written)?;
        Ok(Delivery::default())
    }
}

/// Writes a record of the file: time, lengths, Ethernet, IPv4 (RFC 791), UDP (RFC 768).
fn record(out: &mut Vec<u8>, utc_ns: u64, number: u16, [from, to]: [u16; 2], payload: &[u8]) {
    const LOCALHOST: [u8; 4] = [127, 0, 0, 1];
    const UDP: u8 = 17;
    // Packets are no longer than a payloader's MTU.
    let udp_bytes = (UDP_BYTES + payload.len()) as u16;
    let ip_bytes = IP_BYTES as u16 + udp_bytes;
    let frame_bytes = (ETHERNET_BYTES + usize::from(ip_bytes)) as u32;
    // Seconds fit until 2106.
    let times = [(utc_ns / 1_000_000_000) as u32, (utc_ns % 1_000_000_000) as u32];
    out.extend([times[0], times[1], frame_bytes, frame_bytes].map(u32::to_le_bytes).concat());
    out.extend([0; 12]);
    out.extend([0x08, 0x00]);

    let ip = out.len();
    out.extend([0x45, 0]);
    out.extend([ip_bytes, number, 0x4000].map(u16::to_be_bytes).concat());
    out.extend([64, UDP, 0, 0]);
    out.extend([LOCALHOST, LOCALHOST].concat());
    let ip_sum = !folded(sum(&out[ip..]));
    out[ip + 10..ip + 12].copy_from_slice(&ip_sum.to_be_bytes());

    let udp = out.len();
    out.extend([from, to, udp_bytes, 0].map(u16::to_be_bytes).concat());
    out.extend(payload);
    let pseudo = 2 * sum(&LOCALHOST) + u32::from(UDP) + u32::from(udp_bytes);
    let udp_sum = match !folded(pseudo + sum(&out[udp..])) {
        // 0 would say that there is none.
        0 => 0xFFFF,
        sum => sum,
    };
    out[udp + 6..udp + 8].copy_from_slice(&udp_sum.to_be_bytes());
}

/// Adds up words of 16 bits; an odd byte at the end is the upper half of one.
fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum()
}

fn folded(mut sum: u32) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_what_tcpdump_would_have_written() {
        let mut bytes = Vec::new();
        record(&mut bytes, 1_700_000_000_000_000_001, 7, [40_000, 5_004], b"abc");
        let (head, frame) = bytes.split_at(16);
        assert_eq!(head, [0, 0xF1, 0x53, 0x65, 1, 0, 0, 0, 45, 0, 0, 0, 45, 0, 0, 0]);
        let ethernet = [&[0; 12][..], &[8, 0]].concat();
        // 45 00 00 1f 00 07 40 00 40 11 and the addresses add up to 0x1c334, so the checksum is !0xc335.
        let ip = [0x45, 0, 0, 31, 0, 7, 0x40, 0, 64, 17, 0x3C, 0xC5, 127, 0, 0, 1, 127, 0, 0, 1];
        // Addresses 0xfe02, protocol 0x11, length 0x0b twice, ports 0x9c40 and 0x138c, "ab" 0x6162, "c" 0x6300.
        let sum: u32 = 0xFE02 + 0x11 + 0x0B + 0x9C40 + 0x138C + 0x0B + 0x6162 + 0x6300;
        let udp_sum = !((sum & 0xFFFF) + (sum >> 16)) as u16;
        let udp = [&[0x9C, 0x40, 0x13, 0x8C, 0, 11][..], &udp_sum.to_be_bytes(), b"abc"].concat();
        assert_eq!(frame, [&ethernet[..], &ip, &udp].concat());
    }
}
