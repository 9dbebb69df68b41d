//! A streaming resampler for mono S16: polyphase, linear phase, without delay on the timeline.
//!
//! Output sample n is the input at time n · in / out exactly; the filter's own delay shows only as output that comes
//! later (`look_ahead` input samples), never as output that stands elsewhere. What comes out does not depend on how the
//! input is cut: each output sample is the same sum over the same input samples in the same order.
//!
//! It can be *corrected*: from an input sample on, all are a little longer or shorter than nominal (`line.rs`). As long
//! as nobody has asked for that, equal rates pass untouched and others cost what their exact phases cost.
//!
//! Knows samples and rates; must not know time, codecs or GStreamer.

mod correct;
mod dot;
mod glide;

use std::sync::Arc;

use pulp::Arch;
use pulp::Simd;
use pulp::WithSimd;

use crate::audiodec::kernel::HALF_UPWARD;
use crate::audiodec::kernel::Kernel;
use crate::audiodec::kernel::Phases;
use crate::audiodec::line::Line;
use crate::audiodec::line::ratio;
use crate::audiodec::resample::correct::Correction;
use crate::audiodec::resample::dot::BLOCK;
use crate::audiodec::resample::dot::dot;
use crate::audiodec::resample::dot::dots;
use crate::audiodec::resample::dot::to_sample;

/// Input is worked off in pieces of this many samples, so that the window stays small whatever is pushed.
const PIECE_SAMPLES: usize = 1024;

/// Samples before the next one that a filter of equal rates needs.
const RECENT: usize = HALF_UPWARD - 1;

/// Converts mono S16 from one sample rate to another.
#[derive(Debug)]
pub(super) struct Resampler {
    up: u32,
    down: u32,
    /// Where the input from its end on will stand.
    line: Line,
    n_in: u64,
    /// `None` at equal rates as long as nothing is corrected: samples pass untouched.
    filter: Option<Filter>,
    /// The last samples that passed untouched: a correction begins with them, and so without a seam.
    recent: [i16; RECENT],
}

#[derive(Debug)]
struct Filter {
    arch: Arch,
    kernel: Arc<Kernel>,
    up: u32,
    window: Window,
    /// Time of the next output after input sample `window.at + half − 1`, in 1/`up` of an input sample.
    phase: u32,
    /// From one output to the next, in whole input samples and in 1/`up` of one: a division for each is slow.
    step: usize,
    step_phase: u32,
    n_out: u64,
    /// From the first correction on it walks in place of `phase`.
    correction: Option<Correction>,
}

/// Input around the next output.
#[derive(Debug)]
struct Window {
    /// Begins with the first sample that the next output needs, or before.
    samples: Vec<f32>,
    /// Where in `samples` the taps of the next output begin.
    at: usize,
}

impl Resampler {
    /// Returns a resampler from `rate_in` to `rate_out`, both in Hz and above 0.
    pub(super) fn new(rate_in: u32, rate_out: u32) -> Self {
        let (up, down) = ratio(rate_in, rate_out);
        let filter = (rate_in != rate_out).then(|| Filter::new(Kernel::new(up, down), up, down));
        Self { up, down, line: Line::new(rate_in, rate_out), n_in: 0, filter, recent: [0; RECENT] }
    }

    /// Returns how many input samples after its own time an output sample may need: at equal rates, which need none as
    /// long as nothing is corrected, as many as will be needed then.
    pub(super) fn look_ahead(&self) -> usize {
        self.filter.as_ref().map_or(HALF_UPWARD, |filter| filter.kernel.half())
    }

    /// Returns where the input from its end on stands among what has come out since the last drain or reset.
    pub(super) fn line(&self) -> Line {
        self.line
    }

