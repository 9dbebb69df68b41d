//! Packets through sockets, each at its time on the monotonic clock.
//!
//! Every stream has its own connected socket, and one for its reports: so each has a source port as a phone has, the
//! kernel looks up its route once, and tells when nobody listens. What is due is sent in one go per wake. (One socket
//! for all and `sendmmsg` would cost a quarter less: 2.2 µs a packet in place of 2.9 over loopback, of which 1 000
//! streams send 50 000 a second. It would have one source port, and hear of no refusal.)

use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::Resource;
use rustix::thread::ClockId;
use rustix::time::clock_gettime;

use crate::send::error::SendError;
use crate::send::wire::Delivery;
use crate::send::wire::Port;
use crate::send::wire::Wire;
use crate::send::wire::Zero;

/// How often whoever wants to stop is asked, at least.
const SLICE_NS: u64 = 50_000_000;

/// How much later than asked a sleep may end, by the kernel's wish to do several at once. Its default is fifty times
/// as much.
const TIMER_SLACK_NS: u64 = 1_000;

/// Ports that are tried until an even one is followed by a free one (RFC 3550 §11).
const PAIR_TRIES: usize = 64;

/// Descriptors of everything else.
const OTHER_FILES: u64 = 64;

/// The sockets of a stream, and whom they are connected with.
struct Sockets {
    rtp: UdpSocket,
    to: SocketAddr,
    /// None where both go through one.
    rtcp: Option<UdpSocket>,
}

/// A live call.
pub(super) struct Live {
    sockets: Vec<Sockets>,
    zero: Zero,
    zero_ns: u64,
    /// When the clock was last read, in nanoseconds from zero.
    now_ns: u64,
    delivery: Delivery,
}

impl Live {
    /// Opens the sockets of `n_streams` streams, which go to `port`, `port` + 2 and so on. The call's zero is now.
    pub(super) fn open(ip: IpAddr, port: u16, n_streams: usize, rtcp_mux: bool) -> Result<Self, SendError> {
        allow_files(2 * n_streams as u64 + OTHER_FILES);
        let to = |index: usize| SocketAddr::new(ip, port.saturating_add((2 * index).min(0xFFFF) as u16));
        let open = |index| {
            let to = to(index);
            open_pair(to, rtcp_mux).map_err(|cause| SendError::Network { to, cause })
        };
        let sockets = (0..n_streams).map(open).collect::<Result<_, _>>()?;
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(TIMER_SLACK_NS));
        let (utc_ns, zero_ns) = (clock_ns(ClockId::Realtime), monotonic_ns());
        let zero = Zero { utc_ns, monotonic_ns: Some(zero_ns) };
        Ok(Self { sockets, zero, zero_ns, now_ns: 0, delivery: Delivery::default() })
    }
}

impl Wire for Live {
    fn zero(&self) -> Zero {
        self.zero
    }

    fn has_come(&self, at_ns: u64) -> bool {
        self.now_ns >= at_ns
    }

    fn wait(&mut self, at_ns: u64) -> Result<bool, SendError> {
        self.now_ns = monotonic_ns() - self.zero_ns;
        if self.now_ns < at_ns {
            sleep_until(self.zero_ns + at_ns.min(self.now_ns + SLICE_NS));
            self.now_ns = monotonic_ns() - self.zero_ns;
        }
        Ok(self.now_ns >= at_ns)
    }

    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn put(&mut self, at_ns: u64, stream: usize, port: Port, bytes: &[u8]) -> Result<Option<u64>, SendError> {
        let Some(Sockets { rtp, to, rtcp }) = self.sockets.get(stream) else { return Ok(None) };
        let socket = rtcp.as_ref().filter(|_| port == Port::Rtcp).unwrap_or(rtp);
        self.now_ns = monotonic_ns() - self.zero_ns;
        let late = Duration::from_nanos(self.now_ns.saturating_sub(at_ns));
        self.delivery.worst_late = self.delivery.worst_late.max(late);
        let mut sent = socket.send(bytes);
        // It tells of a packet before this one, and has not sent this one.
        if sent.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            self.delivery.n_refused += 1;
            sent = socket.send(bytes);
        }
        match sent {
            Ok(_) => Ok(Some(self.now_ns)),
            Err(error) if is_passing(&error) => {
                self.delivery.n_unsent += 1;
                Ok(None)
            }
            Err(cause) => Err(SendError::Network { to: *to, cause }),
        }
    }

    fn close(&mut self) -> Result<Delivery, SendError> {
        Ok(self.delivery)
    }
}

