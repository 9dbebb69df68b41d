//! The info tag: an MP3 stream's first frame, silent, that tells how long the stream is and what to cut off its ends.
//!
//! Xing's tag with LAME's extension ("Mp3 Info Tag rev 1", LAME 3.100 `VbrTag.c`), which every gapless decoder reads:
//!
//! ```text
//! frame header 4 | zeros (side information) 9 ‥ 32 | "Info" or "Xing" 4 | flags 4
//!   | frames 4 | bytes 4 | contents 100 | quality 4      what flags 1, 2, 4 and 8 announce
//!   | "LAME3.100" 9 | method 1 | … 10 | bit rate 1 | delay and padding 12 + 12 bits | … 4
//!   | music length 4 | music CRC 2 | tag CRC 2 | zeros up to the frame's length
//! ```

use crate::formats::mp3::Bitrate;
use crate::formats::mp3::FrameCounter;
use crate::formats::mp3::FrameHeader;
use crate::formats::mp3::counter::CRC;

/// Samples of silence that LAME puts before the first sample of its input, at every rate and bit rate.
pub const ENCODER_DELAY: u16 = 576;
/// Delay and padding are fields of 12 bits.
const TRIM_MAX: u32 = 0xFFF;
/// The least that LAME puts behind the last sample: a decoder cannot return it all without.
const FLUSHED_SAMPLES: u64 = 576;

/// From "Xing" to the end of the tag's CRC.
const TAG_LEN: usize = 8 + 4 + 4 + 100 + 4 + LAME_LEN;
const LAME_LEN: usize = 36;
/// Decoders believe delay and padding only behind a name that they know.
const ENCODER: &[u8; 9] = b"LAME3.100";
const METHOD_CONSTANT: u8 = 1;
const METHOD_VARIABLE: u8 = 4;
const HAS_FRAMES: u32 = 1;
const HAS_BYTES: u32 = 2;
const HAS_CONTENTS: u32 = 4;
const HAS_QUALITY: u32 = 8;
/// Offsets into LAME's extension.
const METHOD_AT: usize = 9;
const BITRATE_AT: usize = 20;
const TRIM_AT: usize = 21;
const MUSIC_LEN_AT: usize = 28;

/// Returns how many frames LAME makes of `samples` samples per channel: ⌈(samples + 1152) / samples per frame⌉.
///
/// `lamemp3enc` makes none of none. Measured on GStreamer 1.22 with LAME 3.100 at nine rates and pinned by a test; it
/// holds as long as LAME does not resample, so `samples` are those of the rate that the frames have.
pub fn frames_for(samples: u64, samples_per_frame: u32) -> u64 {
    let with_ends = samples.saturating_add(u64::from(ENCODER_DELAY) + FLUSHED_SAMPLES);
    if samples == 0 { 0 } else { with_ends.div_ceil(samples_per_frame.max(1).into()) }
}

/// Returns how many samples per channel go into a file of at most `max_size` bytes, with the info tag's frame and all
/// the frames that LAME makes for them, when every frame has the bit rate of `first`.
pub fn samples_within(first: FrameHeader, max_size: u64) -> u64 {
    let room = max_size.saturating_sub(tag_frame(first).size() as u64);
    // LAME spends its padding slots so that k frames never exceed ⌈k · exact length⌉ bytes.
    let frame_by_rate = u128::from(first.samples() / 8) * u128::from(first.bitrate());
    let frames = u128::from(room) * u128::from(first.rate()) / frame_by_rate;
    let samples = frames.saturating_mul(first.samples().into());
    let ends = u128::from(ENCODER_DELAY) + u128::from(FLUSHED_SAMPLES);
    u64::try_from(samples.saturating_sub(ends)).unwrap_or(u64::MAX)
}

/// Returns the samples to cut off the end so that a decoder returns exactly the `samples` that went into LAME.
///
/// `None` when these are not the frames that LAME makes of so many samples: some are missing, it was drained in between
/// and put its ends there too, or the samples were counted at another rate. To cut would take recorded audio then.
pub fn padding(frames: u64, samples_per_frame: u32, samples: u64) -> Option<u16> {
    if frames != frames_for(samples, samples_per_frame) {
        return None;
    }
    let coded = frames.checked_mul(samples_per_frame.into())?;
    let padding = coded.checked_sub(ENCODER_DELAY.into())?.checked_sub(samples)?;
    u16::try_from(padding).ok()
}

