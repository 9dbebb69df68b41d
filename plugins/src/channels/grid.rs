//! Lanes on channels: who is on which, from where on, and the interleaved output. Pure.
//!
//! Voices are judged on the recording's own grid of 20 ms frames, in the order of frames and then of pads, never by
//! the size of buffers: the map does not depend on how the media came.

use std::collections::{BTreeMap, BTreeSet};

use crate::channels::voice::{FRAMES_PER_SECOND, LOOK_BACK_FRAMES, Voice, mean_square_of};
use crate::join::{Blend, Piece, Span};
use crate::messages;
use crate::timeline::Timeline;

/// Where a participant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// No voice so far.
    Waiting,
    /// On a channel, from a position on.
    Channel { channel: usize, from: u64 },
    /// Had a voice when no channel was free; told from a position on.
    WithoutChannel { from: u64 },
}

#[derive(Debug)]
struct Lane {
    seat: Seat,
    voice: Voice,
    /// Samples from the grid's `base` on.
    window: Vec<i16>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { seat: Seat::Waiting, voice: Voice::default(), window: Vec::new() }
    }
}

/// All lanes and their channels.
#[derive(Debug)]
pub(crate) struct Grid {
    lanes: BTreeMap<u32, Lane>,
    /// The lane that holds each channel.
    channels: Vec<Option<u32>>,
    /// Channels that are not given away.
    reserved: Vec<bool>,
    /// In order of their voices.
    without_channel: Vec<u32>,
    threshold: f64,
    pauses: Timeline,
    /// Position of the first sample of all windows; what goes out begins here.
    base: u64,
    /// Everything before this position has been judged for voices.
    judged: u64,
    /// Positions from which another map applies that nobody has been told yet.
    changes: BTreeSet<u64>,
}

impl Grid {
    /// Returns a grid of `n_channels`; a voice is above `threshold_db`.
    pub(crate) fn new(n_channels: usize, threshold_db: f64) -> Self {
        Self {
            lanes: BTreeMap::new(),
            channels: vec![None; n_channels],
            reserved: vec![false; n_channels],
            without_channel: Vec::new(),
            threshold: mean_square_of(threshold_db),
            pauses: Timeline::default(),
            base: 0,
            judged: 0,
            changes: BTreeSet::from([0]),
        }
    }

    /// Keeps a channel for a pad to come.
    pub(crate) fn reserve(&mut self, channel: usize) {
        if let Some(reserved) = self.reserved.get_mut(channel) {
            *reserved = true;
        }
    }

    /// Puts a lane on a channel now; false when the channel does not exist or is another's.
    pub(crate) fn pin(&mut self, lane: u32, channel: usize) -> bool {
        let free = self.channels.get(channel).is_some_and(|holder| holder.is_none_or(|holder| holder == lane));
        let seated = matches!(self.lanes.get(&lane), Some(Lane { seat: Seat::Channel { .. }, .. }));
        if free && !seated {
            self.seat(lane, channel, self.base);
        }
        free
    }

    /// The gate will pause or resume.
    pub(crate) fn schedule(&mut self, pause: messages::Pause) {
        let _ = match pause.pause {
            true => self.pauses.pause(pause.at, gst::ClockTime::ZERO),
            false => self.pauses.resume(pause.at, gst::ClockTime::ZERO),
        };
    }

    /// Participants that were heard and have no channel.
    pub(crate) fn n_without_channel(&self) -> usize {
        self.without_channel.len()
    }

    fn seat(&mut self, lane: u32, channel: usize, from: u64) {
        self.channels[channel] = Some(lane);
        self.lanes.entry(lane).or_default().seat = Seat::Channel { channel, from };
        self.changes.insert(from);
    }

