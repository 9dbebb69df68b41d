//! Frames in their place, for as many recordings as there are: each reads with a cursor of its own. Pure.

use std::collections::{BTreeMap, VecDeque};

use crate::media::codec::Codec;

/// Frames that wait for the slowest cursor. A recording that takes nothing for so long (10 s of 5 ms packets) has
/// stalled, and its neighbours go on.
pub(super) const FRAMES_MAX: usize = 2_048;

/// Payload buffers that are kept for later packets.
const SPARE_MAX: usize = 32;

/// Audio in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub codec: Codec,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// Where it begins, in ns of the monotonic clock.
    pub place_ns: i64,
    /// How long it plays, in ns; the next frame of its spurt begins where it ends.
    pub duration_ns: i64,
    /// Something before it was lost.
    pub after_loss: bool,
    /// Nothing ties it to the frame before it: time may have stepped.
    pub begins_spurt: bool,
}

/// What nothing is heard of a track for, up to a horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hole {
    /// Something was lost there: what comes next says so.
    Loss,
    /// Nobody speaks, or nobody knows yet.
    Pause,
}

/// What follows the frames that have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// More will come.
    More(Hole),
    /// The sender has said goodbye.
    End,
}

/// A recording's place in a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CursorId(u64);

/// The frames, and who reads them.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    frames: VecDeque<Frame>,
    /// Number of the first frame.
    first: u64,
    /// By number of the next frame.
    cursors: BTreeMap<CursorId, u64>,
    n_opened: u64,
    spare: Vec<Vec<u8>>,
}

impl Queue {
    /// Returns whether anybody reads.
    pub(super) fn has_readers(&self) -> bool {
        !self.cursors.is_empty()
    }

    /// Lets somebody read all that is put from now on.
    pub(super) fn open(&mut self) -> CursorId {
        let id = CursorId(self.n_opened);
        self.n_opened += 1;
        self.cursors.insert(id, self.first + self.frames.len() as u64);
        id
    }

    /// Lets somebody read no more.
    pub(super) fn close(&mut self, id: CursorId) {
        self.cursors.remove(&id);
        self.release();
    }

    /// Puts a frame behind the others; returns how many had to go for it.
    pub(super) fn put(&mut self, frame: Frame) -> u64 {
        if !self.has_readers() {
            self.spare(frame.payload);
            return 0;
        }
        let n_dropped = u64::from(self.frames.len() == FRAMES_MAX);
        if n_dropped > 0 {
            self.drop_first();
        }
        self.frames.push_back(frame);
        n_dropped
    }

    /// Gives the frames of a reader that begin before `until_ns` to `take`; returns whether any is left for it.
    pub(super) fn read(&mut self, id: CursorId, until_ns: i64, mut take: impl FnMut(&Frame)) -> bool {
        let Some(next) = self.cursors.get_mut(&id) else { return false };
        let mut index = next.saturating_sub(self.first) as usize;
        while let Some(frame) = self.frames.get(index).filter(|frame| frame.place_ns < until_ns) {
            take(frame);
            index += 1;
        }
        *next = self.first + index as u64;
        let is_left = index < self.frames.len();
        self.release();
        is_left
    }

    /// Returns whether a reader has not read all.
    pub(super) fn is_left(&self, id: CursorId) -> bool {
        self.cursors.get(&id).is_some_and(|next| *next < self.first + self.frames.len() as u64)
    }

    /// Returns a buffer with a copy of `payload`.
    pub(super) fn copy(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.extend_from_slice(payload);
        copy
    }

    /// Takes a buffer back that is of no more use.
    pub(super) fn spare(&mut self, mut payload: Vec<u8>) {
        if self.spare.len() < SPARE_MAX {
            payload.clear();
            self.spare.push(payload);
        }
    }

    /// Drops the frames that everybody has read.
    fn release(&mut self) {
        let slowest = self.cursors.values().min().copied().unwrap_or(u64::MAX);
        while self.first < slowest && !self.frames.is_empty() {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.first += 1;
            self.spare(frame.payload);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(place_ns: i64) -> Frame {
        let (codec, payload) = (Codec::Pcmu, vec![place_ns as u8]);
        Frame { codec, payload, place_ns, duration_ns: 1, after_loss: false, begins_spurt: false }
    }

    fn read(queue: &mut Queue, id: CursorId, until_ns: i64) -> Vec<i64> {
        let mut places = Vec::new();
        queue.read(id, until_ns, |frame| places.push(frame.place_ns));
        places
    }

    #[test]
    fn everybody_reads_all_that_came_since_they_are_there() {
        let mut queue = Queue::default();
        queue.put(frame(0));
        let early = queue.open();
        queue.put(frame(1));
        let late = queue.open();
        queue.put(frame(2));
        queue.put(frame(3));
        assert_eq!(read(&mut queue, early, 3), [1, 2]);
        assert_eq!(read(&mut queue, early, 3), [0; 0]);
        assert_eq!(read(&mut queue, late, 9), [2, 3]);
        assert_eq!(queue.frames.len(), 1, "the one that the first has not read");
        queue.close(early);
        assert!(queue.frames.is_empty());
    }

    #[test]
    fn who_never_reads_costs_so_much_and_no_more() {
        let mut queue = Queue::default();
        let (stalled, other) = (queue.open(), queue.open());
        let mut dropped = 0;
        for at in 0..3_000 {
            dropped += queue.put(frame(at));
            assert_eq!(read(&mut queue, other, i64::MAX), [at]);
        }
        assert_eq!((dropped, queue.frames.len()), (3_000 - FRAMES_MAX as u64, FRAMES_MAX));
        assert_eq!(read(&mut queue, stalled, i64::MAX).len(), FRAMES_MAX);
        assert!(queue.spare.len() <= SPARE_MAX);
    }
}
