//! A track's pair of sockets.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::RcvBuf;
use nix::sys::socket::sockopt::RcvBufForce;
use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::sockopt::RxqOvfl;

use uuid::Uuid;

use crate::ingest::rtp::RtpError;
use crate::media::Track;
use crate::media::lock;

/// How often a sender is told how it is received (RFC 3550 §6.2: 5 s at least), on average.
const REPORT: Duration = Duration::from_secs(5);

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
    /// Where the sender's reports come from, and by which socket.
    pub(super) reports_from: Mutex<Option<(Kind, SocketAddr)>>,
    /// When the sender is told next how it is received.
    report_due_ns: AtomicI64,
    own_ssrc: u32,
}

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rtp,
    Rtcp,
}

impl Port {
    /// Takes a UDP port for RTP.
    ///
    /// # Errors
    ///
    /// The port cannot be taken, or the system lacks what a recording needs: kernel time-stamps, counts of drops.
    pub fn bind(address: SocketAddr, track: Arc<Mutex<Track>>) -> Result<Self, RtpError> {
        // Only has to differ from the sender's.
        let own_ssrc = Uuid::new_v4().as_u128() as u32;
        let (reports_from, report_due_ns) = (Mutex::default(), AtomicI64::new(0));
        Ok(Self { rtp: Socket::bind(address)?, rtcp: None, track, reports_from, report_due_ns, own_ssrc })
    }

    /// Takes the next port for RTCP, too, if it is free: RTCP may come on the port of RTP. Call it when all ports of
    /// RTP have been taken.
    pub fn with_control(mut self) -> Self {
        let next = |bound: SocketAddr| bound.port().checked_add(1).map(|port| SocketAddr::new(bound.ip(), port));
        self.rtcp = self.address().ok().and_then(next).and_then(|next| match Socket::bind(next) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, "no port for RTCP beside a track's");
                None
            }
        });
        self
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

    /// Sends a receiver report if it is time and there is a sender (RFC 3550 §6). Who does not take it does not matter.
    pub(super) fn report(&self, now_ns: i64) {
        let due_ns = self.report_due_ns.load(Relaxed);
        if now_ns < due_ns {
            return;
        }
        // Half to one and a half of the interval, so that reports of many do not go out together (§6.2).
        let interval_ns = REPORT.as_nanos() as i64;
        let chance = i64::from(Uuid::new_v4().as_u128() as u16);
        self.report_due_ns.store(now_ns + interval_ns / 2 + interval_ns * chance / 65_536, Relaxed);
        if due_ns == 0 {
            return;
        }
        let report = lock(&self.track).report(self.own_ssrc, now_ns);
        let Some((report, sender)) = report else { return };
        let known = self.reports_from.lock().unwrap().filter(|(_, from)| from.ip() == sender.ip());
        let beside = || SocketAddr::new(sender.ip(), sender.port().checked_add(1).unwrap_or(sender.port()));
        let (socket, to) = match (&self.rtcp, known) {
            (Some(rtcp), Some((Kind::Rtcp, from))) => (rtcp, from),
            (Some(rtcp), None) => (rtcp, beside()),
            (_, Some((_, from))) => (&self.rtp, from),
            (None, None) => (&self.rtp, sender),
        };
        let to = match (socket.socket.local_addr(), to.ip()) {
            // A socket of both versions speaks of the other in its own.
            (Ok(SocketAddr::V6(_)), IpAddr::V4(v4)) => SocketAddr::new(v4.to_ipv6_mapped().into(), to.port()),
            _ => to,
        };
        if let Err(error) = socket.socket.send_to(&report, to) {
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
