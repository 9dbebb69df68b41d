//! Takes the last channels out of a WAV file: those that nobody ever was on.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use gstreel::formats::wav;

use crate::storage::StorageError;
use crate::storage::inspect::Content;

/// Samples (on all channels) that are moved at once.
const FRAMES_PER_BLOCK: u64 = 8192;

/// Leaves the first `channels` of the file at `path`, one at least; the file must be whole.
pub(super) fn trim(path: &Path, content: Content, channels: u32) -> Result<Content, StorageError> {
    let channels = channels.clamp(1, content.channels);
    let header = |channels: u32| wav::Header::new(content.rate, channels as u16).ok();
    let (Some(old), Some(new)) = (header(content.channels), header(channels)) else { return Ok(content) };
    if channels == content.channels {
        return Ok(content);
    }
    let trimmed = path.with_extension("trimmed");
    let read = || StorageError::io(path, "read");
    let written = || StorageError::io(&trimmed, "written");
    let mut source = BufReader::new(File::open(path).map_err(read())?);
    source.seek(SeekFrom::Start(old.size())).map_err(read())?;
    let target = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&trimmed);
    let mut target = BufWriter::new(target.map_err(written())?);
    let (old_frame, new_frame) = (usize::from(old.block_align()), usize::from(new.block_align()));
    target.write_all(&new.bytes(content.samples * new_frame as u64)).map_err(written())?;
    let mut left = content.samples;
    let mut block = vec![0; FRAMES_PER_BLOCK as usize * old_frame];
    while left > 0 {
        let n = left.min(FRAMES_PER_BLOCK);
        let block = &mut block[..n as usize * old_frame];
        source.read_exact(block).map_err(read())?;
        for frame in block.chunks_exact(old_frame) {
            target.write_all(&frame[..new_frame]).map_err(written())?;
        }
        left -= n;
    }
    target.flush().map_err(written())?;
    std::fs::rename(&trimmed, path).map_err(StorageError::io(path, "replaced"))?;
    Ok(Content { channels, bit_rate: Some(content.rate * channels * 16), ..content })
}
