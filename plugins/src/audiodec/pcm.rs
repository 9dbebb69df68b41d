//! Uncompressed samples: bytes to S16 and two channels to one.
//!
//! Knows bytes and samples; must not know time or GStreamer.

/// Order of the two bytes of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endianness {
    /// S16LE.
    Little,
    /// S16BE.
    Big,
}

/// Appends the samples in `bytes`; a half sample at the end is ignored.
pub(super) fn append(bytes: &[u8], endianness: Endianness, output: &mut Vec<i16>) {
    let native = if cfg!(target_endian = "little") { Endianness::Little } else { Endianness::Big };
    let whole = &bytes[..bytes.len() - bytes.len() % 2];
    // Buffers are aligned in practice; a sub-buffer at an odd offset takes the slow way.
    match bytemuck::try_cast_slice::<u8, i16>(whole) {
        Ok(samples) if endianness == native => output.extend_from_slice(samples),
        Ok(_) | Err(_) => {
            let (pairs, _) = whole.as_chunks::<2>();
            match endianness {
                Endianness::Little => output.extend(pairs.iter().map(|&pair| i16::from_le_bytes(pair))),
                Endianness::Big => output.extend(pairs.iter().map(|&pair| i16::from_be_bytes(pair))),
            }
        }
    }
}

/// Mixes interleaved stereo from index `from` on to mono, in place: (left + right) >> 1, which cannot overflow. A left
/// sample without its right one is dropped.
pub(super) fn downmix(samples: &mut Vec<i16>, from: usize) {
    let n_frames = (samples.len() - from) / 2;
    for frame in 0..n_frames {
        let (left, right) = (samples[from + 2 * frame], samples[from + 2 * frame + 1]);
        samples[from + frame] = ((i32::from(left) + i32::from(right)) >> 1) as i16;
    }
    samples.truncate(from + n_frames);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], endianness: Endianness, expected: &[i16]) {
        let mut samples = Vec::new();
        append(bytes, endianness, &mut samples);
        assert_eq!(samples, expected);
    }

    #[test]
    fn both_byte_orders_are_read_at_any_alignment() {
        let bytes = [0x34, 0x12, 0xff, 0x7f, 0x00, 0x80, 0x01];
        check(&bytes, Endianness::Little, &[0x1234, i16::MAX, i16::MIN]);
        check(&bytes[1..], Endianness::Little, &[-238, 0x007f, 0x0180]);
        check(&bytes, Endianness::Big, &[0x3412, -129, 0x0080]);
        check(&bytes[..1], Endianness::Big, &[]);
    }

    #[test]
    fn stereo_becomes_the_mean_rounded_down() {
        let mut samples = vec![7, 100, 201, -3, -4, i16::MAX, i16::MAX, i16::MIN, i16::MIN, 5];
        downmix(&mut samples, 1);
        assert_eq!(samples, [7, 150, -4, i16::MAX, i16::MIN]);
    }
}
