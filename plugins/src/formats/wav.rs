//! The header of a WAV file of 16-bit samples: written for a length, read from bytes, put right for a file's size.
//!
//! Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF WAVE) and Microsoft's
//! WAVEFORMATEXTENSIBLE. It knows nothing of files: lengths come as arguments.

const PLAIN_LEN: usize = 44;
const EXTENSIBLE_LEN: usize = 68;
const FORMAT_PCM: u16 = 0x0001;
const FORMAT_EXTENSIBLE: u16 = 0xFFFE;
/// KSDATAFORMAT_SUBTYPE_PCM, as it stands in a file.
const SUBTYPE_PCM: [u8; 16] = [1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
const BYTES_PER_SAMPLE: u16 = 2;
/// What the RIFF size does not count: its own id and itself.
const RIFF_PREFIX_LEN: u64 = 8;
/// More would not fit `nBlockAlign`.
const CHANNELS_MAX: u16 = u16::MAX / BYTES_PER_SAMPLE;

/// Why bytes are not the beginning of a WAV file of 16-bit samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WavError {
    /// They do not begin with `RIFF`, a size and `WAVE`.
    NotRiffWave,
    /// They end before the data chunk begins.
    Truncated,
    /// The data chunk comes before any format chunk.
    NoFormat,
    /// The format chunk is shorter than the 16 bytes that each has.
    ShortFormat {
        /// Its length in bytes.
        len: u32,
    },
    /// The samples are not 16-bit integers.
    NotPcm16 {
        /// `wFormatTag`.
        format: u16,
        /// `wBitsPerSample`.
        bits: u16,
    },
    /// The rate is 0, or the channels are none or more than a header can hold.
    BadFormat {
        /// Samples per second.
        rate: u32,
        /// Channels.
        channels: u16,
    },
}

impl std::fmt::Display for WavError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotRiffWave => write!(f, "no RIFF WAVE header"),
            Self::Truncated => write!(f, "the header ends before the data chunk"),
            Self::NoFormat => write!(f, "no format chunk before the data chunk"),
            Self::ShortFormat { len } => write!(f, "a format chunk of {len} bytes, at least 16 are needed"),
            Self::NotPcm16 { format, bits } => write!(f, "format {format:#06x} with {bits} bits, not 16-bit PCM"),
            Self::BadFormat { rate, channels } => write!(f, "impossible format of {channels} channels at {rate} Hz"),
        }
    }
}

impl std::error::Error for WavError {}

/// The format of a file of interleaved S16LE samples, and how its header is written.
///
/// One and two channels have the plain header of 44 bytes. More have WAVEFORMATEXTENSIBLE, 68 bytes, with channel mask
/// 0: the channels are people, not loudspeakers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    rate: u32,
    channels: u16,
}

impl Header {
    /// Returns the header for `rate` samples a second and 1 ‥ 32 767 channels.
    ///
    /// Errors with [`WavError::BadFormat`] when rate or channels are 0 or when there are more channels.
    pub const fn new(rate: u32, channels: u16) -> Result<Self, WavError> {
        if rate == 0 || channels == 0 || channels > CHANNELS_MAX {
            return Err(WavError::BadFormat { rate, channels });
        }
        Ok(Self { rate, channels })
    }

    /// Returns the samples per second of each channel.
    pub const fn rate(self) -> u32 {
        self.rate
    }

    /// Returns the number of channels.
    pub const fn channels(self) -> u16 {
        self.channels
    }

    /// Returns the bytes of one sample of all channels.
    pub const fn block_align(self) -> u16 {
        self.channels * BYTES_PER_SAMPLE
    }

    /// Returns the length of the header in bytes, which is also where the samples begin: 44 or 68.
    pub const fn size(self) -> u64 {
        if self.is_extensible() { EXTENSIBLE_LEN as u64 } else { PLAIN_LEN as u64 }
    }

    const fn is_extensible(self) -> bool {
        self.channels > 2
    }

