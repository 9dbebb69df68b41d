//! A track's pair of sockets.

use std::net::SocketAddr;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::Mutex;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::RcvBuf;
use nix::sys::socket::sockopt::RcvBufForce;
use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::sockopt::RxqOvfl;

use crate::ingest::rtp::RtpError;
use crate::media::Track;

/// Room in the kernel for what nobody has read: seconds of a call, and a tenth of one of a flood. The system may give
/// less.
const RECEIVE_BYTES: usize = 4 << 20;

/// A socket, and how many datagrams it has had no room for.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) socket: UdpSocket,
    pub(super) drops: Mutex<u32>,
}

/// A pair of sockets for RTP and RTCP, whose datagrams go to a track.
#[derive(Debug)]
pub struct Port {
    pub(super) rtp: Socket,
    /// None where the next port is somebody else's: RTCP may come on the port of RTP.
    pub(super) rtcp: Option<Socket>,
    pub(super) track: Arc<Mutex<Track>>,
    /// Where the sender's reports come from.
    pub(super) reports_from: Mutex<Option<SocketAddr>>,
    own_ssrc: u32,
}

impl Port {
    /// Takes a UDP port for RTP, and the next one for RTCP if it is free.
    ///
    /// # Errors
    ///
    /// The port cannot be taken, or the system lacks what a recording needs: kernel time-stamps, counts of drops.
    pub fn bind(address: SocketAddr, track: Arc<Mutex<Track>>) -> Result<Arc<Self>, RtpError> {
        let rtp = Socket::bind(address)?;
        let bound = rtp.socket.local_addr().unwrap_or(address);
        let next = bound.port().checked_add(1).map(|port| SocketAddr::new(bound.ip(), port));
        let rtcp = next.and_then(|next| match Socket::bind(next) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, "no port for RTCP beside a track's");
                None
            }
        });
        // Only has to differ from the sender's.
        let own_ssrc = uuid::Uuid::new_v4().as_u128() as u32;
        Ok(Arc::new(Self { rtp, rtcp, track, reports_from: Mutex::default(), own_ssrc }))
    }

    /// Returns the track that the port's datagrams go to.
    pub fn track(&self) -> Arc<Mutex<Track>> {
        Arc::clone(&self.track)
    }

    /// Returns where RTP is received.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.rtp.socket.local_addr()
    }

    /// Sends a receiver report, if there is a sender (RFC 3550 §6). Who does not take it does not matter.
    pub(super) fn report(&self, now_ns: i64) {
        let report = self.track.lock().unwrap().report(self.own_ssrc, now_ns);
        let Some((report, sender)) = report else { return };
        let to = self.reports_from.lock().unwrap().filter(|from| from.ip() == sender.ip());
        let (socket, to) = match (&self.rtcp, to) {
            (Some(rtcp), Some(to)) => (&rtcp.socket, to),
            (Some(rtcp), None) => {
                (&rtcp.socket, SocketAddr::new(sender.ip(), sender.port().checked_add(1).unwrap_or(sender.port())))
            }
            (None, to) => (&self.rtp.socket, to.unwrap_or(sender)),
        };
        if let Err(error) = socket.send_to(&report, to) {
            tracing::debug!(%error, "a receiver report is not taken");
        }
    }
}

impl Socket {
    fn bind(address: SocketAddr) -> Result<Self, RtpError> {
        let socket = UdpSocket::bind(address).map_err(|cause| RtpError::Bind { address, cause })?;
        let failed = |what| move |cause: nix::Error| RtpError::Setup { address, what, cause: cause.into() };
        socket.set_nonblocking(true).map_err(|cause| RtpError::Setup { address, what: "without waiting", cause })?;
        setsockopt(&socket, ReceiveTimestampns, &true).map_err(failed("time-stamps of the kernel"))?;
        setsockopt(&socket, RxqOvfl, &1).map_err(failed("counts of what the kernel drops"))?;
        // Beyond the system's limit only who is privileged may go.
        if setsockopt(&socket, RcvBufForce, &RECEIVE_BYTES).is_err() {
            setsockopt(&socket, RcvBuf, &RECEIVE_BYTES).map_err(failed("room for what comes"))?;
        }
        tracing::debug!(fd = socket.as_raw_fd(), "a UDP port is open");
        Ok(Self { socket, drops: Mutex::new(0) })
    }
}
