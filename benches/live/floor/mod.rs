//! The floor: what the codecs cost by themselves, in one thread, over the same packets and the same libraries.
//!
//! ```text
//!  recvmmsg ─► libopus straight to 16 kHz          ─┐
//!              or a table and a filter from 8 kHz  ─┴► sum in i32 ─► LAME, quality 7  ─┐
//!                                                      or interleaved samples         ─┴► write(2)
//! ```
//!
//! The same for as many calls as are recorded, each in its turn, 200 ms at a time: what is between the two is memory,
//! which no recorder of many calls gets around.
//!
//! LAME is called through `lamemp3enc`, a second of sound with each push where there is one call: no crate that links
//! libmp3lame is kept and has a licence that we take. A push costs 0.3 µs, and that divided by 50 frames.

mod encode;
mod receive;
mod voice;

use std::path::Path;
use std::time::Duration;

use rustix::time::ClockId;
use rustix::time::clock_gettime;

use crate::floor::encode::Encoder;
use crate::floor::voice::Voice;
use crate::workload::Output;
use crate::workload::Workload;

pub(crate) use receive::per_packet_ns as receive_ns;

/// Samples of a recorded frame of 20 ms.
pub(crate) const FRAME: usize = 320;

/// Returns CPU time so far of the calling thread, in ns.
pub(crate) fn thread_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32).as_nanos() as u64
}

/// How many calls are made, in pieces of how many frames.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calls {
    n: usize,
    turn: usize,
    /// Frames of each call.
    frames: usize,
    /// The least of so many runs is the floor: what others do on the machine only adds.
    runs: usize,
}

impl Calls {
    /// One call, whose memory is near.
    pub(crate) fn one(payloads: &[Vec<u8>]) -> Self {
        Self { n: 1, turn: 50, frames: payloads.len(), runs: 5 }
    }

    /// Many calls, of which each gets 200 ms in its turn.
    pub(crate) fn many(n: usize) -> Self {
        Self { n, turn: 10, frames: 50, runs: 2 }
    }
}

/// Returns what decoding, mixing, encoding and writing take for 20 ms of a recording, in ns.
pub(crate) fn codec_ns(workload: Workload, payloads: &[Vec<u8>], calls: Calls, dir: &Path) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir_in(dir)?;
    let mut least = f64::MAX;
    for _ in 0..calls.runs {
        let call = |index: usize| {
            let voices =
                (0..workload.parties).map(|_| Voice::new(workload.codec)).collect::<anyhow::Result<Vec<_>>>()?;
            let encoder = Encoder::create(workload.output, &dir.path().join(index.to_string()), calls.turn * FRAME)?;
            Ok((voices, encoder))
        };
        let mut made = (0..calls.n).map(call).collect::<anyhow::Result<Vec<_>>>()?;
        let begun_ns = thread_ns();
        for turn in (0..calls.frames).step_by(calls.turn) {
            for (index, (voices, encoder)) in made.iter_mut().enumerate() {
                for frame in turn..(turn + calls.turn).min(calls.frames) {
                    run_frame(workload, voices, encoder, |party| {
                        // Parties do not say the same at the same time, as phones do not.
                        let apart = (index + party) * payloads.len() / (calls.n + workload.parties - 1);
                        &payloads[(frame + apart) % payloads.len()]
                    })?;
                }
            }
        }
        made.into_iter().try_for_each(|(_, encoder)| encoder.finish())?;
        least = least.min((thread_ns() - begun_ns) as f64 / (calls.frames * calls.n) as f64);
    }
    Ok(least)
}

fn run_frame<'a>(
    workload: Workload,
    voices: &mut [Voice],
    encoder: &mut Encoder,
    payload: impl Fn(usize) -> &'a [u8],
) -> anyhow::Result<()> {
    if let Output::Wav { channels: channels @ 2.. } = workload.output {
        let mut interleaved = vec![0i16; channels * FRAME];
        for (party, voice) in voices.iter_mut().enumerate() {
            let samples = voice.decode(payload(party))?;
            for (frame, sample) in interleaved.chunks_exact_mut(channels).zip(samples) {
                frame[party] = *sample;
            }
        }
        return encoder.encode(&interleaved);
    }
    let mut sums = [0i32; FRAME];
    for (party, voice) in voices.iter_mut().enumerate() {
        for (sum, sample) in sums.iter_mut().zip(voice.decode(payload(party))?) {
            *sum += i32::from(*sample);
        }
    }
    encoder.encode(&sums.map(|sum| sum.clamp(-32_768, 32_767) as i16))
}
