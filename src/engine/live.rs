//! Live recordings on worker threads: as many threads as cores, however many recordings there are.
//!
//! ```text
//!  worker (per core)   every tick: each of its recordings up to now − hold
//!  closer (two)        ends recordings: their last chunk may take its time
//!  syncer              syncfs of where files are written, about once a second
//!  watchdog            a tick that takes too long: its recording is given up, a new thread takes the others over
//! ```

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::thread::Builder;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::engine::EngineError;
use crate::engine::GivenUp;
use crate::engine::admission::Candidate;
use crate::engine::admission::Cost;
use crate::engine::admission::Running;
use crate::engine::admission::choose;
use crate::engine::clock::monotonic_ns;
use crate::engine::job::Job;
use crate::engine::job::Order;
use crate::engine::meters::Meters;
use crate::engine::meters::Ticks;
use crate::engine::slot::Slot;
use crate::engine::slot::Start;
use crate::model::EndReason;
use crate::model::ParticipantNumber;

/// A busy worker ticks less often: each tick costs the same, however much media it moves.
const BUSY_TICK: Duration = Duration::from_millis(200);

/// Load in 1/1000 from which a worker is busy, and below which it is not any more. Long ticks make half the load of it.
const BUSY: u64 = 150;
const IDLE: u64 = 60;

/// How often the watchdog looks.
const WATCH: Duration = Duration::from_millis(250);

/// How often what was written is synced.
const SYNC: Duration = Duration::from_secs(1);

/// Threads that end recordings: one that waits for a branch must not keep all others waiting.
const CLOSERS: usize = 2;

/// A worker that was not due for so long, and for a tick that takes too long, works no more: the watchdog would have
/// had another thread in its place.
const ALIVE: Duration = Duration::from_secs(30);

/// Longest sleep of a thread that must end when the engine does.
const NAP: Duration = Duration::from_millis(250);

/// Longest wait for threads when the engine ends, and for those that only have to see that it does.
const ENDING: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_millis(500);

const _: () = assert!(NAP.as_nanos() < GRACE.as_nanos());

/// How an engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Worker threads, at least 1.
    pub workers: usize,
    /// Time between ticks.
    pub tick: Duration,
    /// A tick that takes longer ends its recording.
    pub stall: Duration,
}

/// Live recordings. Dropping it gives up what still runs, and waits for its threads but for those that are stuck.
pub struct Engine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// A live recording, for who started it.
#[derive(Clone)]
pub struct Handle(Arc<Slot>);

impl Handle {
    /// Lets the recording end now. What was received by now is recorded; its reports tell when all is done.
    pub fn stop(&self) {
        self.stop_at(monotonic_ns(), EndReason::Stopped);
    }

    /// Lets the recording end as of an instant of the monotonic clock, for a reason.
    pub fn stop_at(&self, at_ns: i64, reason: EndReason) {
        self.0.stop(at_ns, reason);
    }

    /// Lets something happen at an instant of the monotonic clock, to the sample. What is older than the hold happens
    /// as early as it still can, and is counted. Returns the number of somebody who joins, else 0.
    ///
    /// # Errors
    ///
    /// There are too many orders at a time.
    pub fn order(&self, at_ns: i64, order: Order) -> Result<ParticipantNumber, EngineError> {
        self.0.order(at_ns, order)
    }

    /// Returns the pipeline as GStreamer's own tools draw it (dot); None where it is gone. Keeps nobody waiting, and is
    /// kept waiting by nobody.
    pub fn dot(&self) -> Option<String> {
        self.0.dot.render()
    }

    /// Returns how many orders came when their time had been recorded.
    pub fn n_late_orders(&self) -> u64 {
        self.0.n_late_orders()
    }
}

/// One worker's recordings.
#[derive(Default)]
struct Worker {
    slots: Mutex<Vec<Arc<Slot>>>,
    /// Of the thread that is to work here; a thread of another one is over.
    generation: AtomicU64,
    /// When its last tick was due, in ns of the monotonic clock.
    due_ns: AtomicI64,
    meters: Meters,
}

