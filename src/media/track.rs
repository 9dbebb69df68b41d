//! One participant's audio as packets bring it: which of them are its own, in order, in their place.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::media::candidate::CANDIDATES_MAX;
use crate::media::candidate::Candidate;
use crate::media::candidate::Held;
use crate::media::codec::Codec;
use crate::media::codec::Content;
use crate::media::control;
use crate::media::control::Control;
use crate::media::control::LastReport;
use crate::media::lateness::HOLD;
use crate::media::lateness::JUMP_NS;
use crate::media::mark::ReadMark;
use crate::media::order::Inserted;
use crate::media::order::Order;
use crate::media::order::Waiting;
use crate::media::packet::Packet;
use crate::media::packet::Rtp;
use crate::media::queue::CursorId;
use crate::media::queue::Frame;
use crate::media::queue::Hole;
use crate::media::queue::Next;
use crate::media::queue::Queue;
use crate::media::settings::Settings;
use crate::media::stats::Stats;
use crate::media::stream::Judgement;
use crate::media::stream::Numbers;
use crate::media::stream::Origin;
use crate::media::stream::Stream;

/// What comes within this after a goodbye was on its way already; who sends on after that has not left.
const HOLD_NS: i64 = HOLD.as_nanos() as i64;

/// Packets that are kept while nobody records: who starts a recording is heard from then on, though it takes a while to
/// begin.
const IDLE_MAX: usize = 256;

/// Larger payloads are no audio packet's: 20 ms of L16 at 48 kHz in stereo have 3 840 bytes.
const PAYLOAD_MAX: usize = 4_096;

/// Nobody speaks before it is heard, and a path or a clock explains no more than this. What a sender that is faster
/// than time says beyond it is not heard: else a minute of packets could hold a day of a recording.
const AHEAD_MAX_NS: i64 = 1_000_000_000;

/// So many packets of a sender that come late after a silence may have been held up; of one whose time has stood still
/// more come within 100 ms, which is the least for which they wait.
const FEW_MAX: usize = 3;

/// One participant's audio.
#[derive(Debug, Clone)]
pub struct Track {
    settings: Settings,
    current: Option<Stream>,
    candidates: Vec<Candidate>,
    /// Of the current stream, in order of sequence.
    waiting: Order,
    queue: Queue,
    /// All before it has been placed.
    horizon_ns: i64,
    /// When that was.
    now_ns: i64,
    /// When the sender has said goodbye.
    left_ns: Option<i64>,
    last_report: Option<LastReport>,
    /// What ends before it was said before anybody recorded.
    recorded_from_ns: i64,
    reader: Option<Arc<ReadMark>>,
    stats: Stats,
}

