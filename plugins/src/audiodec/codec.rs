//! The codecs behind one face: packets in, mono samples at the codec's decode rate out.
//!
//! Knows bytes and samples; must not know time or GStreamer.

use crate::audiodec::conceal::Concealer;
use crate::audiodec::g711;
use crate::audiodec::g722;
use crate::audiodec::opus;
use crate::audiodec::pcm;

/// One channel, or two that are mixed to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channels {
    /// One.
    Mono,
    /// Two, interleaved.
    Stereo,
}

/// What a stream's caps say about decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Opus, with its header where the stream has one.
    Opus { head: Option<opus::Head> },
    /// G.711.
    G711 { law: g711::Law, rate: u32, channels: Channels },
    /// G.722 at 64 kbit/s.
    G722,
    /// S16.
    Pcm { endianness: pcm::Endianness, rate: u32, channels: Channels },
}

impl Format {
    /// Returns the rate in Hz that the audio has by itself: what to decode to when nobody asks for another.
    pub(super) fn natural_rate(&self) -> u32 {
        match *self {
            // Speech needs no more, and half the decoding.
            Format::Opus { .. } | Format::G722 => g722::RATE,
            Format::G711 { rate, .. } | Format::Pcm { rate, .. } => rate,
        }
    }

    /// Returns the rate in Hz in which clipping is told.
    pub(super) fn clock_rate(&self) -> u32 {
        match self {
            Format::Opus { .. } => opus::CLOCK_RATE,
            Format::G722 | Format::G711 { .. } | Format::Pcm { .. } => self.natural_rate(),
        }
    }

    /// Returns by how many samples at `rate` Hz decoded audio is behind its packets, encoder and decoder together;
    /// `pre_skip` (at 48 kHz) is assumed for Opus without a header.
    pub(super) fn lag(&self, rate: u32, pre_skip: u32) -> usize {
        let at_48_khz = match self {
            Format::Opus { head } => head.map_or(pre_skip, |head| u32::from(head.pre_skip)),
            Format::G722 => return g722::DELAY_SAMPLES,
            Format::G711 { .. } | Format::Pcm { .. } => return 0,
        };
        let clock = u64::from(opus::CLOCK_RATE);
        ((u64::from(at_48_khz) * u64::from(rate) + clock / 2) / clock) as usize
    }
}

enum Decoder {
    Opus(opus::Opus),
    G711(g711::Law, Channels),
    G722(Box<g722::G722>),
    Pcm(pcm::Endianness, Channels),
}

/// A decoder with the state of one stream.
pub(super) struct Codec {
    decoder: Decoder,
    rate: u32,
    concealer: Concealer,
}

impl Codec {
    /// Returns a decoder for a stream that is wanted at `rate_out` Hz.
    pub(super) fn new(format: Format, rate_out: u32) -> Self {
        let (rate, decoder) = match format {
            Format::Opus { head } => {
                let rate = opus::decode_rate(rate_out);
                (rate, Decoder::Opus(opus::Opus::new(rate, head.map_or(0, |head| head.gain))))
            }
            Format::G711 { law, rate, channels } => (rate, Decoder::G711(law, channels)),
            Format::G722 => (g722::RATE, Decoder::G722(Box::new(g722::G722::new()))),
            Format::Pcm { endianness, rate, channels } => (rate, Decoder::Pcm(endianness, channels)),
        };
        Self { decoder, rate, concealer: Concealer::new(rate) }
    }

    /// Returns the rate in Hz that packets are decoded to.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Returns how many samples a packet holds, or `None` when it cannot be a packet.
    pub(super) fn frames(&self, packet: &[u8]) -> Option<usize> {
        match &self.decoder {
            Decoder::Opus(opus) => opus.frames(packet),
            Decoder::G711(_, channels) => Some(frames(packet.len(), *channels)),
            Decoder::G722(_) => Some(2 * packet.len()),
            Decoder::Pcm(_, channels) => Some(frames(packet.len() / 2, *channels)),
        }
    }

    /// Appends the samples of a packet; returns whether it could be decoded.
    pub(super) fn append(&mut self, packet: &[u8], output: &mut Vec<i16>) -> bool {
        let from = output.len();
        let channels = match &mut self.decoder {
            Decoder::Opus(opus) => return opus.append(packet, output),
            Decoder::G711(law, channels) => {
                g711::append(packet, *law, output);
                *channels
            }
            Decoder::G722(g722) => {
                g722.append(packet, output);
                Channels::Mono
            }
            Decoder::Pcm(endianness, channels) => {
                pcm::append(packet, *endianness, output);
                *channels
            }
        };
        if channels == Channels::Stereo {
            pcm::downmix(output, from);
        }
        self.concealer.hear(&output[from..]);
        true
    }

    /// Appends `n` samples in place of what was lost before the packet `next`. Returns how many of them, at the end,
    /// are the sender's own, from that packet's redundancy; None where all are made up.
    pub(super) fn conceal(&mut self, n: usize, next: &[u8], output: &mut Vec<i16>) -> Option<usize> {
        match &mut self.decoder {
            Decoder::Opus(opus) => opus.conceal(n, next, output),
            Decoder::G711(..) | Decoder::G722(_) | Decoder::Pcm(..) => {
                self.concealer.conceal(n, output);
                None
            }
        }
    }

    /// Whether the encoder has said that it falls silent, so that a pause is to be filled with noise.
    pub(super) fn in_dtx(&self) -> bool {
        matches!(&self.decoder, Decoder::Opus(opus) if opus.in_dtx())
    }

    /// Appends `n` samples without a packet: what is still inside the codec, or comfort noise where that is in DTX.
    pub(super) fn tail(&mut self, n: usize, output: &mut Vec<i16>) {
        match &mut self.decoder {
            Decoder::Opus(opus) => opus.invent(n, output),
            Decoder::G722(g722) => g722.tail(n, output),
            Decoder::G711(..) | Decoder::Pcm(..) => output.resize(output.len() + n, 0),
        }
    }

    /// Forgets the stream.
    pub(super) fn reset(&mut self) {
        match &mut self.decoder {
            Decoder::Opus(opus) => opus.reset(),
            Decoder::G722(g722) => **g722 = g722::G722::new(),
            Decoder::G711(..) | Decoder::Pcm(..) => {}
        }
        self.concealer.reset();
    }
}

fn frames(n_samples: usize, channels: Channels) -> usize {
    match channels {
        Channels::Mono => n_samples,
        Channels::Stereo => n_samples / 2,
    }
}
