//! Counts the frames of an MP3 stream that comes in slices of any size, without keeping any of it.

use crate::formats::mp3::FrameHeader;

/// CRC-16/ARC, the one that LAME's tag holds of the audio and of itself.
pub(super) static CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_ARC);

/// Frame positions that are kept, two for each entry of a table of contents at least: 4 KiB.
const POSITIONS_MAX: usize = 512;

/// Whether every frame has the same bit rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bitrate {
    /// It has, so far.
    Constant,
    /// Two frames differ.
    Variable,
}

/// What an info tag must tell of the frames behind it, gathered while they pass.
///
/// Bytes between frames are skipped and counted; the stream ends for it behind its last whole frame. All counts are the
/// same for every way to cut the stream into slices.
#[derive(Clone)]
pub struct FrameCounter {
    /// The bytes gathered of a header, `pending` of them.
    header: [u8; FrameHeader::LEN],
    pending: usize,
    /// Bytes of the frame begun that are still to come; 0 between frames.
    left: usize,
    begun_at: u64,
    received: u64,
    skipped: u64,
    frames: u64,
    end: u64,
    /// What all frames go with, where that was known before.
    kind: Option<FrameHeader>,
    first: Option<FrameHeader>,
    /// Another frame of its kind has followed the first at its end: it is no accident.
    is_sure: bool,
    bitrate: Bitrate,
    positions: Positions,
    digest: crc::Digest<'static, u16>,
    crc: u16,
}

impl std::fmt::Debug for FrameCounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameCounter")
            .field("first", &self.first)
            .field("frames", &self.frames)
            .field("end", &self.end)
            .field("received", &self.received)
            .field("skipped", &self.skipped)
            .field("bitrate", &self.bitrate)
            .finish_non_exhaustive()
    }
}

impl Default for FrameCounter {
    fn default() -> Self {
        Self {
            header: [0; FrameHeader::LEN],
            pending: 0,
            left: 0,
            begun_at: 0,
            received: 0,
            skipped: 0,
            frames: 0,
            end: 0,
            kind: None,
            first: None,
            is_sure: false,
            bitrate: Bitrate::Constant,
            positions: Positions { stride: 1, list: Vec::new() },
            digest: CRC.digest(),
            crc: CRC.checksum(&[]),
        }
    }
}

impl FrameCounter {
    /// Returns a counter of frames that go with `kind`, such as their info tag's; others belong to no frame.
    pub fn of(kind: FrameHeader) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let wanted = if self.left > 0 { self.left } else { FrameHeader::LEN - self.pending };
            let (taken, rest) = bytes.split_at(wanted.min(bytes.len()));
            self.digest.update(taken);
            self.received += taken.len() as u64;
            bytes = rest;
            if self.left > 0 {
                self.take_body(taken.len());
            } else {
                self.take_header(taken);
            }
        }
    }

    fn take_body(&mut self, len: usize) {
        self.left -= len;
        if self.left == 0 {
            self.positions.push(self.frames, self.begun_at);
            self.frames += 1;
            self.end = self.received;
            self.crc = self.digest.clone().finalize();
        }
    }

    fn take_header(&mut self, bytes: &[u8]) {
        self.header[self.pending..self.pending + bytes.len()].copy_from_slice(bytes);
        self.pending += bytes.len();
        if self.pending < FrameHeader::LEN {
            return;
        }
        let begun_at = self.received - FrameHeader::LEN as u64;
        let Some(header) = FrameHeader::parse(&self.header).ok().filter(|header| self.takes(*header)) else {
            self.header.copy_within(1.., 0);
            self.pending -= 1;
            self.skipped += 1;
            return;
        };
        match self.first {
            Some(first) if first.goes_with(header) => self.is_sure |= begun_at == self.end,
            Some(_) => self.forget_first(begun_at),
            None => {}
        }
        if self.first.get_or_insert(header).bitrate() != header.bitrate() {
            self.bitrate = Bitrate::Variable;
        }
        self.begun_at = begun_at;
        self.pending = 0;
        self.left = header.size() - FrameHeader::LEN;
    }

    /// Tells whether a frame of this header can be one of the stream. Four bytes in a picture or a name may look like a
    /// header: as long as nothing has followed it, the first one decides nothing.
    fn takes(&self, header: FrameHeader) -> bool {
        let known = self.kind.or(self.first.filter(|_| self.is_sure));
        known.is_none_or(|known| known.goes_with(header))
    }

    /// Begins at `at`, behind what only looked like frames.
    fn forget_first(&mut self, at: u64) {
        (self.first, self.frames, self.skipped, self.bitrate) = (None, 0, at, Bitrate::Constant);
        self.positions = Positions { stride: 1, list: Vec::new() };
    }

    /// Returns the number of whole frames.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Returns the offset in bytes behind the last whole frame; what has come after it is torn or no frame.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Returns the bytes taken so far.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Returns the bytes that belonged to no frame.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Returns the header of the first frame, as soon as it has come.
    pub const fn first(&self) -> Option<FrameHeader> {
        self.first
    }

    /// Returns whether the frames so far, a torn one included, have one bit rate.
    pub const fn bitrate(&self) -> Bitrate {
        self.bitrate
    }

    /// Returns the CRC-16 of all bytes up to [`Self::end`].
    pub const fn crc(&self) -> u16 {
        self.crc
    }

    /// Returns the table of contents of a file that has `lead` bytes before these frames.
    ///
    /// Entry i is where i percent of the frames have passed, in 256ths of the file's bytes (Xing's header SDK 1.0).
    pub fn toc(&self, lead: u64) -> [u8; 100] {
        let total = lead + self.end;
        std::array::from_fn(|percent| {
            let frame = self.frames * percent as u64 / 100;
            let offset = lead + self.positions.offset_of(frame, self.frames, self.end);
            u8::try_from(offset * 256 / total.max(1)).unwrap_or(u8::MAX)
        })
    }
}

