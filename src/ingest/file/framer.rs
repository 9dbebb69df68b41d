//! Buffers as demuxers give them into frames: counted, short, contiguous. Does no I/O and waits for nothing.

use crate::engine::Frame;
use crate::ingest::file::count::Counter;
use crate::media::opus;
use gst::ClockTime;
use gst_audio::AudioClippingMeta;
use std::collections::VecDeque;

/// Longest frame of what can be cut, the length of a worker's tick. Demuxers give up to 512 ms of G.711 in one buffer.
const FRAME_MAX: ClockTime = ClockTime::from_mseconds(100);

/// Length of an Opus packet before any valid one was seen (20 ms, what nearly all encoders make).
const PACKET_SAMPLES_DEFAULT: u64 = 960;

/// How samples lie in the bytes of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// No caps have come.
    Unknown,
    /// Every `unit_bytes` are `unit_samples` samples (per channel).
    Even { unit_bytes: usize, unit_samples: u64 },
    /// One packet of its own length each; `skip` samples are still to be thrown away before the first audible one.
    Opus { skip: u64, samples_before: u64 },
}

/// Makes frames of one track.
#[derive(Debug)]
pub(super) struct Framer {
    /// Of what was put in last; empty before.
    caps: gst::Caps,
    layout: Layout,
    counter: Counter,
    ready: VecDeque<Frame>,
}

impl Framer {
    /// Starts a track whose file declares a length.
    pub(super) fn new(declared: Option<ClockTime>) -> Self {
        let caps = gst::Caps::new_empty();
        Self { caps, layout: Layout::Unknown, counter: Counter::new(opus::RATE, declared), ready: VecDeque::new() }
    }

    pub(super) fn caps(&self) -> &gst::Caps {
        &self.caps
    }

    /// Returns media time after everything that was put in.
    pub(super) fn position(&self) -> ClockTime {
        self.counter.position()
    }