/// Finds the address of a host. Where it has several, the first of IPv4: most who record listen there.
///
/// # Errors
///
/// There is none, or no single peer can be there.
pub(super) fn resolve(host: &str) -> Result<IpAddr, SendError> {
    let unresolved = |cause| SendError::Unresolved { host: host.to_owned(), cause };
    let found = std::net::ToSocketAddrs::to_socket_addrs(&(host, 0)).map_err(unresolved)?;
    let addresses: Vec<_> = found.map(|address| address.ip()).collect();
    let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    let address = *first.ok_or_else(|| unresolved(io::ErrorKind::NotFound.into()))?;
    let what = match address {
        _ if address.is_multicast() => "a multicast group",
        _ if address.is_unspecified() => "nobody's",
        IpAddr::V4(Ipv4Addr::BROADCAST) => "everybody's (broadcast)",
        _ => return Ok(address),
    };
    Err(SendError::BadAddress { address, what })
}

/// A port of nobody may be told late, and a full queue is empty soon.
fn is_passing(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::WouldBlock, io::ErrorKind::ConnectionRefused];
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error())
}

fn open_pair(to: SocketAddr, rtcp_mux: bool) -> io::Result<Sockets> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let bind = |port| UdpSocket::bind((any, port));
    let mut last = None;
    for _ in 0..PAIR_TRIES {
        let rtp = bind(0)?;
        let port = rtp.local_addr()?.port();
        let rtcp = if rtcp_mux { None } else { bind(port.saturating_add(1)).ok() };
        let is_pair = port.is_multiple_of(2) && (rtcp_mux || rtcp.is_some());
        last = Some((rtp, rtcp));
        if is_pair {
            break;
        }
    }
    let (rtp, mut rtcp) = last.ok_or(io::ErrorKind::AddrNotAvailable)?;
    if rtcp.is_none() && !rtcp_mux {
        rtcp = Some(bind(0)?);
    }
    rtp.connect(to)?;
    rtp.set_nonblocking(true)?;
    if let Some(rtcp) = &rtcp {
        rtcp.connect(SocketAddr::new(to.ip(), to.port().saturating_add(1)))?;
        rtcp.set_nonblocking(true)?;
    }
    Ok(Sockets { rtp, to, rtcp })
}

/// Asks for as many descriptors as are needed. Where that is refused, the sockets tell.
fn allow_files(needed: u64) {
    let mut limit = rustix::process::getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed)));
        let _ = rustix::process::setrlimit(Resource::Nofile, limit);
    }
}

/// Sleeps until a time on the monotonic clock, or until a signal comes.
fn sleep_until(at_ns: u64) {
    let (seconds, ns) = (at_ns / 1_000_000_000, at_ns % 1_000_000_000);
    let at = rustix::thread::Timespec { tv_sec: seconds as i64, tv_nsec: ns as _ };
    let _ = rustix::thread::clock_nanosleep_absolute(ClockId::Monotonic, &at);
}

fn monotonic_ns() -> u64 {
    clock_ns(ClockId::Monotonic)
}

fn clock_ns(id: ClockId) -> u64 {
    let time = clock_gettime(id);
    // Both clocks are positive.
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_several_or_of_nobody_are_refused() {
        for address in ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::"] {
            let refused = resolve(address);
            assert!(matches!(refused, Err(SendError::BadAddress { .. })), "{address}: {refused:?}");
        }
        assert_eq!(resolve("127.0.0.1").unwrap(), Ipv4Addr::LOCALHOST);
        assert_eq!(resolve("::1").unwrap(), Ipv6Addr::LOCALHOST);
    }

    #[test]
    fn ports_come_in_pairs_of_which_the_first_is_even() {
        let sockets = open_pair("127.0.0.1:9".parse().unwrap(), false).unwrap();
        let (rtp, rtcp) =
            (sockets.rtp.local_addr().unwrap().port(), sockets.rtcp.unwrap().local_addr().unwrap().port());
        assert_eq!((rtp % 2, rtcp), (0, rtp + 1));
    }
}