/// Offsets of every `stride`-th frame; the stride doubles whenever the list is full.
#[derive(Clone)]
struct Positions {
    stride: u64,
    list: Vec<u64>,
}

impl Positions {
    fn push(&mut self, frame: u64, offset: u64) {
        if self.list.len() == POSITIONS_MAX && frame.is_multiple_of(self.stride) {
            self.list = self.list.iter().copied().step_by(2).collect();
            self.stride *= 2;
        }
        if frame.is_multiple_of(self.stride) {
            self.list.push(offset);
        }
    }

    /// Returns the offset of a frame, on a straight line between those that are known.
    fn offset_of(&self, frame: u64, frames: u64, end: u64) -> u64 {
        let index = frame / self.stride;
        let known = |index: u64| self.list.get(index as usize).map(|offset| (index * self.stride, *offset));
        let Some((before, offset)) = known(index) else {
            return end;
        };
        let (after, next) = known(index + 1).unwrap_or((frames, end));
        offset + (next - offset) * (frame - before) / (after - before).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MONO_48K: [u8; 4] = [0xFF, 0xF3, 0x68, 0xC4];

    /// Frames of an MPEG-2 mono stream at 16 kHz, of the bit rates with the given indexes.
    fn stream(indexes: &[u8]) -> Vec<u8> {
        let frames = indexes.iter().enumerate().flat_map(|(i, index)| {
            let header = FrameHeader::parse(&[0xFF, 0xF3, index << 4 | 0x8, 0xC4]).expect("a valid header");
            let mut frame = vec![i as u8; header.size()];
            frame[..4].copy_from_slice(&header.bytes());
            frame
        });
        frames.collect()
    }

    fn facts(counter: &FrameCounter) -> (u64, u64, u64, Option<FrameHeader>, Bitrate, u16, [u8; 100]) {
        let c = counter;
        (c.frames(), c.end(), c.skipped(), c.first(), c.bitrate(), c.crc(), c.toc(216))
    }

    fn count(bytes: &[u8]) -> FrameCounter {
        let mut counter = FrameCounter::default();
        counter.push(bytes);
        counter
    }

    #[test]
    fn a_torn_last_frame_is_not_counted() {
        let bytes = stream(&[6; 10]);
        for (cut, frames) in [(0, 0), (3, 0), (215, 0), (216, 1), (217, 1), (2_159, 9), (2_160, 10)] {
            let counter = count(&bytes[..cut]);
            assert_eq!((counter.frames(), counter.end()), (frames, frames * 216), "{cut} bytes");
            assert_eq!(counter.crc(), CRC.checksum(&bytes[..frames as usize * 216]));
        }
    }

    #[test]
    fn bytes_between_frames_are_skipped_and_another_streams_headers_too() {
        let junk = [0xFF, 0xFB, 0x90, 0x64, 0, 0, 0xFF];
        let bytes = [&stream(&[6, 6]), junk.as_slice(), &stream(&[6])].concat();
        let counter = count(&bytes);
        assert_eq!((counter.frames(), counter.skipped(), counter.end()), (3, 7, 3 * 216 + 7));
    }

    #[test]
    fn what_looks_like_a_header_before_the_first_frame_does_not_hide_the_others() {
        // MPEG-1 at 44.1 kHz, 417 bytes long, which no frame follows.
        let junk = [[0xFF, 0xFB, 0x90, 0x64].as_slice(), &[1; 500]].concat();
        let counter = count(&[&junk, stream(&[6, 6, 6]).as_slice()].concat());
        assert_eq!((counter.frames(), counter.skipped(), counter.end()), (3, 504, 504 + 3 * 216));
        assert_eq!((counter.first(), counter.bitrate()), (FrameHeader::parse(&MONO_48K).ok(), Bitrate::Constant));
        // Nor does it where the kind is known: then it is not even a frame for a while.
        let mut counter = FrameCounter::of(FrameHeader::parse(&MONO_48K).expect("a valid header"));
        counter.push(&[&junk[..100], stream(&[6]).as_slice()].concat());
        assert_eq!((counter.frames(), counter.skipped(), counter.end()), (1, 100, 316));
        // One frame alone is one, whatever comes behind it.
        assert_eq!(count(&[stream(&[6]), vec![0; 500]].concat()).frames(), 1);
    }

    #[test]
    fn a_tail_of_zeros_is_not_part_of_the_stream() {
        let counter = count(&[stream(&[6; 3]), vec![0; 4_096]].concat());
        assert_eq!((counter.frames(), counter.end(), counter.received()), (3, 648, 648 + 4_096));
    }

    #[test]
    fn one_frame_of_another_bit_rate_makes_the_stream_variable() {
        assert_eq!(count(&stream(&[6, 6, 6])).bitrate(), Bitrate::Constant);
        assert_eq!(count(&stream(&[6, 6, 5])).bitrate(), Bitrate::Variable);
        assert_eq!(count(&stream(&[6])).first(), FrameHeader::parse(&MONO_48K).ok());
    }

    #[test]
    fn the_table_of_contents_is_straight_for_a_constant_bit_rate_however_long() {
        for frames in [1, 7, 99, 100, 511, 512, 513, 1_024, 5_000, 70_000] {
            let counter = count(&stream(&vec![6; frames]));
            assert!(counter.positions.list.len() <= POSITIONS_MAX);
            for (percent, entry) in counter.toc(216).into_iter().enumerate() {
                let offset = 216 * (1 + frames * percent / 100);
                assert_eq!(usize::from(entry), offset * 256 / (216 * (frames + 1)), "{frames} frames, {percent} %");
            }
        }
    }

    #[test]
    fn the_table_of_contents_follows_the_bytes_of_a_variable_bit_rate() {
        // 1 500 frames of 36 bytes, then 1 500 of 360: half of the frames are 1/11 of the bytes, 3/4 are 6/11.
        let indexes = [vec![1; 1_500], vec![9; 1_500]].concat();
        let toc = count(&stream(&indexes)).toc(0);
        assert_eq!((toc[0], toc[50], toc[75]), (0, 23, 139));
    }

    #[test]
    fn nothing_has_a_table_of_contents_too() {
        assert_eq!(FrameCounter::default().toc(0), [0; 100]);
    }

    proptest! {
        #[test]
        fn every_cut_into_slices_gives_the_same_counts(
            indexes in prop::collection::vec(1u8..15, 0..40),
            junk: Vec<u8>,
            cuts in prop::collection::vec(1usize..700, 1..50),
        ) {
            let bytes = [stream(&indexes), junk, stream(&indexes)].concat();
            let mut counter = FrameCounter::default();
            let (mut rest, mut cuts) = (bytes.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (slice, after) = rest.split_at((*cuts.next().expect("cuts never end")).min(rest.len()));
                counter.push(slice);
                rest = after;
            }
            prop_assert_eq!(facts(&counter), facts(&count(&bytes)));
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(prop_oneof![Just(0xFFu8), any::<u8>()], 0..3_000)) {
            let counter = count(&bytes);
            prop_assert!(counter.end() + counter.skipped() <= 2 * bytes.len() as u64);
            prop_assert!(counter.end() <= counter.received());
        }
    }
}
