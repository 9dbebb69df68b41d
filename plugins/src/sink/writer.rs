//! One file being written: each call leaves on the disk what a reader needs.
//!
//! It knows no GStreamer. All I/O is plain `write`, `pwrite` and `ftruncate` in the caller's thread.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Seek;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::fs::OpenOptionsExt;

use crate::formats::mp3;
use crate::formats::wav;
use crate::messages::Room;
use crate::sink::content::Content;

/// Whether an existing file is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It is replaced.
    Overwrite,
    /// It is an error.
    Refuse,
}

/// What has been done to the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Bytes of the file.
    pub(super) size: u64,
    /// Where the next bytes go.
    pub(super) position: u64,
    /// Bytes handed to the kernel, headers and their patches included.
    pub(super) bytes_written: u64,
    /// Calls that did it.
    pub(super) writes: u64,
}

/// How the bytes of the stream become those of the file.
#[derive(Debug)]
enum Format {
    /// Not known before caps or the first bytes come.
    Undecided,
    Bytes,
    Wav(wav::Header),
    Mp3(Mp3),
}

#[derive(Debug, Default)]
struct Mp3 {
    /// Length of the tag's frame; 0 before the first frame has come.
    tag_len: u64,
    frames: mp3::FrameCounter,
}

/// An open file.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    /// A device, as a terminal, can neither be patched nor cut.
    is_regular: bool,
    format: Format,
    progress: Progress,
    failed: bool,
}

