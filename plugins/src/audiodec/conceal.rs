//! Waveform repetition: what to play in place of lost samples of a codec that cannot tell by itself.
//!
//! The last pitch period is repeated and faded out over [`CONCEAL_MAX_MS`], after which it would sound worse than
//! silence. Knows samples; must not know time or GStreamer.

/// Longest loss that is concealed. Beyond it repetition sounds like a robot and hides that something is missing.
pub(super) const CONCEAL_MAX_MS: u32 = 60;

/// Highest pitch that is looked for, in Hz.
const PITCH_MAX_HZ: u32 = 400;

/// Lowest pitch that is looked for, in Hz.
const PITCH_MIN_HZ: u32 = 60;

/// Rate in Hz at which periods are compared; faster audio is compared in steps.
const COMPARE_RATE: u32 = 16_000;

/// Remembers what was heard last and repeats it.
#[derive(Debug)]
pub(super) struct Concealer {
    rate: u32,
    /// The last samples heard, oldest first.
    heard: Vec<i16>,
}

impl Concealer {
    /// Returns a concealer for samples at `rate` Hz.
    pub(super) fn new(rate: u32) -> Self {
        let mut heard = Vec::new();
        heard.reserve_exact(memory(rate));
        Self { rate, heard }
    }

    /// Remembers decoded samples.
    pub(super) fn hear(&mut self, samples: &[i16]) {
        let memory = memory(self.rate);
        let latest = &samples[samples.len().saturating_sub(memory)..];
        let n_kept = self.heard.len().min(memory - latest.len());
        let n_forgotten = self.heard.len() - n_kept;
        self.heard.copy_within(n_forgotten.., 0);
        self.heard.truncate(n_kept);
        self.heard.extend_from_slice(latest);
    }

    /// Appends `n` samples that go on from what was heard; without anything heard, silence.
    pub(super) fn conceal(&mut self, n: usize, output: &mut Vec<i16>) {
        let from = output.len();
        match self.period() {
            Some(period) => {
                let fade = (self.rate * CONCEAL_MAX_MS / 1000) as usize;
                let cycle = &self.heard[self.heard.len() - period..];
                output.extend(cycle.iter().cycle().take(n).enumerate().map(|(i, &sample)| faded(sample, i, fade)));
            }
            None => output.resize(from + n, 0),
        }
        self.hear(&output[from..]);
    }

    /// Forgets what was heard.
    pub(super) fn reset(&mut self) {
        self.heard.clear();
    }

    /// The distance at which the end of what was heard is most like what came before it, or `None` when too little was
    /// heard to tell.
    fn period(&self) -> Option<usize> {
        let shortest = (self.rate / PITCH_MAX_HZ) as usize;
        let longest = (self.rate / PITCH_MIN_HZ) as usize;
        let step = (self.rate / COMPARE_RATE).max(1) as usize;
        if self.heard.len() < 2 * longest {
            return None;
        }
        let now = &self.heard[self.heard.len() - longest..];
        let alike = |lag: usize| {
            let then = &self.heard[self.heard.len() - longest - lag..][..longest];
            likeness(now, then, step)
        };
        (shortest..=longest).step_by(step).max_by(|&a, &b| alike(a).total_cmp(&alike(b)))
    }
}

/// Two of the longest periods: one to repeat, one to compare it with.
fn memory(rate: u32) -> usize {
    2 * (rate / PITCH_MIN_HZ) as usize
}

/// Normalised cross-correlation, every `step`th sample.
fn likeness(a: &[i16], b: &[i16], step: usize) -> f32 {
    let (mut product, mut power) = (0.0f32, 1.0f32);
    for (&a, &b) in a.iter().zip(b).step_by(step) {
        product += f32::from(a) * f32::from(b);
        power += f32::from(b) * f32::from(b);
    }
    product / power.sqrt()
}

fn faded(sample: i16, index: usize, fade: usize) -> i16 {
    let left = fade.saturating_sub(index) as i64;
    (i64::from(sample) * left / fade as i64) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    fn tone(frequency: f64, rate: u32, from: usize, n: usize) -> Vec<f64> {
        (from..from + n).map(|i| 10_000.0 * (TAU * frequency * i as f64 / f64::from(rate)).sin()).collect()
    }

    #[test]
    fn steady_tone_goes_on_in_phase_and_fades() {
        for rate in [8_000, 16_000, 48_000] {
            let heard: Vec<i16> = tone(200.0, rate, 0, rate as usize / 5).iter().map(|s| s.round() as i16).collect();
            let mut concealer = Concealer::new(rate);
            for packet in heard.chunks(rate as usize / 50) {
                concealer.hear(packet);
            }
            let n = rate as usize * 60 / 1000;
            let mut filled = Vec::new();
            concealer.conceal(n, &mut filled);
            for (i, (got, ideal)) in filled.iter().zip(tone(200.0, rate, heard.len(), n)).enumerate() {
                let ideal = ideal * (1.0 - i as f64 / n as f64);
                assert!((f64::from(*got) - ideal).abs() < 10.0, "{rate} Hz, sample {i}: {got}, not {ideal}");
            }
        }
    }

    #[test]
    fn nothing_heard_is_concealed_by_silence() {
        let mut concealer = Concealer::new(8_000);
        concealer.hear(&[1_000; 100]);
        let mut filled = vec![7];
        concealer.conceal(160, &mut filled);
        assert_eq!(filled[1..], [0; 160]);
        concealer.hear(&[1_000; 400]);
        concealer.reset();
        concealer.conceal(1, &mut filled);
        assert_eq!(filled.last(), Some(&0));
    }

    proptest! {
        #[test]
        fn filling_has_the_asked_length_and_is_never_louder(
            heard in proptest::collection::vec(any::<i16>(), 0..1_500),
            cut in 1usize..400,
            n in 0usize..2_000,
        ) {
            let mut concealer = Concealer::new(8_000);
            heard.chunks(cut).for_each(|packet| concealer.hear(packet));
            let mut filled = Vec::new();
            concealer.conceal(n, &mut filled);
            prop_assert_eq!(filled.len(), n);
            let peak = |samples: &[i16]| samples.iter().map(|s| i32::from(*s).abs()).max().unwrap_or(0);
            prop_assert!(peak(&filled) <= peak(&heard));
            prop_assert!(filled.iter().skip(480).all(|&s| s == 0));
        }
    }
}
