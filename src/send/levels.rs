//! The level of each 20 ms of samples, however they are cut into buffers: pure.

use crate::send::codec::Codec;
use crate::send::codec::FRAMES_PER_SECOND;

/// Adds up samples of 16 bits to frames.
#[derive(Debug)]
pub(super) struct Levels {
    is_big_endian: bool,
    frame_samples: u32,
    n_samples: u32,
    squares: f64,
}

impl Levels {
    /// Returns a meter of what a codec's encoder takes.
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            is_big_endian: codec == Codec::L16,
            frame_samples: codec.sample_hz() / FRAMES_PER_SECOND,
            n_samples: 0,
            squares: 0.0,
        }
    }

    /// Takes the next samples; returns the mean square, of full scale squared, of each frame that they complete.
    pub(super) fn measure(&mut self, bytes: &[u8]) -> Vec<f64> {
        let mut levels = Vec::new();
        for sample in bytes.chunks_exact(2) {
            let sample = [sample[0], sample[1]];
            let sample = if self.is_big_endian { i16::from_be_bytes(sample) } else { i16::from_le_bytes(sample) };
            self.squares += (f64::from(sample) / 32_768.0).powi(2);
            self.n_samples += 1;
            if self.n_samples == self.frame_samples {
                levels.push(self.squares / f64::from(self.frame_samples));
                (self.n_samples, self.squares) = (0, 0.0);
            }
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_measured_across_buffers() {
        let samples = [vec![0x4000i16; 160], vec![0; 160], vec![0x2000; 100]].concat();
        let little: Vec<_> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut levels = Levels::new(Codec::Pcmu);
        let (first, second) = little.split_at(250);
        let measured = [levels.measure(first), levels.measure(second)].concat();
        assert_eq!(measured, [0.25, 0.0]);
        let big: Vec<_> = [0x4000i16; 320].iter().flat_map(|sample| sample.to_be_bytes()).collect();
        assert_eq!(Levels::new(Codec::L16).measure(&big), [0.25]);
    }
}
