//! The four bytes that each MP3 frame begins with, and what follows from them.
//!
//! Source: ISO/IEC 11172-3 §2.4.1.3 and 13818-3 §2.4.1.3; MPEG-2.5 is Fraunhofer's extension of the same table.

/// Bit rates of Layer III by index in kbit/s; index 0 means "free" and 15 is forbidden.
const KBITS_MPEG1: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBITS_MPEG2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const RATES_MPEG1: [u32; 3] = [44_100, 48_000, 32_000];

const SYNC: u32 = 0xFFE0_0000;
const NO_CRC: u32 = 1 << 16;
const PADDED: u32 = 1 << 9;
const BITRATE_SHIFT: u32 = 12;
const BITRATE_MASK: u32 = 0xF << BITRATE_SHIFT;

/// Why four bytes are not the header of an MP3 frame whose length can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// There are less than four.
    TooShort,
    /// They do not begin with eleven set bits.
    NoSync,
    /// Another layer than III.
    NotLayer3,
    /// The bit rate is "free": the header does not tell the frame's length.
    FreeFormat,
    /// A reserved value of version, bit rate, sample rate or emphasis.
    Reserved,
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooShort => "less than four bytes",
            Self::NoSync => "no sync word",
            Self::NotLayer3 => "not Layer III",
            Self::FreeFormat => "free bit rate",
            Self::Reserved => "a reserved value in the frame header",
        })
    }
}

impl std::error::Error for FrameError {}

/// Version of MPEG audio, which decides sample rates and frame sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 32, 44.1 and 48 kHz.
    Mpeg1,
    /// 16, 22.05 and 24 kHz.
    Mpeg2,
    /// 8, 11.025 and 12 kHz.
    Mpeg25,
}

/// A valid header of a Layer III frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader(u32);

impl std::fmt::Debug for FrameHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameHeader")
            .field("bits", &format_args!("{:#010x}", self.0))
            .field("version", &self.version())
            .field("bitrate", &self.bitrate())
            .field("rate", &self.rate())
            .field("channels", &self.channels())
            .field("size", &self.size())
            .finish()
    }
}

impl FrameHeader {
    /// Bytes of a header.
    pub const LEN: usize = 4;

    /// Reads the header that `bytes` begin with.
    pub fn parse(bytes: &[u8]) -> Result<Self, FrameError> {
        let bits = u32::from_be_bytes(*bytes.first_chunk().ok_or(FrameError::TooShort)?);
        if bits & SYNC != SYNC {
            return Err(FrameError::NoSync);
        }
        if (bits >> 17) & 0b11 != 0b01 {
            return Err(FrameError::NotLayer3);
        }
        if bits & BITRATE_MASK == 0 {
            return Err(FrameError::FreeFormat);
        }
        let reserved_version = (bits >> 19) & 0b11 == 0b01;
        let reserved_bitrate = bits & BITRATE_MASK == BITRATE_MASK;
        let reserved_rate = (bits >> 10) & 0b11 == 0b11;
        let reserved_emphasis = bits & 0b11 == 0b10;
        if reserved_version || reserved_bitrate || reserved_rate || reserved_emphasis {
            return Err(FrameError::Reserved);
        }
        Ok(Self(bits))
    }

    /// Returns the four bytes.
    pub const fn bytes(self) -> [u8; Self::LEN] {
        self.0.to_be_bytes()
    }

    /// Returns the version of MPEG audio.
    pub const fn version(self) -> Version {
        match (self.0 >> 19) & 0b11 {
            0b11 => Version::Mpeg1,
            0b10 => Version::Mpeg2,
            _ => Version::Mpeg25,
        }
    }

    /// Returns the bit rate in bits per second, 8 000 ‥ 320 000.
    pub const fn bitrate(self) -> u32 {
        let index = ((self.0 & BITRATE_MASK) >> BITRATE_SHIFT) as usize;
        1_000
            * match self.version() {
                Version::Mpeg1 => KBITS_MPEG1[index],
                Version::Mpeg2 | Version::Mpeg25 => KBITS_MPEG2[index],
            }
    }

    /// Returns the samples per second, 8 000 ‥ 48 000.
    pub const fn rate(self) -> u32 {
        let rate = RATES_MPEG1[((self.0 >> 10) & 0b11) as usize];
        match self.version() {
            Version::Mpeg1 => rate,
            Version::Mpeg2 => rate / 2,
            Version::Mpeg25 => rate / 4,
        }
    }

    /// Returns the number of channels, 1 or 2.
    pub const fn channels(self) -> u32 {
        if (self.0 >> 6) & 0b11 == 0b11 { 1 } else { 2 }
    }