/// Returns the header of the tag's own frame, for a stream that begins with `first`.
///
/// It has the stream's bit rate, or the lowest whose frame has room for the tag.
fn tag_frame(first: FrameHeader) -> FrameHeader {
    let bare = first.bare();
    let fits = |header: &FrameHeader| header.size() >= FrameHeader::LEN + header.side_info_len() + TAG_LEN;
    let mut candidates = std::iter::once(bare).chain(bare.at_all_bitrates());
    candidates.find(fits).expect("the highest bit rate of each version has room: 480 bytes at least")
}

/// What the tag tells of the stream once that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Frames behind the tag's own; u32::MAX when they are more.
    pub frames: u32,
    /// Bytes of the tag's frame and all others; u32::MAX when they are more.
    pub bytes: u32,
    /// Where each percent of the time begins, in 256ths of the bytes.
    pub contents: [u8; 100],
}

/// An info tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InfoTag {
    /// Header of the frame that it fills.
    pub header: FrameHeader,
    /// "Info" or "Xing".
    pub bitrate: Bitrate,
    /// `None` in a file that is still being written.
    pub counts: Option<Counts>,
    /// Samples that the encoder put before the first, 0 ‥ 4095.
    pub delay: u16,
    /// Samples that the encoder put behind the last, 0 ‥ 4095.
    pub padding: u16,
    /// Bit rate of the stream's first frame in kbit/s, 255 where it is more, 0 where a foreign tag leaves it out.
    pub kbits: u8,
    /// CRC-16 of all bytes behind the tag's frame.
    pub music_crc: u16,
}

impl InfoTag {
    /// Returns the tag for a stream of which nothing but the first header is known: to be written first and replaced by
    /// one of the same length.
    pub fn reserved(first: FrameHeader) -> Self {
        let header = tag_frame(first);
        let bitrate = Bitrate::Constant;
        let (delay, kbits, music_crc) = (ENCODER_DELAY, kbits_of(first), CRC.checksum(&[]));
        Self { header, bitrate, counts: None, delay, padding: 0, kbits, music_crc }
    }

    /// Returns the tag of a complete stream; `None` when it has no frame.
    ///
    /// Where [`padding`] cannot be told it is 0: a decoder then returns everything that it can decode.
    pub fn complete(stream: &FrameCounter, samples: Option<u64>) -> Option<Self> {
        let first = stream.first().filter(|_| stream.frames() > 0)?;
        let header = tag_frame(first);
        let lead = header.size() as u64;
        let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let padding = samples.and_then(|samples| padding(stream.frames(), first.samples(), samples));
        let frames = narrow(stream.frames());
        let counts = Counts { frames, bytes: narrow(lead + stream.end()), contents: stream.toc(lead) };
        Some(Self {
            header,
            bitrate: stream.bitrate(),
            counts: Some(counts),
            delay: ENCODER_DELAY,
            padding: padding.unwrap_or(0),
            kbits: kbits_of(first),
            music_crc: stream.crc(),
        })
    }

    /// Returns the tag's whole frame.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.header.size());
        out.extend_from_slice(&self.header.bytes());
        out.resize(FrameHeader::LEN + self.header.side_info_len(), 0);
        out.extend_from_slice(match self.bitrate {
            Bitrate::Constant => b"Info",
            Bitrate::Variable => b"Xing",
        });
        match self.counts {
            None => out.extend_from_slice(&0u32.to_be_bytes()),
            Some(counts) => {
                out.extend_from_slice(&(HAS_FRAMES | HAS_BYTES | HAS_CONTENTS | HAS_QUALITY).to_be_bytes());
                out.extend_from_slice(&counts.frames.to_be_bytes());
                out.extend_from_slice(&counts.bytes.to_be_bytes());
                out.extend_from_slice(&counts.contents);
                // Not known; 0 is what LAME writes for its worst, so that nobody is promised more than there is.
                out.extend_from_slice(&0u32.to_be_bytes());
            }
        }
        out.extend_from_slice(&self.extension());
        let crc = CRC.checksum(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out.resize(self.header.size(), 0);
        out
    }

    /// Returns LAME's extension without the tag's CRC at its end.
    fn extension(&self) -> [u8; LAME_LEN - 2] {
        let mut lame = [0; LAME_LEN - 2];
        lame[..ENCODER.len()].copy_from_slice(ENCODER);
        lame[METHOD_AT] = match self.bitrate {
            Bitrate::Constant => METHOD_CONSTANT,
            Bitrate::Variable => METHOD_VARIABLE,
        };
        lame[BITRATE_AT] = self.kbits;
        let trim = u32::from(self.delay) << 12 | u32::from(self.padding) & TRIM_MAX;
        lame[TRIM_AT..TRIM_AT + 3].copy_from_slice(&trim.to_be_bytes()[1..]);
        let music_len = self.counts.map_or(0, |counts| counts.bytes);
        lame[MUSIC_LEN_AT..MUSIC_LEN_AT + 4].copy_from_slice(&music_len.to_be_bytes());
        lame[MUSIC_LEN_AT + 4..].copy_from_slice(&self.music_crc.to_be_bytes());
        lame
    }