    /// Judges all whole frames up to `known`; at the end of the recording a shorter last one too.
    fn judge(&mut self, span: Span) {
        let frame = u64::from(span.rate) / FRAMES_PER_SECOND;
        while self.judged + frame <= span.known || (span.last && self.judged < span.known) {
            let end = (self.judged + frame).min(span.known);
            let paused = self.pauses.touches(self.judged, end, span.rate);
            let range = (self.judged - self.base) as usize..(end - self.base) as usize;
            let heard =
                self.lanes.iter_mut().filter(|(_, lane)| lane.seat == Seat::Waiting).filter_map(|(id, lane)| {
                    // Where a lane's media ends within the frame, the rest of it is silence.
                    let there = range.start.min(lane.window.len())..range.end.min(lane.window.len());
                    let samples = (!paused).then(|| &lane.window[there]);
                    lane.voice.hear(samples, range.len(), self.threshold).then_some(*id)
                });
            let from = end.saturating_sub(LOOK_BACK_FRAMES * frame);
            for lane in heard.collect::<Vec<_>>() {
                self.give_channel(lane, from);
            }
            self.judged = end;
        }
    }

    fn give_channel(&mut self, lane: u32, from: u64) {
        let free = |channel: &usize| self.channels[*channel].is_none() && !self.reserved[*channel];
        match (0..self.channels.len()).find(free) {
            Some(channel) => self.seat(lane, channel, from),
            None => {
                self.lanes.entry(lane).or_default().seat = Seat::WithoutChannel { from };
                self.without_channel.push(lane);
                self.changes.insert(from);
            }
        }
    }

    /// Returns the map that applies at `position`.
    fn map_at(&self, position: u64) -> messages::Channels {
        let seat = |lane: &u32| self.lanes.get(lane).map(|lane| lane.seat);
        let on_channel = |lane: &u32| matches!(seat(lane), Some(Seat::Channel { from, .. }) if from <= position);
        let without = |lane: &u32| matches!(seat(lane), Some(Seat::WithoutChannel { from }) if from <= position);
        messages::Channels {
            pads: self.channels.iter().map(|holder| holder.filter(on_channel)).collect(),
            without_channel: self.without_channel.iter().copied().filter(without).collect(),
        }
    }

    fn interleave(&self, n: usize) -> Vec<i16> {
        let n_channels = self.channels.len();
        let mut out = vec![0; n * n_channels];
        for lane in self.lanes.values() {
            if let Seat::Channel { channel, from } = lane.seat {
                let skip = (from.saturating_sub(self.base) as usize).min(n);
                let end = n.min(lane.window.len()).max(skip);
                copy_strided(
                    lane.window.get(skip..end).unwrap_or_default(),
                    &mut out[skip * n_channels..],
                    channel,
                    n_channels,
                );
            }
        }
        out
    }
}

fn copy_strided(samples: &[i16], out: &mut [i16], channel: usize, n_channels: usize) {
    out.chunks_exact_mut(n_channels).zip(samples).for_each(|(frame, sample)| frame[channel] = *sample);
}

impl Blend for Grid {
    fn channels(&self) -> u32 {
        self.channels.len() as u32
    }

    fn delay(&self, rate: u32) -> u64 {
        // One frame more than the look-back: the frame in which a voice is recognised must be whole.
        (LOOK_BACK_FRAMES + 1) * (u64::from(rate) / FRAMES_PER_SECOND)
    }

    fn add(&mut self, lane: u32, at: u64, samples: &[i16]) {
        let Some(first) = at.checked_sub(self.base).map(|first| first as usize) else { return };
        let window = &mut self.lanes.entry(lane).or_default().window;
        let end = first + samples.len();
        if window.len() < end {
            window.resize(end, 0);
        }
        window[first..end].copy_from_slice(samples);
    }

