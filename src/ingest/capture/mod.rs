//! UDP datagrams from a packet capture, as they were on the wire, each with the time at which it was captured.
//!
//! Entry points: [`Capture::open`] reads, [`select()`] finds the RTP stream that somebody means, [`survey()`] tells
//! which there are. Nothing here knows a clock or GStreamer, or what is inside RTP: whoever reads decides when.
//!
//! ```text
//!  file ─► window ─┬─► classic ─┬─► link ─► ip ─► frame ─► Capture ─► datagrams
//!                  └─► blocks  ─┘                                 └─► survey ─► streams
//! ```
//!
//! | read | |
//! |---|---|
//! | containers | pcap (µs and ns, both byte orders), pcapng (sections, interfaces, any resolution and offset of time) |
//! | link types | Ethernet (1), raw IP (101, 228, 229), Linux cooked (113, 276), BSD loopback (0, 108); VLAN tags |
//! | network | IPv4 with options; IPv6 with hop-by-hop, routing and destination options |
//!
//! Fragments are not put together, and tunnels (PPPoE, GRE, IP in IP, VXLAN) are not looked into: they are counted.
//! Checksums are not verified, since network cards fill them in after the capture. Times are passed on as they are,
//! also where they go back; a [`PacketSource`] ends where they leave out more than an hour. A capture of all interfaces
//! (`-i any`) of one machine may hold a packet twice.
//!
//! **Architecture invariant:** a capture is streamed. Memory holds one record of [`RECORD_BYTES_MAX`] at most and
//! [`STREAMS_MAX`] streams, whatever the bytes say; no bytes bring a panic.
//!
//! **Architecture invariant:** each packet moves exactly one counter of [`Counts`] beside `packets`.

mod blocks;
mod classic;
mod datagrams;
mod error;
mod frame;
mod ip;
mod link;
mod packets;
mod rtp;
mod select;
mod source;
mod streams;
mod survey;
mod time;
mod window;

pub use datagrams::Capture;
pub use datagrams::Counts;
pub use datagrams::Datagram;
pub use datagrams::scan;
pub use error::CaptureError;
pub use packets::RECORD_BYTES_MAX;
pub use select::Chosen;
pub use select::Select;
pub use select::select;
pub use source::PacketSource;
pub use streams::STREAMS_MAX;
pub use streams::StreamInfo;
pub use streams::StreamList;
pub use survey::Survey;
pub use survey::survey;
pub use survey::survey_reader;