    /// Reads the tag from a stream's first frame; `None` when that is an ordinary frame.
    ///
    /// What a foreign tag leaves out is read as not known: no counts, no delay, no padding. No CRC is checked.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let header = FrameHeader::parse(frame).ok()?;
        let frame = frame.get(..header.size()).unwrap_or(frame);
        let mut rest = frame.get(FrameHeader::LEN + header.side_info_len()..)?;
        let bitrate = match take(&mut rest)? {
            b"Info" => Bitrate::Constant,
            b"Xing" => Bitrate::Variable,
            _ => return None,
        };
        let flags = u32::from_be_bytes(*take(&mut rest)?);
        let number = |rest: &mut &[u8]| take(rest).map(|bytes| u32::from_be_bytes(*bytes));
        let frames = if flags & HAS_FRAMES != 0 { Some(number(&mut rest)?) } else { None };
        let bytes = if flags & HAS_BYTES != 0 { Some(number(&mut rest)?) } else { None };
        let contents = if flags & HAS_CONTENTS != 0 { Some(*take(&mut rest)?) } else { None };
        if flags & HAS_QUALITY != 0 {
            number(&mut rest)?;
        }
        let counts = match (frames, bytes, contents) {
            (Some(frames), Some(bytes), Some(contents)) => Some(Counts { frames, bytes, contents }),
            _ => None,
        };
        let lame: [u8; LAME_LEN] = take(&mut rest).copied().unwrap_or([0; LAME_LEN]);
        let trim = u32::from_be_bytes([0, lame[TRIM_AT], lame[TRIM_AT + 1], lame[TRIM_AT + 2]]);
        let music_crc = u16::from_be_bytes([lame[MUSIC_LEN_AT + 4], lame[MUSIC_LEN_AT + 5]]);
        let (delay, padding) = ((trim >> 12) as u16, (trim & TRIM_MAX) as u16);
        Some(Self { header, bitrate, counts, delay, padding, kbits: lame[BITRATE_AT], music_crc })
    }
}

