//! What cannot be sent is refused, with what would be valid.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::support::program;
use crate::support::sound::tone;
use crate::support::wav;

#[track_caller]
fn check(code: i32, words: &str, told: &[&str]) {
    let output = program::run(["send"].into_iter().chain(words.split_whitespace())).check_code(code);
    for word in told {
        assert!(output.stderr.contains(word), "{words}: {word:?} is not told: {output:?}");
    }
    assert_eq!(output.stdout, "", "{words}");
}

#[test]
fn options_that_cannot_be_are_refused() {
    for (words, told) in [
        ("--serial", &["--to"][..]),
        ("--to rtp://127.0.0.1:5004", &["give a media file, or --serial"]),
        ("a.wav --to rtp://127.0.0.1:5004", &["--codec", "opus, pcmu, pcma, g722 or l16"]),
        ("a.wav --codec mp3 --to rtp://127.0.0.1:5004", &["mp3", "opus, pcmu, pcma, g722, l16"]),
        ("a.wav --serial --to rtp://127.0.0.1:5004", &["leave one of them out"]),
        ("--serial --codec opus --to rtp://127.0.0.1:5004", &["--serial is PCMU"]),
        ("--serial --dtx --to rtp://127.0.0.1:5004", &["--dtx needs a media file"]),
        ("--serial --loop --to rtp://127.0.0.1:5004", &["--loop needs a media file"]),
        ("--serial --to 127.0.0.1:5004", &["rtp://HOST:PORT", ".pcap"]),
        ("--serial --to sip://127.0.0.1:5004", &["only rtp://", "sip://"]),
        ("--serial --to rtp://127.0.0.1:0", &["1 to 65535"]),
        ("--serial --to rtp://127.0.0.1", &["1 to 65535"]),
        ("--serial --to rtp://224.0.0.1:5004", &["224.0.0.1", "multicast"]),
        ("--serial --to rtp://255.255.255.255:5004", &["broadcast"]),
        ("--serial --to rtp://0.0.0.0:5004", &["0.0.0.0"]),
        ("--serial --to rtp://[ff02::1]:5004", &["multicast"]),
        ("--serial --to no-such-directory/x.pcap", &["needs an end", "--duration"]),
        ("--serial --to rtp://127.0.0.1:65000 --streams 1000", &["port 66999", "lower"]),
        ("--serial --to rtp://127.0.0.1:5004 --streams 0", &["--streams", "1..=4096"]),
        ("--serial --to rtp://127.0.0.1:5004 --loss 5", &["--loss", "0% to 100%"]),
        ("--serial --to rtp://127.0.0.1:5004 --loss 101%", &["--loss", "0% to 100%"]),
        ("--serial --to rtp://127.0.0.1:5004 --burst-loss 3", &["--burst-loss needs --loss"]),
        ("--serial --to rtp://127.0.0.1:5004 --burst-loss 3 --loss 80%", &["75.0% at most"]),
        ("--serial --to rtp://127.0.0.1:5004 --burst-loss 0.5 --loss 5%", &["--burst-loss", "1 to 1000"]),
        ("--serial --to rtp://127.0.0.1:5004 --jitter 2s", &["--jitter", "1s at most"]),
        ("--serial --to rtp://127.0.0.1:5004 --jitter 30", &["--jitter", "is no duration"]),
        ("--serial --to rtp://127.0.0.1:5004 --reorder 1", &["--reorder", "0% to 100%"]),
        ("--serial --to rtp://127.0.0.1:5004 --skew 2000ppm", &["--skew", "-1000ppm to 1000ppm"]),
        ("--serial --to rtp://127.0.0.1:5004 --skew -1000.5ppm", &["--skew", "-1000ppm to 1000ppm"]),
        ("--serial --to rtp://127.0.0.1:5004 --ssrc 0x123456789", &["--ssrc", "0xffffffff"]),
        ("--serial --to rtp://127.0.0.1:5004 --payload-type 72", &["--payload-type", "64 to 95"]),
        ("--serial --to rtp://127.0.0.1:5004 --payload-type 13", &["--payload-type", "comfort noise"]),
        ("--serial --to rtp://127.0.0.1:5004 --duration 0", &["--duration must be longer than 0"]),
        ("--serial --to rtp://127.0.0.1:5004 --seed x", &["--seed"]),
        ("--serial --to rtp://127.0.0.1:5004 --capture-port 1", &["--capture-port is for captures"]),
        ("--serial --to x.pcap --duration 1s --log l", &["--log", "live"]),
        ("a.wav --codec pcmu --to rtp://127.0.0.1:5004 --log l", &["--log", "--serial"]),
        ("--serial --to rtp://127.0.0.1:5004 --streams 2 --log l", &["--log is of one stream"]),
    ] {
        check(2, words, told);
    }
}

