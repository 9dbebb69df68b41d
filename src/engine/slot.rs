//! A live recording as a worker holds it, and as others may touch it meanwhile.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::TrySendError;
use std::time::Duration;

use crate::engine::EngineError;
use crate::engine::GivenUp;
use crate::engine::Report;
use crate::engine::admission::Cost;
use crate::engine::clock::monotonic_ns;
use crate::engine::job::Job;
use crate::engine::job::Order;
use crate::model::EndReason;
use crate::model::ParticipantNumber;
use crate::pipeline::Dot;

/// Nothing runs.
const IDLE: i64 = 0;

/// Orders that wait for the next tick. Who gives more than that many in a tenth of a second means nothing by them.
const ORDERS_MAX: usize = 1_024;

/// Longest time that a recording waits for its reader of sockets: after a stop of the whole program both have to come
/// back, and packets of 20 ms are kept for longer than this.
const BEHIND_MAX_NS: i64 = 15_000_000_000;

/// Who is told what happens to a recording.
pub trait Listener: Send {
    /// Takes a report without waiting; returns it where there is no room for it. Who is not there any more takes all.
    fn tell(&mut self, report: Report) -> Option<Report>;
}

impl Listener for SyncSender<Report> {
    fn tell(&mut self, report: Report) -> Option<Report> {
        match self.try_send(report) {
            Err(TrySendError::Full(report)) => Some(report),
            Ok(()) | Err(TrySendError::Disconnected(_)) => None,
        }
    }
}

/// What a live recording is begun with.
pub struct Start {
    /// The recording and its course; recording time zero is at `zero_ns`.
    pub job: Job,
    /// Recording time zero, in ns of the monotonic clock.
    pub zero_ns: i64,
    /// How far the recording is behind the clock.
    pub hold: Duration,
    /// Where its reports go. Where that is full they wait, but for [`Report::Progress`]: a worker waits for nobody.
    pub reports: Box<dyn Listener>,
    /// A directory of the file system that it is written to, which is synced about once a second.
    pub directory: File,
}

/// One live recording. Lock order: `job`, then `orders` or `reports`.
pub(super) struct Slot {
    /// Held for as long as a tick takes.
    pub(super) job: Mutex<Option<Job>>,
    reports: Mutex<Reports>,
    zero_ns: i64,
    hold_ns: i64,
    /// When what runs now must be over.
    until_ns: AtomicI64,
    orders: Mutex<Orders>,
    is_given_up: AtomicBool,
    /// Orders that came when their time had been recorded.
    n_late_orders: AtomicU64,
    pub(super) directory: File,
    /// Name of what is recorded.
    pub(super) graph: String,
    /// Draws its pipeline, without its lock.
    pub(super) dot: Dot,
    busy_ns: AtomicU64,
    of_ns: AtomicU64,
}

/// What others want of it, with the time of recording at which it is to happen, in order of asking.
struct Orders {
    waiting: Vec<(Duration, Order)>,
    stop: Option<(Duration, EndReason)>,
    n_joined: ParticipantNumber,
}

/// Reports on their way.
struct Reports {
    listener: Box<dyn Listener>,
    /// Those for which there was no room, in order. There are as few as there are events of a recording.
    waiting: VecDeque<Report>,
}

impl Slot {
    pub(super) fn new(start: Start) -> Self {
        let Start { job, zero_ns, hold, reports: listener, directory } = start;
        Self {
            graph: job.graph().to_owned(),
            dot: job.dot(),
            orders: Mutex::new(Orders { waiting: Vec::new(), stop: None, n_joined: job.n_participants() }),
            busy_ns: AtomicU64::new(0),
            of_ns: AtomicU64::new(0),
            job: Mutex::new(Some(job)),
            reports: Mutex::new(Reports { listener, waiting: VecDeque::new() }),
            zero_ns,
            hold_ns: nanoseconds(hold),
            until_ns: AtomicI64::new(IDLE),
            is_given_up: AtomicBool::new(false),
            n_late_orders: AtomicU64::new(0),
            directory,
        }
    }

    /// Returns the recording time of an instant of the monotonic clock; zero where it is before the recording.
    fn recording_time(&self, at_ns: i64) -> Duration {
        Duration::from_nanos(u64::try_from(at_ns.saturating_sub(self.zero_ns)).unwrap_or(0))
    }

    /// Lets the recording end at an instant of the monotonic clock: what was received before is still recorded.
    pub(super) fn stop(&self, at_ns: i64, reason: EndReason) {
        let at = self.recording_time(at_ns);
        let mut orders = self.orders.lock().unwrap();
        if orders.stop.is_none_or(|(before, _)| at < before) {
            orders.stop = Some((at, reason));
        }
    }

