//! What a killed recorder's MP3 file must become: whole frames only, and a tag that counts them.

use crate::formats::mp3::Bitrate;
use crate::formats::mp3::ENCODER_DELAY;
use crate::formats::mp3::FrameCounter;
use crate::formats::mp3::FrameHeader;
use crate::formats::mp3::InfoTag;

/// Samples by which a decoder is late (ISO/IEC 11172-3 synthesis, as LAME counts it): without padding it cannot return
/// the last ones.
const DECODER_DELAY: u64 = 529;

/// What to do with a file that [`Scan`] has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Bytes that stay: up to the end of the last whole frame, 0 when there is none but the tag's.
    pub file_len: u64,
    /// The frame to write over the file's first; `None` when the file is sound as it is, has no tag or a foreign one.
    pub tag: Option<Vec<u8>>,
    /// Whole frames behind the tag.
    pub frames: u64,
    /// Samples per channel that a gapless decoder returns of the repaired file.
    pub samples: u64,
    /// Bit/s, where all frames behind the tag have the same.
    pub bit_rate: Option<u32>,
}

/// Reads a file from its first byte on, in slices of any size.
///
/// A killed recorder cannot say how many samples the encoder still held, so the repaired tag says padding 0: nothing
/// that was recorded is cut, and a decoder that is late by 529 samples returns all it can decode. A file whose tag
/// already counts what is there was complete, and keeps its padding.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// The first frame as far as it has come, until `tag` is known.
    head: Vec<u8>,
    tag: Tag,
    frames: FrameCounter,
}

#[derive(Debug, Clone, Default)]
enum Tag {
    #[default]
    NotYetRead,
    Missing,
    Read(InfoTag),
}

