//! What a file says about its own end, read from its bytes: demuxers keep silent when it does not come true.
//!
//! `wavparse` cuts the header's length down to what is there, `oggdemux` takes the last page for the end, and of AU and
//! MP3 whatever is there is all there is. Must not know GStreamer's elements.

use gst::ClockTime;
use gst::prelude::*;
use gstreel::formats::mp3::FrameHeader;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;

/// No Ogg page is longer (RFC 3533 §6): the last page's header lies within this many bytes of the end.
const OGG_PAGE_MAX: u64 = 27 + 255 + 255 * 255;

/// The beginning of an MP3 stream in which its tag stands: the side information before it is 32 bytes at most.
const MP3_TAG_BYTES: usize = FrameHeader::LEN + 32 + 16;

/// Chunks of a WAV file that are looked through for `data`; real files have about five.
const CHUNKS_MAX: usize = 1_000;

/// How a file's end stands to what the file promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// The format promises nothing that could be judged from here.
    None,
    /// All promised bytes are there.
    Kept,
    /// A header promises more media than there are bytes.
    Short {
        /// Length of what is promised.
        declared: ClockTime,
    },
    /// An Ogg file whose last page is not marked as a stream's last.
    WithoutEnd,
}

impl Promise {
    /// Returns the length that the file should have had.
    pub(super) fn declared(self) -> Option<ClockTime> {
        match self {
            Self::Short { declared } => Some(declared),
            Self::None | Self::Kept | Self::WithoutEnd => None,
        }
    }
}

/// Reads the promise of a file.
pub(super) fn read(file: &mut (impl Read + Seek)) -> io::Result<Promise> {
    let size = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut magic = [0; 12];
    if size < magic.len() as u64 {
        return Ok(Promise::None);
    }
    file.read_exact(&mut magic)?;
    match (&magic[..4], &magic[8..]) {
        (b"RIFF" | b"RF64", b"WAVE") => wav(file, size),
        (b"OggS", _) => ogg(file, size),
        (b".snd", _) => au(file, size),
        _ => mp3_start(&magic).map_or(Ok(Promise::None), |start| mp3(file, size, start)),
    }
}

/// Returns where the first frame begins in a file that begins like one of MP3.
pub(super) fn mp3_start(magic: &[u8; 12]) -> Option<u64> {
    match magic {
        // Seven bits a byte (ID3v2.4 §6.2), after a header of ten bytes, and before a footer of ten where there is one.
        [b'I', b'D', b'3', _, _, flags, length @ .., _, _] => {
            let around = if flags & 0x10 != 0 { 20 } else { 10 };
            Some(around + length.iter().fold(0, |length, byte| length << 7 | u64::from(byte & 0x7f)))
        }
        [0xff, ..] => Some(0),
        _ => None,
    }
}

/// The header is six numbers: magic, where the samples begin, their bytes, coding, rate, channels.
fn au(file: &mut (impl Read + Seek), size: u64) -> io::Result<Promise> {
    file.rewind()?;
    let mut head = [0; 24];
    if !read_body(file, &mut head)? {
        return Ok(Promise::None);
    }
    let number = |index: usize| head.as_chunks().0.get(index).map_or(0, |&bytes| u32::from_be_bytes(bytes));
    let sample_bytes: u64 = match number(3) {
        1 | 2 | 27 => 1,
        3 => 2,
        4 => 3,
        5 | 6 => 4,
        7 => 8,
        _ => 0,
    };
    let byte_rate = sample_bytes.saturating_mul(u64::from(number(4))).saturating_mul(u64::from(number(5)));
    Ok(match number(2) {
        // A writer that could not seek back.
        0 | u32::MAX => Promise::None,
        length => judge(length.into(), size.saturating_sub(number(1).into()), byte_rate),
    })
}

