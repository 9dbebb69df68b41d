//! One party's decoder, and nothing around it.

use anyhow::Context;
use reelgraph::media::Codec;

use crate::floor::FRAME;

/// Taps of the filter from 8 to 16 kHz. (Ours has 56, for 80 dB.)
const TAPS: usize = 24;

/// Samples of a G.711 packet.
const NARROW: usize = FRAME / 2;

/// A decoder to 16 kHz.
#[expect(clippy::large_enum_variant, reason = "there are two to ten of them")]
pub(crate) enum Voice {
    Opus { decoder: opus::Decoder, samples: [i16; FRAME] },
    Mu { table: [f32; 256], taps: [f32; TAPS], before: [f32; TAPS + NARROW], samples: [i16; FRAME] },
}

impl Voice {
    pub(crate) fn new(codec: Codec) -> anyhow::Result<Self> {
        Ok(match codec {
            Codec::Opus => {
                let decoder = opus::Decoder::new(16_000, opus::Channels::Mono).context("no decoder of Opus")?;
                Self::Opus { decoder, samples: [0; FRAME] }
            }
            _ => Self::Mu {
                table: std::array::from_fn(|code| mu_law(code as u8)),
                taps: taps(),
                before: [0.0; TAPS + NARROW],
                samples: [0; FRAME],
            },
        })
    }

    /// Returns the samples of a packet of 20 ms.
    pub(crate) fn decode(&mut self, payload: &[u8]) -> anyhow::Result<&[i16; FRAME]> {
        match self {
            Self::Opus { decoder, samples } => {
                decoder.decode(payload, samples, false).context("a packet is not decoded")?;
                Ok(samples)
            }
            Self::Mu { table, taps, before, samples } => {
                before.copy_within(NARROW.., 0);
                for (sample, code) in before[TAPS..].iter_mut().zip(payload) {
                    *sample = table[usize::from(*code)];
                }
                // Every other sample is there already, in the middle of the filter; the rest stand between two.
                for (at, pair) in samples.chunks_exact_mut(2).enumerate() {
                    let window = &before[at..at + TAPS];
                    pair[0] = window[TAPS / 2 - 1] as i16;
                    pair[1] = dot(window, taps) as i16;
                }
                Ok(samples)
            }
        }
    }
}

fn dot(window: &[f32], taps: &[f32; TAPS]) -> f32 {
    let mut lanes = [0.0f32; 8];
    for (window, taps) in window.as_chunks::<8>().0.iter().zip(taps.as_chunks::<8>().0) {
        for ((lane, sample), tap) in lanes.iter_mut().zip(window).zip(taps) {
            *lane += sample * tap;
        }
    }
    lanes.iter().sum()
}

fn mu_law(code: u8) -> f32 {
    let code = !code;
    let magnitude = ((i32::from(code & 15) << 3) + 132) << (code >> 4 & 7);
    let magnitude = (magnitude - 132) as f32;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

/// A sinc under a Hann window, half a sample off.
fn taps() -> [f32; TAPS] {
    std::array::from_fn(|tap| {
        let x = std::f32::consts::PI * (tap as f32 - TAPS as f32 / 2.0 + 0.5);
        let window = (x / TAPS as f32).cos();
        x.sin() / x * window * window
    })
}
