//! How loud a track is: the mean square of what was heard of late. Pure: samples and times in, dBFS out.

/// Time over which is averaged, as meters of voices do: what was before counts 1/e.
const AVERAGE_NS: u64 = 300_000_000;

/// Level of digital silence, in dBFS.
const SILENCE_DB: f64 = -200.0;

/// A mean square that follows what is heard.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Loudness {
    mean_square: f64,
}

impl Loudness {
    /// Takes note of samples at `rate` Hz, above 0.
    pub(super) fn heard(&mut self, samples: &[i16], rate: u32) {
        if samples.is_empty() {
            return;
        }
        let energy: u64 = samples.iter().map(|&sample| u64::from(i32::from(sample).unsigned_abs().pow(2))).sum();
        let n = samples.len() as u64;
        self.follow(energy as f64 / n as f64, n.saturating_mul(1_000_000_000) / u64::from(rate));
    }

    /// Takes note of a time without sound.
    pub(super) fn silent(&mut self, duration_ns: u64) {
        self.follow(0.0, duration_ns);
    }

    /// Returns the root mean square in dBFS: a full-scale sine is −3.01, silence −200.
    pub(super) fn db(self) -> f64 {
        let full_scale = 32_768.0f64.powi(2);
        (10.0 * (self.mean_square / full_scale).log10()).max(SILENCE_DB)
    }

    fn follow(&mut self, mean_square: f64, duration_ns: u64) {
        let stays = (-(duration_ns as f64) / AVERAGE_NS as f64).exp();
        self.mean_square = mean_square + (self.mean_square - mean_square) * stays;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_is_as_loud_as_it_is_high_however_it_is_cut() {
        for n in [1, 160, 8_000] {
            let mut loudness = Loudness::default();
            vec![-3_277; 24_000].chunks(n).for_each(|samples| loudness.heard(samples, 8_000));
            assert!((loudness.db() + 20.0).abs() < 0.01, "{n}: {}", loudness.db());
        }
    }

    #[test]
    fn what_was_heard_is_forgotten_in_silence() {
        let mut loudness = Loudness::default();
        assert_eq!(loudness.db(), SILENCE_DB);
        loudness.heard(&[i16::MIN; 16_000], 16_000);
        let loud = loudness.db();
        loudness.silent(AVERAGE_NS);
        assert!((loud - loudness.db() - 4.343).abs() < 0.01, "1/e of the energy");
        loudness.silent(60_000_000_000);
        assert_eq!(loudness.db(), SILENCE_DB);
        loudness.heard(&[], 16_000);
        assert_eq!(loudness.db(), SILENCE_DB);
    }
}
