//! What a join's stream has made so far, and what may go out next. Pure: no pad, no lock.

use std::collections::{BTreeMap, BTreeSet};

use crate::join::lanes::{Lanes, Reach};
use crate::join::pads::Sink;
use crate::join::{Blend, Piece, Span};
use crate::samples;

/// What the stream made; forgotten on PAUSED → READY.
pub(super) struct State<B> {
    pub(super) blend: B,
    pub(super) lanes: Lanes,
    pub(super) segments: BTreeMap<Sink, gst::FormattedSegment<gst::ClockTime>>,
    /// Pads between FLUSH_START and FLUSH_STOP, and those that are being released: nobody may wait on them.
    pub(super) flushing: BTreeSet<Sink>,
    /// Pads that may still bring media from before a flushing seek.
    pub(super) stale: BTreeSet<Sink>,
    pub(super) downstream: Downstream,
    /// Of the last flush; what follows it carries it.
    pub(super) seqnum: Option<gst::Seqnum>,
    pub(super) rate: Option<u32>,
    /// stream-start, caps and segment went out.
    started: bool,
    pub(super) eos_sent: bool,
    /// The element is not running: nobody may wait.
    pub(super) stopped: bool,
    /// All that came out since the start.
    pub(super) samples: u64,
}

/// What the src pad is ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Downstream {
    /// Media.
    Flows,
    /// FLUSH_START went out, FLUSH_STOP is due.
    Flushes,
    /// Somebody is about to send FLUSH_STOP.
    Resumes,
}

/// The next thing to push.
pub(super) enum Step {
    /// stream-start, caps, segment.
    Start { rate: u32, channels: u32 },
    /// Media from a position on.
    Piece { position: u64, rate: u32, channels: u32, piece: Piece },
    /// There will be no more.
    Eos,
}

/// What may go out: from `from` up to `until`.
#[derive(Debug, Clone, Copy)]
struct Due {
    rate: u32,
    from: u64,
    until: u64,
    reach: Reach,
}

impl<B: Blend> State<B> {
    /// Returns the state of a stream that has not begun, for the lanes that are there.
    pub(super) fn new(mut blend: B, lanes: Lanes) -> Self {
        lanes.names().for_each(|lane| blend.enter(lane));
        Self {
            blend,
            lanes,
            segments: BTreeMap::new(),
            flushing: BTreeSet::new(),
            stale: BTreeSet::new(),
            downstream: Downstream::Flows,
            seqnum: None,
            rate: None,
            started: false,
            eos_sent: false,
            stopped: true,
            samples: 0,
        }
    }

    /// Stops the output and forgets all time, not what was decided and counted; false when it is stopped already.
    pub(super) fn begin_flush(&mut self, seqnum: gst::Seqnum) -> bool {
        if self.downstream != Downstream::Flows {
            return false;
        }
        self.downstream = Downstream::Flushes;
        self.seqnum = Some(seqnum);
        self.lanes.restart();
        self.blend.restart();
        self.started = false;
        self.eos_sent = false;
        true
    }

    /// Returns how many samples stay inside.
    pub(super) fn delay(&self) -> u64 {
        self.rate.map_or(0, |rate| self.blend.delay(rate))
    }

    /// Returns whether [`Self::step`] has something.
    pub(super) fn is_due(&self, latency: gst::ClockTime) -> bool {
        self.due(latency).is_some()
    }

    fn due(&self, latency: gst::ClockTime) -> Option<Due> {
        let flows = self.downstream == Downstream::Flows;
        let rate = self.rate.filter(|_| flows && !self.stopped && !self.eos_sent)?;
        let reach = self.lanes.reach(samples::position_at(latency, rate));
        let until = if reach.last { reach.known } else { reach.known.saturating_sub(self.delay()) };
        let from = self.lanes.emitted();
        (until > from || reach.last).then_some(Due { rate, from, until, reach })
    }

    /// Takes the next thing to push, if anything may go out.
    pub(super) fn step(&mut self, latency: gst::ClockTime) -> Option<Step> {
        let Due { rate, from, until, reach: Reach { known, last } } = self.due(latency)?;
        let channels = self.blend.channels();
        if !self.started {
            self.started = true;
            return Some(Step::Start { rate, channels });
        }
        if until <= from {
            self.eos_sent = true;
            return Some(Step::Eos);
        }
        // A second at a time, whatever the jump: no block of memory depends on a time-stamp.
        let until = until.min(from + u64::from(rate));
        let piece = self.blend.take(Span { from, until, known, rate, last });
        let frames = piece.samples.len() as u64 / u64::from(channels);
        self.lanes.set_emitted(from + frames);
        self.samples += frames;
        Some(Step::Piece { position: from, rate, channels, piece })
    }
}
