//! What a chunk holds. Pure: it is fed with what passes.

use crate::messages::{Channels, Chunk, Gate, PauseInterval};
use crate::samples;

/// Counts one chunk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    index: u32,
    rate: u32,
    channels: u32,
    samples: u64,
    /// Recording time of the first sample.
    start: Option<gst::ClockTime>,
    /// The last edge of the gate.
    gate: Option<Gate>,
    pauses: Vec<PauseInterval>,
    map: Channels,
}

impl Tally {
    /// Forgets media and pauses; what is sticky stays.
    pub(crate) fn flush(&mut self) {
        let Self { index, rate, channels, .. } = *self;
        *self = Self { index, rate, channels, map: std::mem::take(&mut self.map), ..Self::default() };
    }

    pub(crate) fn begin(&mut self, index: u32) {
        self.index = index;
    }

    pub(crate) fn format(&mut self, rate: u32, channels: u32) {
        (self.rate, self.channels) = (rate, channels);
    }

    pub(crate) fn map(&mut self, map: Channels) {
        self.map = map;
    }

    /// An edge of the gate, in stream order. The sticky one of an earlier chunk tells what holds from the begin on.
    pub(crate) fn gate(&mut self, gate: Gate) {
        if let Some(Gate { paused: true, at, .. }) = self.gate.filter(|_| !gate.paused) {
            self.pauses.push(PauseInterval { start: at, duration: gate.at.saturating_sub(at) });
        }
        self.gate = Some(gate);
    }

    /// Audio that passes: `frames` samples per channel, from `recorded` time on where that is told.
    pub(crate) fn audio(&mut self, recorded: Option<gst::ClockTime>, frames: u64) {
        if let Some(recorded) = recorded {
            let skipped = self.gate.map_or(gst::ClockTime::ZERO, |gate| gate.skipped);
            self.start.get_or_insert(recorded.saturating_add(skipped));
        }
        self.samples += frames;
    }

    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// Returns what the chunk holds when nothing more comes.
    pub(crate) fn finish(&self) -> Chunk {
        // The first chunk begins with the recording, later ones with their first sample.
        let start = if self.index == 0 { gst::ClockTime::ZERO } else { self.start.unwrap_or_default() };
        let rate = self.rate.max(1);
        // A pause that goes on in the next chunk holds media only where the gate replaces it: that much is here.
        let open = self.gate.filter(|gate| gate.paused).map(|gate| {
            let first = samples::position_at(self.start.unwrap_or(start), rate);
            let end = samples::time_of(first.saturating_add(self.samples), rate);
            PauseInterval { start: gate.at, duration: end.saturating_sub(gate.at) }
        });
        let inside = |pause: PauseInterval| {
            let begin = pause.start.max(start);
            let duration = pause.start.saturating_add(pause.duration).saturating_sub(begin);
            Some(PauseInterval { start: begin, duration }).filter(|pause| !pause.duration.is_zero())
        };
        Chunk {
            index: self.index,
            start,
            samples: self.samples,
            rate: self.rate,
            channels: self.channels,
            pauses: self.pauses.iter().copied().chain(open).filter_map(inside).collect(),
            map: self.map.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> gst::ClockTime {
        gst::ClockTime::from_seconds(seconds)
    }

    fn tally(index: u32) -> Tally {
        let mut tally = Tally::default();
        tally.begin(index);
        tally.format(1_000, 1);
        tally
    }

    fn pauses(chunk: &Chunk) -> Vec<(u64, u64)> {
        chunk.pauses.iter().map(|pause| (pause.start.seconds(), pause.duration.seconds())).collect()
    }

    #[test]
    fn a_skipped_pause_counts_as_recording_time_only() {
        let mut tally = tally(0);
        tally.audio(Some(s(0)), 2_000);
        tally.gate(Gate { paused: true, at: s(2), skipped: s(0) });
        tally.gate(Gate { paused: false, at: s(5), skipped: s(3) });
        tally.audio(Some(s(2)), 1_000);
        let chunk = tally.finish();
        assert_eq!((chunk.samples, chunk.start, pauses(&chunk)), (3_000, s(0), vec![(2, 3)]));
    }

    #[test]
    fn a_later_chunk_begins_where_its_first_sample_was_recorded() {
        let mut tally = tally(1);
        tally.gate(Gate { paused: false, at: s(5), skipped: s(3) }); // Sticky, from before.
        tally.audio(Some(s(4)), 1_000);
        let chunk = tally.finish();
        assert_eq!((chunk.start, pauses(&chunk)), (s(7), vec![]));
    }

    #[test]
    fn a_replaced_pause_is_shared_by_the_chunks_it_spans() {
        let paused = Gate { paused: true, at: s(2), skipped: s(0) };
        let mut first = tally(0);
        first.audio(Some(s(0)), 2_000);
        first.gate(paused);
        first.audio(Some(s(2)), 1_000);
        assert_eq!(pauses(&first.finish()), [(2, 1)]);

        let mut second = tally(1);
        second.gate(paused);
        second.audio(Some(s(3)), 1_000);
        second.gate(Gate { paused: false, at: s(4), skipped: s(0) });
        second.audio(Some(s(4)), 1_000);
        assert_eq!(pauses(&second.finish()), [(3, 1)]);
    }

    #[test]
    fn a_flush_forgets_time_alone() {
        let mut tally = tally(3);
        let map = Channels { pads: vec![Some(1)], without_channel: vec![2] };
        tally.map(map.clone());
        tally.gate(Gate { paused: true, at: s(1), skipped: s(0) });
        tally.audio(Some(s(1)), 1_000);
        tally.flush();
        tally.audio(Some(s(0)), 500);
        let chunk = tally.finish();
        assert_eq!((chunk.index, chunk.rate, chunk.channels, chunk.map.clone()), (3, 1_000, 1, map));
        assert_eq!((chunk.samples, chunk.start, pauses(&chunk)), (500, s(0), vec![]));
    }

    #[test]
    fn the_latest_time_is_no_trouble() {
        let mut tally = tally(1);
        tally.gate(Gate { paused: false, at: gst::ClockTime::MAX, skipped: gst::ClockTime::MAX });
        tally.gate(Gate { paused: true, at: gst::ClockTime::MAX, skipped: gst::ClockTime::MAX });
        tally.audio(Some(gst::ClockTime::MAX), 1_000);
        tally.gate(Gate { paused: false, at: gst::ClockTime::MAX, skipped: gst::ClockTime::MAX });
        assert_eq!((tally.finish().start, pauses(&tally.finish())), (gst::ClockTime::MAX, vec![]));
    }

    #[test]
    fn paused_from_the_begin_to_the_end_holds_nothing_but_the_pause() {
        let mut tally = tally(0);
        tally.gate(Gate { paused: true, at: s(0), skipped: s(0) });
        tally.gate(Gate { paused: false, at: s(9), skipped: s(9) });
        let chunk = tally.finish();
        assert_eq!((chunk.samples, pauses(&chunk)), (0, vec![(0, 9)]));
    }
}
