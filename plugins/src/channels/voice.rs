//! Recognises a voice in 20 ms frames. Pure.

/// Frames a second: frames of 20 ms.
pub(crate) const FRAMES_PER_SECOND: u64 = 50;

/// So many frames in a row above the threshold are a voice, a click is not.
const FRAMES_OF_VOICE: u32 = 3;

/// Look-back: a channel begins so many frames before the end of the frame that made it a voice.
pub(crate) const LOOK_BACK_FRAMES: u64 = 10;

const _: () = assert!(LOOK_BACK_FRAMES * 1000 / FRAMES_PER_SECOND == 200);
const _: () = assert!(LOOK_BACK_FRAMES > FRAMES_OF_VOICE as u64);

/// What one participant has sounded like lately.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Voice {
    loud_frames: u32,
}

impl Voice {
    /// Hears a frame; true when by it the participant has a voice.
    ///
    /// `frame` holds the first samples of a frame of length `len`, the others are silent. `threshold` is a mean square
    /// of full scale (1.0). A frame inside a pause is `None`: it counts as silence.
    pub(crate) fn hear(&mut self, frame: Option<&[i16]>, len: usize, threshold: f64) -> bool {
        let loud = frame.is_some_and(|frame| mean_square(frame, len) >= threshold);
        self.loud_frames = if loud { self.loud_frames + 1 } else { 0 };
        self.loud_frames >= FRAMES_OF_VOICE
    }
}

/// Returns the mean square, as a share of full scale, of `len` samples that begin with these and are silent then.
fn mean_square(samples: &[i16], len: usize) -> f64 {
    let energy: u64 = samples.iter().map(|&s| u64::from(i32::from(s).unsigned_abs().pow(2))).sum();
    energy as f64 / len.max(1) as f64 / f64::powi(32_768.0, 2)
}

/// Returns the mean square of a level in dBFS.
pub(crate) fn mean_square_of(db: f64) -> f64 {
    f64::powf(10.0, db / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_loud_frames_in_a_row_are_a_voice() {
        let (loud, quiet) = ([1_000i16; 320], [10i16; 320]);
        let cases: [(&[bool], bool); 4] = [
            (&[true, true], false),
            (&[true, true, false, true], false),
            (&[true, true, true], true),
            (&[false, true, true, true], true),
        ];
        for (frames, expected) in cases {
            let mut voice = Voice::default();
            let heard = frames.iter().map(|&is_loud| voice.hear(Some(if is_loud { &loud } else { &quiet }), 320, 1e-4));
            assert_eq!(heard.last(), Some(expected), "{frames:?}");
        }
    }

    #[test]
    fn a_pause_between_makes_it_begin_anew() {
        let mut voice = Voice::default();
        voice.hear(Some(&[1_000; 320]), 320, 1e-4);
        voice.hear(Some(&[1_000; 320]), 320, 1e-4);
        assert!(!voice.hear(None, 320, 1e-4));
        assert!(!voice.hear(Some(&[1_000; 320]), 320, 1e-4));
    }

    #[test]
    fn the_threshold_is_a_level() {
        // A square wave of amplitude 1036 is −30.0 dBFS.
        assert!((10.0 * mean_square(&[1_036, -1_036], 2).log10() + 30.0).abs() < 0.01);
        assert!((mean_square_of(-30.0) - 0.001).abs() < 1e-12);
    }
}
