//! When a request arrived: the kernel's stamp of its last bytes, and not when somebody had time to read them. Where all
//! cores work, that is milliseconds later, and a pause would begin then.

use std::io;
use std::io::IoSlice;
use std::io::IoSliceMut;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use nix::cmsg_space;
use nix::sys::socket::ControlMessageOwned;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::recvmsg;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt;
use nix::sys::time::TimeSpec;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::Interest;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

use crate::engine::clock::monotonic_ahead_of_wall_ns;
use crate::supervisor::Instant;

/// Most bytes of one read: more than a request has, as a rule. What is read into is memory that a connection then has.
const READ_BYTES_MAX: usize = 16 << 10;

/// When the last bytes of a connection came that have been read, in ns of the monotonic clock; 0: nobody knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrival(Arc<AtomicI64>);

impl Arrival {
    /// Returns that instant; now, where nobody knows.
    pub(super) fn instant(&self) -> Instant {
        match self.0.load(Relaxed) {
            0 => Instant::now(),
            arrived_ns => Instant::arrived(arrived_ns),
        }
    }
}

/// A connection whose bytes are stamped as they come.
#[derive(Debug)]
pub(super) struct Stamped {
    stream: TcpStream,
    arrival: Arrival,
}

impl Stamped {
    /// Lets the kernel stamp what comes.
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        setsockopt(&stream, sockopt::ReceiveTimestampns, &true)?;
        Ok(Self { stream, arrival: Arrival::default() })
    }

    pub(super) fn arrival(&self) -> Arrival {
        self.arrival.clone()
    }

    fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut said = cmsg_space!(TimeSpec);
        let mut slices = [IoSliceMut::new(into)];
        let received = recvmsg::<()>(self.stream.as_raw_fd(), &mut slices, Some(&mut said), MsgFlags::empty())?;
        let stamp = received.cmsgs().into_iter().flatten().find_map(|said| match said {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
            _ => None,
        });
        // The kernel begins to stamp a moment after it was asked to by the first of all sockets.
        let arrived_ns = stamp.map_or(0, |stamp| {
            let wall_ns = stamp.tv_sec().saturating_mul(1_000_000_000).saturating_add(stamp.tv_nsec());
            wall_ns.saturating_add(monotonic_ahead_of_wall_ns())
        });
        self.arrival.0.store(arrived_ns, Relaxed);
        Ok(received.bytes)
    }
}

impl AsyncRead for Stamped {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let n_bytes = buf.remaining().min(READ_BYTES_MAX);
            match self.stream.try_io(Interest::READABLE, || self.receive(buf.initialize_unfilled_to(n_bytes))) {
                Ok(n) => {
                    buf.advance(n);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => (),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use crate::engine::clock::monotonic_ns;

    #[tokio::test]
    async fn bytes_are_stamped_when_they_come_and_not_when_they_are_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut client = TcpStream::connect(listener.local_addr().expect("its port")).await.expect("it listens");
        let mut served = Stamped::new(listener.accept().await.expect("it comes").0).expect("it is stamped");
        let arrival = served.arrival();
        let mut n_stamped = 0;
        for _ in 0..40 {
            let before = monotonic_ns();
            client.write_all(b"POST").await.expect("it is taken");
            let after = monotonic_ns();
            // Nobody has time to read.
            std::thread::sleep(Duration::from_millis(200));
            let mut bytes = [0; 100];
            assert_eq!(served.read(&mut bytes).await.expect("it is there"), 4);
            let arrived = arrival.0.load(Relaxed);
            if arrived == 0 {
                continue;
            }
            n_stamped += 1;
            // The two clocks are not read at the same instant, and the kernel may have to wait for a core, too.
            assert!(arrived > before - 1_000_000 && arrived < after + 150_000_000, "{before} {arrived} {after}");
            if n_stamped == 3 {
                break;
            }
        }
        assert_eq!(n_stamped, 3);
        drop(client);
        assert_eq!(served.read(&mut [0; 10]).await.expect("its end"), 0);
    }
}
