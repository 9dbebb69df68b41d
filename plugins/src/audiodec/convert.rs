//! Between GStreamer's gaps, segments, metas and buffers and the numbers that `core` goes by.

use std::ops::Range;

use crate::audiodec::blocks::Block;
use crate::samples;

/// The part of a gap from `from` on; `None` where nothing is left of it.
pub(super) fn rest(gap: &gst::event::Gap, from: gst::ClockTime) -> Option<gst::Event> {
    let (pts, duration) = gap.get();
    if from <= pts {
        return Some(gap.to_owned().into());
    }
    let left = duration.and_then(|duration| pts.saturating_add(duration).checked_sub(from));
    let left = left.filter(|left| !left.is_zero())?;
    let rest = gst::event::Gap::builder(from).duration(left).gap_flags(gap.gap_flags()).seqnum(gap.seqnum());
    Some(rest.build())
}

/// Length that a clipping meta tells; nothing in a format that is neither time nor samples.
pub(super) fn length_ns(value: gst::GenericFormattedValue, clock_rate: u32) -> u64 {
    match value {
        gst::GenericFormattedValue::Time(Some(time)) => time.nseconds(),
        gst::GenericFormattedValue::Default(Some(n)) => samples::ns_of(*n, clock_rate),
        _ => 0,
    }
}

/// The times of a segment; all where there is none.
pub(super) fn bounds_ns(segment: Option<&gst::FormattedSegment<gst::ClockTime>>) -> Range<u64> {
    let start = segment.and_then(|segment| segment.start()).map_or(0, gst::ClockTime::nseconds);
    let stop = segment.and_then(|segment| segment.stop()).map_or(u64::MAX, gst::ClockTime::nseconds);
    start..stop.max(start)
}

/// The recording time at which the segment begins.
pub(super) fn running_ns(segment: Option<&gst::FormattedSegment<gst::ClockTime>>) -> u64 {
    segment.and_then(|segment| segment.to_running_time(segment.start())).map_or(0, gst::ClockTime::nseconds)
}

/// A block as it is pushed.
pub(super) fn buffer(block: Block, rate: u32) -> gst::Buffer {
    let mut buffer = samples::buffer_of(block.samples, 1, block.index, rate);
    if block.is_discont {
        buffer.make_mut().set_flags(gst::BufferFlags::DISCONT);
    }
    buffer
}