impl Writer {
    /// Creates the file, readable by its owner only. Errors too where it is a named pipe.
    pub(super) fn create(location: &str, existing: Existing) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        // To open it would block until somebody reads.
        if std::fs::metadata(location).is_ok_and(|metadata| metadata.file_type().is_fifo()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a named pipe"));
        }
        let file = match existing {
            Existing::Overwrite => options.create(true).truncate(true).open(location)?,
            Existing::Refuse => options.create_new(true).open(location)?,
        };
        let is_regular = file.metadata()?.is_file();
        Ok(Self { file, is_regular, format: Format::Undecided, progress: Progress::default(), failed: false })
    }

    /// Returns what has been done so far.
    pub(super) const fn progress(&self) -> Progress {
        self.progress
    }

    /// Tells whether writing has failed: nothing more is written then but what keeps the file readable.
    pub(super) const fn has_failed(&self) -> bool {
        self.failed
    }

    /// Takes what the file will hold and writes the header that this needs; the first time counts.
    pub(super) fn begin(&mut self, content: Content) -> io::Result<()> {
        if !matches!(self.format, Format::Undecided) {
            return Ok(());
        }
        self.format = match content {
            Content::Bytes => Format::Bytes,
            Content::Wav(header) => Format::Wav(header),
            Content::Mp3 { .. } => Format::Mp3(Mp3::default()),
        };
        let result = match content {
            Content::Wav(header) => self.append(&header.bytes(0)).0,
            Content::Bytes | Content::Mp3 { .. } => Ok(()),
        };
        self.whole_after(result)
    }

    /// Goes to where a `BYTES` segment begins; only a file of bytes as they come follows.
    pub(super) fn seek(&mut self, position: u64) -> io::Result<()> {
        if matches!(self.format, Format::Bytes) && position != self.progress.position {
            self.file.seek(io::SeekFrom::Start(position))?;
            self.progress.position = position;
        }
        Ok(())
    }

    /// Writes the bytes of a buffer, and the header that counts them.
    ///
    /// After an error the file holds whole samples or frames only, and a header that says so. It is one where a WAV
    /// file has all that its header can count.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.begin(Content::Bytes)?;
        let result = self.write_media(bytes);
        self.whole_after(result)?;
        self.patch_wav()
    }

    fn write_media(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reserve_tag(bytes)?;
        let countable = self.countable(bytes);
        let (result, written) = self.append(countable);
        if let Format::Mp3(mp3) = &mut self.format {
            mp3.frames.push(&bytes[..written]);
        }
        result?;
        if countable.len() < bytes.len() {
            self.failed = true;
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a WAV file of 4 GiB has no room for more"));
        }
        Ok(())
    }

    /// Returns what of a buffer the file's header can count.
    fn countable<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let Format::Wav(header) = self.format else { return bytes };
        let end = header.size() + header.samples_within(u64::MAX) * u64::from(header.block_align());
        let left = usize::try_from(end.saturating_sub(self.progress.size)).unwrap_or(usize::MAX);
        &bytes[..bytes.len().min(left)]
    }

    /// Takes what an error has torn out of the file.
    fn whole_after(&mut self, result: io::Result<()>) -> io::Result<()> {
        result.inspect_err(|_| {
            // The first error is the one to tell; `finish` does this again and tells its own.
            let _ = self.cut_torn();
            let _ = self.patch_wav();
        })
    }

    /// Puts the reserved tag before the first frame, or makes it a file of bytes where no ordinary frame begins it.
    fn reserve_tag(&mut self, bytes: &[u8]) -> io::Result<()> {
        let is_first = matches!(&self.format, Format::Mp3(mp3) if mp3.tag_len == 0) && !bytes.is_empty();
        if !is_first {
            return Ok(());
        }
        match mp3::FrameHeader::parse(bytes) {
            Ok(first) if mp3::InfoTag::parse(bytes).is_none() => {
                let tag = mp3::InfoTag::reserved(first).bytes();
                self.format = Format::Mp3(Mp3 { tag_len: tag.len() as u64, frames: mp3::FrameCounter::of(first) });
                self.append(&tag).0
            }
            _ => {
                self.format = Format::Bytes;
                Ok(())
            }
        }
    }

    /// Completes header or tag; `samples` per channel went into the encoder, where that is known.
    ///
    /// Does all it can, and returns the first error.
    pub(super) fn finish(&mut self, samples: Option<u64>) -> io::Result<()> {
        let cut = self.cut_torn();
        let header = self.patch_wav();
        let tag = self.patch_tag(samples);
        cut.and(header).and(tag)
    }

    /// Returns how many samples a file of `max_size` bytes holds.
    pub(super) fn room(&self, max_size: u64) -> Room {
        match &self.format {
            Format::Wav(header) => Room::Samples { samples: header.samples_within(max_size), rate: header.rate() },
            Format::Mp3(Mp3 { frames, .. }) if frames.bitrate() == mp3::Bitrate::Constant => match frames.first() {
                Some(first) => Room::Samples { samples: mp3::samples_within(first, max_size), rate: first.rate() },
                None => Room::Unknown { written: self.progress.size },
            },
            _ => Room::Unknown { written: self.progress.size },
        }
    }

    fn patch_wav(&mut self) -> io::Result<()> {
        match self.format {
            Format::Wav(header) => self.patch(&header.bytes(self.progress.size.saturating_sub(header.size()))),
            Format::Undecided | Format::Bytes | Format::Mp3(_) => Ok(()),
        }
    }

    fn patch_tag(&mut self, samples: Option<u64>) -> io::Result<()> {
        let tag = match &self.format {
            Format::Mp3(mp3) => mp3::InfoTag::complete(&mp3.frames, samples),
            Format::Undecided | Format::Bytes | Format::Wav(_) => None,
        };
        tag.map_or(Ok(()), |tag| self.patch(&tag.bytes()))
    }

    /// Takes from the file's end what is no whole sample; a torn frame only where it was torn by an error.
    fn cut_torn(&mut self) -> io::Result<()> {
        let size = self.progress.size;
        let whole = match &self.format {
            Format::Wav(header) if size < header.size() => 0,
            Format::Wav(header) => size - (size - header.size()) % u64::from(header.block_align()),
            Format::Mp3(mp3) if self.failed && mp3.frames.frames() == 0 => 0,
            Format::Mp3(mp3) if self.failed => mp3.tag_len + mp3.frames.end(),
            _ => size,
        };
        if whole != size && self.is_regular {
            self.file.set_len(whole)?;
            self.progress.size = whole;
            self.progress.position = whole;
        }
        Ok(())
    }

    /// Writes bytes over the file's beginning, as far as they are there already.
    fn patch(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.is_regular || self.progress.size < bytes.len() as u64 {
            return Ok(());
        }
        let result = self.file.write_all_at(bytes, 0);
        self.failed |= result.is_err();
        self.progress.writes += 1;
        self.progress.bytes_written += bytes.len() as u64;
        result
    }

    /// Writes bytes at the position; returns also how many got there.
    fn append(&mut self, bytes: &[u8]) -> (io::Result<()>, usize) {
        let mut written = 0;
        let result = loop {
            if written == bytes.len() {
                break Ok(());
            }
            self.progress.writes += 1;
            match self.file.write(&bytes[written..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => written += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.failed |= result.is_err();
        self.progress.bytes_written += written as u64;
        self.progress.position += written as u64;
        self.progress.size = self.progress.size.max(self.progress.position);
        (result, written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav() -> wav::Header {
        wav::Header::new(16_000, 1).expect("a format that can be")
    }

    /// A file of the test's own, gone with it.
    struct Scratch(std::path::PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("reelsink-{}-{name}", std::process::id())))
        }

        fn writer(&self) -> Writer {
            Writer::create(self.0.to_str().expect("a path of text"), Existing::Overwrite).expect("it can be created")
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_wav_file_ends_where_its_header_can_count_no_more() {
        let scratch = Scratch::new("4-gib");
        let mut writer = scratch.writer();
        writer.begin(Content::Wav(wav())).expect("there is room");
        // As if all but two samples were there, in a sparse file.
        let end = 44 + 2 * wav().samples_within(u64::MAX);
        writer.file.seek(io::SeekFrom::Start(end - 4)).expect("it is a file");
        (writer.progress.size, writer.progress.position) = (end - 4, end - 4);
        writer.write(&[1, 0]).expect("there is room for two samples");
        let error = writer.write(&[2, 0, 3, 0]).expect_err("there is room for one sample");
        assert_eq!((error.kind(), writer.has_failed()), (io::ErrorKind::FileTooLarge, true));
        writer.finish(None).expect("what is there stays");
        let mut written = [0; 52];
        let file = File::open(&scratch.0).expect("the file is there");
        file.read_exact_at(&mut written[..44], 0).expect("a header");
        file.read_exact_at(&mut written[44..], end - 8).expect("the last samples");
        assert_eq!(file.metadata().expect("a file").len(), end);
        assert_eq!(written[..44], wav().bytes(end - 44));
        assert_eq!(u64::from(u32::from_le_bytes([written[40], written[41], written[42], written[43]])), end - 44);
        assert_eq!(written[44..], [0, 0, 0, 0, 1, 0, 2, 0]);
    }
}
