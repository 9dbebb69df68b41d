//! Which frames of a voice are not sent because it is silent: pure, by the level of each frame.
//!
//! ```text
//!            quiet frames           CN                                      marker
//! voice voice q q q q q q q q q q │ N · · · · · · · · · · · · · · · · · · │ voice voice
//!             └──── 200 ms ─────┘   └ told once, then nothing is sent ─┘
//! ```

/// A frame is quiet below this level, in dBov (0: a square of full scale).
pub(super) const QUIET_DB: f64 = -50.0;

/// So many quiet frames are still sent, so that no word's end is cut off: 200 ms.
pub(super) const HANGOVER_FRAMES: u32 = 10;

/// What is to be done with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is sent.
    Send {
        /// It begins a talk spurt.
        marker: bool,
    },
    /// The level of noise is sent in its place: −dBov, 0 ‥ 127 (RFC 3389 §3).
    Noise {
        /// The level.
        level: u8,
    },
    /// Nothing is sent.
    Skip,
}

/// Judges the frames of one voice, in order.
#[derive(Debug, Default)]
pub(super) struct Spurts {
    n_quiet: u32,
    is_within: bool,
}

impl Spurts {
    /// Judges a frame by its mean square, of full scale squared.
    pub(super) fn judge(&mut self, mean_square: f64) -> Verdict {
        let level_db = 10.0 * mean_square.max(1e-13).log10();
        if level_db >= QUIET_DB {
            self.n_quiet = 0;
            let marker = !self.is_within;
            self.is_within = true;
            return Verdict::Send { marker };
        }
        self.n_quiet = self.n_quiet.saturating_add(1);
        if self.n_quiet <= HANGOVER_FRAMES {
            // A call that begins with silence begins a spurt all the same: something must be sent first.
            let marker = !self.is_within;
            self.is_within = true;
            return Verdict::Send { marker };
        }
        match std::mem::replace(&mut self.is_within, false) {
            true => Verdict::Noise { level: (-level_db).round().clamp(0.0, 127.0) as u8 },
            false => Verdict::Skip,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_voice_is_marked() {
        // −20 dBov and −62 dBov.
        let (voice, quiet) = (1e-2, 10f64.powf(-6.2));
        let levels = [vec![voice; 3], vec![quiet; 15], vec![voice; 2], vec![quiet; 4], vec![voice]].concat();
        let mut spurts = Spurts::default();
        let verdicts: Vec<_> = levels.into_iter().map(|level| spurts.judge(level)).collect();
        let (sent, first) = (Verdict::Send { marker: false }, Verdict::Send { marker: true });
        let silence = [vec![sent; 10], vec![Verdict::Noise { level: 62 }], vec![Verdict::Skip; 4]].concat();
        assert_eq!(verdicts, [vec![first, sent, sent], silence, vec![first, sent], vec![sent; 5]].concat());
    }

    #[test]
    fn digital_silence_has_the_lowest_level() {
        let mut spurts = Spurts::default();
        let verdicts: Vec<_> = (0..12).map(|_| spurts.judge(0.0)).collect();
        assert_eq!(verdicts[0], Verdict::Send { marker: true });
        assert_eq!(verdicts[9..], [Verdict::Send { marker: false }, Verdict::Noise { level: 127 }, Verdict::Skip]);
    }
}
