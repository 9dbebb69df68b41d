//! When a chunk is full. Pure.

use gst::prelude::*;

use crate::messages::Room;

/// Of what a file has room for, one part in so many is taken before the sink is asked again: nothing makes a sample
/// cost so many times more from one moment to the next, and a question costs as much as a push.
const SURE_PARTS: u64 = 8;

/// Where the branch cannot say what a sample costs, it is asked again after so many parts of a second.
const SLICES_PER_SECOND: u64 = 20;

/// What to do with the next samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// So many samples (at least one) fit into this chunk.
    Take(u64),
    /// This chunk is full.
    Cut,
    /// Not even one sample fits into an empty chunk.
    Impossible,
}

/// What one chunk may hold, and what it holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fill {
    /// Samples in this chunk.
    pub(crate) samples: u64,
    /// Bytes that the branch had written when it was last asked, where it could say no more than that.
    written: Option<u64>,
    /// The most that it has written between two such answers.
    largest_step: u64,
    /// So many samples of this chunk have room, without a further question.
    sure: u64,
}

impl Fill {
    /// Whether there is room for `offered` more samples without asking.
    pub(crate) fn is_sure_of(&self, offered: u64) -> bool {
        self.samples.saturating_add(offered) <= self.sure
    }

    /// Decides on `offered` samples.
    ///
    /// `max_samples` comes from a duration; `room` is the sink's answer for `max_size` bytes, or for what its kind of
    /// file can hold at all. It need not be asked where [`Self::is_sure_of`] says so.
    pub(crate) fn decide(
        &mut self,
        offered: u64,
        max_samples: Option<u64>,
        max_size: Option<u64>,
        room: Option<Room>,
        rate: u32,
    ) -> Decision {
        let mut fits = max_samples.map_or(offered, |max| offered.min(max.saturating_sub(self.samples)));
        match (room, max_size) {
            (Some(Room::Samples { samples: max, rate: file_rate }), _) => {
                self.written = None;
                // The branch may resample.
                let max = max.mul_div_floor(u64::from(rate), u64::from(file_rate)).unwrap_or(u64::MAX);
                let left = max.saturating_sub(self.samples);
                self.sure = self.samples + left / SURE_PARTS;
                fits = fits.min(left);
            }
            (None, _) if self.is_sure_of(offered) => (),
            (_, None) => (),
            (room, Some(max_size)) => {
                let written = match room {
                    Some(Room::Unknown { written }) => written,
                    _ => self.written.unwrap_or(0),
                };
                // What was written while the costs were known is no step.
                self.largest_step = self.largest_step.max(written.saturating_sub(self.written.unwrap_or(written)));
                self.written = Some(written);
                // Encoders hold media back: what has been written is behind by a step or two.
                let full = self.samples > 0 && written + 2 * self.largest_step >= max_size;
                fits = if full { 0 } else { fits.min((u64::from(rate) / SLICES_PER_SECOND).max(1)) };
            }
        }
        match fits {
            0 if self.samples == 0 => Decision::Impossible,
            0 => Decision::Cut,
            fits => Decision::Take(fits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(samples: u64) -> Fill {
        Fill { samples, ..Fill::default() }
    }

    #[test]
    fn what_a_file_of_another_rate_holds_is_counted_in_samples_that_come() {
        let room = Some(Room::Samples { samples: 3_002, rate: 48_000 });
        assert_eq!(filled(0).decide(10_000, None, None, room, 16_000), Decision::Take(1_000));
        assert_eq!(filled(1_000).decide(10_000, None, None, room, 16_000), Decision::Cut);
    }

    #[test]
    fn the_smaller_limit_decides() {
        let room = Some(Room::Samples { samples: 700, rate: 16_000 });
        let cases = [
            (0, None, None, None, Decision::Take(1_000)),
            (0, Some(600), None, None, Decision::Take(600)),
            (600, Some(600), None, None, Decision::Cut),
            (0, Some(800), Some(9), room, Decision::Take(700)),
            (650, Some(800), Some(9), room, Decision::Take(50)),
            (700, Some(800), Some(9), room, Decision::Cut),
            (0, None, Some(9), Some(Room::Samples { samples: 0, rate: 16_000 }), Decision::Impossible),
            (650, None, None, room, Decision::Take(50)),
            (700, None, None, room, Decision::Cut),
            (0, None, None, Some(Room::Unknown { written: 0 }), Decision::Take(1_000)),
            (0, Some(0), None, None, Decision::Impossible),
        ];
        for (samples, max_samples, max_size, room, expected) in cases {
            let decision = filled(samples).decide(1_000, max_samples, max_size, room, 16_000);
            assert_eq!(decision, expected, "{samples} {max_samples:?} {max_size:?} {room:?}");
        }
    }

    #[test]
    fn where_costs_are_unknown_it_goes_by_steps_and_stops_early() {
        let (mut fill, mut written) = (Fill::default(), 0);
        loop {
            match fill.decide(10_000, None, Some(50_000), Some(Room::Unknown { written }), 16_000) {
                Decision::Take(samples) => {
                    assert_eq!(samples, 800);
                    fill.samples += samples;
                    written += 1_000;
                }
                decision => {
                    assert_eq!(decision, Decision::Cut);
                    break;
                }
            }
        }
        assert!((47_000..=50_000).contains(&written), "{written}");
    }
    #[test]
    fn what_was_written_while_costs_were_known_is_no_step() {
        let mut fill = filled(100_000);
        let mut decide = |room| fill.decide(10_000, None, Some(50_000), Some(room), 16_000);
        assert_eq!(decide(Room::Unknown { written: 0 }), Decision::Take(800));
        assert_eq!(decide(Room::Samples { samples: 120_000, rate: 16_000 }), Decision::Take(10_000));
        assert_eq!(decide(Room::Unknown { written: 40_000 }), Decision::Take(800));
        assert_eq!(decide(Room::Unknown { written: 41_000 }), Decision::Take(800));
        assert_eq!(decide(Room::Unknown { written: 48_000 }), Decision::Cut);
    }
}
