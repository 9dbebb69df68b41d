//! What is on the wire when: merges the packets and reports of all streams in the order of their times.
//!
//! Pure: frames go in as the media has them, what is due comes out. Nanoseconds from time zero.
//!
//! ```text
//!  frame at its tick ─► for each stream: sent at the formula's time + phase ─► network ─► queue by arrival ─► due
//!                                                                                ▲
//!                      a report every 5 s of media, exactly at its tick ─────────┘ reports are never impaired
//! ```
//!
//! What comes out is final: nothing that is pushed later can be due earlier. Therefore `Schedule::wants_frame` must
//! be answered before anything is popped. In memory: what is sent in the longest delay, and one frame more.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::send::clock::SenderClock;
use crate::send::codec::Codec;
use crate::send::codec::FRAMES_PER_SECOND;
use crate::send::frame::Frame;
use crate::send::impair::Fate;
use crate::send::stream::Counts;
use crate::send::stream::Identity;
use crate::send::stream::Stream;

/// Seconds between reports of a stream (RFC 3550 §6.2), by the sender's own clock.
pub(super) const REPORT_SECONDS: u64 = 5;

/// Frames whose time may not have come when a call is stopped: those of the longest delay, twice.
const RECENT_MAX: usize = 128;

/// Something that is due.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    /// When.
    pub(super) at_ns: u64,
    /// In which stream.
    pub(super) stream: usize,
    /// What.
    pub(super) what: What,
}

/// What is due.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// A packet arrives.
    Packet {
        /// What is in it.
        frame: Arc<Frame>,
        /// Which packet of its stream it is, from 0.
        index: u64,
    },
    /// A packet is sent that the network loses.
    Lost,
    /// A sender report.
    Report {
        /// The media's tick at this instant.
        ticks: u64,
        /// What was sent before it.
        counts: Counts,
    },
    /// The end of the stream, with its last report.
    Bye {
        /// The media's tick at this instant.
        ticks: u64,
        /// What was sent.
        counts: Counts,
    },
}

/// What waits for its time. Ordered by that time, then as it came.
struct Entry {
    at_ns: u64,
    order: u64,
    /// When it left the sender.
    sent_ns: u64,
    stream: usize,
    what: What,
}

