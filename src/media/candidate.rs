//! Packets that do not fit to a track's stream: perhaps the next one, perhaps noise. Pure.
//!
//! A candidate becomes the stream when the one that is there has been silent for a while and the candidate's packets
//! follow each other. Until then its packets wait, so that nothing of a real change is lost, and are heard in their
//! place when it was one.

use std::collections::VecDeque;

use crate::media::lateness::JUMP_NS;
use crate::media::packet::Rtp;
use crate::media::stream::Numbers;
use crate::media::stream::Stream;

/// Streams that may ask at a time. More than one can be real only where one is an attacker.
pub(super) const CANDIDATES_MAX: usize = 4;

/// Packets that wait with each: more than a hold of the shortest ones that phones send (5 ms).
const HELD_MAX: usize = 128;

/// A track's address has been silent for so long before another is believed: else who guesses a port could take a
/// call over in the middle of it.
const ADDRESS_SILENCE_NS: i64 = 1_000_000_000;

/// Packets in a row that show a sender (RFC 3550 A.1, MIN_SEQUENTIAL).
const IN_A_ROW: u32 = 2;

/// Sequence numbers that may be missing between packets in a row.
const STEP_MAX: i64 = 3;

/// Sequence numbers that may be missing where a sender goes on from another address.
const CONTINUES_MAX: i16 = 50;

/// A packet that waits.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) numbers: Numbers,
    pub(super) length: u32,
    pub(super) arrival_ns: i64,
    pub(super) payload: Vec<u8>,
}

impl Held {
    /// Returns the packet as far as its place depends on it.
    pub(super) fn rtp(&self) -> Rtp<'_> {
        let (sequence, timestamp) = (self.numbers.sequence as u16, self.numbers.media as u32);
        Rtp { sequence, timestamp, ssrc: 0, payload_type: 0, payload: &self.payload }
    }
}

/// A stream that may come to be the track's.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) stream: Stream,
    pub(super) held: VecDeque<Held>,
    n_in_a_row: u32,
    sequence: i64,
    /// When its first packet came.
    since_ns: i64,
}

impl Candidate {
    /// Returns a candidate of which `first` is the first packet.
    pub(super) fn new(stream: Stream, first: Held) -> Self {
        let (sequence, since_ns) = (first.numbers.sequence, first.arrival_ns);
        Self { stream, sequence, since_ns, held: [first].into(), n_in_a_row: 1 }
    }

    /// Takes a packet that fits to its stream; the oldest goes where there is no more room.
    pub(super) fn hold(&mut self, held: Held) {
        self.stream.accept(held.numbers, held.arrival_ns);
        let step = held.numbers.sequence - self.sequence;
        self.n_in_a_row = if (1..=STEP_MAX).contains(&step) { self.n_in_a_row.saturating_add(1) } else { 1 };
        self.sequence = held.numbers.sequence;
        if self.held.len() == HELD_MAX {
            self.held.pop_front();
        }
        self.held.push_back(held);
    }

    /// Returns whether it is to take over from `current` at `now_ns`.
    pub(super) fn is_due(&self, current: Option<&Stream>, now_ns: i64) -> bool {
        let is_in_a_row = self.n_in_a_row >= IN_A_ROW;
        let Some(current) = current else { return is_in_a_row };
        let has_outlived_ns = self.stream.last_arrival_ns().saturating_sub(current.last_arrival_ns());
        let is_same = self.stream.origin == current.origin && self.stream.codec == current.codec;
        match (is_same, self.stream.origin.address == current.origin.address) {
            // The sender itself, at another time: unless the path was blocked, which would show by now.
            (true, _) => now_ns.saturating_sub(self.since_ns) >= JUMP_NS && (is_in_a_row || self.goes_on_from(current)),
            (false, true) => has_outlived_ns >= JUMP_NS && is_in_a_row,
            // The same sender by another way: a guess would have to know its SSRC and its numbers.
            (false, false) if self.continues(current) => has_outlived_ns >= JUMP_NS && is_in_a_row,
            (false, false) => has_outlived_ns >= ADDRESS_SILENCE_NS && is_in_a_row,
        }
    }

    /// Returns whether it may come to take over from `current` without another packet: only time is missing.
    pub(super) fn is_undecided(&self, current: Option<&Stream>, now_ns: i64) -> bool {
        now_ns.saturating_sub(self.since_ns) < JUMP_NS && self.is_due(current, self.since_ns.saturating_add(JUMP_NS))
    }

    /// Returns whether its packets count on where those of `current` ended.
    fn continues(&self, current: &Stream) -> bool {
        let is_its = self.stream.origin.ssrc == current.origin.ssrc && self.stream.codec == current.codec;
        let step = self.held.front().map(|first| (first.numbers.sequence - current.newest_sequence()) as i16);
        is_its && step.is_some_and(|step| (1..=CONTINUES_MAX).contains(&step))
    }

    /// Returns whether its first packet is the next of `current`, and waits longer than the path could make it.
    fn goes_on_from(&self, current: &Stream) -> bool {
        let first = self.held.front();
        first.is_some_and(|first| first.numbers.sequence as u16 == (current.newest_sequence() + 1) as u16)
    }
}
