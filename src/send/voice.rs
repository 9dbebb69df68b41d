//! The voice of a file as frames: once, or over and over.
//!
//! Must not know GStreamer.

use std::path::PathBuf;
use std::sync::Arc;

use crate::send::chain::Chain;
use crate::send::chain::Packet;
use crate::send::codec::Codec;
use crate::send::codec::FRAMES_PER_SECOND;
use crate::send::error::SendError;
use crate::send::frame::Frame;
use crate::send::frame::Kind;
use crate::send::frame::Next;
use crate::send::frame::Source;
use crate::send::spurts::Spurts;
use crate::send::spurts::Verdict;

/// Nanoseconds of a frame.
const FRAME_NS: u64 = 1_000_000_000 / FRAMES_PER_SECOND as u64;

/// Opus begins with its look-ahead: from the second packet on, `opusenc` 1.22 gives times that are 6.5 ms less than
/// whole frames. Whatever is not 1 ms beyond a whole frame belongs to it.
const BEYOND_NS: u64 = 1_000_000;

/// What is sent of a file.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    /// The media file; its name may be any bytes.
    pub(super) path: PathBuf,
    pub(super) codec: Codec,
    /// Silence is not sent.
    pub(super) dtx: bool,
    /// After its end it begins again.
    pub(super) repeats: bool,
}

/// The frames of a file.
pub(super) struct VoiceFrames {
    voice: Voice,
    chain: Chain,
    spurts: Spurts,
    level: f64,
    /// Frames before this round of the file.
    base: u64,
    /// Frames up to the end of what has come.
    end: u64,
    /// Frames of this round whose level was asked for.
    n_levels: u64,
}

impl VoiceFrames {
    /// Opens the file.
    pub(super) fn open(voice: Voice) -> Result<Self, SendError> {
        let chain = Chain::start(&voice.path, voice.codec, voice.dtx)?;
        Ok(Self { voice, chain, spurts: Spurts::default(), level: 0.0, base: 0, end: 0, n_levels: 0 })
    }

    /// Returns the place and the payload of the next packet; None at the end of all.
    fn next_packet(&mut self) -> Result<Option<(u64, Packet)>, SendError> {
        loop {
            if let Some(packet) = self.chain.next_packet()? {
                let in_file = packet.pts.nseconds().saturating_sub(BEYOND_NS).div_ceil(FRAME_NS);
                return Ok(Some((self.base + in_file, packet)));
            }
            // Silence at the end of the file, of which nothing is sent, is as long as it is.
            while self.next_level().is_some() {}
            self.end = self.end.max(self.base + self.n_levels);
            if !self.voice.repeats {
                return Ok(None);
            }
            (self.base, self.n_levels) = (self.end, 0);
            self.chain = Chain::start(&self.voice.path, self.voice.codec, self.voice.dtx)?;
        }
    }

    fn next_level(&mut self) -> Option<f64> {
        let level = self.chain.next_level();
        self.n_levels += u64::from(level.is_some());
        level
    }

    fn judge(&mut self, index: u64) -> Verdict {
        match (self.voice.dtx, self.voice.codec) {
            (false, _) => Verdict::Send { marker: false },
            // The encoder has judged: what is missing was silent.
            (true, Codec::Opus) => {
                while self.base + self.n_levels <= index && self.next_level().is_some() {}
                Verdict::Send { marker: index != self.end || index == 0 }
            }
            (true, _) => {
                // The last packet may be shorter than a frame, and has no level of its own.
                self.level = self.next_level().unwrap_or(self.level);
                self.spurts.judge(self.level)
            }
        }
    }
}

impl Source for VoiceFrames {
    fn next(&mut self) -> Result<Next, SendError> {
        let codec = self.voice.codec;
        loop {
            let Some((index, packet)) = self.next_packet()? else {
                return Ok(Next::End(self.end * codec.frame_ticks()));
            };
            let verdict = self.judge(index);
            self.end = index + 1;
            let (payload, kind, marker): (Arc<[u8]>, _, _) = match verdict {
                Verdict::Send { marker } => (packet.payload.into(), Kind::Media, marker),
                Verdict::Noise { level } if codec.has_comfort_noise() => ([level].into(), Kind::ComfortNoise, false),
                Verdict::Noise { .. } | Verdict::Skip => continue,
            };
            return Ok(Next::Frame(Frame { ticks: index * codec.frame_ticks(), payload, kind, marker }));
        }
    }
}