    /// Whether something was corrected since the last drain or reset.
    pub(super) fn is_corrected(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.correction.is_some())
    }

    /// Returns what has passed untouched and would be filtered with what follows a first correction: the last samples
    /// of the input. None are left to be changed where they are filtered already.
    pub(super) fn recent(&mut self) -> &mut [i16] {
        let n = self.n_in.min(RECENT as u64) as usize;
        if self.filter.is_some() { &mut [] } else { &mut self.recent[RECENT - n..] }
    }

    /// Makes the input from its end on longer than nominal by so many parts per billion. Nothing is done while less
    /// than the look-ahead came since the last such call: ask again with what follows.
    pub(super) fn correct(&mut self, ppb: i64) {
        let (up, down) = (self.up, self.down);
        let filter = self.filter.get_or_insert_with(|| {
            let untouched = Filter::new(Kernel::between_phases(up, down), up, down);
            Filter { window: Window::after(&self.recent), n_out: self.n_in, ..untouched }
        });
        let correction = filter.correction.get_or_insert_with(|| {
            Correction::new(Kernel::between_phases(up, down), (up, down), self.line, filter.phase)
        });
        if correction.is_turning() {
            return;
        }
        self.line = self.line.turned(self.n_in, ppb);
        correction.turn(self.line, filter.n_out);
    }

    /// Takes `input` and appends to `output` what can be told from the input so far.
    pub(super) fn push(&mut self, input: &[i16], output: &mut Vec<i16>) {
        let Some(filter) = &mut self.filter else {
            self.n_in += input.len() as u64;
            remember(&mut self.recent, input);
            output.extend_from_slice(input);
            return;
        };
        for piece in input.chunks(PIECE_SAMPLES) {
            self.n_in += piece.len() as u64;
            filter.push(piece, self.n_in, output);
        }
    }

    /// Appends what is still owed, as if silence followed, and begins anew without a correction: then `n` input samples
    /// have given `round(n · out / in)` output samples, or as many more or less as they were longer or shorter.
    pub(super) fn drain(&mut self, output: &mut Vec<i16>) {
        if let Some(filter) = &mut self.filter {
            let n_owed = self.line.nearest(self.n_in);
            let end = output.len() + n_owed.saturating_sub(filter.n_out) as usize;
            let half = filter.kernel.half();
            // One more than what an output needs: those of one input sample may be made together.
            let n_silent = half + 1;
            filter.push(&vec![0; n_silent], self.n_in + n_silent as u64, output);
            output.truncate(end);
        }
        self.reset();
    }

    /// Forgets the input so far, and that it was corrected.
    pub(super) fn reset(&mut self) {
        self.line = Line::new(self.down, self.up);
        self.n_in = 0;
        self.recent = [0; RECENT];
        match &mut self.filter {
            Some(filter) if self.up != self.down => filter.reset(),
            filter => *filter = None,
        }
    }
}

/// Keeps the last samples of what was heard.
fn remember(recent: &mut [i16; RECENT], input: &[i16]) {
    match input.last_chunk() {
        Some(last) => *recent = *last,
        None => {
            recent.copy_within(input.len().., 0);
            recent[RECENT - input.len()..].copy_from_slice(input);
        }
    }
}

impl Window {
    /// Silence stands before the first sample, as much as makes the first output fall on it.
    fn reset(&mut self, half: usize) {
        self.samples.clear();
        self.samples.resize(half - 1, 0.0);
        self.at = 0;
    }

    /// A window whose next output falls on what follows `recent`.
    fn after(recent: &[i16; RECENT]) -> Self {
        Self { samples: recent.iter().map(|&sample| f32::from(sample)).collect(), at: 0 }
    }

    /// Returns the samples from `at` on, silence behind those that are there. What is made of less than a block is made
    /// of the same sums: how input is cut is not heard.
    #[inline(always)]
    fn piece<'a, const N: usize>(&'a self, at: usize, rest: &'a mut [f32; N]) -> &'a [f32; N] {
        let left = self.samples.get(at..).unwrap_or_default();
        left.first_chunk().unwrap_or_else(|| {
            rest[..left.len()].copy_from_slice(left);
            rest
        })
    }

    fn forget_used(&mut self) {
        // A step is never longer than the taps, so the next output begins inside the window or at its end.
        let n_used = self.at.min(self.samples.len());
        self.samples.copy_within(n_used.., 0);
        self.samples.truncate(self.samples.len() - n_used);
        self.at -= n_used;
    }
}

impl Filter {
    fn new(kernel: Arc<Kernel>, up: u32, down: u32) -> Self {
        let (step, step_phase) = ((down / up) as usize, down % up);
        let window = Window { samples: Vec::new(), at: 0 };
        let arch = Arch::new();
        let mut filter = Self { arch, kernel, up, window, phase: 0, step, step_phase, n_out: 0, correction: None };
        filter.reset();
        filter
    }

    fn reset(&mut self) {
        self.window.reset(self.kernel.half());
        (self.phase, self.n_out, self.correction) = (0, 0, None);
    }