    /// Returns the header of a file with `data_len` bytes of samples.
    ///
    /// What it claims is always whole samples of all channels: a torn last one is left out. A length beyond what 32
    /// bits hold is claimed as the greatest that they do.
    pub fn bytes(self, data_len: u64) -> Vec<u8> {
        let sizes = Sizes::of(self, self.size(), data_len);
        let mut out = Vec::with_capacity(EXTENSIBLE_LEN);
        out.extend_from_slice(b"RIFF");
        out.extend_from_slice(&sizes.riff_len.to_le_bytes());
        out.extend_from_slice(b"WAVEfmt ");
        out.extend_from_slice(&if self.is_extensible() { 40u32 } else { 16 }.to_le_bytes());
        let format = if self.is_extensible() { FORMAT_EXTENSIBLE } else { FORMAT_PCM };
        out.extend_from_slice(&format.to_le_bytes());
        out.extend_from_slice(&self.channels.to_le_bytes());
        out.extend_from_slice(&self.rate.to_le_bytes());
        out.extend_from_slice(&self.rate.saturating_mul(self.block_align().into()).to_le_bytes());
        out.extend_from_slice(&self.block_align().to_le_bytes());
        out.extend_from_slice(&(BYTES_PER_SAMPLE * 8).to_le_bytes());
        if self.is_extensible() {
            out.extend_from_slice(&22u16.to_le_bytes());
            out.extend_from_slice(&(BYTES_PER_SAMPLE * 8).to_le_bytes());
            out.extend_from_slice(&0u32.to_le_bytes());
            out.extend_from_slice(&SUBTYPE_PCM);
        }
        out.extend_from_slice(b"data");
        out.extend_from_slice(&sizes.data_len.to_le_bytes());
        out
    }

    /// Returns how many samples per channel a file of at most `max_size` bytes holds, header included.
    ///
    /// Never more than the header's 32-bit sizes can tell (a file of 4 GiB), whatever `max_size` is.
    pub const fn samples_within(self, max_size: u64) -> u64 {
        let tellable = u32::MAX as u64 + RIFF_PREFIX_LEN;
        let size = if max_size < tellable { max_size } else { tellable };
        size.saturating_sub(self.size()) / self.block_align() as u64
    }
}

/// Where things are in a WAV file: what [`parse`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The format of the samples.
    pub header: Header,
    /// Offset of the first sample from the file's beginning, in bytes.
    pub data_offset: u64,
    /// Bytes of samples that the header claims.
    pub data_len: u32,
    /// The size that the header claims for the whole file, without its first 8 bytes.
    pub riff_len: u32,
}

impl Layout {
    /// Returns what the sizes of a file of `file_len` bytes must be, when samples go on to its end.
    ///
    /// That is so for every file of [`Header::bytes`]. A file with chunks behind its samples must not be repaired so.
    pub fn sizes(&self, file_len: u64) -> Sizes {
        Sizes::of(self.header, self.data_offset, file_len.saturating_sub(self.data_offset))
    }

    /// Returns what to write into a file so that it claims `sizes`: offset and bytes, for the RIFF and the data chunk.
    pub fn patches(&self, sizes: Sizes) -> [(u64, [u8; 4]); 2] {
        [(4, sizes.riff_len.to_le_bytes()), (self.data_offset - 4, sizes.data_len.to_le_bytes())]
    }
}

/// The sizes of a WAV file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Of the samples, whole ones of all channels only: the data chunk's size.
    pub data_len: u32,
    /// Of the whole file without its first 8 bytes: the RIFF size.
    pub riff_len: u32,
    /// Of the whole file. What is behind is a torn sample.
    pub file_len: u64,
}

impl Sizes {
    fn of(header: Header, data_offset: u64, data_len: u64) -> Self {
        let block = u64::from(header.block_align());
        let whole = data_len - data_len % block;
        let before = data_offset.saturating_sub(RIFF_PREFIX_LEN);
        let tellable = u64::from(u32::MAX).saturating_sub(before);
        let claimed = whole.min(tellable - tellable % block);
        // A chunk of odd length has a pad byte behind it; 16-bit samples never need one.
        debug_assert!(claimed.is_multiple_of(2));
        let narrow = |len: u64| u32::try_from(len).unwrap_or(u32::MAX);
        let file_len = data_offset.saturating_add(whole);
        Self { data_len: narrow(claimed), riff_len: narrow(before + claimed), file_len }
    }
}

