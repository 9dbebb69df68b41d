//! Takes the last channels out of a WAV file: those that nobody ever was on.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use gstreel::formats::wav;
use gstreel::samples::SAMPLE_BYTES;

use crate::storage::StorageError;
use crate::storage::inspect::{Content, wav_bit_rate};
use crate::storage::spool::TRIMMED;

/// Samples (on all channels) that are moved at once.
const FRAMES_PER_BLOCK: u64 = 8192;

/// Leaves the first `channels` of the file at `path`, one at least; the file must be whole.
///
/// A channel with a sound of its own on it stays, whatever `channels` says: who came on it may have been told too late.
pub(super) fn trim(path: &Path, content: Content, channels: u32) -> Result<Content, StorageError> {
    let channels = channels.clamp(1, content.channels);
    let header = |channels: u32| wav::Header::new(content.rate, channels as u16).ok();
    let (Some(old), Some(new)) = (header(content.channels), header(channels)) else { return Ok(content) };
    if channels == content.channels {
        return Ok(content);
    }
    let trimmed = path.with_extension(TRIMMED);
    let copied = copy(path, old, &trimmed, new, content.samples);
    let n_heard = copied.inspect_err(|_| drop(std::fs::remove_file(&trimmed)))?;
    if n_heard > channels {
        std::fs::remove_file(&trimmed).map_err(StorageError::io(&trimmed, "removed"))?;
        return trim(path, content, n_heard);
    }
    std::fs::rename(&trimmed, path).map_err(StorageError::io(path, "replaced"))?;
    Ok(Content { channels, bit_rate: Some(wav_bit_rate(content.rate, channels)), ..content })
}

/// Copies the first channels of `samples`; returns the number of channels up to the last one with a sound on it that
/// was not copied, else 0.
fn copy(path: &Path, old: wav::Header, trimmed: &Path, new: wav::Header, samples: u64) -> Result<u32, StorageError> {
    let read = || StorageError::io(path, "read");
    let written = || StorageError::io(trimmed, "written");
    let mut source = BufReader::new(File::open(path).map_err(read())?);
    source.seek(SeekFrom::Start(old.size())).map_err(read())?;
    let target = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(trimmed);
    let mut target = BufWriter::new(target.map_err(written())?);
    let (old_frame, new_frame) = (usize::from(old.block_align()), usize::from(new.block_align()));
    target.write_all(&new.bytes(samples * new_frame as u64)).map_err(written())?;
    let mut left = samples;
    let mut n_heard = 0;
    let mut block = vec![0; FRAMES_PER_BLOCK as usize * old_frame];
    while left > 0 {
        let n = left.min(FRAMES_PER_BLOCK);
        let block = &mut block[..n as usize * old_frame];
        source.read_exact(block).map_err(read())?;
        for frame in block.chunks_exact(old_frame) {
            target.write_all(&frame[..new_frame]).map_err(written())?;
            // The tone of a pause is on all channels alike, and nobody's.
            let is_tone = frame.chunks_exact(SAMPLE_BYTES).all(|sample| *sample == frame[..SAMPLE_BYTES]);
            let last_heard = frame[new_frame..].iter().rposition(|byte| *byte != 0 && !is_tone);
            let channel = last_heard.map_or(0, |byte| (new_frame + byte) / SAMPLE_BYTES + 1);
            n_heard = n_heard.max(channel as u32);
        }
        left -= n;
    }
    // On the disk before it takes the place of the only copy.
    target.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all()).map_err(written())?;
    Ok(n_heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(samples: &[[i16; 4]]) -> (tempfile::TempDir, std::path::PathBuf, Content) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("000.wav");
        let data: Vec<u8> = samples.iter().flatten().flat_map(|sample| sample.to_le_bytes()).collect();
        let header = wav::Header::new(8_000, 4).unwrap().bytes(data.len() as u64);
        std::fs::write(&path, [header, data].concat()).unwrap();
        (dir, path, Content { samples: samples.len() as u64, rate: 8_000, channels: 4, bit_rate: None })
    }

    #[track_caller]
    fn check(samples: &[[i16; 4]], channels: u32, kept: usize) {
        let (_dir, path, content) = written(samples);
        let content = trim(&path, content, channels).unwrap();
        assert_eq!(content.channels as usize, kept);
        let data: Vec<u8> = samples.iter().flat_map(|s| &s[..kept]).flat_map(|s| s.to_le_bytes()).collect();
        assert!(std::fs::read(&path).unwrap().ends_with(&data));
        assert!(!path.with_extension(TRIMMED).exists());
    }

    #[test]
    fn channels_that_nobody_was_on_go() {
        check(&[[1, 2, 0, 0], [3, 4, 0, 0]], 2, 2);
        check(&[[0, 0, 0, 0]], 0, 1);
        check(&[[1, 2, 3, 4]], 4, 4);
    }

    /// Killed after the first sound was written and before the journal knew whose it was.
    #[test]
    fn a_channel_with_a_sound_on_it_stays() {
        check(&[[1, 2, 0, 0], [3, 4, 256, 0], [0, 5, 0, 0]], 1, 3);
        check(&[[0, 0, 0, -1]], 1, 4);
    }
}
