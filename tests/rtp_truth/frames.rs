//! Judges numbered frames of a recording: each in its place, once, and nothing else.

use std::collections::BTreeMap;

use crate::support::RATE;
use crate::support::serial;
use crate::support::serial::FRAME;

/// A frame that was sent, once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    pub(crate) number: u16,
    /// Recording time at which it was said.
    pub(crate) at_ns: i64,
    /// It came in time, and must be there; else it may.
    pub(crate) is_due: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    pub(crate) n_due: usize,
    /// Of those that need not be there.
    pub(crate) n_others: usize,
    /// Farthest from its place, either way.
    pub(crate) off_ms: f64,
}

impl Said {
    fn place(&self) -> i64 {
        (self.at_ns * RATE as i64 + 500_000_000).div_euclid(1_000_000_000)
    }
}

/// Judges a recording of frames with different numbers: all that are due are there, not farther from their places than
/// `off_max_ms`; nothing else reads as a number, nor anything twice.
#[track_caller]
pub(crate) fn check(name: &str, samples: &[i16], said: &[Said], off_max_ms: usize) -> Found {
    let reach = (off_max_ms * RATE / 1_000) as i64;
    let by_number: BTreeMap<u16, Said> = said.iter().map(|said| (said.number, *said)).collect();
    assert_eq!(by_number.len(), said.len(), "{name}: numbers are to be different");

    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for frame in serial::read(samples) {
        let Some(number) = frame.number else { continue };
        let at = frame.at as f64 / RATE as f64;
        let Some(said) = by_number.get(&number) else { panic!("{name}: {number} at {at} s was never sent") };
        let off = frame.at as i64 - said.place();
        assert!(off.abs() <= reach, "{name}: {number} at {at} s is {off} samples late");
        let before = seen.insert(number, frame.at);
        assert_eq!(before, None, "{name}: {number} twice, again at {at} s");
    }

    // The last one may be short by what its samples are behind its sender's clock: 1.1 ms at most.
    let samples = &[samples, &[0; 18]].concat()[..];
    let (mut found, mut off, mut missing) = (Found::default(), 0, Vec::new());
    for said in said {
        let place = said.place();
        let read = seen.get(&said.number).map(|at| *at as i64 - place);
        match read.or_else(|| search(samples, said.number, place, off, reach)) {
            Some(found) => off = found,
            None => {
                missing.extend(said.is_due.then_some((said.number, said.at_ns / 1_000_000)));
                continue;
            }
        }
        found.off_ms = found.off_ms.max(off.abs() as f64 * 1e3 / RATE as f64);
        *(if said.is_due { &mut found.n_due } else { &mut found.n_others }) += 1;
    }
    assert!(missing.is_empty(), "{name}: {} of {} are not there (number, ms): {missing:?}", missing.len(), said.len());
    found
}

/// Looks for a number around its place, the nearest to `guess` first; returns how many samples beside its place it is.
fn search(samples: &[i16], number: u16, place: i64, guess: i64, reach: i64) -> Option<i64> {
    let is_there = |off: &i64| {
        let at = usize::try_from(place + off).ok();
        let frame = at.and_then(|at| samples.get(at..at + FRAME));
        frame.is_some_and(|frame| serial::number(frame) == Some(number))
    };
    let around = (0..=2 * reach).flat_map(|step| [guess + step, guess - step]);
    around.filter(|off| off.abs() <= reach).find(is_there)
}
