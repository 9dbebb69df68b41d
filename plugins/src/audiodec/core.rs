//! One track's decoding without GStreamer: packets, gaps and ends in, blocks of samples at exact indices out.
//!
//! A *spurt* is a run of packets without a hole. It begins at the sample nearest to its first packet's time, and from
//! there samples are only counted; where their clock drifts from the count, they are made longer or shorter
//! (`drift.rs`). The delay of the codec is taken out at both ends of a spurt: its first samples are dropped and its end
//! is filled from what is still inside, so that a spurt is exactly as long as its packets and each sample stands where
//! it was spoken. A hole is concealed, filled with comfort noise or left out (`position.rs`).
//!
//! Knows packets, times and samples; must not know caps, pads or clocks.

use crate::audiodec::blocks::Block;
use crate::audiodec::blocks::Blocks;
use crate::audiodec::codec::Codec;
use crate::audiodec::codec::Format;
use crate::audiodec::conceal::CONCEAL_MAX_MS;
use crate::audiodec::drift::APART_NS_MAX;
use crate::audiodec::drift::Drift;
use crate::audiodec::drift::SLACK_NS;
use crate::audiodec::hush::Grid;
use crate::audiodec::hush::hush;
use crate::audiodec::loudness::Loudness;
use crate::audiodec::packet::GapFate;
use crate::audiodec::packet::Packet;
use crate::audiodec::packet::TooManyCorrupt;
use crate::audiodec::position::Arrival;
use crate::audiodec::position::Before;
use crate::audiodec::position::Place;
use crate::audiodec::position::conceal_max;
use crate::audiodec::position::place;
use crate::audiodec::resample::Resampler;
use crate::audiodec::stats::Stats;
use crate::samples::ns_of;
use crate::samples::position_at_ns;
use crate::timeline::Timeline;
use std::cell::Cell;
use std::ops::Range;
use std::thread::LocalKey;

/// So many corrupt packets in a row are no accident: the stream is not what its caps say.
pub(super) const CORRUPT_RUN_MAX: u32 = 50;

/// Longest comfort noise without a packet. libopus sends a packet at least every 20 frames of 20 ms while in DTX, so a
/// longer silence is not the encoder's.
const COMFORT_MAX_MS: u64 = 400;

/// Packets without a hole between them.
#[derive(Debug)]
struct Spurt {
    /// Time of its first packet.
    pts_ns: u64,
    /// Length so far of its packets and what stands for lost ones, in samples at the decode rate.
    n: u64,
    /// How many samples decoded audio is behind the packets.
    lag: usize,
    /// How many of these are still to be dropped.
    n_to_skip: usize,
    /// Recording position of the first that is not dropped, at the rate that comes out.
    start: i64,
    /// How many have come behind these.
    n_fed: u64,
    n_packets: u64,
    /// Comfort noise since the last packet.
    n_comfort: usize,
    /// How far its packets' times and its samples are apart.
    drift: Drift,
}

/// Decodes one track.
pub(super) struct Core {
    format: Format,
    codec: Codec,
    resampler: Resampler,
    opus_pre_skip: u32,
    /// Whether the stream's time-stamps have the codec's delay taken out already.
    is_lag_in_pts: bool,
    spurt: Option<Spurt>,
    before: Before,
    corrupt_run: u32,
    blocks: Blocks,
    /// The pauses of the recording.
    pauses: Timeline,
    /// The same where samples are not just those that a gate sees.
    widened: Timeline,
    /// Recording time of the first of `blocks`' times.
    running_ns: u64,
    stats: Stats,
    loudness: Loudness,
}

thread_local! {
    // What a packet becomes on its way, for all tracks of a thread: a hundred would else have a hundred in memory that
    // is not near. Empty while somebody has it.
    static DECODED: Cell<Vec<i16>> = const { Cell::new(Vec::new()) };
    static RESAMPLED: Cell<Vec<i16>> = const { Cell::new(Vec::new()) };
}

/// Returns an empty vector, with room if nobody else has it.
fn taken(scratch: &'static LocalKey<Cell<Vec<i16>>>) -> Vec<i16> {
    let mut samples = scratch.take();
    samples.clear();
    samples
}

