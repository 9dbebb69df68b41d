//! Numbered frames without end, for whoever must know which of them a recording has.

use std::sync::Arc;

use crate::send::codec::Codec;
use crate::send::error::SendError;
use crate::send::frame::Frame;
use crate::send::frame::Kind;
use crate::send::frame::Next;
use crate::send::frame::Source;
use crate::send::serial::SerialCoder;

/// The frames 0, 1, 2 … as [`SerialCoder`] writes them.
#[derive(Debug, Default)]
pub(super) struct Numbered {
    coder: SerialCoder,
    n_frames: u64,
}

impl Source for Numbered {
    fn next(&mut self) -> Result<Next, SendError> {
        // The lowest 16 bits: numbers wrap.
        let number = self.n_frames as u16;
        let frame = Frame {
            ticks: self.n_frames * Codec::Pcmu.frame_ticks(),
            payload: Arc::from(self.coder.payload(number)),
            kind: Kind::Serial(number),
            marker: false,
        };
        self.n_frames += 1;
        Ok(Next::Frame(frame))
    }
}