    fn take(&mut self, span: Span) -> Piece {
        self.judge(span);
        // A piece ends where the map changes, so that no sample goes out under a map that is not its own.
        let later = self.changes.split_off(&(span.from + 1));
        let changed = !std::mem::replace(&mut self.changes, later).is_empty();
        let map = changed.then(|| self.map_at(span.from));
        let until = self.changes.first().map_or(span.until, |change| span.until.min(*change));
        let n = (until - span.from) as usize;
        let samples = self.interleave(n);
        for lane in self.lanes.values_mut() {
            lane.window.drain(..n.min(lane.window.len()));
        }
        self.base = until;
        Piece { event: map.as_ref().map(|map| map.event()), message: map.map(|map| map.structure()), samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 16_000;

    fn loud(n: usize, value: i16) -> Vec<i16> {
        vec![value; n]
    }

    /// Drains the grid in ticks of `tick` samples; returns the output and the maps with their positions.
    fn run(grid: &mut Grid, total: u64, tick: u64) -> (Vec<i16>, Vec<(u64, String)>) {
        let (mut out, mut maps, mut from, mut known) = (Vec::new(), Vec::new(), 0, 0);
        while from < total {
            known = (known + tick).min(total);
            let last = known == total;
            let until = if last { total } else { known.saturating_sub(grid.delay(RATE)) };
            while from < until {
                let piece = grid.take(Span { from, until, known, rate: RATE, last });
                if let Some(event) = piece.event {
                    let map = messages::Channels::read(event.structure().unwrap()).unwrap();
                    maps.push((from, format!("{:?} {:?}", map.pads, map.without_channel)));
                }
                from += (piece.samples.len() / grid.channels.len()) as u64;
                out.extend(piece.samples);
            }
        }
        (out, maps)
    }

    fn init() {
        gst::init().unwrap();
    }

    #[test]
    fn channels_come_in_the_order_of_voices_with_look_back() {
        init();
        for tick in [160, 592, 1_600, 3_200, 16_000] {
            let mut grid = Grid::new(2, -45.0);
            grid.add(0, 0, &loud(8_000, 1)); // Noise below the threshold, then a voice at 0.5 s.
            grid.add(0, 8_000, &loud(8_000, 1_000));
            grid.add(1, 0, &loud(16_000, 2_000));
            grid.add(2, 0, &loud(9_600, 0));
            grid.add(2, 9_600, &loud(6_400, 3_000));
            let (out, maps) = run(&mut grid, 16_000, tick);
            // Three whole frames after 8 000 end at 8 960; 200 ms before that is 5 760.
            let expected = [
                (0, "[Some(1), None] []".to_owned()),
                (5_760, "[Some(1), Some(0)] []".to_owned()),
                (7_360, "[Some(1), Some(0)] [2]".to_owned()),
            ];
            assert_eq!(maps, expected, "tick {tick}");
            let channel = |c: usize| out.iter().skip(c).step_by(2).copied().collect::<Vec<_>>();
            assert_eq!(channel(0), loud(16_000, 2_000));
            let second: Vec<i16> = [loud(5_760, 0), loud(2_240, 1), loud(8_000, 1_000)].concat();
            assert_eq!(channel(1), second, "tick {tick}");
        }
    }

    #[test]
    fn a_pinned_lane_is_there_from_its_first_sample() {
        init();
        let mut grid = Grid::new(2, -45.0);
        grid.reserve(0);
        assert!(grid.pin(7, 1) && !grid.pin(8, 1) && !grid.pin(8, 2));
        grid.add(7, 0, &loud(1_600, 1));
        grid.add(9, 0, &loud(1_600, 9_000));
        let (out, maps) = run(&mut grid, 1_600, 400);
        assert_eq!(out.iter().skip(1).step_by(2).copied().collect::<Vec<_>>(), loud(1_600, 1));
        assert_eq!(maps, [(0, "[None, Some(7)] [9]".to_owned())]);
    }

    #[test]
    fn a_voice_in_a_pause_gets_no_channel() {
        init();
        let mut grid = Grid::new(1, -45.0);
        grid.schedule(messages::Pause { pause: true, at: gst::ClockTime::ZERO });
        grid.schedule(messages::Pause { pause: false, at: gst::ClockTime::from_mseconds(500) });
        grid.add(0, 0, &loud(8_000, 9_000));
        grid.add(1, 8_000, &loud(8_000, 9_000));
        let (_, maps) = run(&mut grid, 16_000, 1_600);
        assert_eq!(maps.last().map(|(_, map)| map.as_str()), Some("[Some(1)] []"));
    }
}
