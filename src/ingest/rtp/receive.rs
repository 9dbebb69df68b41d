//! Datagrams of one socket, many with one call, each with the kernel's stamp.

use std::io::IoSliceMut;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::ControlMessageOwned;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::MultiHeaders;
use nix::sys::socket::SockaddrStorage;
use nix::sys::socket::recvmmsg;
use nix::sys::time::TimeSpec;

use crate::engine::clock::monotonic_ahead_of_wall_ns;
use crate::engine::clock::monotonic_ns;

/// Datagrams that one call takes.
pub(super) const BATCH: usize = 16;

/// Datagrams that the first call for a socket takes: what a call brings between two looks, with room for one more. The
/// memory for more costs as much as the call.
pub(super) const FEW: usize = 4;

/// Longer datagrams are cut, and no RTP: the longest payload of audio (`PAYLOAD_MAX` of a track) and a long header.
const DATAGRAM_MAX: usize = 4_608;

/// What comes during a look is stamped later than its begin.
const LOOK_MAX_NS: i64 = 50_000_000;

/// A datagram.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) from: SocketAddr,
    /// In ns of the monotonic clock.
    pub(super) arrival_ns: i64,
}

/// What a monotonic clock says, and how far it is ahead of the wall clock that the kernel stamps with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) monotonic_ns: i64,
    ahead_ns: i64,
    /// Nothing that is read now came before.
    since_ns: i64,
}

impl Now {
    /// Reads the clocks, for what came after `since_ns` of the monotonic one.
    pub(super) fn after(since_ns: i64) -> Self {
        Self { ahead_ns: monotonic_ahead_of_wall_ns(), monotonic_ns: monotonic_ns(), since_ns }
    }

    fn arrival_ns(self, stamp: Option<TimeSpec>) -> i64 {
        let stamped = stamp.map(|stamp| {
            stamp.tv_sec().saturating_mul(1_000_000_000).saturating_add(stamp.tv_nsec()).saturating_add(self.ahead_ns)
        });
        // A stamp that cannot be was made before the wall clock was set; and a look takes a while.
        let latest_ns = self.monotonic_ns.saturating_add(LOOK_MAX_NS);
        stamped.filter(|stamp| (self.since_ns..=latest_ns).contains(stamp)).unwrap_or(self.monotonic_ns)
    }
}

/// Memory for datagrams.
pub(super) struct Receiver {
    buffers: Box<[[u8; DATAGRAM_MAX]; BATCH]>,
}

/// How a call went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Received {
    pub(super) n: usize,
    /// How many datagrams the socket has had no room for, ever, as far as any of these tells.
    pub(super) drops: Option<u32>,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self { buffers: Box::new([[0; DATAGRAM_MAX]; BATCH]) }
    }

    /// Takes up to `n` datagrams ([`BATCH`] at most) that are there, in order, and gives each to `take`. What is not
    /// understood of a socket's errors (an ICMP answer to a report) is no datagram.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        n: usize,
        now: Now,
        mut take: impl FnMut(Datagram<'_>),
    ) -> Received {
        // Made anew for each call: the kernel leaves in it how much it has used, and would use no more the next time.
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(n, Some(cmsg_space!(TimeSpec, u32)));
        let mut slices = self.buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
        let called = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None);
        let mut received = Received::default();
        let messages = match called {
            Ok(messages) => messages,
            Err(Errno::EAGAIN | Errno::EINTR) => return received,
            Err(error) => {
                tracing::debug!(%error, "a socket says");
                return received;
            }
        };
        for message in messages {
            received.n += 1;
            let mut stamp = None;
            for said in message.cmsgs().into_iter().flatten() {
                match said {
                    ControlMessageOwned::ScmTimestampns(time) => stamp = Some(time),
                    ControlMessageOwned::RxqOvfl(drops) => received.drops = Some(drops),
                    _ => (),
                }
            }
            let Some(from) = message.address.and_then(address) else { continue };
            // One that was cut reads as something malformed, and is counted as that.
            let is_whole = !message.flags.contains(MsgFlags::MSG_TRUNC);
            let bytes = message.iovs().next().filter(|_| is_whole).unwrap_or_default();
            take(Datagram { bytes, from, arrival_ns: now.arrival_ns(stamp) });
        }
        received
    }
}

fn address(storage: SockaddrStorage) -> Option<SocketAddr> {
    // Who comes by IPv4 to a socket of both is who it is by IPv4.
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let v4 = storage.as_sockaddr_in().map(|v4| SocketAddr::from(std::net::SocketAddrV4::from(*v4)));
    v4.or_else(|| storage.as_sockaddr_in6().map(|v6| canonical(std::net::SocketAddrV6::from(*v6).into())))
}
