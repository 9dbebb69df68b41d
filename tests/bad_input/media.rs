//! Files that are no participant's voice.

use std::process::Command;

use crate::stage::Stage;
use crate::support::source;
use crate::support::wav::Wav;

#[test]
fn a_file_without_a_voice_is_refused_by_its_name() {
    let stage = Stage::new();
    let fifo = Command::new("mkfifo").arg(stage.path("fifo")).status();
    assert!(fifo.expect("mkfifo is installed").success());
    std::fs::create_dir(stage.path("directory")).expect("a directory");
    std::os::unix::fs::symlink("nowhere", stage.path("dangling.wav")).expect("a link");
    std::os::unix::fs::symlink("loop.wav", stage.path("loop.wav")).expect("a link");
    let voice = std::fs::read(stage.path("caller.wav")).expect("it was made");
    stage.write("empty.wav", "");
    stage.write("header.wav", &voice[..44]);
    stage.write("torn-header.wav", &voice[..20]);
    stage.write("text.wav", "Dear all,\n".repeat(100));
    stage.write("zeros.wav", [0; 4_096]);
    let test_picture = ["-f", "lavfi", "-i", "testsrc=d=1:r=25:s=64x64"];
    source::ffmpeg(stage.dir(), &test_picture, &["-c:v", "libx264"], "video.mp4");
    let caller = stage.path("caller.wav").display().to_string();
    source::ffmpeg(stage.dir(), &["-i", &caller], &[], "unknown-codec.caf");
    for (file, words) in [
        ("missing.wav", &["no such file", "check the name"][..]),
        ("dangling.wav", &["no such file"]),
        ("loop.wav", &["cannot be read", "check its permissions"]),
        ("directory", &["this is a directory", "name a file in it"]),
        ("fifo", &["not a regular file", "copy its content"]),
        ("/dev/zero", &["not a regular file"]),
        ("empty.wav", &["the file is empty"]),
        ("header.wav", &["no samples"]),
        ("torn-header.wav", &["cut off or damaged"]),
        ("text.wav", &["text/plain, not media", "give a media file"]),
        ("zeros.wav", &["no known kind of media"]),
        ("video.mp4", &["no audio stream"]),
        ("unknown-codec.caf", &["not installed", "Debian package"]),
        ("caller.wav/below", &["cannot be read", "Not a directory"]),
    ] {
        let participant = format!("guest={file}");
        let words = [words, &[file, "(of \"guest\")"]].concat();
        stage.check_record_refused(1, &["--participant", &participant], &words);
    }
    assert!(!stage.path("out").exists(), "a directory for nothing");
}

#[test]
fn media_of_any_rate_is_recorded() {
    let stage = Stage::new();
    for rate in ["4000", "7999", "384000"] {
        let (from, to) = (stage.path("caller.wav").display().to_string(), format!("{rate}.wav"));
        source::ffmpeg(stage.dir(), &["-i", &from], &["-ar", rate], &to);
        let (participant, out) = (format!("guest={to}"), format!("out-{rate}"));
        stage.run(["record", "mixed-wav", "--participant", &participant, "--out", &out]).check_code(0);
        let found = Wav::read(&stage.path(format!("{out}/mixed-wav-000.wav"))).samples;
        let sound = Wav::read(&stage.path("caller.wav")).samples;
        // The resamplers may round the end.
        assert!(found.len().abs_diff(sound.len()) <= 16, "{rate} Hz: {} samples", found.len());
        // The sweep begins at 300 Hz, which all rates have: the first half second, at its place.
        let product =
            |a: &[i16], b: &[i16]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
        let (found, sound) = (&found[..8_000], &sound[..8_000]);
        let likeness = product(found, sound) / (product(found, found) * product(sound, sound)).sqrt();
        assert!(likeness > 0.99, "{rate} Hz: {likeness}");
    }
}
