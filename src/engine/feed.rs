//! A track in a recording: where it begins, where it ends, what of it is due.

use gstreel::samples::{SAMPLE_BYTES, position_at};

use crate::engine::{Frame, Packets, Pulled as Next, Track, TrackError};
use crate::media::Hole;

/// Clipping of Opus is counted in samples at 48 kHz, whatever was encoded; that of G.722 at its own rate, which its
/// caps do not tell.
const OPUS_RATE: u32 = 48_000;
const G722_RATE: u32 = 16_000;

/// Frames that are due, of one caps.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) caps: gst::Caps,
    pub(super) frames: gst::BufferList,
}

/// What a track gave for a tick.
#[derive(Debug, Default)]
pub(super) struct Pulled {
    /// Frames stamped in recording time.
    pub(super) due: Vec<Due>,
    /// What went wrong on the way, and where.
    pub(super) errors: Vec<(gst::ClockTime, TrackError)>,
}

/// A stretch without media.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    pub(super) start: gst::ClockTime,
    pub(super) duration: gst::ClockTime,
    /// Whether something was lost there.
    pub(super) hole: Hole,
}

/// A track that is being recorded.
pub(super) struct Feed {
    track: Box<dyn Track>,
    /// Recording time of its first sample.
    joined: gst::ClockTime,
    /// Recording time from which on nothing of it is recorded.
    until: gst::ClockTime,
    /// Read, but not due yet.
    next: Option<Frame>,
    /// Recording time after the last frame that was due.
    end: gst::ClockTime,
    /// Recording time up to which the branch has been told what there is, and what there is not.
    told: gst::ClockTime,
    /// What has been read and not been taken.
    pulled: Option<Pulled>,
    ended: bool,
    /// It has ended for now: its sender has said goodbye.
    gone: bool,
    /// What is known of the time after the last frame.
    hole: Hole,
}

impl Feed {
    pub(super) fn new(track: Box<dyn Track>, joined: gst::ClockTime, until: Option<gst::ClockTime>) -> Self {
        let until = until.unwrap_or(gst::ClockTime::MAX);
        Self {
            track,
            joined,
            until,
            next: None,
            end: joined,
            told: joined,
            pulled: None,
            ended: false,
            gone: false,
            hole: Hole::Pause,
        }
    }

    /// Nothing more will come.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Nothing more will come, as far as is known now.
    pub(super) fn is_over(&self) -> bool {
        self.ended || self.gone
    }

    /// Recording time after its last sample so far.
    pub(super) fn end(&self) -> gst::ClockTime {
        self.end
    }

    /// Returns the recording time from the join to what the branch has been told of, to the leave at most, where all
    /// before `now` is recorded.
    pub(super) fn span(&self, now: gst::ClockTime) -> gst::ClockTime {
        self.told.min(now).max(self.end).min(self.until).saturating_sub(self.joined)
    }

    /// Returns where nothing comes before `horizon`: what a decoder or a filter still holds of the sound before it must
    /// not wait for the sound after it. Call it after [`Self::take`].
    pub(super) fn gap(&mut self, horizon: gst::ClockTime) -> Option<Gap> {
        let start = self.told.max(self.end);
        self.told = start.max(horizon);
        (start < horizon).then(|| Gap { start, duration: horizon - start, hole: self.hole })
    }

    /// Returns up to when all that arrived is here, in ns of the monotonic clock; None where nothing is on its way.
    pub(super) fn read_ns(&self) -> Option<i64> {
        self.track.read_ns()
    }

    /// Returns what became of the track's packets, if it is made of any.
    pub(super) fn packets(&self) -> Option<Packets> {
        self.track.packets()
    }

    /// Reads all frames that begin before `horizon` (recording time).
    pub(super) fn pull(&mut self, horizon: gst::ClockTime) {
        if self.ended {
            return;
        }
        let mut pulled = self.pulled.take().unwrap_or_default();
        let until = horizon.min(self.until).saturating_sub(self.joined).into();
        (self.hole, self.gone) = (Hole::Pause, false);
        while !self.ended {
            let frame =
                match self.next.take().map_or_else(|| self.track.next_frame(until), |frame| Ok(Next::Frame(frame))) {
                    Ok(Next::Frame(frame)) => frame,
                    Ok(Next::NotYet(hole)) => {
                        self.hole = hole;
                        break;
                    }
                    Ok(Next::Gone) => {
                        self.gone = true;
                        break;
                    }
                    Ok(Next::End) => {
                        self.ended = true;
                        break;
                    }
                    Err(error) => {
                        self.ended = error.fatal;
                        pulled.errors.push((self.end, error));
                        continue;
                    }
                };
            let start = self.joined + frame.buffer.pts().unwrap_or_default();
            if start >= horizon && start < self.until {
                self.next = Some(frame);
                break;
            }
            match self.place(frame, start) {
                Some(frame) => push(&mut pulled.due, frame),
                None => self.ended = true,
            }
        }
        self.pulled = Some(pulled);
    }

