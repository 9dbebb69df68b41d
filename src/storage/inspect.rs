//! What a file really holds; and what a killed recorder left, made whole.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

use gstreel::formats::mp3;
use gstreel::formats::wav;

use crate::storage::StorageError;

/// Read at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// The beginning of a WAV file that is searched for its header.
const HEADER_BYTES_MAX: u64 = 4096;

/// The header that `reelsink` writes for many channels.
const WAV_HEADER_BYTES: u64 = 68;

/// A tag and a frame, both as long as MP3 knows them.
const MP3_EMPTY_BYTES: u64 = 2 * 1441;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    /// Samples per channel.
    pub(super) samples: u64,
    pub(super) rate: u32,
    pub(super) channels: u32,
    /// Bit/s, where it is constant.
    pub(super) bit_rate: Option<u32>,
}

/// Makes a file whole (torn samples and frames off, header and tag right) and returns what it holds.
///
/// None for formats that only their own readers understand, and for files with no media at all.
pub(super) fn make_whole(path: &Path, extension: &str) -> Result<Option<Content>, StorageError> {
    match extension {
        // It would be cut down to what looks like frames by chance.
        "wav" | "mp3" if is_wav(path)? => make_wav_whole(path),
        "mp3" => make_mp3_whole(path),
        _ => Ok(None),
    }
}

fn is_wav(path: &Path) -> Result<bool, StorageError> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(StorageError::io(path, "opened"))?;
    file.take(4).read_to_end(&mut head).map_err(StorageError::io(path, "read"))?;
    Ok(head == *b"RIFF")
}

/// Returns how long a file may be in which no header and no whole frame can be found, because none has been written.
pub(super) fn empty_len(extension: &str) -> u64 {
    match extension {
        "wav" => WAV_HEADER_BYTES,
        "mp3" => MP3_EMPTY_BYTES,
        _ => 0,
    }
}

fn open(path: &Path) -> Result<(File, u64), StorageError> {
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(StorageError::io(path, "opened"))?;
    let len = file.metadata().map_err(StorageError::io(path, "read"))?.len();
    Ok((file, len))
}

fn make_wav_whole(path: &Path) -> Result<Option<Content>, StorageError> {
    let (file, len) = open(path)?;
    let mut head = Vec::new();
    (&file).take(HEADER_BYTES_MAX).read_to_end(&mut head).map_err(StorageError::io(path, "read"))?;
    let Ok(layout) = wav::parse(&head) else { return Ok(None) };
    let sizes = layout.sizes(len);
    if sizes.file_len < len {
        file.set_len(sizes.file_len).map_err(StorageError::io(path, "cut"))?;
    }
    if (layout.data_len, layout.riff_len) != (sizes.data_len, sizes.riff_len) {
        for (offset, bytes) in layout.patches(sizes) {
            file.write_all_at(&bytes, offset).map_err(StorageError::io(path, "written"))?;
        }
    }
    let (rate, channels) = (layout.header.rate(), u32::from(layout.header.channels()));
    let samples = u64::from(sizes.data_len) / u64::from(layout.header.block_align());
    Ok(Some(Content { samples, rate, channels, bit_rate: Some(wav_bit_rate(rate, channels)) }))
}

/// Returns the bit/s of our WAV files.
pub(super) fn wav_bit_rate(rate: u32, channels: u32) -> u32 {
    rate.saturating_mul(channels).saturating_mul(8 * gstreel::samples::SAMPLE_BYTES as u32)
}

fn make_mp3_whole(path: &Path) -> Result<Option<Content>, StorageError> {
    let (mut file, len) = open(path)?;
    let (mut scan, mut frames) = (mp3::Scan::default(), mp3::FrameCounter::default());
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let n = file.read(&mut block).map_err(StorageError::io(path, "read"))?;
        if n == 0 {
            break;
        }
        scan.push(&block[..n]);
        frames.push(&block[..n]);
    }
    // In what is something else, frames are found by chance: it would be cut down to them.
    let Some(first) = frames.first().filter(|_| frames.skipped() <= len / 2) else { return Ok(None) };
    let repair = scan.finish();
    if repair.frames > 0 && repair.file_len < len {
        file.set_len(repair.file_len).map_err(StorageError::io(path, "cut"))?;
    }
    if let Some(tag) = &repair.tag {
        file.write_all_at(tag, 0).map_err(StorageError::io(path, "written"))?;
    }
    let (rate, channels) = (first.rate(), first.channels());
    Ok(Some(Content { samples: repair.samples, rate, channels, bit_rate: repair.bit_rate }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mp3_is_left_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut state = 1_u64;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        });
        let noise: Vec<u8> = noise.take(300_000).collect();
        let mut frames = mp3::FrameCounter::default();
        frames.push(&noise);
        assert!(frames.frames() > 0, "else it would be no test");
        std::fs::write(file.path(), &noise).unwrap();
        assert_eq!(make_whole(file.path(), "mp3").unwrap(), None);
        assert!(std::fs::read(file.path()).unwrap() == noise);
    }
}
