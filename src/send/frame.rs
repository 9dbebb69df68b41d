//! What a source gives: frames of media, each at its place in the sender's clock.

use std::sync::Arc;

use crate::send::error::SendError;

/// One packet's worth of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// Where it begins, in ticks of the codec's clock from the begin of the media.
    pub(super) ticks: u64,
    /// The payload. Shared, since several streams send it.
    pub(super) payload: Arc<[u8]>,
    /// What the payload is.
    pub(super) kind: Kind,
    /// It begins a talk spurt (RFC 3551 §4.1).
    pub(super) marker: bool,
}

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of the stream's codec.
    Media,
    /// Of the stream's codec, with this number in it.
    Serial(u16),
    /// A level of noise (RFC 3389).
    ComfortNoise,
}

/// What a source gives next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// A frame, behind all that were given.
    Frame(Frame),
    /// There is no more; the media ends at this tick.
    End(u64),
}

/// Gives frames in the order of their media.
pub(super) trait Source {
    /// Returns what is next; after the end, the end again.
    ///
    /// # Errors
    ///
    /// The media cannot be read on.
    fn next(&mut self) -> Result<Next, SendError>;
}