impl Scan {
    /// Takes the next bytes of the file.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while matches!(self.tag, Tag::NotYetRead) && !bytes.is_empty() {
            let first = FrameHeader::parse(&self.head);
            let wanted = first.map_or(FrameHeader::LEN, FrameHeader::size) - self.head.len();
            let (taken, rest) = bytes.split_at(wanted.min(bytes.len()));
            self.head.extend_from_slice(taken);
            bytes = rest;
            self.read_head();
        }
        self.frames.push(bytes);
    }

    fn read_head(&mut self) {
        if self.head.len() < FrameHeader::LEN {
            return;
        }
        let is_whole = FrameHeader::parse(&self.head).map_or(true, |first| self.head.len() >= first.size());
        if !is_whole {
            return;
        }
        self.tag = match InfoTag::parse(&self.head) {
            Some(tag) => {
                self.frames = FrameCounter::of(tag.header);
                Tag::Read(tag)
            }
            None => Tag::Missing,
        };
        if matches!(self.tag, Tag::Missing) {
            self.frames.push(&self.head);
        }
        self.head = Vec::new();
    }

    /// Returns what is to be done, when all of the file has been read.
    pub fn finish(self) -> Repair {
        let (frames, end) = (self.frames.frames(), self.frames.end());
        let Some(first) = self.frames.first().filter(|_| frames > 0) else {
            return Repair { file_len: 0, tag: None, frames: 0, samples: 0, bit_rate: None };
        };
        let is_constant = self.frames.bitrate() == Bitrate::Constant;
        let bit_rate = is_constant.then(|| first.bitrate());
        let (lead, delay, padding, tag) = match self.tag {
            Tag::NotYetRead | Tag::Missing => (0, ENCODER_DELAY, 0, None),
            Tag::Read(old) => {
                let lead = old.header.size() as u64;
                let counted = InfoTag::complete(&self.frames, None);
                let is_sound = old.counts.is_some() && old.counts == counted.and_then(|tag| tag.counts);
                let is_ours = counted.is_some_and(|tag| tag.header == old.header);
                let new = counted.filter(|_| is_ours && !is_sound);
                let valid = new.unwrap_or(old);
                (lead, valid.delay, valid.padding, new.map(|tag| tag.bytes()))
            }
        };
        let cut = u64::from(delay) + u64::from(padding).max(DECODER_DELAY);
        let samples = (frames * u64::from(first.samples())).saturating_sub(cut);
        Repair { file_len: lead + end, tag, frames, samples, bit_rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A recorder's file: the tag as it stands while recording, then frames of 216 bytes.
    fn file(frames: usize) -> Vec<u8> {
        let first = FrameHeader::parse(&[0xFF, 0xF3, 0x68, 0xC4]).expect("a valid header");
        let mut frame = [9; 216];
        frame[..4].copy_from_slice(&first.bytes());
        [InfoTag::reserved(first).bytes(), frame.repeat(frames)].concat()
    }

    fn repair(bytes: &[u8]) -> Repair {
        let mut scan = Scan::default();
        scan.push(bytes);
        scan.finish()
    }

    #[test]
    fn a_file_cut_anywhere_keeps_its_whole_frames_and_says_so() {
        let whole = file(20);
        for cut in (0..=whole.len()).step_by(31) {
            let repair = repair(&whole[..cut]);
            let frames = (cut / 216).saturating_sub(1);
            assert_eq!(repair.frames, frames as u64, "{cut} bytes");
            assert_eq!(repair.file_len, if frames == 0 { 0 } else { 216 * (1 + frames as u64) });
            let counts = repair.tag.as_deref().and_then(InfoTag::parse).and_then(|tag| tag.counts);
            assert_eq!(counts.map(|counts| counts.frames), (frames > 0).then_some(frames as u32));
        }
    }

    #[test]
    fn a_repaired_file_needs_no_repair() {
        let mut bytes = file(7);
        bytes.extend([0; 100]);
        let first = repair(&bytes);
        bytes.truncate(first.file_len as usize);
        bytes[..216].copy_from_slice(&first.tag.expect("the counts were missing"));
        assert_eq!(repair(&bytes), Repair { tag: None, ..first });
    }

    #[test]
    fn a_complete_file_keeps_its_padding() {
        let mut bytes = file(30);
        let mut counter = FrameCounter::default();
        counter.push(&bytes[216..]);
        bytes[..216].copy_from_slice(&InfoTag::complete(&counter, Some(16_000)).expect("there are frames").bytes());
        assert_eq!(
            repair(&bytes),
            Repair { file_len: 216 * 31, tag: None, frames: 30, samples: 16_000, bit_rate: Some(48_000) }
        );
    }

    /// A torn frame in the middle, whose bytes look like another stream's: all behind it would be cut off.
    #[test]
    fn frames_that_do_not_go_with_the_tag_hide_none_that_do() {
        let whole = file(20);
        let mut bytes = whole.clone();
        bytes[216..220].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x64]);
        let repair = repair(&bytes);
        assert_eq!((repair.frames, repair.file_len), (19, whole.len() as u64));
    }

    #[test]
    fn a_file_without_a_tag_only_loses_its_torn_frame() {
        let bytes = &file(5)[216..];
        let expected =
            Repair { file_len: 4 * 216, tag: None, frames: 4, samples: 4 * 576 - 576 - 529, bit_rate: Some(48_000) };
        assert_eq!(repair(&bytes[..bytes.len() - 1]), expected);
    }

    proptest! {
        #[test]
        fn slices_of_any_size_give_the_same_repair(len in 0usize..2_000, size in 1usize..500) {
            let bytes = &file(9)[..len.min(2_000)];
            let mut scan = Scan::default();
            bytes.chunks(size).for_each(|slice| scan.push(slice));
            prop_assert_eq!(scan.finish(), repair(bytes));
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            prop_assert!(repair(&bytes).file_len <= bytes.len() as u64);
            let len = bytes.len() as u64 + 216;
            prop_assert!(repair(&[file(0), bytes].concat()).file_len <= len);
        }
    }
}