    /// Returns what has been read since the last call; None where the track had ended before.
    pub(super) fn take(&mut self) -> Option<Pulled> {
        self.pulled.take()
    }

    /// Stamps a frame in recording time, cut where the track is to end; None beyond that.
    fn place(&mut self, frame: Frame, start: gst::ClockTime) -> Option<Frame> {
        let Frame { mut buffer, caps } = frame;
        let end = start + buffer.duration().unwrap_or_default();
        if start >= self.until {
            return None;
        }
        if end > self.until {
            buffer = self.cut(buffer, &caps, start, end)?;
        }
        self.end = end.min(self.until);
        let duration = self.end - start;
        let stamped = buffer.make_mut();
        stamped.set_pts(start);
        stamped.set_dts(gst::ClockTime::NONE);
        stamped.set_duration(duration);
        Some(Frame { buffer, caps })
    }

    /// Leaves of a frame from `start` to `end` what stands before the sample nearest to the leave: samples where it is
    /// made of them, by a clipping meta where it is encoded. None where that is nothing.
    fn cut(
        &self,
        buffer: gst::Buffer,
        caps: &gst::Caps,
        start: gst::ClockTime,
        end: gst::ClockTime,
    ) -> Option<gst::Buffer> {
        let s = caps.structure(0);
        let number = |field| s.and_then(|s| s.get::<i32>(field).ok()).unwrap_or(1).max(1) as u32;
        let (rate, channels) = (number("rate"), number("channels") as usize);
        // Counted as the decoder does: from the sample nearest to the join.
        let in_track = |time: gst::ClockTime, rate| position_at(time - self.joined, rate);
        let kept = |rate| {
            let until = position_at(self.until, rate).saturating_sub(position_at(self.joined, rate));
            until.saturating_sub(in_track(start, rate))
        };
        let by_bytes = |sample_bytes: usize| {
            let bytes = buffer.size().min(kept(rate) as usize * sample_bytes);
            (bytes > 0).then(|| buffer.copy_region(gst::BufferCopyFlags::all(), 0..bytes).ok()).flatten()
        };
        let by_clipping = |rate| {
            let (kept, all) = (kept(rate), in_track(end, rate) - in_track(start, rate));
            (kept > 0).then(|| clip_end(buffer.clone(), all.saturating_sub(kept)))
        };
        match s.map(|s| s.name().as_str()) {
            Some("audio/x-raw") => by_bytes(channels * SAMPLE_BYTES),
            Some("audio/x-mulaw" | "audio/x-alaw") => by_bytes(channels),
            Some("audio/G722") => by_clipping(G722_RATE),
            _ => by_clipping(OPUS_RATE),
        }
    }
}

fn push(due: &mut Vec<Due>, frame: Frame) {
    if due.last().is_none_or(|last| last.caps != frame.caps) {
        due.push(Due { caps: frame.caps, frames: gst::BufferList::new() });
    }
    if let Some(frames) = due.last_mut().and_then(|last| last.frames.get_mut()) {
        frames.add(frame.buffer);
    }
}

/// Takes the last `excess` samples of an encoded frame away, counted at the rate of its codec.
fn clip_end(mut buffer: gst::Buffer, excess: u64) -> gst::Buffer {
    let buffer_mut = buffer.make_mut();
    let clipped = |meta: &gst_audio::AudioClippingMeta| (meta.start().value() as u64, meta.end().value() as u64);
    let (start, end) = buffer_mut.meta::<gst_audio::AudioClippingMeta>().map_or((0, 0), |meta| clipped(&meta));
    if let Some(meta) = buffer_mut.meta_mut::<gst_audio::AudioClippingMeta>() {
        let _ = meta.remove();
    }
    let (start, end) = (gst::format::Default::from_u64(start), gst::format::Default::from_u64(end + excess));
    gst_audio::AudioClippingMeta::add(buffer_mut, start, end);
    buffer
}
