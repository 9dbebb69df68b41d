//! Sample positions and sample memory: where a time stands on the sample grid, and buffers seen as samples.
//!
//! Pure. A position is counted from recording (or recorded) time zero; a time is never added up from durations.

use std::borrow::Cow;

use gst::prelude::*;

/// Bytes of one sample: all audio inside a graph is S16LE.
pub const SAMPLE_BYTES: usize = 2;

/// What the caps of raw audio say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Samples per second.
    pub rate: u32,
    /// Samples in one frame, one for each channel.
    pub channels: u32,
    /// Bytes of one sample on one channel.
    pub sample_bytes: usize,
}

impl Format {
    /// Reads raw audio caps of any format; None where they are something else.
    pub fn from_caps(caps: &gst::CapsRef) -> Option<Self> {
        let s = caps.structure(0).filter(|s| s.name() == "audio/x-raw")?;
        let number = |name| s.get::<i32>(name).ok().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        let format: gst_audio::AudioFormat = s.get::<&str>("format").ok()?.parse().ok()?;
        let sample_bytes = gst_audio::AudioFormatInfo::from_format(format).width() as usize / 8;
        Some(Self { rate: number("rate")?, channels: number("channels")?, sample_bytes }).filter(|_| sample_bytes > 0)
    }

    /// Reads the caps of audio inside a graph; None where they are something else, such as other raw audio.
    pub fn from_graph_caps(caps: &gst::CapsRef) -> Option<Self> {
        let text = |name| caps.structure(0).and_then(|s| s.get::<&str>(name).ok());
        Self::from_caps(caps).filter(|_| text("format") == Some("S16LE") && text("layout") == Some("interleaved"))
    }

    /// Bytes of one sample on all channels.
    pub fn frame_bytes(self) -> usize {
        self.channels as usize * self.sample_bytes
    }
}

/// Returns the position of the sample nearest to `time` at `rate` samples per second, `u64::MAX` where that is more.
pub fn position_at(time: gst::ClockTime, rate: u32) -> u64 {
    position_at_ns(time.nseconds(), rate)
}

/// As [`position_at`], of nanoseconds; `u64::MAX` where a position cannot say it.
pub(crate) fn position_at_ns(time_ns: u64, rate: u32) -> u64 {
    time_ns.mul_div_round(u64::from(rate), gst::ClockTime::SECOND.nseconds()).unwrap_or(u64::MAX)
}

/// Returns the time at which the sample at `position` begins, rounded down to the nanosecond; the latest that there is
/// where it is beyond.
///
/// [`position_at`] of the result is `position` again for all rates up to 500 MHz.
pub fn time_of(position: u64, rate: u32) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(ns_of(position, rate))
}

/// As [`time_of`], in nanoseconds.
pub(crate) fn ns_of(position: u64, rate: u32) -> u64 {
    let max = gst::ClockTime::MAX.nseconds();
    let time_ns = position.mul_div_floor(gst::ClockTime::SECOND.nseconds(), u64::from(rate));
    time_ns.map_or(max, |time_ns| time_ns.min(max))
}

/// Returns bytes as S16LE samples, without a copy where the memory is aligned; an odd last byte is left out.
pub fn as_samples(bytes: &[u8]) -> Cow<'_, [i16]> {
    let whole = &bytes[..bytes.len() - bytes.len() % SAMPLE_BYTES];
    match bytemuck::try_cast_slice(whole) {
        Ok(samples) if cfg!(target_endian = "little") => Cow::Borrowed(samples),
        _ => Cow::Owned(whole.chunks_exact(SAMPLE_BYTES).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()),
    }
}

/// Samples that lend themselves to a buffer as bytes.
struct Block(Vec<i16>);

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl AsMut<[u8]> for Block {
    fn as_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// Returns a buffer that owns `samples` (interleaved, `channels` per frame) from `position` on.
///
/// PTS and duration are exact: the end of one buffer is the begin of the next.
pub fn buffer_of(samples: Vec<i16>, channels: u32, position: u64, rate: u32) -> gst::Buffer {
    let frames = samples.len() as u64 / u64::from(channels.max(1));
    let mut buffer = gst::Buffer::from_mut_slice(Block(samples));
    if let Some(buffer) = buffer.get_mut() {
        stamp(buffer, position, frames, rate);
    }
    buffer
}

/// Returns the part of `buffer` from frame `from` to frame `to`, sharing its memory, stamped to begin at `position`.
///
/// `frame_bytes` is the size of one sample on all channels. None when the range is not inside the buffer. What the
/// buffer says of its media goes with each part; that it does not follow the one before it, with its first alone.
pub fn region(
    buffer: &gst::BufferRef,
    frame_bytes: usize,
    range: std::ops::Range<u64>,
    position: u64,
    rate: u32,
) -> Option<gst::Buffer> {
    let bytes = range.start as usize * frame_bytes..range.end as usize * frame_bytes;
    let what = gst::BufferCopyFlags::MEMORY | gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::META;
    let mut part = buffer.copy_region(what, bytes).ok()?;
    let fields = part.get_mut()?;
    if range.start > 0 {
        fields.unset_flags(gst::BufferFlags::DISCONT | gst::BufferFlags::RESYNC);
    }
    stamp(fields, position, range.end - range.start, rate);
    Some(part)
}

/// Sets PTS and duration of `frames` samples that begin at `position`.
pub fn stamp(buffer: &mut gst::BufferRef, position: u64, frames: u64, rate: u32) {
    let start = time_of(position, rate);
    buffer.set_pts(start);
    buffer.set_duration(time_of(position.saturating_add(frames), rate).saturating_sub(start));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_position_comes_back_from_its_time(rate in 1u32..768_000, s in 0u64..(1 << 30), more in any::<u64>()) {
            let position = s * u64::from(rate) + more % u64::from(rate);
            prop_assert_eq!(position_at(time_of(position, rate), rate), position);
        }
    }

    #[test]
    fn no_time_is_too_late_for_arithmetic() {
        gst::init().unwrap();
        for rate in [1, 48_000, i32::MAX as u32] {
            let position = position_at(gst::ClockTime::MAX, rate);
            let mut buffer = gst::Buffer::new();
            stamp(buffer.get_mut().unwrap(), position, 320, rate);
            assert!(buffer.pts().is_some() && buffer.duration().is_some(), "{rate}");
            assert_eq!(time_of(u64::MAX, 1), gst::ClockTime::MAX);
        }
    }

    #[test]
    fn unaligned_memory_reads_the_same() {
        let bytes: Vec<u8> = (0..33).collect();
        let expected: Vec<i16> = bytes[1..33].chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(as_samples(&bytes[1..]).as_ref(), expected);
        assert_eq!(as_samples(&bytes[1..32]).as_ref(), &expected[..15]);
    }
}