/// The tag in the first frame may say how many frames and bytes there are.
fn mp3(file: &mut (impl Read + Seek), size: u64, start: u64) -> io::Result<Promise> {
    file.seek(SeekFrom::Start(start))?;
    let mut head = Vec::new();
    file.take(MP3_TAG_BYTES as u64).read_to_end(&mut head)?;
    let Ok(frame) = FrameHeader::parse(&head) else { return Ok(Promise::None) };
    let Some(tag) = head.get(FrameHeader::LEN + frame.side_info_len()..) else { return Ok(Promise::None) };
    let number = |index: usize| tag.as_chunks().0.get(index).map(|&bytes| u32::from_be_bytes(bytes));
    let (Some(b"Xing" | b"Info"), Some(flags), Some(frames), Some(bytes)) =
        (tag.first_chunk(), number(1), number(2), number(3))
    else {
        return Ok(Promise::None);
    };
    if flags & 3 != 3 || u64::from(bytes) <= size.saturating_sub(start) {
        return Ok(Promise::None);
    }
    let samples = u64::from(frames) * u64::from(frame.samples());
    let declared = samples.mul_div_floor(ClockTime::SECOND.nseconds(), u64::from(frame.rate()));
    Ok(declared.map_or(Promise::None, |ns| Promise::Short { declared: ClockTime::from_nseconds(ns) }))
}

