//! Packets of one stream in order of sequence, until their time has come. Pure.

use std::collections::VecDeque;

use crate::media::queue::FRAMES_MAX;
use crate::media::stream::Numbers;
use crate::media::stream::Stream;

/// Packets that wait for their time: 10 s of the shortest that phones send (5 ms).
pub(super) const WAITING_MAX: usize = 2_000;

const _: () = assert!(WAITING_MAX <= FRAMES_MAX, "what waits must find room when its time has come");

/// A packet in order, whose time has not come.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) numbers: Numbers,
    /// In units of the media clock; 0: no audio.
    pub(super) length: u32,
    pub(super) arrival_ns: i64,
    pub(super) payload: Vec<u8>,
}

impl Waiting {
    /// Returns whether it is audio whose time has come.
    fn is_due(&self, current: &Stream, horizon_ns: i64) -> bool {
        self.length > 0 && current.place(self.numbers).at_ns < horizon_ns
    }
}

/// The packets that wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Order(VecDeque<Waiting>);

impl Order {
    /// Returns how many wait.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether none does.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a packet in its place.
    pub(super) fn insert(&mut self, waiting: Waiting) -> Inserted {
        if self.0.len() >= WAITING_MAX {
            return Inserted::Full;
        }
        let sequence = waiting.numbers.sequence;
        // Nearly always the last.
        let behind = self.0.iter().rposition(|before| before.numbers.sequence <= sequence);
        let at = match behind {
            Some(at) if self.0[at].numbers.sequence == sequence => return Inserted::Twice,
            Some(at) => at + 1,
            None => 0,
        };
        self.0.insert(at, waiting);
        Inserted::There
    }

    /// Returns the first.
    pub(super) fn first(&self) -> Option<&Waiting> {
        self.0.front()
    }

    /// Takes the first.
    pub(super) fn take_first(&mut self) -> Option<Waiting> {
        self.0.pop_front()
    }

    /// Returns the first that is audio whose time has come.
    pub(super) fn first_due(&self, current: &Stream, horizon_ns: i64) -> Option<&Waiting> {
        self.0.iter().find(|next| next.is_due(current, horizon_ns))
    }
}

/// What became of a packet that was to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    There,
    Twice,
    Full,
}
