//! Threads that read sockets.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::Builder;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::epoll::Epoll;
use nix::sys::epoll::EpollCreateFlags;
use nix::sys::epoll::EpollEvent;
use nix::sys::epoll::EpollFlags;
use nix::sys::epoll::EpollTimeout;

use crate::engine::clock::monotonic_ahead_of_wall_ns;
use crate::engine::clock::monotonic_ns;
use crate::ingest::rtp::Port;
use crate::ingest::rtp::RtpError;
use crate::ingest::rtp::port::Socket;
use crate::ingest::rtp::receive::BATCH;
use crate::ingest::rtp::receive::Now;
use crate::ingest::rtp::receive::Receiver;

/// How often sockets are looked at: a wake-up costs more than what it reads, and a recording is behind by much more.
pub(super) const PACE: Duration = Duration::from_millis(40);

/// How often they are looked at while one is flooded.
const FLOOD_PACE: Duration = Duration::from_millis(1);

/// Calls for one socket at a time, so that a flood of one does not keep the others waiting.
const CALLS_MAX: usize = 64;

/// Sockets that one look asks the kernel for.
const EVENTS: usize = 1_024;

/// How often a sender is told how it is received (RFC 3550 §6.2: 5 s at least).
const REPORT: Duration = Duration::from_secs(5);

/// The ports of one thread.
struct Reader {
    epoll: Epoll,
    ports: Mutex<BTreeMap<u64, Arc<Port>>>,
    is_over: AtomicBool,
}

/// Threads that read sockets, as many as were asked for. Dropping it ends them.
pub struct Readers {
    readers: Vec<Arc<Reader>>,
    threads: Vec<JoinHandle<()>>,
    n_added: Mutex<u64>,
}

/// Which of a port's sockets an event means: its lowest bit.
const RTCP: u64 = 1;

impl Readers {
    /// Starts `n` threads, at least one.
    ///
    /// # Errors
    ///
    /// The system gives no more threads, or no more descriptors.
    pub fn start(n: usize) -> Result<Self, RtpError> {
        let mut readers = Self { readers: Vec::new(), threads: Vec::new(), n_added: Mutex::new(0) };
        for index in 0..n.max(1) {
            let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(|e| RtpError::Thread(e.into()))?;
            let reader = Arc::new(Reader { epoll, ports: Mutex::default(), is_over: AtomicBool::new(false) });
            readers.readers.push(Arc::clone(&reader));
            let thread = Builder::new().name(format!("reel-reader-{index}")).spawn(move || reader.run());
            readers.threads.push(thread.map_err(RtpError::Thread)?);
        }
        Ok(readers)
    }

    /// Reads a port from now on, until the readers are dropped.
    ///
    /// # Errors
    ///
    /// The system cannot watch it.
    pub fn add(&self, port: Arc<Port>) -> Result<(), RtpError> {
        let id = {
            let mut n_added = self.n_added.lock().unwrap();
            *n_added += 1;
            *n_added
        };
        let Some(reader) = self.readers.get(id as usize % self.readers.len().max(1)) else { return Ok(()) };
        let watch = |socket: &Socket, data| {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, data);
            let address = socket.socket.local_addr().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into());
            let failed = |cause: nix::Error| RtpError::Setup { address, what: "watching", cause: cause.into() };
            reader.epoll.add(socket.socket.as_fd(), event).map_err(failed)
        };
        reader.ports.lock().unwrap().insert(id, Arc::clone(&port));
        watch(&port.rtp, id << 1)?;
        port.rtcp.as_ref().map_or(Ok(()), |rtcp| watch(rtcp, id << 1 | RTCP))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.readers.iter().for_each(|reader| reader.is_over.store(true, Relaxed));
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

impl Reader {
    fn run(&self) {
        let mut receiver = Receiver::new();
        let mut events = vec![EpollEvent::empty(); EVENTS];
        let mut reports_due_ns = 0;
        while !self.is_over.load(Relaxed) {
            let is_flooded = self.look(&mut receiver, &mut events);
            let now_ns = monotonic_ns();
            if now_ns >= reports_due_ns {
                reports_due_ns = now_ns + REPORT.as_nanos() as i64;
                let ports: Vec<_> = self.ports.lock().unwrap().values().cloned().collect();
                ports.iter().for_each(|port| port.report(now_ns));
            }
            std::thread::sleep(if is_flooded { FLOOD_PACE } else { PACE });
        }
    }

    /// Reads all sockets that have something; returns whether one has more than calls bring.
    fn look(&self, receiver: &mut Receiver, events: &mut [EpollEvent]) -> bool {
        let n = self.epoll.wait(events, EpollTimeout::ZERO).unwrap_or(0);
        let now = Now { monotonic_ns: monotonic_ns(), ahead_ns: monotonic_ahead_of_wall_ns() };
        let ports = self.ports.lock().unwrap();
        let mut is_flooded = n == events.len();
        for event in &events[..n] {
            let Some(port) = ports.get(&(event.data() >> 1)) else { continue };
            let n_read = match event.data() & RTCP {
                RTCP => port.rtcp.as_ref().map_or(0, |rtcp| port.drain(rtcp, true, receiver, now)),
                _ => port.drain(&port.rtp, false, receiver, now),
            };
            is_flooded |= n_read >= 4 * BATCH;
        }
        is_flooded
    }
}

impl Port {
    /// Hands what a socket has to the track; returns how many datagrams that were.
    fn drain(&self, socket: &Socket, is_rtcp: bool, receiver: &mut Receiver, now: Now) -> usize {
        let mut n = 0;
        for _ in 0..CALLS_MAX {
            let mut track = self.track.lock().unwrap();
            let received = receiver.receive(&socket.socket, now, |datagram| {
                track.receive(datagram.bytes, datagram.from, datagram.arrival_ns);
                if is_rtcp {
                    *self.reports_from.lock().unwrap() = Some(datagram.from);
                }
            });
            if let Some(drops) = received.drops {
                let before = std::mem::replace(&mut *socket.drops.lock().unwrap(), drops);
                track.count_kernel_drops(u64::from(drops.wrapping_sub(before)));
            }
            n += received.n;
            if received.n < BATCH {
                break;
            }
        }
        n
    }
}
