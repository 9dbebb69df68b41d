//! WAV files, written and read by hand. The reader is strict: a header that does not fit its file is an error.

use std::path::Path;

/// Format tags of the `fmt ` chunk.
const TAG_PCM: u16 = 1;
const TAG_EXTENSIBLE: usize = 0xFFFE;

/// What a WAV file holds: 16 bits, any number of channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wav {
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    /// Interleaved.
    pub(crate) samples: Vec<i16>,
    /// Bytes of the file before and after the samples.
    pub(crate) overhead: usize,
    /// Where the samples end in the file.
    end: usize,
}

/// Returns a number as it stands in a file: lowest byte first.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

impl Wav {
    /// Reads a file; panics where anything in its header is not as it should be.
    #[track_caller]
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let wav = Self::parse(&bytes).unwrap_or_else(|what| panic!("{}: {what}", path.display()));
        assert_eq!(number(&bytes[4..8]), bytes.len() - 8, "{}: length in the RIFF header", path.display());
        assert_eq!(wav.end, bytes.len(), "{}: bytes behind the samples", path.display());
        wav
    }

    /// Reads as much as a header claims that may be older than the samples behind it.
    pub(crate) fn read_torn(path: &Path) -> Option<Self> {
        Self::parse(&std::fs::read(path).ok()?).ok()
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() < 12 || (&bytes[..4], &bytes[8..12]) != (b"RIFF", b"WAVE") {
            return Err(format!("no WAV header in {} bytes", bytes.len()));
        }
        let (mut at, mut format) = (12, None);
        loop {
            let head = bytes.get(at..at + 8).ok_or("no data chunk")?;
            let (id, len, body) = (&head[..4], number(&head[4..]), at + 8);
            let chunk = bytes.get(body..body + len).ok_or("the header claims more than there is")?;
            match id {
                b"fmt " => {
                    let [tag, channels, block, bits] = [0, 2, 12, 14].map(|at| number(&chunk[at..at + 2]));
                    let (rate, byte_rate) = (number(&chunk[4..8]), number(&chunk[8..12]));
                    let tag = if tag == TAG_EXTENSIBLE { number(&chunk[24..26]) } else { tag };
                    if (tag, bits, block, byte_rate) != (usize::from(TAG_PCM), 16, channels * 2, rate * block) {
                        return Err("the format is not what it says".to_owned());
                    }
                    format = Some((rate as u32, channels));
                }
                b"data" => {
                    let (rate, channels) = format.ok_or("no format before the data")?;
                    if len % (channels * 2) > 0 {
                        return Err(format!("{len} bytes are no whole samples of {channels} channels"));
                    }
                    let samples = super::signal::from_bytes(chunk);
                    return Ok(Self { rate, channels, samples, overhead: bytes.len() - len, end: body + len });
                }
                _ => (),
            }
            at = body + len + len % 2;
        }
    }

    /// Samples per channel.
    pub(crate) fn frames(&self) -> usize {
        self.samples.len() / self.channels
    }

    /// Returns the samples of one channel.
    #[track_caller]
    pub(crate) fn channel(&self, channel: usize) -> Vec<i16> {
        assert!(channel < self.channels, "channel {channel} of {}", self.channels);
        self.samples.iter().skip(channel).step_by(self.channels).copied().collect()
    }
}

/// Returns the header of a WAV file of 16 bits with `data_bytes` behind it.
pub(crate) fn header(rate: u32, channels: u16, data_bytes: u32) -> Vec<u8> {
    let block = channels * 2;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend([TAG_PCM, channels].map(u16::to_le_bytes).concat());
    bytes.extend([rate, rate * u32::from(block)].map(u32::to_le_bytes).concat());
    bytes.extend([block, 16].map(u16::to_le_bytes).concat());
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    bytes
}

/// Writes interleaved samples.
pub(crate) fn write(path: &Path, rate: u32, channels: u16, samples: &[i16]) {
    let mut bytes = header(rate, channels, samples.len() as u32 * 2);
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    std::fs::write(path, bytes).expect("the temporary directory can be written");
}
