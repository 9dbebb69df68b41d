//! One sender's packets as long as they belong together: one origin, one codec, one run of sequence and time.
//!
//! Decides whether a packet fits to those before it and where it stands. A packet that does not fit (another SSRC, a
//! jump of sequence or time) may begin the next stream of the same track: `candidate.rs`. Pure.

use std::net::SocketAddr;

use crate::media::clock::TrackClock;
use crate::media::codec::Codec;
use crate::media::lateness::LATE_MAX_NS;
use crate::media::lateness::Lateness;
use crate::media::packet::Rtp;
use crate::media::passed::Passed;
use crate::media::reception::Reception;

/// Sequence numbers that may be missing before a packet that still fits (RFC 3550 A.1, MAX_DROPOUT).
const DROPOUT_MAX: i64 = 3_000;

/// How far back a packet may come that still fits (RFC 3550 A.1, MAX_MISORDER).
const MISORDER_MAX: i64 = 100;

/// Nobody speaks before it is heard: a packet that is early by more is of another time.
const AHEAD_MAX_NS: i64 = 200_000_000;

/// The first packets may have been as late as any.
const FIRST_AHEAD_MAX_NS: i64 = LATE_MAX_NS;

/// Few packets that came late after a silence can still be heard 100 ms after they came.
const FEW_LATE_MAX_NS: i64 = LATE_MAX_NS - 100_000_000;

/// A path that was blocked gives up what it held within this time.
const BLOCKED_MAX_NS: i64 = 10_000_000_000;

/// Longest hole that a decoder conceals; in a longer one a new spurt begins. As `reelaudiodec` has it.
const CONCEAL_MAX_NS: i64 = 60_000_000;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    pub(super) ssrc: u32,
}

/// A packet's numbers, without their wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) sequence: i64,
    pub(super) media: i64,
}

/// How strictly time is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// A packet as it arrives.
    Arriving,
    /// One of few that were put aside because they were late after a silence.
    Few,
    /// One that was put aside because it was late, now that others have shown that the path was blocked.
    Released,
}

/// Where a packet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at_ns: i64,
    pub(super) begins_spurt: bool,
    pub(super) after_loss: bool,
}

/// The last packet that was placed.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: i64,
    /// Media time at which it ends.
    media_end: i64,
    /// Where it begins and ends on the monotonic clock. Packets are not heard far ahead of their time, so that what
    /// must not begin before it is never far behind.
    at_ns: i64,
    end_ns: i64,
}

/// One stream.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) origin: Origin,
    pub(super) codec: Codec,
    clock: TrackClock,
    /// Of the packet of audio with the highest sequence number: time-stamps are told apart by it.
    newest: Numbers,
    /// The highest sequence number, of whatever content.
    highest: i64,
    last_arrival_ns: i64,
    lateness: Lateness,
    /// Of whatever content.
    passed: Passed,
    /// Something was lost before a packet without audio that has been passed: what comes behind it is after a loss.
    is_loss_passed: bool,
    last: Option<Last>,
    /// Where the stream before this one ended.
    not_before_ns: Option<i64>,
    pub(super) reception: Reception,
}

impl Stream {
    /// Returns the stream that begins with a packet.
    pub(super) fn new(origin: Origin, codec: Codec, rtp: &Rtp<'_>, arrival_ns: i64) -> Self {
        let newest = Numbers { sequence: i64::from(rtp.sequence), media: i64::from(rtp.timestamp) };
        let mut stream = Self {
            origin,
            codec,
            clock: TrackClock::new(codec.clock_rate()),
            newest,
            highest: newest.sequence,
            last_arrival_ns: arrival_ns,
            lateness: Lateness::default(),
            passed: Passed::default(),
            is_loss_passed: false,
            last: None,
            not_before_ns: None,
            reception: Reception::new(newest.sequence),
        };
        stream.accept(newest, arrival_ns);
        stream
    }

    /// Returns the sequence number of a packet, if it is near.
    pub(super) fn sequence(&self, sequence: u16) -> Option<i64> {
        let step = i64::from(sequence.wrapping_sub(self.highest as u16) as i16);
        (-MISORDER_MAX..=DROPOUT_MAX).contains(&step).then_some(self.highest + step)
    }

    /// Returns the numbers of a packet of audio if it fits.
    pub(super) fn fit(&self, rtp: &Rtp<'_>, arrival_ns: i64, judgement: Judgement) -> Option<Numbers> {
        let sequence = self.sequence(rtp.sequence)?;
        let media = self.newest.media + i64::from(rtp.timestamp.wrapping_sub(self.newest.media as u32) as i32);
        let is_in_order = match sequence.cmp(&self.newest.sequence) {
            std::cmp::Ordering::Greater => media >= self.newest.media,
            std::cmp::Ordering::Less => media <= self.newest.media,
            std::cmp::Ordering::Equal => media == self.newest.media,
        };
        let late_max_ns = match judgement {
            Judgement::Released => BLOCKED_MAX_NS,
            Judgement::Few => FEW_LATE_MAX_NS,
            Judgement::Arriving => self.lateness.max_ns(arrival_ns.saturating_sub(self.last_arrival_ns), arrival_ns),
        };
        let ahead_max_ns = if self.is_new() { FIRST_AHEAD_MAX_NS } else { AHEAD_MAX_NS };
        let is_in_time = (-ahead_max_ns..=late_max_ns).contains(&self.clock.excess_ns(media, arrival_ns));
        (is_in_order && is_in_time).then_some(Numbers { sequence, media })
    }

