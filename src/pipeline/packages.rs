//! Which Debian package has an element: for errors and for `doctor`.

const BASE: &str = "gstreamer1.0-plugins-base";
const X: &str = "gstreamer1.0-x";
const GOOD: &str = "gstreamer1.0-plugins-good";
const BAD: &str = "gstreamer1.0-plugins-bad";
const UGLY: &str = "gstreamer1.0-plugins-ugly";
const LIBAV: &str = "gstreamer1.0-libav";
/// Not of Debian's main part: the codec is not free there.
const FDKAAC: &str = "gstreamer1.0-fdkaac";
const CORE: &str = "libgstreamer1.0-0";

/// Elements that a recording graph may want, by the package of Debian 12 that has them.
const PACKAGES: [(&str, &[&str]); 8] = [
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
            "audiotestsrc",
            "videotestsrc",
        ],
    ),
    (X, &["textoverlay"]),
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
            "removesilence",
            "voaacenc",
            "openh264enc",
            "openh264dec",
            "h264parse",
            "opusparse",
            "mpegtsmux",
            "srtsink",
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use gst::prelude::*;

    use super::*;

    /// Returns the files of a package; None where it is not installed.
    fn files_of(package: &str) -> Option<String> {
        let output = Command::new("dpkg").args(["-L", package]).output().expect("this is Debian");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("paths"))
    }

    #[test]
    fn every_element_is_in_its_package() {
        gst::init().unwrap();
        let (mut n_installed, mut problems) = (0, Vec::new());
        for (package, elements) in PACKAGES {
            let Some(files) = files_of(package) else { continue };
            n_installed += 1;
            for element in elements {
                let factory = gst::ElementFactory::find(element);
                let plugin = factory.and_then(|factory| factory.plugin()).and_then(|plugin| plugin.filename());
                let name = plugin.as_ref().and_then(|plugin| plugin.file_name()?.to_str());
                if !name.is_some_and(|name| files.lines().any(|file| file.ends_with(name))) {
                    problems.push(format!("{package} has no {element}; its plugin is {name:?}"));
                }
            }
        }
        assert_eq!(problems, [""; 0]);
        assert!(n_installed >= 5, "{n_installed} packages are installed");
    }
}