impl Core {
    /// Returns a decoder of `format` to `rate_out` Hz; `opus_pre_skip` in samples at 48 kHz.
    pub(super) fn new(format: Format, rate_out: u32, opus_pre_skip: u32) -> Self {
        let codec = Codec::new(format, rate_out);
        Self {
            format,
            resampler: Resampler::new(codec.rate(), rate_out),
            codec,
            opus_pre_skip,
            is_lag_in_pts: false,
            spurt: None,
            before: Before::Nothing,
            corrupt_run: 0,
            blocks: Blocks::new(rate_out),
            pauses: Timeline::default(),
            widened: Timeline::default(),
            running_ns: 0,
            stats: Stats::default(),
            loudness: Loudness::default(),
        }
    }

    /// Goes over to another format or rate in mid-stream. The old one must have been finished and its blocks taken.
    pub(super) fn change(&mut self, format: Format, rate_out: u32) {
        self.codec = Codec::new(format, rate_out);
        self.resampler = Resampler::new(self.codec.rate(), rate_out);
        self.is_lag_in_pts &= self.format == format;
        self.format = format;
        self.corrupt_run = 0;
        self.blocks.change_rate(rate_out);
        self.set_pauses(self.pauses.clone());
    }

    /// Sets what is silence from here on, in recording time.
    pub(super) fn set_pauses(&mut self, pauses: Timeline) {
        self.widened = pauses.widened(self.blocks.rate());
        self.pauses = pauses;
    }

    /// Sets the assumed pre-skip of Opus without a header, from the next spurt on.
    pub(super) fn assume_pre_skip(&mut self, opus_pre_skip: u32) {
        self.opus_pre_skip = opus_pre_skip;
    }

    /// Begins a new timeline of which only `bounds_ns` is kept; its begin is at recording time `running_ns`. The old
    /// one must have been finished.
    pub(super) fn begin_timeline(&mut self, bounds_ns: Range<u64>, running_ns: u64) {
        self.running_ns = running_ns;
        self.blocks.begin_timeline(bounds_ns);
    }

    /// Begins another stream, whose sender may treat the codec's delay in another way. The old one must have been
    /// finished.
    pub(super) fn begin_stream(&mut self) {
        self.is_lag_in_pts = false;
    }

    /// Forgets time and codec state at once; nothing is drained. It is the same stream after that: whether its
    /// time-stamps have the codec's delay taken out is known only from its begin.
    pub(super) fn flush(&mut self) {
        self.codec.reset();
        self.resampler.reset();
        self.spurt = None;
        self.before = Before::Nothing;
        self.corrupt_run = 0;
        self.blocks.take();
        self.begin_timeline(0..u64::MAX, 0);
    }

    /// Returns the format that is decoded.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Takes the samples that are ready.
    pub(super) fn take(&mut self) -> Vec<Block> {
        self.blocks.take()
    }

    /// Returns the numbers so far.
    pub(super) fn stats(&self) -> Stats {
        let n_cut = self.stats.n_clipped + self.blocks.n_cut();
        let n_overlapping = self.stats.n_overlapping + self.blocks.n_overlapping();
        let drift_ppb = self.spurt.as_ref().map_or(0, |spurt| spurt.drift.ppb());
        let (n_disconts, heard_ns) = (self.blocks.n_disconts(), self.blocks.kept_ns());
        Stats { n_clipped: n_cut, n_overlapping, n_disconts, heard_ns, drift_ppb, ..self.stats }
    }

    /// Returns how loud it is now, in dBFS.
    pub(super) fn level_db(&self) -> f64 {
        self.loudness.db()
    }

    /// Returns by how much a sample may come later than the packet that holds it: the codec's and the resampler's
    /// look-ahead, also where that is not needed yet, the longest loss, which is concealed when the packet after it
    /// comes, and what samples may be before their packets' times. What is still inside when nothing follows comes with
    /// the next packet, gap or end, however late that is: a gap should say so in time.
    pub(super) fn delay_ns(&self) -> u64 {
        let rate = self.codec.rate();
        let n = self.lag() + self.resampler.look_ahead() + conceal_max(rate);
        ns_of(n as u64, rate) + APART_NS_MAX
    }

