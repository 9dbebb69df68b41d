//! `reelsink`: writes one file, the container chosen by the caps, readable whenever the process may die.
//!
//! Each buffer goes to the file in the call that brings it, with plain `write`: nothing is held back.
//!
//! | caps | what it writes | header |
//! |---|---|---|
//! | `audio/x-raw,format=S16LE,layout=interleaved` | WAV; more than 2 channels as WAVE_FORMAT_EXTENSIBLE, channel mask 0 | patched after each buffer |
//! | `audio/mpeg,mpegversion=1,layer=3` | MP3 | first frame is an info tag: reserved at the first buffer, complete at EOS |
//! | MP3 that does not begin with an ordinary frame (an own tag, ID3) | the bytes as they come | |
//! | anything else, or none | the bytes as they come, at the positions of `BYTES` segments | |
//!
//! | situation | what it does |
//! |---|---|
//! | `reel-chunk-start`, a buffer or EOS | the first of them opens the file; where `numbered` is false caps do it too |
//! | a chunk after the first, and no number in `location` although `numbered` | refused with an error: the first chunk's file stays |
//! | no media at all | at EOS the file is there: an empty WAV where caps came, else empty |
//! | `reel-chunk-end` and EOS | the MP3's tag says delay and padding: a gapless decoder returns exactly the samples that went in |
//! | EOS alone, stopped before EOS, or frames that LAME does not make of so many samples (resampled, drained in mid-file) | the tag counts the frames, padding 0: nothing recorded is cut |
//! | EOS | the file is completed and closed, `reel-file` posted, then EOS goes on |
//! | stopped (READY) before EOS | the file is completed and closed; no `reel-file`, since it may not be all |
//! | disk full, or another error of writing | whole samples or frames stay and the header counts them; an error is posted, EOS closes the file and posts `reel-file` with what there is |
//! | a WAV file reaches 4 GiB, all that its header can count | the file ends there and is valid; error `write` (`reelsplit` cuts before) |
//! | caps of WAV or MP3 change: the kind of file, WAV's rate or channels, MP3's rate | refused with an error; what is written stays |
//! | `location` is a device (a terminal) | written as a stream: headers are not patched |
//! | `location` is a named pipe | refused with an error: to open it could block for ever |
//! | gaps, time-stamps, buffers outside their segment | not judged: what comes is written |
//! | flush | nothing: the file goes on |
//!
//! Pad: `sink`, any caps. The stream is written where it is pushed: no thread, no clock, `sync` and `async` are off.
//!
//! | property | | default |
//! |---|---|---|
//! | `location` | the file; its first `%d`, `%u`, `%03d`, `%05u`… becomes the chunk's index, from `reel-chunk-start`, 0 without | none |
//! | `overwrite` | whether an existing file is replaced; else it is an error | true |
//! | `numbered` | whether `location` is such a pattern; else it is a name as it stands | true |
//! | `stats` | `bytes-written`, `writes` (headers and their patches included), of this run | |
//!
//! They may change in READY, for the next run. Files are created with mode 0600.
//!
//! Messages: element message `reel-file`; errors of the resource domain: `not-found` (no `location`), `open-write`,
//! `no-space-left`, `write`, and `format` of the stream domain for caps. Queries: position and seeking in bytes, and
//! `reel-room`: exact for WAV, and for MP3 while all frames have one bit rate (a later one ends the exactness)
//! and the sample rate of what goes into the encoder.
//!
//! A second of WAV:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=10 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelsink location=tone.wav
//! ```
//! The same as MP3, in a file named after its chunk:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=10 samplesperbuffer=1600 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! lamemp3enc target=bitrate bitrate=48 cbr=true ! reelsink location=tone-%03d.mp3
//! ```

mod content;
mod imp;
mod location;
mod writer;

use gst::glib;
use gst::prelude::*;

glib::wrapper! {
    /// The element `reelsink`.
    pub struct ReelSink(ObjectSubclass<imp::ReelSink>) @extends gst_base::BaseSink, gst::Element, gst::Object;
}

/// Registers the element.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "reelsink", gst::Rank::NONE, ReelSink::static_type())
}
