//! What the kernel takes for handing a datagram over: many sockets, a few datagrams in each, one call for each socket.

use std::io::IoSliceMut;
use std::net::Ipv4Addr;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use anyhow::ensure;
use nix::sys::epoll::Epoll;
use nix::sys::epoll::EpollCreateFlags;
use nix::sys::epoll::EpollEvent;
use nix::sys::epoll::EpollFlags;
use nix::sys::epoll::EpollTimeout;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::MultiHeaders;
use nix::sys::socket::recvmmsg;

use crate::floor::thread_ns;

/// Sockets, as of a hundred calls.
const SOCKETS: usize = 200;

/// Datagrams that a socket has when it is looked at: 100 ms of a call.
const QUEUED: usize = 5;

/// Looks at all of them; the cheapest is the floor.
const LOOKS: usize = 50;

/// Returns what a datagram of `length` bytes takes to receive, in ns of one thread's CPU time.
pub(crate) fn per_packet_ns(length: usize) -> anyhow::Result<f64> {
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut sockets = Vec::new();
    for index in 0..SOCKETS {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
        sockets.push(socket);
    }
    let datagram = vec![0u8; length];
    let mut buffers = [[0u8; 2_048]; QUEUED];
    let mut headers = MultiHeaders::<()>::preallocate(QUEUED, None);
    let mut events = vec![EpollEvent::empty(); SOCKETS];
    let mut least = f64::MAX;
    for _ in 0..LOOKS {
        for socket in &sockets {
            let to = socket.local_addr()?;
            (0..QUEUED).try_for_each(|_| sender.send_to(&datagram, to).map(drop))?;
        }
        let mut n = 0;
        let begun_ns = thread_ns();
        let n_ready = epoll.wait(&mut events, EpollTimeout::ZERO)?;
        for event in &events[..n_ready] {
            let Some(socket) = sockets.get(event.data() as usize) else { continue };
            let mut slices = buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
            let fd = socket.as_raw_fd();
            n += recvmmsg(fd, &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?.count();
        }
        let taken_ns = thread_ns() - begun_ns;
        ensure!(n == SOCKETS * QUEUED, "only {n} datagrams came");
        least = least.min(taken_ns as f64 / n as f64);
    }
    Ok(least)
}