/// A recording that is over.
type Closing = (Arc<Slot>, Job, EndReason);

struct Shared {
    settings: Settings,
    workers: Vec<Worker>,
    closing: Mutex<Option<Sender<Closing>>>,
    to_close: Mutex<Receiver<Closing>>,
    /// Recordings that are being ended.
    closed: Mutex<Vec<Arc<Slot>>>,
    /// Recordings that are over and whose last reports found no room.
    untold: Mutex<Vec<Arc<Slot>>>,
    is_over: AtomicBool,
    n_given_up: AtomicU64,
    /// What the last recording of each graph has cost.
    costs: Mutex<BTreeMap<String, Cost>>,
}

impl Worker {
    fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.lock().unwrap().clone()
    }

    fn candidate<'a>(&self, slots: &'a [Arc<Slot>]) -> Candidate<'a> {
        let running = |slot: &'a Arc<Slot>| Running { graph: &slot.graph, cost: slot.cost() };
        Candidate { load: self.meters.load.load(Relaxed), recordings: slots.iter().map(running).collect() }
    }
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The system gives no more threads.
    pub fn start(settings: Settings) -> Result<Self, EngineError> {
        let (sender, receiver) = mpsc::channel();
        let shared = Arc::new(Shared {
            settings,
            workers: std::iter::repeat_with(Worker::default).take(settings.workers.max(1)).collect(),
            closing: Mutex::new(Some(sender)),
            to_close: Mutex::new(receiver),
            closed: Mutex::default(),
            untold: Mutex::default(),
            is_over: AtomicBool::new(false),
            n_given_up: AtomicU64::new(0),
            costs: Mutex::default(),
        });
        let mut engine = Self { shared, threads: Vec::new() };
        for index in 0..engine.shared.workers.len() {
            engine.spawn(format!("reel-worker-{index}"), move |shared| shared.work(index, 0))?;
        }
        for index in 0..CLOSERS {
            engine.spawn(format!("reel-closer-{index}"), |shared| shared.close())?;
        }
        engine.spawn("reel-syncer".to_owned(), |shared| shared.sync())?;
        engine.spawn("reel-watchdog".to_owned(), |shared| shared.watch())?;
        Ok(engine)
    }

    fn spawn(&mut self, name: String, run: impl FnOnce(&Arc<Shared>) + Send + 'static) -> Result<(), EngineError> {
        let shared = Arc::clone(&self.shared);
        let thread = Builder::new().name(name).spawn(move || run(&shared)).map_err(EngineError::Thread)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Takes a recording over, on the worker that has most time.
    ///
    /// # Errors
    ///
    /// None has time for it.
    pub fn record(&self, start: Start) -> Result<Handle, EngineError> {
        // Held until it is taken: who comes next counts it.
        let known = self.shared.costs.lock().unwrap();
        let slots: Vec<Vec<Arc<Slot>>> = self.shared.workers.iter().map(Worker::slots).collect();
        let candidates: Vec<_> =
            self.shared.workers.iter().zip(&slots).map(|(worker, slots)| worker.candidate(slots)).collect();
        let chosen = choose(&candidates, start.job.graph(), &known);
        let worker = chosen.and_then(|index| self.shared.workers.get(index)).ok_or(EngineError::NoCapacity)?;
        let slot = Arc::new(Slot::new(start));
        worker.slots.lock().unwrap().push(Arc::clone(&slot));
        Ok(Handle(slot))
    }

    /// Returns how ticks have gone so far.
    pub fn ticks(&self) -> Ticks {
        let mut ticks = Ticks::default();
        self.shared.workers.iter().for_each(|worker| worker.meters.add_to(&mut ticks));
        ticks
    }

    /// Returns what share of its time each worker is busy, of late.
    pub fn loads(&self) -> Vec<f64> {
        self.shared.workers.iter().map(|worker| worker.meters.load.load(Relaxed) as f64 / 1_000.0).collect()
    }

    /// Returns whether all workers come round to their recordings.
    pub fn is_alive(&self) -> bool {
        let since_ns = monotonic_ns() - (self.shared.settings.stall + ALIVE).as_nanos() as i64;
        // 0: the thread is just being started.
        let dues = self.shared.workers.iter().map(|worker| worker.due_ns.load(Relaxed));
        dues.into_iter().all(|due_ns| due_ns == 0 || due_ns >= since_ns)
    }

    /// Returns how many recordings have been given up.
    pub fn n_given_up(&self) -> u64 {
        self.shared.n_given_up.load(Relaxed)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Relaxed);
        self.shared.closing.lock().unwrap().take();
        let until_ns = monotonic_ns() + ENDING.as_nanos() as i64;
        // A thread that is stuck in a recording that was given up never ends.
        while self.threads.iter().any(|thread| !thread.is_finished()) && !self.shared.is_left_alone(until_ns) {
            std::thread::sleep(Duration::from_millis(5));
        }
        for slot in self.shared.all() {
            self.shared.give_up(&slot, GivenUp::EngineEnded);
        }
    }
}

