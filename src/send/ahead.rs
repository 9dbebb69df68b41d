//! A source that is read ahead on a thread of its own, so that nobody who has a deadline waits for a file.

use std::sync::mpsc;

use crate::send::error::SendError;
use crate::send::frame::Next;
use crate::send::frame::Source;
use crate::send::voice::Voice;
use crate::send::voice::VoiceFrames;

/// Frames that are read ahead: 4 s, more than it takes to open a file anew.
const FRAMES_MAX: usize = 200;

/// Frames of a file, read ahead. The thread ends with its file, or soon after this is dropped.
pub(super) struct Ahead {
    frames: mpsc::Receiver<Result<Next, SendError>>,
    /// The first frame, for which opening waits; then the end, again and again.
    kept: Option<Next>,
}

impl Ahead {
    /// Opens a file and waits for its first frame, so that a bad file is told before anything is sent.
    pub(super) fn open(voice: Voice) -> Result<Self, SendError> {
        let mut voice = VoiceFrames::open(voice)?;
        let (sender, frames) = mpsc::sync_channel(FRAMES_MAX);
        let reader = std::thread::Builder::new().name("reel-send-reader".to_owned());
        let read = move || {
            loop {
                let next = voice.next();
                let is_last = !matches!(next, Ok(Next::Frame(_)));
                if sender.send(next).is_err() || is_last {
                    return;
                }
            }
        };
        reader.spawn(read).map_err(SendError::Thread)?;
        let mut ahead = Self { frames, kept: None };
        ahead.kept = Some(ahead.next()?);
        Ok(ahead)
    }
}

impl Source for Ahead {
    fn next(&mut self) -> Result<Next, SendError> {
        if let Some(kept) = self.kept.take() {
            if matches!(kept, Next::End(_)) {
                self.kept = Some(kept.clone());
            }
            return Ok(kept);
        }
        // A reader that is gone has told an end or an error before; nobody asks again after either.
        self.frames.recv().unwrap_or(Ok(Next::End(0)))
    }
}
