//! What `reelaudiodec` takes: anything else is converted before it.

use std::ops::RangeInclusive;

/// Samples per second of raw audio.
pub(super) const RAW_RATES: RangeInclusive<i32> = 8_000..=192_000;

/// Most channels that are mixed down. GStreamer's converter crashes on more.
pub(super) const CHANNELS_MAX: i32 = 63;

/// Samples per second of G.711.
const G711_RATES: RangeInclusive<i32> = 8_000..=48_000;

/// What a track may be: what `reelaudiodec` takes.
pub(super) fn track_caps() -> gst::Caps {
    let voices = gst::IntRange::new(1, 2);
    let rates = |range: &RangeInclusive<i32>| gst::IntRange::new(*range.start(), *range.end());
    gst::Caps::builder_full()
        .structure(
            gst::Structure::builder("audio/x-opus")
                .field("channel-mapping-family", 0)
                .field("channels", voices)
                .build(),
        )
        .structure(
            gst::Structure::builder("audio/x-mulaw")
                .field("rate", rates(&G711_RATES))
                .field("channels", voices)
                .build(),
        )
        .structure(
            gst::Structure::builder("audio/x-alaw").field("rate", rates(&G711_RATES)).field("channels", voices).build(),
        )
        .structure(gst::Structure::builder("audio/G722").field("channels", 1).build())
        .structure(
            gst::Structure::builder("audio/x-raw")
                .field("format", "S16LE")
                .field("layout", "interleaved")
                .field("rate", rates(&RAW_RATES))
                .field("channels", voices)
                .build(),
        )
        .build()
}
