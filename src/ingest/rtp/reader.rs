//! Threads that read sockets.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
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

use crate::engine::clock::monotonic_ns;
use crate::ingest::rtp::Port;
use crate::ingest::rtp::RtpError;
use crate::ingest::rtp::port::Kind;
use crate::ingest::rtp::port::Socket;
use crate::ingest::rtp::receive::BATCH;
use crate::ingest::rtp::receive::FEW;
use crate::ingest::rtp::receive::Now;
use crate::ingest::rtp::receive::Receiver;
use crate::media::ReadMark;
use crate::media::is_control;
use crate::media::lock;

/// How often sockets are looked at: a wake-up costs more than what it reads, and a recording is behind by much more.
pub(super) const PACE: Duration = Duration::from_millis(50);

/// How often they are looked at while one is flooded.
const FLOOD_PACE: Duration = Duration::from_millis(1);

/// Calls for one socket at a time, so that a flood of one does not keep the others waiting.
const CALLS_MAX: usize = 64;

/// Sockets that one look asks the kernel for.
const EVENTS: usize = 1_024;

/// How often ports are asked whether a report is due.
const REPORTS: Duration = Duration::from_millis(500);

/// A stamp may be older than the last look by so much: what was left then, by a flood. One that is older still, or
/// newer than now, was made before the wall clock was set.
const STAMP_SLACK: Duration = Duration::from_millis(200);

/// The ports of one thread.
struct Reader {
    epoll: Epoll,
    ports: Mutex<BTreeMap<u64, Arc<Port>>>,
    mark: Arc<ReadMark>,
    is_over: AtomicBool,
}

/// Threads that read sockets, as many as were asked for. Dropping it ends them.
pub struct Readers {
    readers: Vec<Arc<Reader>>,
    threads: Vec<JoinHandle<()>>,
    n_added: Mutex<u64>,
}

/// A port that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortId(u64);

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
            let mark = Arc::new(ReadMark::new(monotonic_ns()));
            let reader = Arc::new(Reader { epoll, ports: Mutex::default(), mark, is_over: AtomicBool::new(false) });
            readers.readers.push(Arc::clone(&reader));
            let thread = Builder::new().name(format!("reel-reader-{index}")).spawn(move || reader.run());
            readers.threads.push(thread.map_err(RtpError::Thread)?);
        }
        Ok(readers)
    }

    /// Reads a port from now on, until it is removed or the readers are dropped.
    ///
    /// # Errors
    ///
    /// The system cannot watch it.
    pub fn add(&self, port: Arc<Port>) -> Result<PortId, RtpError> {
        let id = {
            let mut n_added = self.n_added.lock().unwrap();
            *n_added += 1;
            *n_added
        };
        let Some(reader) = self.reader(id) else { return Ok(PortId(id)) };
        let watch = |socket: &Socket, data| {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, data);
            let address = socket.socket.local_addr().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into());
            let failed = |cause: nix::Error| RtpError::Setup { address, what: "watching", cause: cause.into() };
            reader.epoll.add(socket.socket.as_fd(), event).map_err(failed)
        };
        lock(&port.track).set_reader(Arc::clone(&reader.mark));
        reader.ports().insert(id, Arc::clone(&port));
        watch(&port.rtp, id << 1)?;
        port.rtcp.as_ref().map_or(Ok(()), |rtcp| watch(rtcp, id << 1 | RTCP))?;
        Ok(PortId(id))
    }

    /// Reads a port no more: its sockets are closed, unless somebody else has it.
    pub fn remove(&self, PortId(id): PortId) {
        if let Some(reader) = self.reader(id) {
            reader.ports().remove(&id);
        }
    }

    fn reader(&self, id: u64) -> Option<&Arc<Reader>> {
        self.readers.get(id as usize % self.readers.len().max(1))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.readers.iter().for_each(|reader| reader.is_over.store(true, Relaxed));
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

impl Reader {
    /// Also those that were looked at when something panicked.
    fn ports(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Port>>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut receiver = Receiver::new();
        let mut events = vec![EpollEvent::empty(); EVENTS];
        let (mut reports_due_ns, mut looked_ns) = (0, monotonic_ns());
        while !self.is_over.load(Relaxed) {
            let now = Now::after(looked_ns - STAMP_SLACK.as_nanos() as i64);
            looked_ns = now.monotonic_ns;
            // A bug that one datagram finds must not make all calls deaf.
            let looked = catch_unwind(AssertUnwindSafe(|| self.look(&mut receiver, &mut events, now)));
            let is_flooded = looked.unwrap_or_else(|_| {
                tracing::error!("a reader of sockets panicked");
                false
            });
            let now_ns = monotonic_ns();
            if now_ns >= reports_due_ns {
                reports_due_ns = now_ns + REPORTS.as_nanos() as i64;
                let ports: Vec<_> = self.ports().values().cloned().collect();
                ports.iter().for_each(|port| port.report(now_ns));
            }
            std::thread::sleep(if is_flooded { FLOOD_PACE } else { PACE });
        }
    }

    /// Reads all sockets that have something; returns whether one has more than calls bring.
    fn look(&self, receiver: &mut Receiver, events: &mut [EpollEvent], now: Now) -> bool {
        let n = self.epoll.wait(events, EpollTimeout::ZERO).unwrap_or(0);
        let ports = self.ports();
        let is_crowded = n == events.len();
        let mut is_flooded = is_crowded;
        for event in &events[..n] {
            let Some(port) = ports.get(&(event.data() >> 1)) else { continue };
            let n_read = match event.data() & RTCP {
                RTCP => port.rtcp.as_ref().map_or(0, |rtcp| port.drain(rtcp, Kind::Rtcp, receiver, now)),
                _ => port.drain(&port.rtp, Kind::Rtp, receiver, now),
            };
            is_flooded |= n_read >= 4 * BATCH;
        }
        // What a flood has left is its own affair.
        if !is_crowded {
            self.mark.set(now.monotonic_ns);
        }
        is_flooded
    }
}

impl Port {
    /// Hands what a socket has to the track; returns how many datagrams that were.
    fn drain(&self, socket: &Socket, kind: Kind, receiver: &mut Receiver, now: Now) -> usize {
        let (mut n, mut n_wanted) = (0, FEW);
        for _ in 0..CALLS_MAX {
            let mut track = lock(&self.track);
            let received = receiver.receive(&socket.socket, n_wanted, now, |datagram| {
                track.receive(datagram.bytes, datagram.from, datagram.arrival_ns);
                if is_control(datagram.bytes) {
                    *self.reports_from.lock().unwrap() = Some((kind, datagram.from));
                }
            });
            if let Some(drops) = received.drops {
                let before = std::mem::replace(&mut *socket.drops.lock().unwrap(), drops);
                track.count_kernel_drops(u64::from(drops.wrapping_sub(before)));
            }
            n += received.n;
            if received.n < n_wanted {
                break;
            }
            n_wanted = BATCH;
        }
        n
    }
}
