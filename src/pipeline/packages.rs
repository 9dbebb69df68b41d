//! Which Debian package has an element: for errors and for `doctor`.

const BASE: &str = "gstreamer1.0-plugins-base";
const GOOD: &str = "gstreamer1.0-plugins-good";
const BAD: &str = "gstreamer1.0-plugins-bad";
const UGLY: &str = "gstreamer1.0-plugins-ugly";
const LIBAV: &str = "gstreamer1.0-libav";
/// Not of Debian's main part: the codec is not free there.
const FDKAAC: &str = "gstreamer1.0-fdkaac";
const CORE: &str = "libgstreamer1.0-0";

/// Elements that a recording graph may want, by the package of Debian 12 that has them.
const PACKAGES: [(&str, &[&str]); 7] = [
    (CORE, &["queue", "queue2", "multiqueue", "tee", "capsfilter", "identity", "filesink", "fakesink", "valve"]),
    (
        BASE,
        &[
            "audioconvert",
            "audioresample",
            "audiomixer",
            "audiorate",
            "volume",
            "opusenc",
            "opusdec",
            "oggmux",
            "oggdemux",
            "vorbisenc",
            "vorbisdec",
            "theoraenc",
            "compositor",
            "videoconvert",
            "videoscale",
            "videoconvertscale",
            "videorate",
            "textoverlay",
            "audiotestsrc",
            "videotestsrc",
        ],
    ),
    (
        GOOD,
        &[
            "lamemp3enc",
            "wavenc",
            "flacenc",
            "wavpackenc",
            "speexenc",
            "level",
            "audiodynamic",
            "audiocheblimit",
            "audiowsinclimit",
            "equalizer-3bands",
            "removesilence",
            "mulawenc",
            "alawenc",
            "mulawdec",
            "alawdec",
            "matroskamux",
            "webmmux",
            "mp4mux",
            "qtmux",
            "vp8enc",
            "vp9enc",
            "vp8dec",
            "vp9dec",
            "deinterlace",
            "rtpjitterbuffer",
            "rtpbin",
            "splitmuxsink",
            "interleave",
            "deinterleave",
            "xingmux",
            "cutter",
        ],
    ),
    (
        BAD,
        &[
            "webrtcdsp",
            "webrtcechoprobe",
            "audiobuffersplit",
            "voaacenc",
            "openh264enc",
            "openh264dec",
            "h264parse",
            "opusparse",
            "mpegtsmux",
            "srtsink",
            "ladspa",
            "bs2b",
            "sbcenc",
            "x265enc",
        ],
    ),
    (FDKAAC, &["fdkaacenc", "fdkaacdec"]),
    (UGLY, &["x264enc", "a52dec", "amrnbdec", "amrwbdec"]),
    (LIBAV, &["avenc_aac", "avdec_h264", "avdec_aac", "avdec_mp3", "avdec_g722", "avenc_g722", "avdec_vp8"]),
];

/// Returns the Debian 12 package that has an element, where it is known.
pub fn package_of(element: &str) -> Option<&'static str> {
    PACKAGES.iter().find(|(_, elements)| elements.contains(&element)).map(|(package, _)| *package)
}

/// Returns all elements that are known.
pub(super) fn elements() -> impl Iterator<Item = &'static str> {
    PACKAGES.iter().flat_map(|(_, elements)| elements.iter().copied())
}