fn kbits_of(first: FrameHeader) -> u8 {
    u8::try_from(first.bitrate() / 1_000).unwrap_or(u8::MAX)
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LAME_16K_48: [u8; 4] = [0xFF, 0xF3, 0x68, 0xC4];

    fn header(bytes: [u8; 4]) -> FrameHeader {
        FrameHeader::parse(&bytes).expect("a valid header")
    }

    fn stream(frames: usize) -> FrameCounter {
        let mut counter = FrameCounter::default();
        let mut frame = [7; 216];
        frame[..4].copy_from_slice(&LAME_16K_48);
        (0..frames).for_each(|_| counter.push(&frame));
        counter
    }

    #[test]
    fn the_tags_frame_has_the_streams_bit_rate_or_the_lowest_with_room() {
        let cases = [
            (LAME_16K_48, 48_000, 216),
            ([0xFF, 0xE3, 0x18, 0xC4], 24_000, 216),  // 8 kbit/s at 8 kHz
            ([0xFF, 0xF3, 0x18, 0xC4], 40_000, 180),  // 8 kbit/s at 16 kHz
            ([0xFF, 0xFB, 0x92, 0x64], 128_000, 417), // 128 kbit/s at 44.1 kHz, stereo, with a padding slot
            ([0xFF, 0xFA, 0x14, 0x64], 64_000, 192),  // 32 kbit/s at 48 kHz, stereo, with a CRC
            ([0xFF, 0xFB, 0xE4, 0x64], 320_000, 960),
        ];
        for (first, bitrate, size) in cases {
            let frame = InfoTag::reserved(header(first)).header;
            assert_eq!((frame.bitrate(), frame.size()), (bitrate, size), "{first:02x?}");
            // What LAME's byte tells is the stream's, not that of the frame that has room for it.
            let counts = Some(Counts { frames: 1, bytes: 1, contents: [0; 100] });
            let tag = InfoTag { counts, ..InfoTag::reserved(header(first)) }.bytes();
            let at = FrameHeader::LEN + frame.side_info_len() + TAG_LEN - LAME_LEN + BITRATE_AT;
            assert_eq!(u32::from(tag[at]), (header(first).bitrate() / 1_000).min(255), "{first:02x?}");
        }
        let all = [0xFFF3_10C4u32, 0xFFF3_14C4, 0xFFF3_18C4, 0xFFFB_1064, 0xFFFB_1464, 0xFFFB_1864, 0xFFE3_1464];
        for first in all.map(|bits| header(bits.to_be_bytes())) {
            let frame = InfoTag::reserved(first).header;
            assert!(frame.size() >= 4 + frame.side_info_len() + TAG_LEN, "{first:?}");
        }
    }

    #[test]
    fn a_finished_tag_is_byte_for_byte_what_the_tags_specification_says() {
        let stream = stream(30);
        let bytes = InfoTag::complete(&stream, Some(16_000)).expect("there are frames").bytes();
        assert_eq!(bytes.len(), 216);
        assert_eq!(bytes[..13], [0xFF, 0xF3, 0x68, 0xC4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[13..21], *b"Info\0\0\0\x0f");
        assert_eq!(bytes[21..29], [0, 0, 0, 30, 0, 0, 0x1A, 0x28]); // 31 frames of 216 bytes
        assert_eq!(bytes[133..142], *b"LAME3.100");
        // Delay 576 and padding 30 · 576 − 576 − 16 000 = 704.
        assert_eq!(bytes[154..157], [0x24, 0x02, 0xC0]);
        assert_eq!(bytes[161..165], [0, 0, 0x1A, 0x28]);
        assert_eq!(bytes[165..167], stream.crc().to_be_bytes());
        assert_eq!(bytes[167..169], CRC.checksum(&bytes[..167]).to_be_bytes());
        assert_eq!(bytes[169..], [0; 47]);
    }

    #[test]
    fn padding_is_what_lame_added_or_unknown() {
        let cases = [
            ((3, 576, 1), Some(1_151)),
            ((3, 576, 576), Some(576)),
            ((4, 576, 577), Some(1_151)),
            ((2, 1_152, 1), Some(1_727)),
            ((30, 576, 16_128), Some(576)),
            ((30, 576, 16_129), None),
            // A second TIME segment in mid-file: LAME put its ends there twice.
            ((32, 576, 16_000), None),
            // 2 000 samples at 8 kHz, resampled to 16 kHz before LAME.
            ((9, 576, 2_000), None),
            ((0, 576, 0), None),
            ((1_000, 576, 16_000), None),
            ((u64::MAX, 576, 1), None),
        ];
        for ((frames, per_frame, samples), expected) in cases {
            assert_eq!(padding(frames, per_frame, samples), expected, "{frames} frames, {samples} samples");
        }
    }

    #[test]
    fn a_stream_of_unknown_length_has_nothing_cut_from_its_end() {
        let tag = InfoTag::complete(&stream(3), None).expect("there are frames");
        assert_eq!((tag.delay, tag.padding), (576, 0));
        assert_eq!(InfoTag::complete(&FrameCounter::default(), Some(0)), None);
    }

    #[test]
    fn a_size_limit_holds_the_tag_and_whole_frames() {
        let cases = [(0, 0), (216, 0), (216 * 2, 0), (216 * 3, 0), (216 * 4, 576), (216 * 5 - 1, 576)];
        for (max_size, samples) in cases {
            assert_eq!(samples_within(header(LAME_16K_48), max_size), samples, "{max_size} bytes");
        }
        assert_eq!(samples_within(header(LAME_16K_48), u64::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn a_tag_is_read_back(frames in 0usize..2_000, samples: Option<u16>, bits in 0xFFE0_0000u32..) {
            let tag = InfoTag::complete(&stream(frames), samples.map(u64::from));
            prop_assert_eq!(tag.is_some(), frames > 0);
            if let Some(tag) = tag {
                prop_assert_eq!(InfoTag::parse(&tag.bytes()), Some(tag));
            }
            if let Ok(first) = FrameHeader::parse(&bits.to_be_bytes()) {
                let tag = InfoTag::reserved(first);
                prop_assert_eq!(InfoTag::parse(&tag.bytes()), Some(tag));
                prop_assert_eq!(tag.bytes().len(), tag.header.size());
            }
        }

        #[test]
        fn one_more_sample_than_there_is_room_for_exceeds_the_limit(max_size in 1_000u64..1 << 40) {
            let first = header(LAME_16K_48);
            let size = |samples| 216 * (1 + frames_for(samples, 576));
            let samples = samples_within(first, max_size);
            prop_assert!(size(samples) <= max_size);
            prop_assert!(size(samples + 1) > max_size);
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>, cut in 0usize..217, at in 0usize..216, value: u8) {
            let _ = InfoTag::parse(&bytes);
            let mut tag = InfoTag::complete(&stream(3), None).expect("there are frames").bytes();
            tag[at] = value;
            let _ = InfoTag::parse(&tag[..cut.min(216)]);
        }
    }
}
