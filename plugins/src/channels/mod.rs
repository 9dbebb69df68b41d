//! `reelchannels`: each participant on a channel of their own.
//!
//! Channels are given in the order in which participants are first heard, and kept: a channel is never renumbered,
//! and never given to somebody else. A channel begins 200 ms before the voice was recognised, so that the first
//! syllable is there; the output stays that far behind the input.
//!
//! | situation | what it does |
//! |---|---|
//! | a voice, and a free channel | the lowest free channel, from 200 ms before |
//! | a voice, and no free channel | not recorded; listed in the event as without channel, and counted |
//! | a pad with property `channel` ≥ 0 | on that channel from its first sample; nobody else gets it |
//! | property `reserved-channels` | not given away: kept for pads to come |
//! | a voice during a pause (told by `reelgate` upstream) | gets no channel by it |
//! | a pad leaves and comes again under the same name | has the same channel |
//! | a flush | time begins anew, channels stay |
//! | `timeline`, late samples, EOS, seeks, rates | as `reelmixer` |
//!
//! A *voice* is 60 ms in which each 20 ms frame of the recording's own sample grid is above `voice-threshold`.
//!
//! Pads: sink `sink_%u` (mono) and `timeline` (request), src `src` with `max-channels` channels, interleaved.
//! Sticky event and message `reel-channels` (the whole map) before the first sample to which a map applies. Property
//! `stats`: as `reelmixer`'s, and `pads-without-channel`.
//!
//! Two tones on two of five channels:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=100 freq=440 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! reelchannels name=c ! wavenc ! filesink location=five.wav audiotestsrc num-buffers=100 freq=1000 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! c.
//! ```
//! A pinned pad:
//! ```text
//! gst-launch-1.0 audiotestsrc num-buffers=100 freq=440 ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! c.sink_0 reelchannels name=c max-channels=2 sink_0::channel=1 ! wavenc ! filesink location=pinned.wav
//! ```

mod grid;
mod imp;
mod voice;

use gst::glib;
use gst::prelude::*;

glib::wrapper! {
    /// The element `reelchannels`.
    pub struct ReelChannels(ObjectSubclass<imp::ReelChannels>)
        @extends gst::Element, gst::Object, @implements gst::ChildProxy;
}

glib::wrapper! {
    /// A sink pad of `reelchannels`, with its property `channel`.
    pub struct ReelChannelsPad(ObjectSubclass<imp::ReelChannelsPad>) @extends gst::Pad, gst::Object;
}

/// Registers the element.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "reelchannels", gst::Rank::NONE, ReelChannels::static_type())
}
