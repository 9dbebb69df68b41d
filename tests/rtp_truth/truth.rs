//! A call that was sent by a clock of its own, its recording, and what belongs where.

use std::path::PathBuf;

use crate::support::call::Call;
use crate::support::call::Recording;
use crate::support::captured::Captured;
use crate::support::captured::T0;
use crate::support::captured::capture_with;
use crate::support::chirp;
use crate::support::chirp::Heard;
use crate::support::wav;

/// How the sound of a file was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) codec: &'a str,
    /// How fast the sender's clock is.
    pub(crate) skew_ppm: i32,
    /// More options of `send`.
    pub(crate) network: &'a str,
}

impl Sent<'_> {
    /// Sends samples of one channel into a capture.
    #[track_caller]
    pub(crate) fn capture(&self, rate: usize, samples: &[i16]) -> Captured {
        let Self { codec, skew_ppm, network } = self;
        capture_with(&format!("--codec {codec} --skew {skew_ppm}ppm {network}"), |dir| {
            let path = dir.join("said.wav");
            wav::write(&path, rate as u32, 1, samples);
            vec![path]
        })
    }

    /// Somebody of this name who is heard by a capture.
    pub(crate) fn participant(&self, call: Call, name: &str, captured: &Captured) -> Call {
        let mut source = captured.path.clone().into_os_string();
        source.push(format!("?codec={}", self.codec));
        call.with_file(name, &PathBuf::from(source))
    }

    /// Records a capture by itself.
    #[track_caller]
    pub(crate) fn record(&self, captured: &Captured) -> Recording {
        self.participant(Call::new(), "caller", captured).record("mixed-wav")
    }

    /// Returns the recording time of media that was said so many seconds after the begin of the file, where recording
    /// time zero is at `zero_ns` of the capture.
    pub(crate) fn recorded_at(&self, zero_ns: u64, media: f64) -> f64 {
        let begin = T0 as i128 - i128::from(zero_ns);
        begin as f64 / 1e9 + media / (1.0 + f64::from(self.skew_ppm) * 1e-6)
    }

    /// Finds the chirps in a recording of them.
    pub(crate) fn chirps(&self, samples: &[i16], seconds: usize, zero_ns: u64, likeness_min: f64) -> Vec<Heard> {
        chirp::find(samples, seconds, likeness_min, |n| self.recorded_at(zero_ns, chirp::middle(n)))
    }
}

/// Returns when the first datagram of a capture came: recording time zero.
pub(crate) fn zero_ns(captured: &Captured) -> u64 {
    captured.datagrams().first().expect("datagrams").ns
}

/// Returns the earliest and the latest of chirps against their places, in milliseconds.
pub(crate) fn range_ms(heard: &[Heard]) -> (f64, f64) {
    let late = heard.iter().map(|heard| heard.late_ms);
    (late.clone().fold(f64::INFINITY, f64::min), late.fold(f64::NEG_INFINITY, f64::max))
}