/// Locks a track, also one in which somebody has panicked: it is one participant's, and the others must go on.
pub fn lock(track: &Mutex<Track>) -> MutexGuard<'_, Track> {
    track.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Track {
    /// Returns a track of which nothing has come yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            current: None,
            candidates: Vec::new(),
            waiting: Order::default(),
            queue: Queue::default(),
            horizon_ns: i64::MIN,
            now_ns: i64::MIN,
            left_ns: None,
            last_report: None,
            recorded_from_ns: i64::MIN,
            reader: None,
            stats: Stats::default(),
        }
    }

    /// Takes a datagram that came from `from` at `arrival_ns`. Never fails: what it was is counted.
    pub fn receive(&mut self, datagram: &[u8], from: SocketAddr, arrival_ns: i64) {
        self.stats.received += 1;
        self.stats.received_bytes += datagram.len() as u64;
        match Packet::read(datagram) {
            Ok(Packet::Rtp(rtp)) if rtp.payload.len() <= PAYLOAD_MAX => self.rtp(&rtp, from, arrival_ns),
            Ok(Packet::Rtcp(bytes)) => self.control(bytes, from, arrival_ns),
            _ => self.stats.malformed += 1,
        }
    }

    fn control(&mut self, bytes: &[u8], from: SocketAddr, arrival_ns: i64) {
        self.stats.control += 1;
        let Some(current) = &self.current else { return };
        // RTCP may come from a port of its own.
        if from.ip() != current.origin.address.ip() {
            return;
        }
        for said in control::read(bytes) {
            match said {
                Control::SenderReport { ssrc, ntp, .. } if ssrc == current.origin.ssrc => {
                    self.last_report = Some(LastReport { ntp, arrival_ns });
                }
                Control::Bye { ssrc } if ssrc == current.origin.ssrc => self.left_ns = Some(arrival_ns),
                _ => (),
            }
        }
    }

    fn rtp(&mut self, rtp: &Rtp<'_>, from: SocketAddr, arrival_ns: i64) {
        let origin = Origin { address: from, ssrc: rtp.ssrc };
        let is_refused = self.settings.source.is_some_and(|source| source != from)
            || self.settings.ssrc.is_some_and(|ssrc| ssrc != rtp.ssrc);
        if is_refused {
            self.stats.foreign += 1;
            return;
        }
        let is_current = self.current.as_ref().is_some_and(|current| current.origin == origin);
        match self.settings.payloads.content(rtp.payload_type) {
            Content::Audio(codec) => match codec.length(rtp.payload) {
                Some(length) => self.audio(origin, codec, length, rtp, arrival_ns),
                None => self.unknown(is_current, rtp, arrival_ns),
            },
            // Also before anybody has spoken.
            Content::ComfortNoise | Content::Event if is_current || self.current.is_none() => {
                self.quiet(rtp, arrival_ns);
            }
            Content::ComfortNoise | Content::Event => self.stats.foreign += 1,
            Content::Unknown => self.unknown(is_current, rtp, arrival_ns),
        }
    }

    /// A packet that nobody can hear. Of the track's sender it is no loss, and of others it is theirs.
    fn unknown(&mut self, is_current: bool, rtp: &Rtp<'_>, arrival_ns: i64) {
        if self.current.is_some() && !is_current {
            self.stats.foreign += 1;
            return;
        }
        self.stats.unknown += 1;
        self.hush(rtp, arrival_ns);
    }

    fn quiet(&mut self, rtp: &Rtp<'_>, arrival_ns: i64) {
        self.stats.quiet += 1;
        self.hush(rtp, arrival_ns);
    }

    /// Lets a packet without audio take its place in the sequence.
    fn hush(&mut self, rtp: &Rtp<'_>, arrival_ns: i64) {
        let Some(current) = &mut self.current else { return };
        let Some(sequence) = current.sequence(rtp.sequence) else { return };
        if current.passed(sequence).is_some() {
            self.stats.lost -= u64::from(current.find(sequence));
        } else {
            current.accept_quiet(sequence, arrival_ns);
            // One that is there already, or does not find room, is missed by nobody.
            let numbers = Numbers { sequence, media: 0 };
            let _ = self.insert(Waiting { numbers, length: 0, arrival_ns, payload: Vec::new() });
        }
    }

    fn audio(&mut self, origin: Origin, codec: Codec, length: u32, rtp: &Rtp<'_>, arrival_ns: i64) {
        let current = self.current.as_ref().filter(|current| current.origin == origin && current.codec == codec);
        match current.and_then(|current| current.fit(rtp, arrival_ns, Judgement::Arriving)) {
            Some(numbers) => {
                if !self.candidates.is_empty() {
                    self.release_late(origin);
                }
                let payload = self.queue.copy(rtp.payload);
                self.accept(numbers, length, payload, arrival_ns);
            }
            None => {
                let current = self.current.as_mut();
                if let Some(current) = current.filter(|current| current.origin == origin && current.codec == codec) {
                    current.refuse(rtp, arrival_ns);
                }
                self.hold(origin, codec, length, rtp, arrival_ns);
                self.promote(arrival_ns);
            }
        }
    }

    /// Takes a packet of the current stream.
    fn accept(&mut self, numbers: Numbers, length: u32, payload: Vec<u8>, arrival_ns: i64) {
        let Some(current) = &mut self.current else { return };
        match current.passed(numbers.sequence) {
            Some(true) => {
                current.reception.came(numbers.sequence);
                self.stats.duplicate += 1;
            }
            Some(false) => {
                current.reception.came(numbers.sequence);
                self.stats.late += 1;
                self.stats.lost -= u64::from(current.find(numbers.sequence));
            }
            None => {
                current.accept(numbers, arrival_ns);
                self.left_ns = self.left_ns.filter(|left_ns| arrival_ns.saturating_sub(*left_ns) < HOLD_NS);
                match self.insert(Waiting { numbers, length, arrival_ns, payload }) {
                    Inserted::There => (),
                    Inserted::Twice => self.stats.duplicate += 1,
                    Inserted::Full => self.stats.overflow += 1,
                }
                return;
            }
        }
        self.queue.spare(payload);
    }

    fn insert(&mut self, waiting: Waiting) -> Inserted {
        if self.waiting.len() >= IDLE_MAX && !self.queue.has_readers() {
            self.forget_first();
        }
        self.waiting.insert(waiting)
    }

    /// Forgets the oldest packet: nobody records.
    fn forget_first(&mut self) {
        if let (Some(first), Some(current)) = (self.waiting.take_first(), &mut self.current) {
            self.stats.unrecorded += u64::from(first.length > 0);
            current.skip(first.numbers.sequence);
            self.queue.spare(first.payload);
        }
    }

    /// Puts a packet aside that does not fit.
    fn hold(&mut self, origin: Origin, codec: Codec, length: u32, rtp: &Rtp<'_>, arrival_ns: i64) {
        // What a candidate holds counts as foreign until it is believed.
        self.stats.foreign += 1;
        let fits = |candidate: &Candidate| {
            let is_its = candidate.stream.origin == origin && candidate.stream.codec == codec;
            is_its.then(|| candidate.stream.fit(rtp, arrival_ns, Judgement::Arriving)).flatten()
        };
        let payload = rtp.payload.to_vec();
        let known = self.candidates.iter_mut().find_map(|candidate| Some((fits(candidate)?, candidate)));
        if let Some((numbers, candidate)) = known {
            candidate.hold(Held { numbers, length, arrival_ns, payload });
            return;
        }
        // Another jump of the same sender: the one before it led nowhere.
        self.candidates.retain(|candidate| candidate.stream.origin != origin);
        if self.candidates.len() == CANDIDATES_MAX {
            let oldest = self.candidates.iter().enumerate().min_by_key(|(_, c)| c.stream.last_arrival_ns());
            if let Some((at, _)) = oldest {
                self.candidates.swap_remove(at);
            }
        }
        let stream = Stream::new(origin, codec, rtp, arrival_ns);
        let numbers = Numbers { sequence: i64::from(rtp.sequence), media: i64::from(rtp.timestamp) };
        self.candidates.push(Candidate::new(stream, Held { numbers, length, arrival_ns, payload }));
    }

    /// The current sender is still where it was: what it sent in between was held up on its way, or was no packet.
    fn release_late(&mut self, origin: Origin) {
        let is_its = |candidate: &mut Candidate| candidate.stream.origin == origin;
        let with_codec = |Candidate { stream, held, .. }| held.into_iter().map(move |held| (stream.codec, held));
        let held: Vec<(Codec, Held)> = self.candidates.extract_if(.., is_its).flat_map(with_codec).collect();
        for (codec, held) in held {
            self.stats.foreign -= 1;
            let current = self.current.as_ref().filter(|current| current.codec == codec);
            match current.and_then(|current| current.fit(&held.rtp(), held.arrival_ns, Judgement::Released)) {
                Some(numbers) => self.accept(numbers, held.length, held.payload, held.arrival_ns),
                None => self.stats.implausible += 1,
            }
        }
    }

    /// Returns whether packets of the sender were put aside as late after a silence, and their place is about to be
    /// passed, and they have remained few: had its time stood still, more would have come by now.
    fn has_late_ones(&self, horizon_ns: i64) -> bool {
        let Some(current) = &self.current else { return false };
        let is_late = |candidate: &Candidate| {
            let is_its = candidate.stream.origin == current.origin && candidate.stream.codec == current.codec;
            let first = candidate.held.front().filter(|_| is_its && candidate.held.len() <= FEW_MAX);
            let numbers = first.and_then(|first| current.fit(&first.rtp(), first.arrival_ns, Judgement::Few));
            let place_ns = numbers.map(|numbers| current.place(numbers).at_ns);
            place_ns.is_some_and(|place_ns| (self.horizon_ns..horizon_ns).contains(&place_ns))
        };
        self.candidates.iter().any(is_late)
    }

    /// Lets a candidate take over if it is time.
    fn promote(&mut self, now_ns: i64) {
        let is_due = |candidate: &Candidate| candidate.is_due(self.current.as_ref(), now_ns);
        let Some(at) = self.candidates.iter().position(is_due) else { return };
        let Candidate { mut stream, mut held, .. } = self.candidates.swap_remove(at);
        if let Some(current) = self.current.as_ref().filter(|current| current.origin != stream.origin) {
            // While the other was there this one was not the track's.
            held.retain(|held| held.arrival_ns > current.last_arrival_ns());
        }
        // A goodbye that came behind all of it is its own.
        let is_same = self.current.as_ref().is_some_and(|current| current.origin == stream.origin);
        self.left_ns = self.left_ns.filter(|left_ns| is_same && stream.last_arrival_ns() <= *left_ns);
        // What the old one still has stands where it belonged.
        self.place_before(i64::MAX);
        if let Some(end_ns) = self.current.as_ref().and_then(Stream::end_ns) {
            stream.follow(end_ns);
        }
        self.current = Some(stream);
        self.stats.streams += 1;
        self.stats.foreign -= held.len() as u64;
        self.last_report = None;
        for Held { numbers, length, arrival_ns, payload } in held {
            match self.insert(Waiting { numbers, length, arrival_ns, payload }) {
                Inserted::There => (),
                Inserted::Twice => self.stats.duplicate += 1,
                Inserted::Full => self.stats.overflow += 1,
            }
        }
    }

    /// Places all that begins before `horizon_ns`; `now_ns` is the time. What comes for an earlier place from now on is
    /// late.
    pub fn advance(&mut self, horizon_ns: i64, now_ns: i64) {
        if !self.candidates.is_empty() {
            if let Some(origin) = self.current.as_ref().map(|current| current.origin)
                && self.has_late_ones(horizon_ns)
            {
                self.release_late(origin);
            }
            self.promote(now_ns);
        }
        self.place_before(horizon_ns);
        self.horizon_ns = self.horizon_ns.max(horizon_ns);
        self.now_ns = self.now_ns.max(now_ns);
    }

    fn place_before(&mut self, horizon_ns: i64) {
        let Some(current) = &mut self.current else { return };
        let mut heard_next = None;
        while let Some(first) = self.waiting.first() {
            // What has no audio has no time, either: it is passed when what it may have overtaken can come no more, or
            // when what stands behind it is heard.
            let is_quiet = first.length == 0;
            if is_quiet && heard_next.is_none_or(|sequence| sequence < first.numbers.sequence) {
                let heard = self.waiting.first_due(current, horizon_ns);
                heard_next = heard.map(|next| next.numbers.sequence);
            }
            if is_quiet && heard_next.is_none() && first.arrival_ns >= horizon_ns {
                return;
            }
            if is_quiet || current.is_heard(first.numbers, first.length) {
                self.stats.duplicate += u64::from(!is_quiet);
                self.stats.lost += current.pass(first.numbers.sequence);
                self.waiting.take_first();
                continue;
            }
            let mut place = current.place(first.numbers);
            // What the packets behind it tell of the path may move the first word to before the horizon: it came in
            // time, and is heard. By more than that nobody was late who was first.
            let passed_ns = self.horizon_ns.saturating_sub(place.at_ns);
            if current.is_new() && first.arrival_ns >= self.horizon_ns && passed_ns <= JUMP_NS {
                place.at_ns = place.at_ns.max(self.horizon_ns);
            }
            let is_ahead = place.at_ns.saturating_sub(first.arrival_ns) > AHEAD_MAX_NS;
            if place.at_ns >= horizon_ns && !is_ahead {
                return;
            }
            let Some(Waiting { numbers, length, payload, .. }) = self.waiting.take_first() else { return };
            self.stats.lost += current.pass(numbers.sequence);
            if is_ahead {
                self.stats.implausible += 1;
                self.queue.spare(payload);
                continue;
            }
            let duration_ns = current.settle(numbers, place, length);
            let end_ns = place.at_ns.saturating_add(duration_ns);
            if end_ns <= self.recorded_from_ns {
                self.stats.unrecorded += 1;
                self.queue.spare(payload);
                continue;
            }
            if end_ns <= self.horizon_ns {
                self.stats.late += 1;
                self.queue.spare(payload);
                continue;
            }
            self.stats.placed += 1;
            let n_dropped = self.queue.put(Frame {
                codec: current.codec,
                payload,
                place_ns: place.at_ns,
                duration_ns,
                after_loss: place.after_loss,
                begins_spurt: place.begins_spurt,
            });
            self.stats.placed -= n_dropped;
            self.stats.overflow += n_dropped;
        }
    }

    /// Lets a recording read all that is placed from now on and ends behind `from_ns`.
    pub fn open(&mut self, from_ns: i64) -> CursorId {
        let earlier_ns = if self.queue.has_readers() { self.recorded_from_ns } else { i64::MAX };
        self.recorded_from_ns = earlier_ns.min(from_ns);
        self.queue.open()
    }

    /// Lets `reader` bring the packets.
    pub fn set_reader(&mut self, reader: Arc<ReadMark>) {
        self.reader = Some(reader);
    }

    /// Returns up to when a reader has brought what arrived; None where nobody else brings packets.
    pub fn reader(&self) -> Option<Arc<ReadMark>> {
        self.reader.clone()
    }

    /// Ends a recording's reading.
    pub fn close(&mut self, cursor: CursorId) {
        self.queue.close(cursor);
    }

    /// Gives a recording's frames that begin before `until_ns`, in order, to `take`; says what follows them.
    pub fn read(&mut self, cursor: CursorId, until_ns: i64, take: impl FnMut(&Frame)) -> Next {
        let is_left = self.queue.read(cursor, until_ns, take);
        if self.left_ns.is_some() && !is_left && !self.has_waiting(cursor) {
            return Next::End;
        }
        let sequence = self.waiting.first().map(|first| first.numbers.sequence);
        let missing = self.current.as_ref().zip(sequence).map_or(0, |(current, next)| current.missing_before(next));
        Next::More(if missing > 0 { Hole::Loss } else { Hole::Pause })
    }

    /// Returns whether packets wait for their time, or for what time tells of where they belong, or frames for a
    /// recording.
    pub fn has_waiting(&self, cursor: CursorId) -> bool {
        let current = self.current.as_ref();
        let is_undecided = |held: &Candidate| held.is_undecided(current, self.now_ns);
        !self.waiting.is_empty() || self.queue.is_left(cursor) || self.candidates.iter().any(is_undecided)
    }

    /// Returns an RTCP receiver report of the reporter `own` at `now_ns`, and where it goes; None where nobody has
    /// sent since the last (§6.4).
    pub fn report(&mut self, own: u32, now_ns: i64) -> Option<(Vec<u8>, SocketAddr)> {
        let current = self.current.as_mut().filter(|current| current.reception.has_news())?;
        if self.left_ns.is_some() {
            return None;
        }
        let Origin { address, ssrc } = current.origin;
        let report = control::receiver_report(own, ssrc, &mut current.reception, self.last_report, now_ns)?;
        Some((report, address))
    }

    /// Counts datagrams that never got out of the kernel.
    pub fn count_kernel_drops(&mut self, n: u64) {
        self.stats.kernel_drops += n;
    }

    /// Returns what became of the packets so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Returns by how much the sender's clock differs from ours, in 1/10⁹; positive where it is slow.
    pub fn skew_ppb(&self) -> i64 {
        self.current.as_ref().map_or(0, Stream::skew_ppb)
    }

    /// Returns the codec that comes, if any does.
    pub fn codec(&self) -> Option<Codec> {
        self.current.as_ref().map(|current| current.codec)
    }
}

#[cfg(test)]
mod tests;