/// Walks the chunks up to `data`. A length of 0 or `u32::MAX` is that of a writer that could not seek back: no promise.
fn wav(file: &mut (impl Read + Seek), size: u64) -> io::Result<Promise> {
    let (mut at, mut byte_rate, mut data_size_64) = (12, 0, None);
    for _ in 0..CHUNKS_MAX {
        if at + 8 > size {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let length = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        let mut body = [0; 16];
        match &head[..4] {
            b"fmt " if read_body(file, &mut body)? => {
                byte_rate = u64::from(u32::from_le_bytes([body[8], body[9], body[10], body[11]]));
            }
            b"ds64" if read_body(file, &mut body)? => {
                let (_, data_size) = body.split_at(8);
                data_size_64 = data_size.try_into().ok().map(u64::from_le_bytes);
            }
            b"data" => {
                let present = size - at - 8;
                let declared = match (length, data_size_64) {
                    (0xffff_ffff, Some(length)) => length,
                    (0 | 0xffff_ffff, _) => return Ok(Promise::None),
                    (length, _) => length,
                };
                return Ok(judge(declared, present, byte_rate));
            }
            _ => {}
        }
        at += 8 + length + length % 2;
    }
    Ok(Promise::None)
}

fn read_body(file: &mut impl Read, body: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(body) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn judge(declared: u64, present: u64, byte_rate: u64) -> Promise {
    if declared <= present {
        return Promise::Kept;
    }
    // A product beyond 64 bits is a damaged length, not one of 500 years.
    let declared_ns = match byte_rate {
        0 => None,
        _ => declared.mul_div_floor(ClockTime::SECOND.nseconds(), byte_rate),
    };
    declared_ns.map_or(Promise::None, |ns| Promise::Short { declared: ClockTime::from_nseconds(ns.min(u64::MAX - 1)) })
}

/// Looks for the last page in the file's tail; its header type has bit 2 when it is a stream's last (RFC 3533 §6).
fn ogg(file: &mut (impl Read + Seek), size: u64) -> io::Result<Promise> {
    file.seek(SeekFrom::Start(size.saturating_sub(OGG_PAGE_MAX)))?;
    let mut tail = Vec::new();
    file.take(OGG_PAGE_MAX).read_to_end(&mut tail)?;
    let last_page = tail.windows(6).rposition(|window| window.starts_with(b"OggS\0"));
    Ok(match last_page {
        Some(at) if tail[at + 5] & 4 != 0 && page_is_whole(&tail[at..]) => Promise::None,
        _ => Promise::WithoutEnd,
    })
}

fn page_is_whole(page: &[u8]) -> bool {
    let n_segments = page.get(26).map_or(0, |&n| usize::from(n));
    let segments = page.get(27..27 + n_segments);
    segments.is_some_and(|s| page.len() >= 27 + n_segments + s.iter().map(|&length| usize::from(length)).sum::<usize>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn wav_file(data_length: u32, present: usize) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(8_000u32.to_le_bytes());
        bytes.extend(16_000u32.to_le_bytes());
        bytes.extend(b"\x02\0\x10\0data");
        bytes.extend(data_length.to_le_bytes());
        bytes.resize(bytes.len() + present, 0);
        bytes
    }

    fn page(flags: u8, segments: &[u8], present: usize) -> Vec<u8> {
        let mut bytes = b"OggS\0".to_vec();
        bytes.push(flags);
        bytes.resize(26, 0);
        bytes.push(segments.len() as u8);
        bytes.extend(segments);
        bytes.resize(bytes.len() + present, 0);
        bytes
    }

    #[track_caller]
    fn check(bytes: Vec<u8>, promise: Promise) {
        assert_eq!(read(&mut Cursor::new(bytes)).expect("memory can be read"), promise);
    }

    #[test]
    fn wav_header_is_compared_with_the_bytes_there() {
        check(wav_file(16_000, 16_000), Promise::Kept);
        check(wav_file(16_000, 17_000), Promise::Kept);
        check(wav_file(16_000, 15_999), Promise::Short { declared: ClockTime::SECOND });
        check(wav_file(u32::MAX, 16_000), Promise::None);
        check(wav_file(0, 16_000), Promise::None);
    }

    #[test]
    fn ogg_needs_a_whole_last_page() {
        check(page(4, &[20], 20), Promise::None);
        check(page(4, &[20], 19), Promise::WithoutEnd);
        check(page(0, &[20], 20), Promise::WithoutEnd);
        check([page(4, &[20], 20), page(0, &[20], 20)].concat(), Promise::WithoutEnd);
    }

    fn au_file(length: u32, present: usize) -> Vec<u8> {
        let numbers = [28, length, 3, 8_000, 1, 0];
        let mut bytes = b".snd".to_vec();
        bytes.extend(numbers.iter().flat_map(|number: &u32| number.to_be_bytes()));
        bytes.resize(bytes.len() + present, 0);
        bytes
    }

    /// 1 000 frames of MPEG-2 layer III, 24 ms each, in 144 000 bytes of which `present` are there.
    fn mp3_file(before: &[u8], flags: u32, present: usize) -> Vec<u8> {
        let mut bytes = [before, b"\xff\xf3\x64\xc0", &[0; 9], b"Info"].concat();
        bytes.extend([flags, 1_000, 144_000].iter().flat_map(|number| number.to_be_bytes()));
        bytes.resize(before.len() + present, 0);
        bytes
    }

    #[test]
    fn au_header_is_compared_with_the_bytes_there() {
        check(au_file(16_000, 16_000), Promise::Kept);
        check(au_file(16_000, 15_999), Promise::Short { declared: ClockTime::SECOND });
        check(au_file(u32::MAX, 16_000), Promise::None);
    }

    #[test]
    fn mp3_tag_is_compared_with_the_bytes_there() {
        let short = Promise::Short { declared: ClockTime::from_seconds(24) };
        check(mp3_file(b"", 3, 144_000), Promise::None);
        check(mp3_file(b"", 3, 143_999), short);
        check(mp3_file(b"ID3\x04\0\0\0\0\0\x02ab", 3, 143_999), short);
        check(mp3_file(b"", 1, 143_999), Promise::None);
    }

    #[test]
    fn what_is_cut_off_anywhere_is_read_without_a_panic() {
        for whole in [wav_file(100, 50), page(4, &[20, 30], 50), au_file(9, 9), mp3_file(b"ID3\x04\0\0\0\0\0\0", 3, 90)]
        {
            for length in 0..whole.len() {
                read(&mut Cursor::new(&whole[..length])).expect("memory can be read");
            }
        }
    }
}
