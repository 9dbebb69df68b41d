//! WAV files, written and read by hand. The reader is strict: a header that does not fit its file is an error.

use std::path::Path;

/// Format tags of the `fmt ` chunk.
const TAG_PCM: u16 = 1;
const TAG_EXTENSIBLE: u16 = 0xFFFE;

/// What a WAV file holds: 16 bits, any number of channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wav {
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    /// Interleaved.
    pub(crate) samples: Vec<i16>,
    /// Bytes of the file before and after the samples.
    pub(crate) overhead: usize,
}

impl Wav {
    /// Reads a file; panics where anything in its header is not as it should be.
    #[track_caller]
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let number16 = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let number32 = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]), "{}", path.display());
        assert_eq!(number32(4) as usize, bytes.len() - 8, "{}: length in the RIFF header", path.display());
        let (mut at, mut format) = (12, None);
        loop {
            assert!(at + 8 <= bytes.len(), "{}: no data chunk", path.display());
            let (id, len, body) = (&bytes[at..at + 4], number32(at + 4) as usize, at + 8);
            match id {
                b"fmt " => {
                    let (tag, channels, rate) = (number16(body), usize::from(number16(body + 2)), number32(body + 4));
                    let tag = if tag == TAG_EXTENSIBLE { number16(body + 24) } else { tag };
                    let (byte_rate, block, bits) = (number32(body + 8), number16(body + 12), number16(body + 14));
                    assert_eq!((tag, bits, usize::from(block)), (TAG_PCM, 16, channels * 2), "{}", path.display());
                    assert_eq!(byte_rate, rate * u32::from(block), "{}: bytes a second", path.display());
                    format = Some((rate, channels));
                }
                b"data" => {
                    let (rate, channels) = format.expect("the format stands before the data");
                    assert_eq!((body + len, len % (channels * 2)), (bytes.len(), 0), "{}: data", path.display());
                    let samples = super::signal::from_bytes(&bytes[body..]);
                    return Self { rate, channels, samples, overhead: bytes.len() - len };
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