    /// Lets something happen at an instant of the monotonic clock. Returns the number of somebody who joins, else 0.
    pub(super) fn order(&self, at_ns: i64, order: Order) -> Result<ParticipantNumber, EngineError> {
        let at = self.recording_time(at_ns);
        let mut orders = self.orders.lock().unwrap();
        if orders.waiting.len() >= ORDERS_MAX {
            return Err(EngineError::TooManyOrders);
        }
        let joins = matches!(order, Order::Join { .. });
        orders.waiting.push((at, order));
        let number = orders.n_joined;
        orders.n_joined += ParticipantNumber::from(joins);
        Ok(if joins { number } else { 0 })
    }

    pub(super) fn n_late_orders(&self) -> u64 {
        self.n_late_orders.load(Relaxed)
    }

    fn give_orders(&self, job: &mut Job) {
        let (waiting, stop) = {
            let mut orders = self.orders.lock().unwrap();
            (std::mem::take(&mut orders.waiting), orders.stop)
        };
        for (at, order) in waiting {
            let late = job.order(at, order);
            if !late.is_zero() {
                tracing::warn!(?late, "an order came when its time was recorded");
                self.n_late_orders.fetch_add(1, Relaxed);
            }
        }
        if let Some((at, reason)) = stop {
            job.stop(at, reason);
        }
    }

    /// Moves the recording on to what the clock says, in `limit` at most; returns it with its reason when it is over.
    pub(super) fn tick(&self, now_ns: i64, limit: Duration) -> Option<(Job, EndReason)> {
        let mut guard = self.job.lock().unwrap();
        let job = guard.as_mut()?;
        // A reader that has fallen behind is waited for, one that is stuck is not.
        let read_ns = job.read_ns().unwrap_or(now_ns).max(now_ns.saturating_sub(BEHIND_MAX_NS));
        let due_ns = read_ns.min(now_ns).saturating_sub(self.zero_ns).saturating_sub(self.hold_ns);
        let Ok(due_ns) = u64::try_from(due_ns) else { return None };
        self.give_orders(job);
        self.run_for(limit);
        let ended = job.tick(Duration::from_nanos(due_ns));
        self.until_ns.store(IDLE, Relaxed);
        self.send(job.take_reports());
        ended.and_then(|reason| Some((guard.take()?, reason)))
    }

    /// Takes note of a tick that took `busy_ns`.
    pub(super) fn took(&self, busy_ns: i64, tick: Duration) {
        self.busy_ns.fetch_add(busy_ns.unsigned_abs(), Relaxed);
        self.of_ns.fetch_add(nanoseconds(tick).unsigned_abs(), Relaxed);
    }

    /// Returns what the recording has taken so far.
    pub(super) fn cost(&self) -> Cost {
        Cost { busy_ns: self.busy_ns.load(Relaxed), of_ns: self.of_ns.load(Relaxed) }
    }

    /// Ends the recording; waits for branches with threads of their own, and `limit` more at most.
    pub(super) fn end(&self, mut job: Job, reason: EndReason, limit: Duration) {
        self.run_for(job.close_deadline().saturating_add(limit));
        job.end(reason);
        self.until_ns.store(IDLE, Relaxed);
        self.send(job.take_reports());
    }

    fn run_for(&self, limit: Duration) {
        self.until_ns.store(monotonic_ns().saturating_add(nanoseconds(limit)), Relaxed);
    }

    /// Returns whether what runs now should be over at `now_ns`.
    pub(super) fn is_stalled(&self, now_ns: i64) -> bool {
        let until_ns = self.until_ns.load(Relaxed);
        until_ns != IDLE && now_ns > until_ns
    }

    /// Gives the recording up, whatever it is doing; returns whether it was not before.
    pub(super) fn give_up(&self, why: GivenUp) -> bool {
        let is_first = !self.is_given_up.swap(true, Relaxed);
        if is_first {
            self.send([Report::GivenUp(why)].into());
        }
        is_first
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Relaxed)
    }

    /// Sends what there is room for. Of a recording that was given up nobody wants to hear any more.
    fn send(&self, new: Vec<Report>) {
        let mut reports = self.reports.lock().unwrap();
        let is_over = self.is_given_up() && !matches!(new[..], [Report::GivenUp(_)]);
        let is_crowded = !reports.waiting.is_empty();
        let is_progress = |report: &Report| matches!(report, Report::Progress { .. });
        let wanted = |report: &Report| !is_over && (!is_crowded || !is_progress(report));
        reports.waiting.extend(new.into_iter().filter(wanted));
        reports.send();
    }

    /// Sends what still waits, as far as there is room; returns whether that was all.
    pub(super) fn flush(&self) -> bool {
        self.reports.lock().unwrap().send()
    }
}

impl Reports {
    /// Waits for nobody; returns whether nothing is left.
    fn send(&mut self) -> bool {
        while let Some(report) = self.waiting.pop_front() {
            match self.listener.tell(report) {
                None | Some(Report::Progress { .. }) => (),
                Some(report) => {
                    self.waiting.push_front(report);
                    return false;
                }
            }
        }
        true
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
