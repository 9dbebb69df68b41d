//! Caps of `reelaudiodec`: what its pads may carry, and what a stream's caps say about decoding it.

use crate::audiodec::codec::Channels;
use crate::audiodec::codec::Format;
use crate::audiodec::g711::Law;
use crate::audiodec::opus;
use crate::audiodec::pcm::Endianness;

const RATE_OUT_MIN: i32 = 8_000;
const RATE_OUT_MAX: i32 = 48_000;
const RATE_RAW_MAX: i32 = 192_000;

/// Caps that the element cannot decode although its template lets them through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnreadableCaps {
    /// The field that is missing or has another type or value.
    pub(super) field: &'static str,
}

/// Returns what the sink pad may carry.
pub(super) fn sink_template() -> gst::Caps {
    let rates = gst::IntRange::new(RATE_OUT_MIN, RATE_OUT_MAX);
    let channels = gst::IntRange::new(1, 2);
    let g711 = |name| gst::Structure::builder(name).field("rate", rates).field("channels", channels).build();
    let opus = gst::Structure::builder("audio/x-opus").field("channel-mapping-family", 0).field("channels", channels);
    let g722_rates = gst::List::new([8_000, 16_000]);
    let g722 = gst::Structure::builder("audio/G722").field("rate", g722_rates).field("channels", 1);
    let raw = gst::Structure::builder("audio/x-raw")
        .field("format", gst::List::new(["S16LE", "S16BE"]))
        .field("layout", "interleaved")
        .field("rate", gst::IntRange::new(RATE_OUT_MIN, RATE_RAW_MAX))
        .field("channels", channels);
    [opus.build(), g711("audio/x-mulaw"), g711("audio/x-alaw"), g722.build(), raw.build()].into_iter().collect()
}

/// Returns what the src pad may carry.
pub(super) fn src_template() -> gst::Caps {
    src_builder().field("rate", gst::IntRange::new(RATE_OUT_MIN, RATE_OUT_MAX)).build()
}

/// Returns the src pad's caps at a rate in Hz.
pub(super) fn src_caps(rate: u32) -> gst::Caps {
    src_builder().field("rate", rate as i32).build()
}

fn src_builder() -> gst::caps::Builder<gst::caps::NoFeature> {
    gst::Caps::builder("audio/x-raw").field("format", "S16LE").field("layout", "interleaved").field("channels", 1)
}

/// Reads a stream's caps.
pub(super) fn read(caps: &gst::CapsRef) -> Result<Format, UnreadableCaps> {
    let s = caps.structure(0).ok_or(UnreadableCaps { field: "structure" })?;
    match s.name().as_str() {
        "audio/x-opus" => Ok(Format::Opus { head: opus_head(s) }),
        "audio/x-mulaw" => Ok(Format::G711 { law: Law::Mu, rate: rate(s)?, channels: channels(s)? }),
        "audio/x-alaw" => Ok(Format::G711 { law: Law::A, rate: rate(s)?, channels: channels(s)? }),
        // The rate is 8000 or 16 000 and means the same, see `g722::RATE`.
        "audio/G722" => Ok(Format::G722),
        "audio/x-raw" => Ok(Format::Pcm { endianness: endianness(s)?, rate: rate(s)?, channels: channels(s)? }),
        _ => Err(UnreadableCaps { field: "name" }),
    }
}

fn rate(s: &gst::StructureRef) -> Result<u32, UnreadableCaps> {
    let rate = s.get::<i32>("rate").ok().and_then(|rate| u32::try_from(rate).ok());
    rate.filter(|&rate| rate > 0).ok_or(UnreadableCaps { field: "rate" })
}

fn channels(s: &gst::StructureRef) -> Result<Channels, UnreadableCaps> {
    match s.get::<i32>("channels") {
        Ok(1) => Ok(Channels::Mono),
        Ok(2) => Ok(Channels::Stereo),
        _ => Err(UnreadableCaps { field: "channels" }),
    }
}

fn endianness(s: &gst::StructureRef) -> Result<Endianness, UnreadableCaps> {
    match s.get::<&str>("format") {
        Ok("S16LE") => Ok(Endianness::Little),
        Ok("S16BE") => Ok(Endianness::Big),
        _ => Err(UnreadableCaps { field: "format" }),
    }
}

/// The identification header, which demuxers put first into `streamheader`, and some into `codec_data`.
fn opus_head(s: &gst::StructureRef) -> Option<opus::Head> {
    let from_stream = s.get::<gst::Array>("streamheader").ok();
    let from_stream = from_stream.and_then(|headers| headers.first()?.get::<gst::Buffer>().ok());
    let header = from_stream.or_else(|| s.get::<gst::Buffer>("codec_data").ok())?;
    opus::Head::read(&header.map_readable().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(caps: &str, expected: Option<Format>) {
        gst::init().unwrap();
        let caps: gst::Caps = caps.parse().unwrap();
        let accepted = caps.is_subset(&sink_template()).then(|| read(&caps).unwrap());
        assert_eq!(accepted, expected, "{caps}");
    }

    #[test]
    fn caps_tell_the_format() {
        use Channels::Mono;
        use Channels::Stereo;
        let opus = "audio/x-opus,channel-mapping-family=0,channels=2";
        check(opus, Some(Format::Opus { head: None }));
        let header = "4f70757348656164010238018 0bb0000000000".replace(' ', "");
        let head = Some(opus::Head { pre_skip: 312, gain: 0 });
        check(&format!("{opus},streamheader=(buffer)<{header}>"), Some(Format::Opus { head }));
        check(&format!("{opus},codec_data=(buffer){header}"), Some(Format::Opus { head }));
        check("audio/x-mulaw,rate=8000,channels=1", Some(Format::G711 { law: Law::Mu, rate: 8_000, channels: Mono }));
        check("audio/x-alaw,rate=16000,channels=2", Some(Format::G711 { law: Law::A, rate: 16_000, channels: Stereo }));
        check("audio/G722,rate=8000,channels=1", Some(Format::G722));
        check("audio/G722,rate=16000,channels=1", Some(Format::G722));
        let big = Format::Pcm { endianness: Endianness::Big, rate: 192_000, channels: Stereo };
        check("audio/x-raw,format=S16BE,layout=interleaved,rate=192000,channels=2", Some(big));
    }

    #[test]
    fn other_caps_are_refused() {
        check("audio/x-opus,channel-mapping-family=1,channels=2", None);
        check("audio/x-opus,channel-mapping-family=0,channels=6", None);
        check("audio/x-mulaw,rate=96000,channels=1", None);
        check("audio/G722,rate=8000,channels=2", None);
        check("audio/x-raw,format=F32LE,layout=interleaved,rate=48000,channels=1", None);
        check("audio/x-raw,format=S16LE,layout=non-interleaved,rate=48000,channels=2", None);
        check("audio/x-raw,format=S16LE,layout=interleaved,rate=4000,channels=1", None);
    }
}