impl Entry {
    fn key(&self) -> Reverse<(u64, u64)> {
        Reverse((self.at_ns, self.order))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// All streams of a call, in the order of time.
pub(super) struct Schedule {
    clock: SenderClock,
    frame_ticks: u64,
    streams: Vec<Stream>,
    queue: BinaryHeap<Entry>,
    n_queued: u64,
    /// No frame comes that begins before it.
    next_ticks: u64,
    /// When the next reports are due.
    report_ticks: u64,
    /// Frames that were pushed last: when the first stream sends them, and bytes of payload.
    recent: VecDeque<(u64, u64)>,
    has_ended: bool,
}

impl Schedule {
    /// Returns an empty schedule of these streams.
    pub(super) fn new(codec: Codec, clock: SenderClock, streams: Vec<Stream>) -> Self {
        Self {
            clock,
            frame_ticks: codec.frame_ticks(),
            streams,
            queue: BinaryHeap::new(),
            n_queued: 0,
            next_ticks: 0,
            report_ticks: 0,
            recent: VecDeque::new(),
            has_ended: false,
        }
    }

    /// Returns what the packets of each stream bear.
    pub(super) fn identities(&self) -> impl Iterator<Item = Identity> {
        self.streams.iter().map(|stream| stream.identity)
    }

    /// Returns whether a frame, or the end, must be pushed before the next thing that is due is known.
    pub(super) fn wants_frame(&self) -> bool {
        !self.has_ended && self.queue.peek().is_none_or(|next| next.at_ns >= self.frontier_ns())
    }

    /// Takes the next frame. One that begins before the end of the last one is moved there.
    pub(super) fn push(&mut self, mut frame: Frame) {
        frame.ticks = frame.ticks.max(self.next_ticks);
        self.report_until(frame.ticks);
        let base_ns = self.clock.sent_ns(frame.ticks);
        self.next_ticks = frame.ticks + self.frame_ticks;
        let octets = frame.payload.len() as u64;
        self.recent.push_back((base_ns, octets));
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
        let frame = Arc::new(frame);
        for index in 0..self.streams.len() {
            let stream = &mut self.streams[index];
            let sent_ns = base_ns.saturating_add(stream.identity.phase_ns);
            let (at_ns, what) = match stream.network.carry(sent_ns) {
                Fate::Lost => (sent_ns, What::Lost),
                Fate::Arrives { at_ns } => {
                    stream.arrived_ns = stream.arrived_ns.max(at_ns);
                    (at_ns, What::Packet { frame: frame.clone(), index: stream.counts.packets })
                }
            };
            stream.counts.packets += 1;
            stream.counts.octets += octets;
            self.enqueue(at_ns, sent_ns, index, what);
        }
    }

    /// Ends the media at a tick: each stream says goodbye there, or when the last of its packets has arrived.
    pub(super) fn end(&mut self, ticks: u64) {
        self.report_until(ticks.saturating_sub(1));
        self.has_ended = true;
        self.say_goodbye(self.clock.sent_ns(ticks));
    }

    /// Ends all at an instant: what has been sent by then still arrives, the rest never was.
    pub(super) fn stop(&mut self, now_ns: u64) {
        self.has_ended = true;
        let mut queue = std::mem::take(&mut self.queue).into_vec();
        queue.retain(|entry| entry.sent_ns <= now_ns && !matches!(entry.what, What::Bye { .. }));
        for index in 0..self.streams.len() {
            let stream = &mut self.streams[index];
            let unsent = self.recent.iter().filter(|(at_ns, _)| at_ns + stream.identity.phase_ns > now_ns);
            for (_, octets) in unsent {
                stream.counts.packets -= 1;
                stream.counts.octets -= octets;
            }
            let arrivals = queue.iter().filter(|entry| entry.stream == index).map(|entry| entry.at_ns);
            stream.arrived_ns = arrivals.max().unwrap_or(0);
        }
        self.queue = queue.into();
        self.say_goodbye(now_ns);
    }

    /// Returns when something is due next; None at the end of all, or where a frame is wanted first.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.queue.peek().filter(|_| !self.wants_frame()).map(|next| next.at_ns)
    }

    /// Takes what is due next.
    pub(super) fn pop(&mut self) -> Option<Due> {
        self.next_at()?;
        let Entry { at_ns, stream, what, .. } = self.queue.pop()?;
        Some(Due { at_ns, stream, what })
    }

    /// Nothing that is still to be pushed is due before it.
    fn frontier_ns(&self) -> u64 {
        self.clock.sent_ns(self.next_ticks.min(self.report_ticks))
    }

    fn report_until(&mut self, ticks: u64) {
        let seconds_ticks = REPORT_SECONDS * self.frame_ticks * u64::from(FRAMES_PER_SECOND);
        while self.report_ticks <= ticks {
            let ticks = self.report_ticks;
            for index in 0..self.streams.len() {
                let Stream { identity, counts, .. } = &self.streams[index];
                let (at_ns, counts) = (self.clock.sent_ns(ticks).saturating_add(identity.phase_ns), *counts);
                self.enqueue(at_ns, at_ns, index, What::Report { ticks, counts });
            }
            self.report_ticks += seconds_ticks;
        }
    }

    fn say_goodbye(&mut self, end_ns: u64) {
        for index in 0..self.streams.len() {
            let Stream { identity, counts, arrived_ns, .. } = &self.streams[index];
            let (phase_ns, counts) = (identity.phase_ns, *counts);
            if counts.packets == 0 {
                // Who has sent nothing says no goodbye (RFC 3550 §6.3.7).
                continue;
            }
            // At a whole tick, so that the report is exact.
            let ticks = self.clock.tick_from(end_ns.max(arrived_ns.saturating_sub(phase_ns)));
            let at_ns = self.clock.sent_ns(ticks).saturating_add(phase_ns);
            self.enqueue(at_ns, at_ns, index, What::Bye { ticks, counts });
        }
    }

    fn enqueue(&mut self, at_ns: u64, sent_ns: u64, stream: usize, what: What) {
        self.queue.push(Entry { at_ns, order: self.n_queued, sent_ns, stream, what });
        self.n_queued += 1;
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