impl Shared {
    /// Returns whether none but threads that are stuck can still run: all others end within a nap, and those that end
    /// recordings when they have.
    fn is_left_alone(&self, until_ns: i64) -> bool {
        let left_ns = until_ns - monotonic_ns();
        let is_grace_over = left_ns < (ENDING - GRACE).as_nanos() as i64;
        let has_stuck = self.n_given_up.load(Relaxed) > 0;
        left_ns <= 0 || has_stuck && is_grace_over && self.closed.lock().unwrap().is_empty()
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    /// One worker's thread.
    fn work(&self, index: usize, generation: u64) {
        let Some(worker) = self.workers.get(index) else { return };
        // Who takes over from a thread that is stuck is as late as that.
        let mut due_ns = match worker.due_ns.load(Relaxed) {
            0 => monotonic_ns(),
            due_ns => due_ns,
        };
        let mut tick = self.settings.tick;
        while !self.is_over() {
            sleep_until(due_ns, || self.is_over());
            worker.due_ns.store(due_ns, Relaxed);
            let begun_ns = monotonic_ns();
            for slot in &worker.slots() {
                let now_ns = monotonic_ns();
                worker.meters.ticked(u64::try_from(now_ns - due_ns).unwrap_or(0));
                // Elements catch their own panics; this is for ours. What it left behind is the slot's alone.
                let ticked = catch_unwind(AssertUnwindSafe(|| slot.tick(now_ns, self.settings.stall)));
                slot.took(monotonic_ns() - now_ns, tick);
                let leave = || worker.slots.lock().unwrap().retain(|other| !Arc::ptr_eq(other, slot));
                match ticked {
                    // Whatever became of it in the end, others know it as given up.
                    _ if slot.is_given_up() => (),
                    Ok(None) => (),
                    Ok(Some((job, reason))) => {
                        leave();
                        self.costs.lock().unwrap().insert(slot.graph.clone(), slot.cost());
                        self.hand_over((Arc::clone(slot), job, reason));
                    }
                    Err(_) => {
                        leave();
                        self.give_up(slot, GivenUp::Panicked);
                    }
                }
                if worker.generation.load(Relaxed) != generation {
                    // The watchdog has given one up, this or the one before it: another thread has the rest.
                    return;
                }
            }
            let ended_ns = monotonic_ns();
            worker.meters.passed((ended_ns - begun_ns).unsigned_abs(), tick.as_nanos() as u64);
            tick = match worker.meters.load.load(Relaxed) {
                load if load >= BUSY => BUSY_TICK.max(self.settings.tick),
                load if load < IDLE => self.settings.tick,
                _ => tick,
            };
            due_ns = ended_ns.max(due_ns + tick.as_nanos() as i64);
        }
    }

    fn hand_over(&self, closing: Closing) {
        self.closed.lock().unwrap().push(Arc::clone(&closing.0));
        if let Some(sender) = &*self.closing.lock().unwrap() {
            let _ = sender.send(closing);
        }
    }

    /// A closer's thread.
    fn close(&self) {
        loop {
            let next = self.to_close.lock().unwrap().recv();
            let Ok((slot, job, reason)) = next else { return };
            if catch_unwind(AssertUnwindSafe(|| slot.end(job, reason, self.settings.stall))).is_err() {
                self.give_up(&slot, GivenUp::Panicked);
            }
            self.tell(&slot);
            self.closed.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &slot));
        }
    }

    /// The syncer's thread.
    fn sync(&self) {
        let mut due_ns = monotonic_ns();
        while !self.is_over() {
            due_ns = (due_ns + SYNC.as_nanos() as i64).max(monotonic_ns());
            sleep_until(due_ns, || self.is_over());
            sync_all(self.all().iter().map(|slot| &slot.directory));
        }
    }

    fn all(&self) -> Vec<Arc<Slot>> {
        self.workers.iter().flat_map(Worker::slots).collect()
    }

    /// The watchdog's thread.
    fn watch(self: &Arc<Self>) {
        while !self.is_over() {
            let now_ns = monotonic_ns();
            sleep_until(now_ns + WATCH.as_nanos() as i64, || self.is_over());
            let is_stalled = |slot: &Arc<Slot>| slot.is_stalled(monotonic_ns());
            for (index, worker) in self.workers.iter().enumerate() {
                let stalled = worker.slots.lock().unwrap().iter().find(|slot| is_stalled(slot)).cloned();
                if let Some(slot) = stalled {
                    worker.slots.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &slot));
                    let generation = worker.generation.fetch_add(1, Relaxed) + 1;
                    self.give_up(&slot, GivenUp::Stalled);
                    self.replace(format!("reel-worker-{index}"), move |shared| shared.work(index, generation));
                }
            }
            self.untold.lock().unwrap().retain(|slot| !slot.flush());
            let stuck: Vec<_> = self.closed.lock().unwrap().extract_if(.., |slot| is_stalled(slot)).collect();
            for slot in stuck {
                self.give_up(&slot, GivenUp::Stalled);
                self.replace("reel-closer".to_owned(), |shared| shared.close());
            }
        }
    }

    fn give_up(&self, slot: &Arc<Slot>, why: GivenUp) {
        if slot.give_up(why) {
            tracing::error!(%why, "a recording is given up");
            self.n_given_up.fetch_add(1, Relaxed);
            self.tell(slot);
        }
    }

    /// Keeps a recording that is over until all that it had to say is heard: the watchdog tries again and again.
    fn tell(&self, slot: &Arc<Slot>) {
        if !slot.flush() {
            self.untold.lock().unwrap().push(Arc::clone(slot));
        }
    }

    /// Starts a thread in place of one that is stuck.
    fn replace(self: &Arc<Self>, name: String, run: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let shared = Arc::clone(self);
        if let Err(error) = Builder::new().name(name).spawn(move || run(&shared)) {
            tracing::error!(%error, "no thread in place of one that is stuck");
        }
    }
}

/// Waits until all that was written is on the disk: with one commit for each file system. One for each file would be as
/// many flushes of the disk as there are recordings.
fn sync_all<'a>(directories: impl Iterator<Item = &'a File>) {
    let mut synced = BTreeSet::new();
    for directory in directories {
        let device = directory.metadata().map_or(0, |metadata| metadata.dev());
        if !synced.insert(device) {
            continue;
        }
        if let Err(error) = rustix::fs::syncfs(directory) {
            tracing::warn!(%error, "what is recorded cannot be synced");
        }
    }
}

/// Sleeps until `due_ns`, in naps as long as `is_over` says no.
fn sleep_until(due_ns: i64, is_over: impl Fn() -> bool) {
    while !is_over() {
        match u64::try_from(due_ns - monotonic_ns()) {
            Ok(left_ns @ 1..) => std::thread::sleep(Duration::from_nanos(left_ns).min(NAP)),
            _ => return,
        }
    }
}