#[test]
fn what_cannot_be_read_or_written_is_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("text.txt"), "this is no media at all, whatever its name says\n").expect("a file");
    std::fs::write(path("empty.wav"), "").expect("a file");
    std::fs::write(path("list.m3u8"), "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n")
        .expect("a file");
    wav::write(dir.path().join("no-samples.wav").as_path(), 8_000, 1, &[]);
    let sound = path("sound.wav");
    wav::write(sound.as_ref(), 8_000, 1, &tone(440.0, 8_000, 8_000, 8_000.0));
    let (capture, directory) = (path("x.pcap"), path("."));
    for (file, told) in [
        (path("missing.wav"), "No such file"),
        (directory, "not a regular file"),
        ("/dev/zero".to_owned(), "not a regular file"),
        (path("text.txt"), "holds no audio that can be decoded"),
        (path("empty.wav"), "holds no audio that can be decoded"),
        (path("list.m3u8"), "holds no audio that can be decoded"),
        (path("no-samples.wav"), "holds no audio that can be decoded"),
    ] {
        check(1, &format!("{file} --codec pcmu --to {capture}"), &["failed to send", told]);
    }
    assert!(!dir.path().join("x.pcap").exists(), "a capture of nothing is left");
    check(1, &format!("{sound} --codec pcmu --to {}", path("missing/x.pcap")), &["cannot be written", "No such file"]);
    check(1, &format!("{sound} --codec pcmu --to /dev/full.d/x.pcap"), &["cannot be written"]);
    check(1, "--serial --to rtp://no-such-host.invalid:5004", &["no-such-host.invalid", "cannot be found"]);
}

#[test]
fn names_of_files_may_be_any_bytes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let name = |ending: &str| dir.path().join(OsStr::from_bytes(&[b"\xFF a%20b\"! ", ending.as_bytes()].concat()));
    wav::write(&name(".wav"), 8_000, 1, &tone(440.0, 8_000, 8_000, 8_000.0));
    let args: [OsString; 6] =
        ["send".into(), name(".wav").into(), "--codec".into(), "pcmu".into(), "--to".into(), name(".pcap").into()];
    program::run(args).check_code(0);
    assert!(name(".pcap").metadata().is_ok_and(|capture| capture.len() > 10_000));
}

#[test]
fn more_channels_than_can_be_mixed_are_refused_and_fewer_are_mixed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (channels, code) in [(1, 0), (2, 0), (6, 0), (63, 0), (64, 1)] {
        let path = dir.path().join(format!("{channels}.wav"));
        wav::write(&path, 8_000, channels, &vec![1_000; 800 * usize::from(channels)]);
        let to = dir.path().join("x.pcap");
        let output = program::run([
            "send".as_ref(),
            path.as_os_str(),
            "--codec".as_ref(),
            "l16".as_ref(),
            "--to".as_ref(),
            to.as_os_str(),
        ]);
        assert_eq!(output.status.code(), Some(code), "{channels}: {output:?}");
        assert!(code == 0 || output.stderr.contains("give a file of 63 at most"), "{output:?}");
    }
}