    /// Decodes a packet.
    pub(super) fn packet(&mut self, packet: &Packet<'_>) -> Result<(), TooManyCorrupt> {
        self.stats.n_packets += 1;
        let Some(n_coded) = self.codec.frames(packet.bytes) else { return self.corrupt() };
        let kept = self.kept(packet, n_coded);
        self.is_lag_in_pts |= kept.start > 0;
        let n_overlapping = match self.place(packet, kept.len()) {
            Place::Follows => 0,
            Place::Overlaps(n) => n,
            Place::AfterLoss(n) => self.conceal(n, packet.bytes),
            Place::AfterPause(n) => self.fill_pause(n, packet),
            Place::Elsewhere => self.begin_spurt(packet),
            Place::Past => {
                self.stats.n_overlapping += kept.len() as u64;
                return Ok(());
            }
        };
        self.follow(packet, kept.len(), n_overlapping);
        let mut decoded = taken(&DECODED);
        let is_decoded = self.codec.append(packet.bytes, &mut decoded);
        let outcome = match is_decoded {
            true => {
                self.accept(&mut decoded, kept, n_overlapping);
                Ok(())
            }
            false => self.corrupt(),
        };
        DECODED.set(decoded);
        outcome
    }

    /// Takes note of a time without packets.
    pub(super) fn gap(&mut self, pts_ns: u64, duration_ns: u64, before: Before) -> GapFate {
        let end_ns = pts_ns.saturating_add(duration_ns);
        let Some(expected_ns) = self.expected_ns() else { return self.empty(pts_ns, end_ns) };
        let rate = self.codec.rate();
        let n = usize::try_from(position_at_ns(end_ns.saturating_sub(expected_ns), rate)).unwrap_or(usize::MAX);
        match before {
            Before::Loss if n <= conceal_max(rate) => {
                self.before = Before::Loss;
                GapFate::Filled
            }
            Before::Nothing if n == 0 || self.codec.in_dtx() && self.comfort(n) == n => GapFate::Filled,
            Before::Loss | Before::Nothing => {
                self.finish();
                self.empty(pts_ns, end_ns)
            }
        }
    }

    /// A packet that comes too late by less than its length reaches into what follows: only that part is heard.
    fn empty(&mut self, pts_ns: u64, end_ns: u64) -> GapFate {
        self.blocks.tell_empty(end_ns);
        self.loudness.silent(end_ns.saturating_sub(pts_ns));
        GapFate::Empty { from_ns: pts_ns.max(self.blocks.free_ns()) }
    }

    /// Ends the spurt: emits what is still inside codec and resampler.
    pub(super) fn finish(&mut self) {
        let Some(lag) = self.spurt.as_ref().map(|spurt| spurt.lag) else { return };
        let mut tail = taken(&DECODED);
        self.codec.tail(lag, &mut tail);
        // G.722 has its last samples still inside; Opus makes them up.
        let n_invented = if matches!(self.format, Format::Opus { .. }) { tail.len() } else { 0 };
        self.feed(&mut tail, n_invented);
        DECODED.set(tail);
        self.spurt = None;
        self.before = Before::Nothing;
        let mut resampled = taken(&RESAMPLED);
        self.resampler.drain(&mut resampled);
        self.blocks.append(&resampled);
        RESAMPLED.set(resampled);
    }

    fn lag(&self) -> usize {
        self.format.lag(self.codec.rate(), self.opus_pre_skip)
    }

    /// The part of a packet's decoded samples that is left after clipping.
    fn kept(&self, packet: &Packet<'_>, n_coded: usize) -> Range<usize> {
        let samples = |ns| usize::try_from(position_at_ns(ns, self.codec.rate())).unwrap_or(usize::MAX).min(n_coded);
        let start = samples(packet.clip_start_ns);
        start..(n_coded - samples(packet.clip_end_ns)).max(start)
    }

    fn expected_ns(&self) -> Option<u64> {
        let spurt = self.spurt.as_ref()?;
        let length_ns = match self.resampler.is_corrected() {
            true => self.resampler.line().ns(spurt.n, self.blocks.rate()),
            false => ns_of(spurt.n, self.codec.rate()),
        };
        Some(spurt.pts_ns.saturating_add(length_ns))
    }