/// Finds format and samples in the beginning of a file; some hundred bytes of it do where no big chunk comes first.
///
/// Chunks it does not know are skipped. Sizes of RIFF and data chunk are taken as claimed and not checked: in a killed
/// recorder's file they are wrong.
pub fn parse(bytes: &[u8]) -> Result<Layout, WavError> {
    if bytes.get(0..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(WavError::NotRiffWave);
    }
    let riff_len = u32_at(bytes, 4)?;
    let mut offset = 12;
    let mut header = None;
    loop {
        let id = bytes.get(offset..).and_then(|rest| rest.get(..4)).ok_or(WavError::Truncated)?;
        let len = u32_at(bytes, offset + 4)?;
        let body = offset + 8;
        match id {
            b"data" => {
                let header = header.ok_or(WavError::NoFormat)?;
                return Ok(Layout { header, data_offset: body as u64, data_len: len, riff_len });
            }
            b"fmt " => header = Some(parse_format(bytes, body, len)?),
            _ => {}
        }
        let padded = usize::try_from(len).ok().and_then(|len| len.checked_next_multiple_of(2));
        offset = padded.and_then(|len| body.checked_add(len)).ok_or(WavError::Truncated)?;
    }
}

fn parse_format(bytes: &[u8], at: usize, len: u32) -> Result<Header, WavError> {
    if len < 16 {
        return Err(WavError::ShortFormat { len });
    }
    let (format, bits) = (u16_at(bytes, at)?, u16_at(bytes, at + 14)?);
    let is_pcm = match format {
        FORMAT_PCM => true,
        FORMAT_EXTENSIBLE if len >= 40 => {
            bytes.get(at + 24..at + 40).ok_or(WavError::Truncated)? == SUBTYPE_PCM.as_slice()
        }
        _ => false,
    };
    let header = Header::new(u32_at(bytes, at + 4)?, u16_at(bytes, at + 2)?)?;
    let is_pcm16 = is_pcm && bits == BYTES_PER_SAMPLE * 8 && u16_at(bytes, at + 12)? == header.block_align();
    if is_pcm16 { Ok(header) } else { Err(WavError::NotPcm16 { format, bits }) }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, WavError> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(WavError::Truncated)?;
    Ok(u16::from_le_bytes(*field))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, WavError> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(WavError::Truncated)?;
    Ok(u32::from_le_bytes(*field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(rate: u32, channels: u16) -> Header {
        Header::new(rate, channels).expect("a format that can be")
    }

    #[test]
    fn a_mono_header_is_the_44_bytes_of_the_specification() {
        let expected = [
            b"RIFF".as_slice(),
            &(36u32 + 32_000).to_le_bytes(),
            b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data",
            &32_000u32.to_le_bytes(),
        ];
        assert_eq!(header(16_000, 1).bytes(32_000), expected.concat());
    }

    #[test]
    fn more_than_two_channels_have_the_extensible_header_without_a_channel_mask() {
        let bytes = header(16_000, 5).bytes(0);
        assert_eq!(bytes.len(), 68);
        assert_eq!(bytes[16..24], [40, 0, 0, 0, 0xFE, 0xFF, 5, 0]);
        assert_eq!(bytes[36..44], [22, 0, 16, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[44..60], SUBTYPE_PCM);
    }

    #[test]
    fn a_torn_sample_is_not_claimed() {
        for (channels, data_len, whole) in [(1, 1, 0), (1, 2, 2), (1, 3, 2), (2, 7, 4), (5, 19, 10), (5, 20, 20)] {
            let header = header(8_000, channels);
            let layout = parse(&header.bytes(data_len)).expect("our own header");
            assert_eq!(layout.data_len, whole, "{channels} channels, {data_len} bytes");
            assert_eq!(u64::from(layout.riff_len), header.size() - 8 + u64::from(whole));
            let sizes = layout.sizes(header.size() + data_len);
            assert_eq!((sizes.data_len, sizes.file_len), (whole, header.size() + u64::from(whole)));
        }
    }

    #[test]
    fn lengths_beyond_32_bits_are_claimed_as_the_greatest_whole_one() {
        for channels in [1, 2, 5] {
            let header = header(48_000, channels);
            let layout = parse(&header.bytes(u64::MAX)).expect("our own header");
            assert_eq!(layout.data_len % u32::from(header.block_align()), 0);
            let unclaimed = u64::from(u32::MAX) - u64::from(layout.riff_len);
            assert!(unclaimed < u64::from(header.block_align()), "{unclaimed}");
            assert_eq!(u64::from(layout.riff_len), header.size() - 8 + u64::from(layout.data_len));
        }
    }

    #[test]
    fn what_is_not_a_wav_file_of_16_bit_samples_is_refused() {
        let good = header(16_000, 2).bytes(400);
        let with = |at: usize, value: &[u8]| {
            let mut bytes = good.clone();
            bytes[at..at + value.len()].copy_from_slice(value);
            bytes
        };
        let cases = [
            (vec![], WavError::NotRiffWave),
            (with(0, b"RIFX"), WavError::NotRiffWave),
            (with(12, b"junk"), WavError::NoFormat),
            (with(16, &[15]), WavError::ShortFormat { len: 15 }),
            (with(20, &[3]), WavError::NotPcm16 { format: 3, bits: 16 }),
            (with(34, &[24]), WavError::NotPcm16 { format: 1, bits: 24 }),
            (with(32, &[5]), WavError::NotPcm16 { format: 1, bits: 16 }),
            (with(22, &[0]), WavError::BadFormat { rate: 16_000, channels: 0 }),
            (good[..40].to_vec(), WavError::Truncated),
            (with(36, b"LIST"), WavError::Truncated),
        ];
        for (bytes, error) in cases {
            assert_eq!(parse(&bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn chunks_of_odd_length_before_the_data_are_skipped_with_their_pad_byte() {
        let plain = header(16_000, 1).bytes(0);
        let bytes = [&plain[..36], b"LIST\x03\0\0\0abc\0", &plain[36..]].concat();
        let layout = parse(&bytes).expect("a chunk more is legal");
        assert_eq!((layout.header, layout.data_offset), (header(16_000, 1), 56));
        assert_eq!(layout.patches(layout.sizes(156))[1], (52, 100u32.to_le_bytes()));
    }

    #[test]
    fn a_size_limit_holds_header_and_whole_samples() {
        for (channels, max_size, samples) in [(1, 0, 0), (1, 44, 0), (1, 45, 0), (1, 46, 1), (1, 49, 2), (5, 98, 3)] {
            assert_eq!(header(16_000, channels).samples_within(max_size), samples, "{channels} in {max_size}");
        }
        assert_eq!(header(16_000, 1).samples_within(u64::MAX), (u64::from(u32::MAX) + 8 - 44) / 2);
    }

    proptest! {
        #[test]
        fn any_header_is_read_back(rate in 1u32.., channels in 1u16..=CHANNELS_MAX, blocks in 0u64..60_000) {
            let header = header(rate, channels);
            let data_len = blocks * u64::from(header.block_align());
            let bytes = header.bytes(data_len);
            prop_assert_eq!(bytes.len() as u64, header.size());
            let layout = parse(&bytes).expect("our own header");
            prop_assert_eq!((layout.header, layout.data_offset), (header, header.size()));
            prop_assert_eq!(u64::from(layout.data_len), data_len.min(u64::from(u32::MAX)));
        }

        #[test]
        fn patches_make_an_old_header_into_that_of_the_file(
            old in 0u64..10_000,
            extra in 0u64..10_000,
            channels in 1u16..9,
        ) {
            let header = header(16_000, channels);
            let mut bytes = header.bytes(old);
            let layout = parse(&bytes).expect("our own header");
            for (at, value) in layout.patches(layout.sizes(header.size() + old + extra)) {
                bytes[at as usize..at as usize + 4].copy_from_slice(&value);
            }
            prop_assert_eq!(bytes, header.bytes(old + extra));
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>, offset in 0usize..68, value: u8, cut in 0usize..69) {
            let _ = parse(&bytes);
            let _ = parse(&[b"RIFF\0\0\0\0WAVEfmt ".as_slice(), &bytes].concat());
            let mut damaged = header(16_000, 5).bytes(20);
            damaged[offset] = value;
            if let Ok(layout) = parse(&damaged[..cut.min(68)]) {
                let _ = layout.sizes(1_000);
            }
        }
    }
}
