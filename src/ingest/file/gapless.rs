//! What an MP3 file says of the silence that its encoder put around the sound.
//!
//! GStreamer 1.22 reads that of tags by LAME, and takes the silence out. Those of others (ffmpeg writes `Lavc`) it does
//! not know, and what is said in such a file would be heard 23 to 47 ms late, in a pause too.

use crate::ingest::file::promise::mp3_start;
use gst::ClockTime;
use gstreel::formats::mp3::InfoTag;
use gstreel::samples::SAMPLE_BYTES;
use gstreel::samples::time_of;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::ops::Range;

/// Samples by which every decoder is late (as LAME counts: its tag has the encoder's delay only).
const DECODER_DELAY: u64 = 529;

/// No frame of MP3 is longer.
const FRAME_BYTES_MAX: u64 = 1_441;

/// The sound among the samples that are decoded of a file.
#[derive(Debug)]
pub(super) struct Gapless {
    kept: Range<u64>,
    /// Samples decoded so far.
    n: u64,
}

/// The creator whose tags GStreamer reads.
const KNOWN: &[u8] = b"LAME";

/// Reads the tag in the first frame of an MP3 file; None where it does not tell or is known to GStreamer, and of any
/// other file.
pub(super) fn read(file: &mut (impl Read + Seek)) -> io::Result<Option<Gapless>> {
    let (mut magic, mut frame) = (Vec::new(), Vec::new());
    file.rewind()?;
    file.by_ref().take(12).read_to_end(&mut magic)?;
    let Some(start) = magic.first_chunk().and_then(mp3_start) else { return Ok(None) };
    file.seek(SeekFrom::Start(start))?;
    file.take(FRAME_BYTES_MAX).read_to_end(&mut frame)?;
    let Some(tag) = InfoTag::parse(&frame).filter(|tag| tag.delay > 0) else { return Ok(None) };
    let frame = &frame[..frame.len().min(tag.header.size())];
    let is_known = frame.windows(KNOWN.len()).any(|window| window == KNOWN);
    Ok((!is_known).then(|| Gapless { kept: kept(&tag), n: 0 }))
}

impl Gapless {
    /// Takes the next raw audio (S16LE) and returns what of it is sound, in the time of the sound.
    pub(super) fn cut(&mut self, buffer: gst::Buffer, caps: &gst::CapsRef) -> Option<gst::Buffer> {
        let number = |field| caps.structure(0).and_then(|s| s.get::<i32>(field).ok()).unwrap_or(1).max(1) as u32;
        let (rate, frame_bytes) = (number("rate"), number("channels") as usize * SAMPLE_BYTES);
        let begin = self.n;
        self.n += (buffer.size() / frame_bytes) as u64;
        let sound = self.kept.start.max(begin)..self.kept.end.min(self.n);
        if sound.is_empty() {
            return None;
        }
        let bytes = (sound.start - begin) as usize * frame_bytes..(sound.end - begin) as usize * frame_bytes;
        let mut cut = buffer.copy_region(gst::BufferCopyFlags::all(), bytes).ok()?;
        let lead = |n: u64| time_of(n, rate);
        let pts = buffer.pts().map(|pts| (pts + lead(sound.start - begin)).saturating_sub(lead(self.kept.start)));
        let cut_mut = cut.make_mut();
        cut_mut.set_pts(pts);
        cut_mut.set_duration(ClockTime::NONE);
        Some(cut)
    }
}

fn kept(tag: &InfoTag) -> Range<u64> {
    let start = u64::from(tag.delay) + DECODER_DELAY;
    let decoded = tag.counts.map(|counts| u64::from(counts.frames) * u64::from(tag.header.samples()));
    let around = u64::from(tag.delay) + u64::from(tag.padding);
    start..decoded.map_or(u64::MAX, |decoded| start + decoded.saturating_sub(around))
}