    /// Makes a packet's samples longer or shorter, so that the spurt keeps up with the times of its packets.
    fn follow(&mut self, packet: &Packet<'_>, n: usize, n_overlapping: usize) {
        let (Some(pts_ns), Some(expected_ns)) = (packet.pts_ns, self.expected_ns()) else { return };
        let Some(spurt) = &mut self.spurt else { return };
        let rate = self.codec.rate();
        let begin_ns = match n_overlapping {
            0 => pts_ns,
            n => pts_ns.saturating_add(ns_of(n as u64, rate)),
        };
        let late_ns = i64::try_from(i128::from(begin_ns) - i128::from(expected_ns)).unwrap_or(0);
        let length_ns = ((n - n_overlapping) as u64).saturating_mul(1_000_000_000) / u64::from(rate);
        let Some(ppb) = spurt.drift.observe(late_ns, length_ns) else { return };
        if !self.resampler.is_corrected() {
            // What has passed untouched comes into a filter now, and what is partly in a pause must not.
            let grid = Grid { start: spurt.start, line: self.resampler.line(), rate_out: self.blocks.rate() };
            let recent = self.resampler.recent();
            hush(&self.widened, grid, spurt.n_fed.saturating_sub(recent.len() as u64), 0, recent);
        }
        self.resampler.correct(ppb);
    }

    fn place(&mut self, packet: &Packet<'_>, n: usize) -> Place {
        let Some(mut expected_ns) = self.expected_ns() else { return Place::Elsewhere };
        let Some(pts_ns) = packet.pts_ns else { return Place::Follows };
        if self.is_lag_taken_out(pts_ns, expected_ns) {
            self.is_lag_in_pts = true;
            let rate = self.codec.rate();
            if let Some(spurt) = &mut self.spurt {
                spurt.n = spurt.n.saturating_sub(spurt.lag as u64);
                spurt.lag = 0;
                expected_ns = spurt.pts_ns.saturating_add(ns_of(spurt.n, rate));
            }
        }
        let before = if packet.is_discont { Before::Loss } else { self.before };
        place(Arrival { pts_ns, expected_ns, n, rate: self.codec.rate(), before })
    }

    /// Whether the second packet of a spurt comes too early by just the codec's delay: then the sender has taken it
    /// out of its time-stamps (GStreamer's `opusenc ! rtpopuspay` does), and it must not be taken out again.
    fn is_lag_taken_out(&self, pts_ns: u64, expected_ns: u64) -> bool {
        let Some(spurt) = &self.spurt else { return false };
        let early = position_at_ns(expected_ns.saturating_sub(pts_ns), self.codec.rate());
        let is_early_by_lag = spurt.lag > 0 && early.abs_diff(spurt.lag as u64) <= 1;
        matches!(self.format, Format::Opus { .. }) && spurt.n_packets == 1 && is_early_by_lag
    }

    /// Whether the timeline begins later than its first packet by just the codec's delay: then the container cuts it
    /// off (MP4's edit list does), and it must not be taken out again.
    fn is_lag_cut_off(&self, pts_ns: u64) -> bool {
        let cut_off = position_at_ns(self.blocks.start_ns().saturating_sub(pts_ns), self.codec.rate());
        let lag = self.lag() as u64;
        matches!(self.format, Format::Opus { .. }) && lag > 0 && cut_off.abs_diff(lag) <= 1
    }

    /// Begins a spurt at a packet; returns how much of the packet overlaps, which is nothing.
    fn begin_spurt(&mut self, packet: &Packet<'_>) -> usize {
        self.finish();
        let pts_ns = packet.pts_ns.unwrap_or_else(|| self.blocks.free_ns());
        // Samples before it that are behind their time by less than is corrected end where it begins: so it is behind
        // by as much, and nothing of it is lost.
        let pts_ns = match self.blocks.end_ns() {
            Some(end_ns) if (1..=SLACK_NS).contains(&end_ns.saturating_sub(pts_ns)) => end_ns,
            _ => pts_ns,
        };
        self.is_lag_in_pts |= self.is_lag_cut_off(pts_ns);
        let lag = if self.is_lag_in_pts { 0 } else { self.lag() };
        let start = self.recording_position(pts_ns);
        let begun = Spurt {
            pts_ns,
            n: 0,
            lag,
            n_to_skip: lag,
            start,
            n_fed: 0,
            n_packets: 0,
            n_comfort: 0,
            drift: Drift::default(),
        };
        self.spurt = Some(begun);
        self.blocks.go_to(pts_ns);
        0
    }

    /// Where a time of the stream is in the recording, in samples of what comes out.
    fn recording_position(&self, pts_ns: u64) -> i64 {
        let begin_ns = self.blocks.start_ns();
        let late_ns = self.running_ns.saturating_add(pts_ns.saturating_sub(begin_ns));
        let [late, early] = [late_ns, begin_ns.saturating_sub(pts_ns)].map(|ns| position_at_ns(ns, self.blocks.rate()));
        i64::try_from(late).unwrap_or(i64::MAX).saturating_sub_unsigned(early)
    }

