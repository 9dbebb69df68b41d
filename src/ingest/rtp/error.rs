//! What can go wrong with sockets.

use std::net::SocketAddr;

/// What went wrong. Reads after "failed to record: ".
#[derive(Debug, thiserror::Error)]
pub enum RtpError {
    /// A port is in use, or not ours to take.
    #[error("UDP port {address} cannot be taken: {cause}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// A socket cannot be set up or watched.
    #[error("the socket at {address} cannot be set up ({what}): {cause}")]
    Setup {
        /// Where.
        address: SocketAddr,
        /// What of it.
        what: &'static str,
        /// Why.
        cause: std::io::Error,
    },
    /// A thread cannot be started.
    #[error("a thread for sockets cannot be started: {0}")]
    Thread(std::io::Error),
}
