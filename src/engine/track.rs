//! What a recording takes media from.

use std::time::Duration;

/// Some media of a track, ready for `reelaudiodec`.
///
/// The buffer's PTS is media time: zero is the first audible sample of the file. Its duration is set, and the next
/// frame's PTS is exactly PTS + duration, unless that one carries DISCONT: then a hole in the file lies between.
///
/// Raw, G.711 and G.722 frames hold whole samples of at most 100 ms. An Opus frame is one packet; an
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

/// One participant's audio as it arrives, pulled on the worker.
pub trait Track: Send {
    /// Returns the next frame, in order of time and without overlap; None at the end.
    ///
    /// # Errors
    ///
    /// The media is damaged here. After a fatal error there is nothing more.
    fn next_frame(&mut self) -> Result<Option<Frame>, TrackError>;

    /// Returns how long the track says it is.
    fn declared_duration(&self) -> Option<Duration>;
}
