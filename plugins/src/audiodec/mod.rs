//! `reelaudiodec`: decodes one track, whatever its codec, to S16 mono at exact positions.
//!
//! It takes depayloaded frames and works on the pushing thread: a buffer list, such as the frames of a worker's tick,
//! becomes one buffer. Output is contiguous by sample count. A *spurt*, a run of packets without a hole, begins at the
//! sample nearest to its first packet's PTS; from there samples are counted, and PTS = ⌊index · 10⁹ / rate⌋. Where a
//! sender's clock drifts from its samples, they are made longer or shorter (below), and none is dropped or repeated.
//!
//! # Behaviour
//!
//! | when | then |
//! |---|---|
//! | buffer or buffer list | one buffer with all its samples, none while all are owed, more where a hole is left |
//! | PTS less than 5 ms and half a packet off, no DISCONT | follows without a seam |
//! | PTS on average 1.1 ms off | from here on samples follow their clock, to the end of the spurt |
//! | no PTS | follows the packet before it |
//! | loss ≤ 60 ms | concealed |
//! | longer loss | no samples: output goes on at the later position, with DISCONT |
//! | pause | the same; in Opus DTX up to 400 ms of comfort noise |
//! | PTS goes back | positions already emitted are not emitted again: the overlap is dropped and counted |
//! | clipping meta | so many samples are cut from start and end; PTS is that of the first sample after the cut |
//! | two channels | mono: (left + right) >> 1; Opus as libopus mixes |
//! | corrupt packet | counted, and as good as lost; 50 in a row are an error |
//! | GAP event | a loss if it says `missing-data`, else a pause; forwarded from where no samples will stand for it |
//! | other caps, stream-start, segment, EOS | the old stream is drained, then all goes on in place |
//! | inside a pause | silence, before it is resampled; so is what would be concealed up to 100 ms after it |
//! | flush | the stream is forgotten, but not whether its time-stamps have the look-ahead taken out |
//! | PAUSED→READY | all of it is forgotten |
//!
//! A hole is a *loss* when DISCONT, a GAP event or a corrupt packet says so, else a *pause*. Opus conceals by the next
//! packet's redundancy (FEC) and what libopus invents, the others by repeating the last pitch period with a fade-out.
//! Opus is in DTX after a packet of at most 2 bytes. Noise for a pause that no GAP event announces can only come with
//! the packet after it; a live source that mixes up to a horizon sends a GAP event up to there and has it in time.
//! Clipping in the default format counts 48 kHz for Opus, else the codec's rate.
//!
//! **Look-ahead** is taken out: each sample stands where it was spoken. G.722 is 22 samples late. Opus is late by the
//! pre-skip of its header; without a header (RTP) by `opus-pre-skip`. A spurt's first samples are dropped, its end is
//! filled from what is still inside the codec, so that it is as long as its packets. A stream that clips its start by
//! meta or segment (MP4), or whose second PTS is early by just the look-ahead, has taken it out itself. libopus joins
//! its two codecs to within 62 µs whoever decodes: at 16 kHz 0 samples, but 1 in mediumband.
//!
//! The end of a spurt comes with what ends it: the next packet, a GAP event or EOS. Who feeds a live mix sends a GAP
//! event where nothing comes, else that end is late by as much as the next packet is.
//!
//! **Drift**: packets tell times, samples only lengths, and over an hour the two may be a second apart. As soon as PTS
//! is on average 1.1 ms (more than a container's rounding) from where samples stand, all that follows is resampled to
//! be up to 600 ppm longer or shorter: 500 for clocks, 100 to make up what was. The difference dies away with a time
//! constant of 1 s, down to what the drift does in that time, 0.3 ms at 300 ppm. Nothing else of a tone is above
//! −80 dB. Up to there samples are what they would be without; from there on places of packets, losses and pauses go by
//! where samples come out. A drift beyond 600 ppm ends a spurt every so often, as any jump does.
//!
//! **Latency** is the codec's and the resampler's look-ahead, the 60 ms that a concealed loss may come late, and the
//! 2.2 ms that samples and times may come apart before they are corrected. At equal rates it has 28 samples for a
//! correction that may begin at any time, though nothing is late without one.
//!
//! # Pads
//!
//! `sink`: `audio/x-opus` (mapping family 0), `audio/x-mulaw`, `audio/x-alaw` (8–48 kHz), `audio/G722` (64 kbit/s;
//! caps say 8000 or 16000, audio is 16 kHz), `audio/x-raw` S16LE and S16BE (8–192 kHz); one or two channels, G.722 one.
//! `src`: `audio/x-raw` S16LE, mono, 8–48 kHz: what downstream asks for, else the nearest to the source's own rate
//! (Opus: 16 kHz). libopus decodes to 8, 12, 16, 24 and 48 kHz by itself; all else is resampled, flat to ±0.1 dB up to
//! 0.45 of the lower rate and below −80 dB from 0.55 on.
//!
//! **Pauses** are those of the recording: what is said in one must not come out behind its end, and whatever stands
//! behind a decoder may bring it there (a resampler by 3 ms, a noise suppressor by 20). So it is silence from here on;
//! `reelgate` takes the time of it out. Without resampling the first sample of a pause is that nearest to its begin;
//! else no sample that is partly in a pause is heard, and where a drift is corrected, those are in it that come out in
//! it. What a codec has smeared before it comes here stays: Opus, MP3 or G.722 carry some of a loud sound over into the
//! next 10 to 20 ms.
//!
//! # Properties
//!
//! Each write of `pause-at` and `resume-at` adds an edge of a pause in recording time (the running-time of the input);
//! it must be written before media from there on comes. PAUSED → READY forgets them. `opus-pre-skip` is applied from
//! the next spurt on. `stats` is a structure `reel-stats` of `guint64`: `packets`, `decoded-samples`,
//! `concealed-samples`, `comfort-samples`, `corrected-samples` (those that follow their clock), `fec-frames`, `corrupt`
//! (packets), `clipped` and `dropped-overlap` (samples), `discontinuities`, `heard-ns` (how long all is that came out);
//! of `gint64`, `drift-ppb`: by how many parts per billion samples are made longer now, −600 000 ‥ 600 000, 0 before a
//! spurt's first correction; and of `gdouble`, `level-db`: the RMS of about the last 300 ms in dBFS, pauses being
//! silence, which is −200. Samples are at the rate that the codec is decoded to. It posts no messages but `latency`.
//!
//! # Examples
//!
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=50 ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! reelaudiodec ! audio/x-raw,rate=16000 ! wavenc ! filesink location=from-mulaw.wav
//! gst-launch-1.0 audiotestsrc num-buffers=100 ! audioconvert ! opusenc ! rtpopuspay ! rtpopusdepay ! reelaudiodec ! wavenc ! filesink location=from-opus.wav
//! ```

mod blocks;
mod caps;
mod codec;
mod conceal;
mod convert;
mod core;
mod drift;
mod g711;
mod g722;
mod hush;
mod imp;
mod kernel;
mod line;
mod loudness;
mod opus;
mod packet;
mod pcm;
mod position;
mod resample;
mod stats;

#[cfg(test)]
mod foreign;

use gst::glib;
use gst::prelude::*;

glib::wrapper! {
    /// Decodes one track to S16 mono; see the module.
    pub struct ReelAudioDec(ObjectSubclass<imp::ReelAudioDec>) @extends gst::Element, gst::Object;
}

/// Registers the element `reelaudiodec`, with rank none: it must not take over autoplugging.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "reelaudiodec", gst::Rank::NONE, ReelAudioDec::static_type())
}
