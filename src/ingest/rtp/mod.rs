//! RTP over UDP: sockets whose datagrams come into tracks with the kernel's stamps, and reports go back.
//!
//! Entry points: [`Readers`] for the threads, [`Port::bind`] for a track's pair of sockets, [`Url`] for how people
//! write one.
//!
//! ```text
//!  rtp://HOST:PORT    ─► socket PORT   ─┐  recvmmsg, SO_TIMESTAMPNS,                ┌─► Track
//!                       socket PORT+1 ─┴─ SO_RXQ_OVFL, a thread for each core ─────┤
//!                                            every 5 s: RTCP receiver report ◄──────┘
//! ```
//!
//! A thread looks at its sockets every 50 ms, which costs no truth: the kernel stamps what comes. Where a
//! socket is flooded it looks more often.
//!
//! **Architecture invariant:** what comes from outside is handed to `media` as bytes; nothing is parsed here.

mod error;
mod port;
mod reader;
mod receive;
mod sdp;
mod url;

pub use error::RtpError;
pub use port::Port;
pub use reader::PortId;
pub use reader::Readers;
pub use sdp::Offer;
pub use sdp::SdpError;
pub use url::Query;
pub use url::Url;
pub use url::UrlError;
