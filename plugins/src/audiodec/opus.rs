//! Opus through the plain libopus API, decoded to mono and, where libopus can, straight to the wanted rate.
//!
//! Knows packets and samples; must not know time or GStreamer.

/// Units of pre-skip, clipping and RTP time, whatever rate is decoded to (RFC 7845 §4.2, RFC 7587 §4.1).
pub(super) const CLOCK_RATE: u32 = 48_000;

/// Rates in Hz that libopus decodes to.
const DECODE_RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];

/// A packet of at most this many bytes has no audio: the encoder says that it falls silent (DTX).
const DTX_BYTES_MAX: usize = 2;

/// The longest piece of noise or concealment asked for at once, in ms; libopus puts it on the stack.
const PIECE_MS_MAX: u32 = 60;

/// What an Opus stream's identification header says about decoding (RFC 7845 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Samples at 48 kHz to drop from the start.
    pub(super) pre_skip: u16,
    /// Gain to apply in 1/256 dB.
    pub(super) gain: i16,
}

impl Head {
    /// Reads an `OpusHead`; `None` when it is something else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"OpusHead")?;
        let pre_skip = rest.get(2..4)?.try_into().ok()?;
        let gain = rest.get(8..10)?.try_into().ok()?;
        Some(Self { pre_skip: u16::from_le_bytes(pre_skip), gain: i16::from_le_bytes(gain) })
    }
}

/// Whether a packet is one of the two headers that Ogg carries in front of the audio.
pub(super) fn is_header(packet: &[u8]) -> bool {
    packet.starts_with(b"OpusHead") || packet.starts_with(b"OpusTags")
}

/// Returns the rate to decode to when `rate` Hz are wanted: itself, or 48 kHz to be resampled.
pub(super) fn decode_rate(rate: u32) -> u32 {
    if DECODE_RATES.contains(&rate) { rate } else { CLOCK_RATE }
}

/// A decoder with the state of one stream.
pub(super) struct Opus {
    decoder: opus::Decoder,
    rate: u32,
    in_dtx: bool,
}

impl Opus {
    /// Returns a decoder to mono at `rate` Hz, which must come from [`decode_rate`]; `gain` in 1/256 dB.
    pub(super) fn new(rate: u32, gain: i16) -> Self {
        let decoder = opus::Decoder::new(rate, opus::Channels::Mono);
        let mut decoder = decoder.expect("libopus decodes to this rate, or memory is out");
        decoder.set_gain(i32::from(gain)).expect("every 16-bit gain is in range");
        Self { decoder, rate, in_dtx: false }
    }

    /// Returns how many samples a packet holds, or `None` when it cannot be a packet.
    pub(super) fn frames(&self, packet: &[u8]) -> Option<usize> {
        if packet.is_empty() {
            return None;
        }
        opus::packet::get_nb_samples(packet, self.rate).ok()
    }

    /// Appends the samples of a packet; returns whether it could be decoded.
    pub(super) fn append(&mut self, packet: &[u8], output: &mut Vec<i16>) -> bool {
        let Some(n) = self.frames(packet) else { return false };
        self.in_dtx = packet.len() <= DTX_BYTES_MAX;
        self.run(packet, n, false, output)
    }

    /// Whether the encoder has said that it falls silent.
    pub(super) fn in_dtx(&self) -> bool {
        self.in_dtx
    }

    /// Appends `n` samples in place of what was lost before the packet `next`, the last frame from its redundancy if it
    /// has any (LBRR, RFC 6716 §2.1.7). Returns the samples of that one.
    pub(super) fn conceal(&mut self, n: usize, next: &[u8], output: &mut Vec<i16>) -> Option<usize> {
        let frame = redundant_frame(next, self.rate).filter(|&frame| frame <= n);
        let Some(frame) = frame else {
            self.invent(n, output);
            return None;
        };
        // Asked for more than the redundant frame, libopus invents the rest in front of it.
        let from = output.len();
        let asked = n.next_multiple_of(self.quantum());
        if !self.run(next, asked, true, output) {
            self.invent(n, output);
            return None;
        }
        output.drain(from..from + asked - n);
        Some(frame)
    }

    /// Appends `n` samples that go on without a packet: concealment after audio, comfort noise after DTX.
    pub(super) fn invent(&mut self, n: usize, output: &mut Vec<i16>) {
        let end = output.len() + n;
        let piece_max = (self.rate * PIECE_MS_MAX / 1000) as usize;
        while output.len() < end {
            let asked = (end - output.len()).next_multiple_of(self.quantum()).min(piece_max);
            if !self.run(&[], asked, false, output) {
                break;
            }
        }
        output.resize(end, 0);
    }

    /// Forgets the stream.
    pub(super) fn reset(&mut self) {
        self.decoder.reset_state().expect("resetting a decoder has no condition");
        self.in_dtx = false;
    }

    /// Without a packet libopus works in steps of 2.5 ms.
    fn quantum(&self) -> usize {
        (self.rate / 400) as usize
    }

    fn run(&mut self, packet: &[u8], n: usize, fec: bool, output: &mut Vec<i16>) -> bool {
        let from = output.len();
        output.resize(from + n, 0);
        let n_decoded = self.decoder.decode(packet, &mut output[from..], fec);
        output.truncate(from + n_decoded.as_ref().map_or(0, |&n| n));
        n_decoded.is_ok()
    }
}

/// Returns the length in samples of the frame that `packet` repeats of the packet before it.
///
/// The flags follow the voice activity flags at the very start of a SILK frame, for each channel one for each 20 ms
/// (RFC 6716 §4.2.3), and are coded so that they can be read as plain bits.
fn redundant_frame(packet: &[u8], rate: u32) -> Option<usize> {
    const FIRST_CELT_ONLY_CONFIG: u8 = 16;
    let toc = *packet.first()?;
    if toc >> 3 >= FIRST_CELT_ONLY_CONFIG {
        return None;
    }
    let frame = opus::packet::get_samples_per_frame(packet, rate).ok()?;
    let n_silk_frames = (frame / (rate / 50) as usize).max(1);
    let parsed = opus::packet::parse(packet).ok()?;
    let flags = *parsed.frames.first()?.first()?;
    let is_stereo = toc & 4 != 0;
    let mid = flags >> (7 - n_silk_frames) & 1 == 1;
    let side = is_stereo && flags >> (6 - 2 * n_silk_frames) & 1 == 1;
    (mid || side).then_some(frame)
}