    /// Takes note of a packet that fits.
    pub(super) fn accept(&mut self, numbers: Numbers, arrival_ns: i64) {
        self.clock.observe(numbers.media, arrival_ns);
        let silence_ns = arrival_ns.saturating_sub(self.last_arrival_ns);
        self.lateness.note(self.clock.excess_ns(numbers.media, arrival_ns), silence_ns, arrival_ns);
        let transit_ns = arrival_ns.saturating_sub(self.clock.media_ns(numbers.media));
        let transit = (i128::from(transit_ns) * i128::from(self.codec.clock_rate()) / 1_000_000_000) as i64;
        self.reception.packet(numbers.sequence, transit);
        if numbers.sequence > self.newest.sequence {
            self.newest = numbers;
        }
        self.highest = self.highest.max(numbers.sequence);
        self.last_arrival_ns = self.last_arrival_ns.max(arrival_ns);
    }

    /// Takes note of a packet that does not fit: one that is merely too late tells something of those before it.
    pub(super) fn refuse(&mut self, rtp: &Rtp<'_>, arrival_ns: i64) {
        let would_fit = self.fit(rtp, arrival_ns, Judgement::Released);
        if would_fit.is_some_and(|numbers| self.clock.excess_ns(numbers.media, arrival_ns) > LATE_MAX_NS) {
            self.lateness.note_beyond();
        }
    }

    /// Takes note of a packet without audio: it has a sequence number, and its time may be of another clock.
    pub(super) fn accept_quiet(&mut self, sequence: i64, arrival_ns: i64) {
        self.reception.came(sequence);
        self.highest = self.highest.max(sequence);
        self.last_arrival_ns = self.last_arrival_ns.max(arrival_ns);
    }

    /// Returns when the last packet came.
    pub(super) fn last_arrival_ns(&self) -> i64 {
        self.last_arrival_ns
    }

    /// Returns the highest sequence number.
    pub(super) fn newest_sequence(&self) -> i64 {
        self.highest
    }

    /// Returns whether the place of a sequence number has been passed, and if so whether its packet had come.
    pub(super) fn passed(&self, sequence: i64) -> Option<bool> {
        self.passed.get(sequence)
    }

    /// Takes note of a packet whose place has been passed. Returns whether it was counted as missing there.
    pub(super) fn find(&mut self, sequence: i64) -> bool {
        self.passed.find(sequence)
    }

    /// Returns how many sequence numbers before `sequence` were passed over since the last that was placed.
    pub(super) fn missing_before(&self, sequence: i64) -> u64 {
        self.passed.missing_before(sequence)
    }

    /// Returns whether others have filled the time of a packet already: it was sent twice, under two numbers.
    pub(super) fn is_heard(&self, numbers: Numbers, length: u32) -> bool {
        self.last.is_some_and(|last| numbers.media + i64::from(length) <= last.media_end)
    }

    /// Returns whether nothing of it has been heard.
    pub(super) fn is_new(&self) -> bool {
        self.last.is_none()
    }

    /// Returns where a packet of audio stands, as far as is known now.
    pub(super) fn place(&self, numbers: Numbers) -> Place {
        let Some(last) = self.last else {
            let best_ns = self.clock.best_ns(numbers.media);
            let at_ns = self.not_before_ns.map_or(best_ns, |end_ns| best_ns.max(end_ns));
            return Place { at_ns, begins_spurt: true, after_loss: false };
        };
        let hole_ns = self.clock.media_ns(numbers.media).saturating_sub(self.clock.media_ns(last.media_end));
        let is_missing = self.is_loss_passed || self.missing_before(numbers.sequence) > 0;
        let after_loss = hole_ns > 0 && numbers.sequence > last.sequence + 1 && is_missing;
        let begins_spurt = if after_loss { hole_ns > CONCEAL_MAX_NS } else { hole_ns > 0 };
        let at_ns = match begins_spurt {
            true => self.clock.best_ns(numbers.media).max(last.end_ns),
            false => self.clock.place_ns(numbers.media).max(last.at_ns),
        };
        Place { at_ns, begins_spurt, after_loss }
    }

    /// Lets a packet of audio stand where [`Self::place`] says; `length` in units of the media clock. Returns how long
    /// it plays there, in ns.
    pub(super) fn settle(&mut self, numbers: Numbers, place: Place, length: u32) -> i64 {
        match place.begins_spurt {
            true => self.clock.begin_spurt(numbers.media, place.at_ns),
            false => self.clock.go_on(numbers.media),
        }
        let media_end = numbers.media + i64::from(length);
        let end_ns = self.clock.place_ns(media_end).max(place.at_ns);
        self.last = Some(Last { sequence: numbers.sequence, media_end, at_ns: place.at_ns, end_ns });
        self.is_loss_passed = false;
        end_ns.saturating_sub(place.at_ns)
    }

    /// Passes the place of a packet before anybody records.
    pub(super) fn skip(&mut self, sequence: i64) {
        self.passed.skip(sequence);
    }

    /// Passes the place of a packet. Returns how many before it are missing.
    pub(super) fn pass(&mut self, sequence: i64) -> u64 {
        let n_missing = self.passed.pass(sequence);
        self.is_loss_passed |= n_missing > 0;
        n_missing
    }

    /// Lets the first spurt not begin before `end_ns`, where the stream before this one ended.
    pub(super) fn follow(&mut self, end_ns: i64) {
        self.not_before_ns = Some(end_ns);
    }

    /// Returns where the last packet that was placed ends, be it of the stream before this one.
    pub(super) fn end_ns(&self) -> Option<i64> {
        self.last.map(|last| last.end_ns).or(self.not_before_ns)
    }

    /// Returns by how much the sender's clock differs from ours, in 1/10⁹; positive where it is slow.
    pub(super) fn skew_ppb(&self) -> i64 {
        self.clock.skew_ppb()
    }
}