    /// Fills a loss of `n` samples before the packet `next`; returns how much of that overlaps, which is nothing.
    fn conceal(&mut self, n: usize, next: &[u8]) -> usize {
        let mut filling = taken(&DECODED);
        let n_restored = self.codec.conceal(n, next, &mut filling);
        self.stats.n_fec_frames += u64::from(n_restored.is_some());
        let n_invented = n - n_restored.unwrap_or(0);
        self.stats.n_concealed += n_invented as u64;
        self.stats.concealed_ns += ns_of(n_invented as u64, self.codec.rate());
        self.go_on(&mut filling, n_invented);
        DECODED.set(filling);
        0
    }

    /// Fills a pause of `n` samples with noise if the sender is in DTX and it is not too long, else begins a new spurt;
    /// returns how much of the packet overlaps, which is nothing.
    fn fill_pause(&mut self, n: usize, packet: &Packet<'_>) -> usize {
        match self.codec.in_dtx() && self.comfort(n) == n {
            true => 0,
            false => self.begin_spurt(packet),
        }
    }

    /// Emits up to `n` samples of comfort noise; returns how many.
    fn comfort(&mut self, n: usize) -> usize {
        let Some(spurt) = &mut self.spurt else { return 0 };
        let n_max = (COMFORT_MAX_MS * u64::from(self.codec.rate()) / 1000) as usize;
        let n = n.min(n_max.saturating_sub(spurt.n_comfort));
        spurt.n_comfort += n;
        self.stats.n_comfort += n as u64;
        let mut noise = taken(&DECODED);
        self.codec.tail(n, &mut noise);
        self.go_on(&mut noise, n);
        DECODED.set(noise);
        n
    }

    fn accept(&mut self, decoded: &mut [i16], kept: Range<usize>, n_overlapping: usize) {
        self.before = Before::Nothing;
        self.corrupt_run = 0;
        self.stats.n_decoded += decoded.len() as u64;
        self.stats.n_clipped += (decoded.len() - kept.len()) as u64;
        self.stats.n_overlapping += n_overlapping as u64;
        if let Some(spurt) = &mut self.spurt {
            spurt.n_packets += 1;
            spurt.n_comfort = 0;
        }
        self.go_on(&mut decoded[kept.start + n_overlapping..kept.end], 0);
    }

    /// Counts a packet that could not be decoded. It is as good as lost: the next one tells how much to conceal.
    fn corrupt(&mut self) -> Result<(), TooManyCorrupt> {
        self.before = Before::Loss;
        self.stats.n_corrupt += 1;
        self.corrupt_run += 1;
        if self.corrupt_run < CORRUPT_RUN_MAX { Ok(()) } else { Err(TooManyCorrupt) }
    }

    /// Makes the spurt longer by `samples`, of which the first `n_invented` were made of what came before them.
    fn go_on(&mut self, samples: &mut [i16], n_invented: usize) {
        if let Some(spurt) = &mut self.spurt {
            spurt.n += samples.len() as u64;
        }
        self.feed(samples, n_invented);
    }

    fn feed(&mut self, samples: &mut [i16], n_invented: usize) {
        let Some(spurt) = &mut self.spurt else { return };
        let n_skipped = spurt.n_to_skip.min(samples.len());
        spurt.n_to_skip -= n_skipped;
        let samples = &mut samples[n_skipped..];
        let grid = Grid { start: spurt.start, line: self.resampler.line(), rate_out: self.blocks.rate() };
        let is_corrected = self.resampler.is_corrected();
        // What is resampled loses a sample rather than keep a part of one; what is not keeps those that a gate keeps.
        let is_resampled = is_corrected || self.codec.rate() != self.blocks.rate();
        let pauses = if is_resampled { &self.widened } else { &self.pauses };
        hush(pauses, grid, spurt.n_fed, n_invented.saturating_sub(n_skipped), samples);
        self.loudness.heard(samples, self.codec.rate());
        spurt.n_fed += samples.len() as u64;
        self.stats.n_corrected += if is_corrected { samples.len() as u64 } else { 0 };
        let mut resampled = taken(&RESAMPLED);
        self.resampler.push(samples, &mut resampled);
        self.blocks.append(&resampled);
        RESAMPLED.set(resampled);
    }
}

const _: () = assert!(CONCEAL_MAX_MS as u64 <= COMFORT_MAX_MS);

#[cfg(test)]
mod tests;