    /// Returns the next frame, if one is ready.
    pub(super) fn take(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// Returns whether [`Self::take`] has a frame.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes in what came out of the file. The first `lead` of it is not part of the track, says the container.
    pub(super) fn put(&mut self, buffer: gst::Buffer, caps: gst::Caps, lead: ClockTime) {
        if self.caps != caps {
            self.change(caps, lead);
        }
        match self.layout {
            Layout::Unknown => {}
            Layout::Even { unit_bytes, unit_samples } => self.put_even(buffer, unit_bytes, unit_samples),
            Layout::Opus { skip, samples_before } => self.put_packet(buffer, skip, samples_before),
        }
    }

    /// Goes on with other media. Caps that are no track's cannot pass the sink's filter.
    fn change(&mut self, caps: gst::Caps, lead: ClockTime) {
        self.caps = caps;
        let Some((layout, rate)) = layout(&self.caps) else { return };
        self.counter.set_rate(rate);
        self.layout = match (layout, self.layout) {
            // The same stream, with other tags.
            (Layout::Opus { .. }, layout @ Layout::Opus { .. }) => layout,
            // MP4 has no Opus header, but an edit list.
            (Layout::Opus { samples_before, .. }, _) => {
                Layout::Opus { skip: pre_skip(&self.caps).unwrap_or(self.counter.samples_in(lead)), samples_before }
            }
            (layout, _) => layout,
        };
    }

    fn put_even(&mut self, buffer: gst::Buffer, unit_bytes: usize, unit_samples: u64) {
        let units_max = match self.counter.samples_in(FRAME_MAX) / unit_samples {
            0 => 1,
            units => units as usize,
        };
        let mut file_time = buffer.pts();
        let mut rest = 0..buffer.size() / unit_bytes * unit_bytes;
        while !rest.is_empty() {
            let end = rest.end.min(rest.start + units_max * unit_bytes);
            let part = match (rest.start, end) {
                (0, end) if end == buffer.size() => buffer.clone(),
                (start, end) => {
                    let part = buffer.copy_region(gst::BufferCopyFlags::MEMORY, start..end);
                    part.expect("the part lies within the buffer")
                }
            };
            let units = (end - rest.start) / unit_bytes;
            self.finish(part, units as u64 * unit_samples, file_time.take());
            rest.start = end;
        }
    }

    fn put_packet(&mut self, buffer: gst::Buffer, skip: u64, samples_before: u64) {
        let Ok(packet) = buffer.map_readable() else { return };
        if opus::is_header(&packet) {
            // A header in the stream begins a new one, as in Ogg files that were put one behind the other.
            let skip = opus::pre_skip(&packet).unwrap_or(skip);
            self.layout = Layout::Opus { skip, samples_before };
            return;
        }
        // A damaged packet is the decoder's to conceal, for as long as the packet before it was.
        let samples = opus::packet_samples(&packet).unwrap_or(samples_before);
        drop(packet);

        let clip_start = skip.min(samples);
        let clip_end = end_clip(&buffer).min(samples - clip_start);
        self.layout = Layout::Opus { skip: skip - clip_start, samples_before: samples };

        let mut buffer = buffer;
        let writable = buffer.make_mut();
        if let Some(meta) = writable.meta_mut::<AudioClippingMeta>() {
            // A meta that was put there by the demuxer cannot fail to be removed: it is neither locked nor pooled.
            let _ = meta.remove();
        }
        if clip_start + clip_end > 0 {
            AudioClippingMeta::add(
                writable,
                gst::format::Default::from_u64(clip_start),
                gst::format::Default::from_u64(clip_end),
            );
        }
        let file_time = buffer.pts();
        self.finish(buffer, samples - clip_start - clip_end, file_time);
    }

    fn finish(&mut self, mut buffer: gst::Buffer, samples: u64, file_time: Option<ClockTime>) {
        let span = self.counter.count(samples, file_time);
        let writable = buffer.make_mut();
        writable.set_pts(span.pts);
        writable.set_dts(None);
        writable.set_duration(span.duration);
        writable.set_offset(u64::MAX);
        writable.set_offset_end(u64::MAX);
        match span.after_hole {
            true => writable.set_flags(gst::BufferFlags::DISCONT),
            false => writable.unset_flags(gst::BufferFlags::DISCONT),
        }
        self.ready.push_back(Frame { buffer, caps: self.caps.clone() });
    }
}

/// Samples at 48 kHz that the container takes off the end of this packet.
fn end_clip(buffer: &gst::Buffer) -> u64 {
    let end = buffer.meta::<AudioClippingMeta>().map(|meta| meta.end());
    match end {
        Some(gst::GenericFormattedValue::Default(Some(samples))) => *samples,
        _ => 0,
    }
}

fn layout(caps: &gst::Caps) -> Option<(Layout, u32)> {
    let s = caps.structure(0)?;
    let rate = s.get::<i32>("rate").ok().and_then(|rate| u32::try_from(rate).ok()).filter(|rate| *rate > 0);
    let channels = s.get::<i32>("channels").ok().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let even = |unit_bytes, unit_samples| Layout::Even { unit_bytes, unit_samples };
    match s.name().as_str() {
        "audio/x-opus" => Some((Layout::Opus { skip: 0, samples_before: PACKET_SAMPLES_DEFAULT }, opus::RATE)),
        "audio/x-raw" => Some((even(2 * channels?, 1), rate?)),
        "audio/x-mulaw" | "audio/x-alaw" => Some((even(channels?, 1), rate?)),
        // One byte is two samples, whatever clock a container writes beside it (RTP's is 8000).
        "audio/G722" => Some((even(1, 2), 16_000)),
        _ => None,
    }
}

/// Pre-skip of the identification header in the caps.
fn pre_skip(caps: &gst::Caps) -> Option<u64> {
    let headers = caps.structure(0)?.get::<gst::Array>("streamheader").ok()?;
    let head = headers.first()?.get::<gst::Buffer>().ok()?;
    opus::pre_skip(&head.map_readable().ok()?)
}
