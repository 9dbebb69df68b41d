//! What all elements do with pads: templates, adding one, the number in a name.

use gst::prelude::*;

/// Returns a pad template.
pub(crate) fn template(
    name: &str,
    direction: gst::PadDirection,
    presence: gst::PadPresence,
    caps: &gst::Caps,
) -> gst::PadTemplate {
    gst::PadTemplate::new(name, direction, presence, caps).expect("the name is a legal template")
}

/// Returns the caps of audio inside a graph: S16LE, any rate and channels.
pub(crate) fn audio_caps() -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", gst::IntRange::new(1, i32::MAX))
        .field("channels", gst::IntRange::new(1, 64))
        .build()
}

/// Adds a pad; one that is added to a running element runs.
pub(crate) fn add(element: &gst::Element, pad: &impl IsA<gst::Pad>) -> Option<()> {
    if element.current_state().max(element.pending_state()) > gst::State::Ready {
        pad.set_active(true).ok()?;
    }
    element.add_pad(pad).ok()
}

/// Returns the N of a pad called `prefix` and N, 0 ‥ 2³¹ − 1; None for every other name.
///
/// As GStreamer writes it: `sink_007` or `sink_+7` would be a second pad of one number. Messages have it as an integer
/// with a sign.
pub(crate) fn index_of(name: &str, prefix: &str) -> Option<u32> {
    let digits = name.strip_prefix(prefix)?;
    let index = digits.parse().ok().filter(|index| *index <= i32::MAX as u32);
    index.filter(|index: &u32| index.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_name() {
        let cases = [
            ("sink_0", Some(0)),
            ("sink_7", Some(7)),
            ("sink_2147483647", Some(i32::MAX as u32)),
            ("sink_2147483648", None),
            ("sink_4294967295", None),
            ("sink_007", None),
            ("sink_+7", None),
            ("sink_-1", None),
            ("sink_", None),
            ("src_7", None),
        ];
        for (name, index) in cases {
            assert_eq!(index_of(name, "sink_"), index, "{name}");
        }
    }
}
