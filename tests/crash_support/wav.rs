//! A WAV reader of the tests' own: strict where the program must be right.

use std::path::Path;

/// A WAV file of 16-bit samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wav {
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    /// Interleaved.
    pub(crate) samples: Vec<i16>,
}

impl Wav {
    /// Returns samples per channel.
    pub(crate) fn len(&self) -> usize {
        self.samples.len() / self.channels
    }

    /// Returns the samples of one channel.
    pub(crate) fn channel(&self, channel: usize) -> Vec<i16> {
        self.samples.iter().skip(channel).step_by(self.channels).copied().collect()
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Reads a file whose header must tell its length exactly.
#[track_caller]
pub(crate) fn read(path: &Path) -> Wav {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let wav = parse(&bytes).unwrap_or_else(|what| panic!("{}: {what}", path.display()));
    let (header, wav) = wav;
    assert_eq!(u32_at(&bytes, 4) as usize, bytes.len() - 8, "{}: RIFF length", path.display());
    assert_eq!(header + wav.samples.len() * 2, bytes.len(), "{}: bytes behind the samples", path.display());
    wav
}

/// Reads as much as a header claims that may be older than the samples behind it.
pub(crate) fn read_torn(path: &Path) -> Option<Wav> {
    parse(&std::fs::read(path).ok()?).ok().map(|(_, wav)| wav)
}

/// Returns where the samples begin, and what the header says.
fn parse(bytes: &[u8]) -> Result<(usize, Wav), String> {
    if bytes.len() < 44 || &bytes[..4] != b"RIFF" || &bytes[8..16] != b"WAVEfmt " {
        return Err(format!("no WAV header in {} bytes", bytes.len()));
    }
    let fmt_len = u32_at(bytes, 16) as usize;
    let (channels, rate) = (usize::from(u16_at(bytes, 22)), u32_at(bytes, 24));
    let data = 20 + fmt_len;
    let is_right = u16_at(bytes, 34) == 16
        && channels > 0
        && u32_at(bytes, 28) as usize == rate as usize * channels * 2
        && usize::from(u16_at(bytes, 32)) == channels * 2
        && bytes.get(data..data + 4) == Some(b"data");
    if !is_right {
        return Err("the format is not what it says".to_owned());
    }
    let len = u32_at(bytes, data + 4) as usize;
    let samples = bytes.get(data + 8..data + 8 + len).ok_or("the header claims more than there is")?;
    if !len.is_multiple_of(channels * 2) {
        return Err(format!("{len} bytes are no whole samples of {channels} channels"));
    }
    let samples = samples.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    Ok((data + 8, Wav { rate, channels, samples }))
}
