//! What a recording must hold, from the sources and the course of the call alone. Shares no code with the program.
//!
//! An instant stands at the sample nearest to it. A voice is 60 ms in which each 20 ms of the recording's own grid are
//! above −45 dBFS; its channel begins 200 ms before the end of these 60 ms.

use std::time::Duration;

use crate::support::RATE;

/// Samples of a frame by which voices are judged.
const FRAME: usize = RATE / 50;
const FRAMES_OF_VOICE: usize = 3;
const LOOK_BACK: usize = RATE / 5;
const VOICE_DB: f64 = -45.0;

/// Up to here a mix is the exact sum.
pub(crate) const LOUDEST_EXACT: i32 = 16_384;

/// Returns the sample nearest to an instant.
pub(crate) fn position(time: Duration) -> usize {
    ((time.as_nanos() * RATE as u128 + 500_000_000) / 1_000_000_000) as usize
}

/// Somebody in a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Party {
    pub(crate) samples: Vec<i16>,
    pub(crate) join: Duration,
    pub(crate) leave: Option<Duration>,
    pub(crate) pin: Option<usize>,
}

impl Party {
    /// Returns the position after the last sample.
    pub(crate) fn end(&self) -> usize {
        let begin = position(self.join);
        let end = begin + self.samples.len();
        self.leave.map_or(end, |leave| end.min(position(leave)).max(begin))
    }

    /// Returns what is heard in a call of `len` samples.
    pub(crate) fn placed(&self, len: usize) -> Vec<i16> {
        let mut placed = vec![0; len];
        let (begin, end) = (position(self.join), self.end().min(len));
        if begin < end {
            placed[begin..end].copy_from_slice(&self.samples[..end - begin]);
        }
        placed
    }
}

/// Returns how long a call is that ends when everybody's media has ended.
pub(crate) fn length(parties: &[Party]) -> usize {
    parties.iter().map(Party::end).max().unwrap_or(0)
}

/// Returns the sums of a call of `len` samples.
pub(crate) fn sums(parties: &[Party], len: usize) -> Vec<i32> {
    let mut sums = vec![0; len];
    for party in parties {
        sums.iter_mut().zip(party.placed(len)).for_each(|(sum, sample)| *sum += i32::from(sample));
    }
    sums
}

/// Returns the mix of a call of `len` samples, which must never be louder than what is exact.
#[track_caller]
pub(crate) fn mix(parties: &[Party], len: usize) -> Vec<i16> {
    let exact = |sum: i32| {
        assert!(sum.abs() <= LOUDEST_EXACT, "the case is too loud to be exact: {sum}");
        sum as i16
    };
    sums(parties, len).into_iter().map(exact).collect()
}

/// A pause: from, to.
pub(crate) type Pause = (Duration, Duration);

/// Returns for each sample whether it is paused.
fn paused(pauses: &[Pause], len: usize) -> Vec<bool> {
    let mut paused = vec![false; len];
    for (from, to) in pauses {
        let to = position(*to).min(len);
        paused[position(*from).min(to)..to].fill(true);
    }
    paused
}

/// Returns samples without those of pauses.
pub(crate) fn skipped(samples: &[i16], pauses: &[Pause]) -> Vec<i16> {
    let paused = paused(pauses, samples.len());
    samples.iter().zip(paused).filter(|(_, paused)| !paused).map(|(sample, _)| *sample).collect()
}

/// Returns samples with silence in place of pauses.
pub(crate) fn silenced(samples: &[i16], pauses: &[Pause]) -> Vec<i16> {
    let paused = paused(pauses, samples.len());
    samples.iter().zip(paused).map(|(sample, paused)| if paused { 0 } else { *sample }).collect()
}

/// An unmixed recording.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unmixed {
    /// Samples of each channel, pauses not taken out.
    pub(crate) channels: Vec<Vec<i16>>,
    /// Who is on each channel.
    pub(crate) holders: Vec<Option<usize>>,
    /// Who had a voice and found no channel.
    pub(crate) without: Vec<usize>,
}

/// Returns the channels of a call of `len` samples.
pub(crate) fn unmixed(parties: &[Party], pauses: &[Pause], len: usize, n_channels: usize) -> Unmixed {
    let mut holders: Vec<Option<usize>> = vec![None; n_channels];
    let mut begins = vec![None; parties.len()];
    for (number, party) in parties.iter().enumerate() {
        if let Some(channel) = party.pin {
            holders[channel] = Some(number);
            begins[number] = Some(0);
        }
    }
    let heard: Vec<_> = parties.iter().map(|party| party.placed(len)).collect();
    let paused = paused(pauses, len);
    let (mut loud, mut without) = (vec![0; parties.len()], Vec::new());
    for start in (0..len).step_by(FRAME) {
        let frame = start..len.min(start + FRAME);
        for number in 0..parties.len() {
            let is_loud = !paused[frame.clone()].contains(&true) && is_loud(&heard[number][frame.clone()]);
            loud[number] = if is_loud { loud[number] + 1 } else { 0 };
            if loud[number] < FRAMES_OF_VOICE || begins[number].is_some() || without.contains(&number) {
                continue;
            }
            match holders.iter().position(Option::is_none) {
                Some(channel) => {
                    holders[channel] = Some(number);
                    begins[number] = Some(frame.end.saturating_sub(LOOK_BACK));
                }
                None => without.push(number),
            }
        }
    }
    let channel = |holder: &Option<usize>| match holder.and_then(|number| Some((number, begins[number]?))) {
        Some((number, begin)) => [vec![0; begin], heard[number][begin..].to_vec()].concat(),
        None => vec![0; len],
    };
    Unmixed { channels: holders.iter().map(channel).collect(), holders, without }
}

fn is_loud(frame: &[i16]) -> bool {
    let energy: u64 = frame.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum();
    energy as f64 / frame.len() as f64 / f64::powi(32_768.0, 2) >= f64::powf(10.0, VOICE_DB / 10.0)
}
