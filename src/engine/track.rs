//! What a recording takes media from.

use std::time::Duration;

use crate::media::Hole;
use crate::media::Stats;

/// Some media of a track, ready for `reelaudiodec`.
///
/// The buffer's PTS is track time: zero is where the track joins the recording. Its duration is set, and the next
/// frame's PTS is exactly PTS + duration, unless a hole lies between; DISCONT says that something was lost there. The
/// clock of a live sender is not ours: its frames are by up to 500 ppm longer or shorter than their samples.
///
/// Raw, G.711 and G.722 frames hold whole samples of at most 200 ms. An Opus frame is one packet; an
/// `AudioClippingMeta` (format DEFAULT, samples at 48 kHz) says how many of its decoded samples are not part of the
/// track, PTS and duration are those of the samples that are, and a packet that is all pre-skip has duration zero.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The media.
    pub buffer: gst::Buffer,
    /// What it is. May change within a track.
    pub caps: gst::Caps,
}

/// Why a track gave no frame. Reads after "Ada: "; its times are those of the track itself.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct TrackError {
    /// For people.
    pub text: String,
    /// Nothing more will come; else the next call may give the next frame.
    pub fatal: bool,
}

/// What a track has.
#[derive(Debug, Clone)]
pub enum Pulled {
    /// The next frame; it may begin later than was asked for.
    Frame(Frame),
    /// Nothing more before the time that was asked for, and why not.
    NotYet(Hole),
    /// The sender has said goodbye, and nothing of it is left; it may come again.
    Gone,
    /// Nothing more, ever.
    End,
}

/// One participant's audio as it arrives, pulled on the worker.
pub trait Track: Send {
    /// Returns the next frame that begins before `until` (track time), in order of time and without overlap. Never
    /// waits for media that has not come; a file may have to be read.
    ///
    /// # Errors
    ///
    /// The media is damaged here. After a fatal error there is nothing more.
    fn next_frame(&mut self, until: Duration) -> Result<Pulled, TrackError>;

    /// Returns how long the track says it is; None where nobody knows, as of a call.
    fn declared_duration(&self) -> Option<Duration>;

    /// Returns up to when all that arrived is here, in ns of the monotonic clock; None where nothing is on its way.
    fn read_ns(&self) -> Option<i64> {
        None
    }

    /// Returns what became of the track's packets; None where it is made of none.
    fn packets(&self) -> Option<Packets> {
        None
    }
}

/// What became of a track's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packets {
    /// By outcome.
    pub stats: Stats,
    /// By how much the sender's clock differs from ours at the end, in 1/10⁹; positive where it is slow.
    pub skew_ppb: i64,
}

/// A second of packets that mean nothing is no accident, if it is much of what came.
const UNKNOWN_MIN: u64 = 50;

impl Packets {
    /// Returns what is not as it should be, for people: what was agreed on and did not come, and what came and was lost
    /// here. What a network loses is no fault of a recording; it is counted.
    pub(super) fn troubles(&self) -> Vec<String> {
        let Stats { received, placed, quiet, control, unknown, foreign, malformed, .. } = self.stats;
        let Stats { overflow, kernel_drops, unrecorded, .. } = self.stats;
        let mut troubles = Vec::new();
        if received == 0 {
            troubles.push("no packet came".to_owned());
        }
        let has_changed = unknown >= UNKNOWN_MIN && unknown > placed / 10;
        if has_changed || placed == 0 && received > control + quiet + unrecorded {
            troubles.push(format!(
                "of {received} packets {placed} could be heard: {unknown} were not of the codec that was declared, \
                 {foreign} of another sender, {malformed} no RTP"
            ));
        }
        if overflow + kernel_drops > 0 {
            troubles.push(format!("{} packets came faster than they could be taken", overflow + kernel_drops));
        }
        troubles
    }
}