    /// Returns the samples per channel that a frame holds: 1152, or 576 below 32 kHz.
    pub const fn samples(self) -> u32 {
        match self.version() {
            Version::Mpeg1 => 1_152,
            Version::Mpeg2 | Version::Mpeg25 => 576,
        }
    }

    /// Returns the length of the whole frame in bytes, header and padding slot included: 24 ‥ 1441.
    pub const fn size(self) -> usize {
        let padding = if self.0 & PADDED != 0 { 1 } else { 0 };
        (self.samples() / 8 * self.bitrate() / self.rate()) as usize + padding
    }

    /// Returns the length in bytes of the side information that follows header (and CRC).
    pub const fn side_info_len(self) -> usize {
        match (self.version(), self.channels()) {
            (Version::Mpeg1, 1) => 17,
            (Version::Mpeg1, _) => 32,
            (_, 1) => 9,
            (_, _) => 17,
        }
    }

    /// Returns the header of a frame of the same stream that has no CRC and no padding slot.
    pub const fn bare(self) -> Self {
        Self((self.0 | NO_CRC) & !PADDED)
    }

    /// Returns the same header at each bit rate that its version has, lowest first.
    pub fn at_all_bitrates(self) -> impl Iterator<Item = Self> {
        (1..15u32).map(move |index| Self(self.0 & !BITRATE_MASK | index << BITRATE_SHIFT))
    }

    /// Tells whether `other` can be a frame of the same stream: same version and sample rate.
    pub const fn goes_with(self, other: Self) -> bool {
        const FIXED: u32 = SYNC | 0b11 << 19 | 0b11 << 17 | 0b11 << 10;
        self.0 & FIXED == other.0 & FIXED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: [u8; 4], version: Version, bitrate: u32, rate: u32, channels: u32, size: usize, side_info: usize) {
        let header = FrameHeader::parse(&bytes).expect("a valid header");
        assert_eq!((header.version(), header.bitrate(), header.rate()), (version, bitrate, rate));
        assert_eq!((header.channels(), header.size(), header.side_info_len()), (channels, size, side_info));
        assert_eq!(header.bytes(), bytes);
    }

    #[test]
    fn headers_that_lame_writes_are_understood() {
        check([0xFF, 0xF3, 0x68, 0xC4], Version::Mpeg2, 48_000, 16_000, 1, 216, 9);
        check([0xFF, 0xFB, 0x90, 0x64], Version::Mpeg1, 128_000, 44_100, 2, 417, 32);
        check([0xFF, 0xFB, 0x92, 0x64], Version::Mpeg1, 128_000, 44_100, 2, 418, 32);
        check([0xFF, 0xFB, 0x54, 0xC4], Version::Mpeg1, 64_000, 48_000, 1, 192, 17);
        check([0xFF, 0xE3, 0x18, 0xC4], Version::Mpeg25, 8_000, 8_000, 1, 72, 9);
        check([0xFF, 0xF3, 0x40, 0x64], Version::Mpeg2, 32_000, 22_050, 2, 104, 17);
        check([0xFF, 0xFB, 0xE8, 0x64], Version::Mpeg1, 320_000, 32_000, 2, 1_440, 32);
    }

    #[test]
    fn what_is_not_a_layer_3_header_of_known_length_is_refused() {
        let cases: [(&[u8], FrameError); 8] = [
            (&[0xFF, 0xFB, 0x90], FrameError::TooShort),
            (&[0xFF, 0xDB, 0x90, 0x64], FrameError::NoSync),
            (&[0xFF, 0xFD, 0x90, 0x64], FrameError::NotLayer3),
            (&[0xFF, 0xFB, 0x00, 0x64], FrameError::FreeFormat),
            (&[0xFF, 0xEB, 0x90, 0x64], FrameError::Reserved),
            (&[0xFF, 0xFB, 0xF0, 0x64], FrameError::Reserved),
            (&[0xFF, 0xFB, 0x9C, 0x64], FrameError::Reserved),
            (&[0xFF, 0xFB, 0x90, 0x66], FrameError::Reserved),
        ];
        for (bytes, error) in cases {
            assert_eq!(FrameHeader::parse(bytes), Err(error), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn every_header_has_a_length_in_range(bits in 0xFFE0_0000u32..) {
            if let Ok(header) = FrameHeader::parse(&bits.to_be_bytes()) {
                prop_assert!((24..=1_441).contains(&header.size()), "{:?}", header);
                prop_assert_eq!(header.at_all_bitrates().count(), 14);
                prop_assert!(header.at_all_bitrates().all(|other| other.goes_with(header)));
                prop_assert!(header.bare().size() <= header.size());
            }
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let _ = FrameHeader::parse(&bytes);
        }
    }
}