    /// Takes `input`, up to input sample `n_in`, and appends what can be told.
    fn push(&mut self, input: &[i16], n_in: u64, output: &mut Vec<i16>) {
        self.window.samples.extend(input.iter().map(|&sample| f32::from(sample)));
        self.arch.dispatch(Produce { filter: self, n_in, output });
        self.window.forget_used();
    }

    /// Appends what the window tells, of which the last sample is the one before input sample `n_in`.
    #[inline(always)]
    fn produce(&mut self, n_in: u64, output: &mut Vec<i16>) {
        let n_before = output.len();
        match (&mut self.correction, self.kernel.phases(), self.step, self.step_phase, self.up) {
            (Some(correction), ..) => return correction.produce(&mut self.window, n_in, &mut self.n_out, output),
            (None, Phases::Exact, 0, 1, 2) => self.multiply::<2>(output),
            (None, Phases::Exact, 0, 1, 3) => self.multiply::<3>(output),
            (None, Phases::Exact, 0, 1, 6) => self.multiply::<6>(output),
            (None, ..) => self.walk(output),
        }
        self.n_out += (output.len() - n_before) as u64;
    }

    /// Any ratio: one output after the other.
    #[inline(always)]
    fn walk(&mut self, output: &mut Vec<i16>) {
        let taps = self.kernel.taps();
        // In locals: the compiler cannot know that pushing leaves the filter as it is.
        let (kernel, up, samples) = (&*self.kernel, self.up, &self.window.samples[..]);
        let (mut at, mut phase) = (self.window.at, self.phase);
        while let Some(inputs) = samples.get(at..at + taps) {
            output.push(to_sample(sum(kernel, inputs, phase, up)));
            at += self.step;
            phase += self.step_phase;
            if phase >= up {
                phase -= up;
                at += 1;
            }
        }
        (self.window.at, self.phase) = (at, phase);
    }

    /// Each input gives `UP` outputs, as from 8 to 16 kHz: the first is itself, and those of one phase, which have the
    /// same taps, are made a block at a time.
    #[inline(always)]
    fn multiply<const UP: usize>(&mut self, output: &mut Vec<i16>) {
        const TAPS: usize = 2 * HALF_UPWARD;
        let mut at = self.window.at;
        let mut n_left = (self.window.samples.len() + 1).saturating_sub(at + TAPS);
        output.reserve(n_left * UP);
        let mut rest = [0.0; TAPS + BLOCK];
        while n_left > 0 {
            let inputs = self.window.piece(at, &mut rest);
            let mut frames = [[0; UP]; BLOCK];
            for (frame, input) in frames.iter_mut().zip(&inputs[HALF_UPWARD - 1..]) {
                frame[0] = to_sample(*input);
            }
            for phase in 1..UP {
                let sums = dots(inputs, self.kernel.row(phase));
                for (frame, sum) in frames.iter_mut().zip(sums) {
                    frame[phase] = to_sample(sum);
                }
            }
            let n = n_left.min(BLOCK);
            output.extend_from_slice(frames[..n].as_flattened());
            at += n;
            n_left -= n;
        }
        self.window.at = at;
    }
}

/// What is compiled once for each kind of vectors, and run with the widest that the machine has. Sums are the same to
/// the bit with any: none is contracted or reordered.
struct Produce<'a> {
    filter: &'a mut Filter,
    n_in: u64,
    output: &'a mut Vec<i16>,
}

impl WithSimd for Produce<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.filter.produce(self.n_in, self.output);
    }
}

/// The output at `phase` / `up` of an input sample behind the middle of `inputs`.
#[inline(always)]
fn sum(kernel: &Kernel, inputs: &[f32], phase: u32, up: u32) -> f32 {
    match kernel.phases() {
        Phases::Exact if phase == 0 && kernel.row_0_is_identity() => inputs[kernel.half() - 1],
        Phases::Exact => dot(inputs, kernel.row(phase as usize)),
        Phases::Steps(steps) => {
            let scaled = u64::from(phase) * u64::from(steps);
            let row = (scaled / u64::from(up)) as usize;
            let between = (scaled % u64::from(up)) as f32 / up as f32;
            let (below, above) = (dot(inputs, kernel.row(row)), dot(inputs, kernel.row(row + 1)));
            below + between * (above - below)
        }
    }
}

#[cfg(test)]
mod tests;
