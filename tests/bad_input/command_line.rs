//! Options that mean nothing.

use crate::stage::Stage;
use crate::support::disk::Disk;
use crate::support::program::names;

#[test]
fn options_that_cannot_be_are_refused_before_anything_is_written() {
    let stage = Stage::new();
    let agent = ["--participant", "agent=agent.wav"];
    for (code, more, words) in [
        (2, &["--participant", "caller=agent.wav"][..], &["two participants are named \"caller\"", "rename"][..]),
        (2, &["--participant", "../x=agent.wav"], &["--participant", "no / and no control characters"]),
        (2, &["--participant", "a..b=agent.wav"], &["--participant", "is not . or .."]),
        (2, &["--participant", "a\u{1b}[2J=agent.wav"], &["no / and no control characters", "\\u{1b}"]),
        (2, &["--participant", "a\nb=agent.wav"], &["control characters", "a\\nb"]),
        (2, &["--participant", "a\u{202e}b=agent.wav"], &["control characters", "\\u{202e}"]),
        (2, &["--participant", "=agent.wav"], &["needs a name before the ="]),
        (2, &["--participant", "agent="], &["needs a media file behind the ="]),
        (2, &["--participant", "agent"], &["NAME=VALUE", "caller=voice.wav"]),
        (2, &["--join", "nobody=1s"], &["no --participant is named \"nobody\""]),
        (2, &["--leave", "nobody=1s"], &["no --participant is named \"nobody\""]),
        (2, &["--pin", "nobody=1"], &["no --participant is named \"nobody\""]),
        (2, &["--join", "caller=3s", "--leave", "caller=2s"], &["--leave", "later than --join"]),
        (2, &["--leave", "caller=0"], &["--leave", "later than --join"]),
        (2, &["--join", "caller=1s", "--join", "caller=2s"], &["--join is given twice", "caller"]),
        (2, &["--join", "caller=20s", "--duration", "2s"], &["--join", "earlier than --duration"]),
        (2, &["--join", "caller=soon"], &["--join", "is no duration", "2.5s"]),
        (2, &["--join", "caller=-1s"], &["--join", "is no duration"]),
        (2, &["--pin", "caller=64"], &["--pin", "from 0 to 63"]),
        (2, &["--pin", "caller=-1"], &["--pin", "from 0 to 63"]),
        (2, &["--pin", "caller=99999999999999999999"], &["--pin", "from 0 to 63"]),
        (2, &["--pin", "caller=0"], &["no channel 0", "mixes everybody", "unmixed"]),
        (2, &["--pin", "caller=0", "--pin", "caller=1"], &["--pin gives two channels to \"caller\""]),
        (2, &[&agent[..], &["--pin", "caller=1", "--pin", "agent=1"]].concat(), &["--pin gives channel 1 to two"]),
        (2, &["--pause", "1s-3s", "--pause", "2s-4s"], &["--pause must not overlap", "3s", "2s"]),
        (2, &["--pause", "3s-2s"], &["--pause", "ends at or before its start"]),
        (2, &["--pause", "2s-2s"], &["--pause", "ends at or before its start"]),
        (2, &["--pause", "2s"], &["--pause", "FROM-TO", "10s-15s"]),
        (2, &["--pause-mode", "loud"], &["skip", "silence", "tone"]),
        (2, &["--duration", "0"], &["--duration must be longer than 0"]),
        (2, &["--duration", "99999999999h"], &["--duration", "168h at most"]),
        (2, &["--duration", "99999999999999999999h"], &["--duration", "too long"]),
        (2, &["--pause", "1s-99999999999h"], &["--pause", "168h at most"]),
        (2, &["--join", "caller=169h"], &["--join", "168h at most"]),
        (2, &["--chunk-duration", "0"], &["--chunk-duration", "out of range; write 100ms to"]),
        (2, &["--chunk-duration", "1ns"], &["--chunk-duration", "out of range; write 100ms to"]),
        (2, &["--chunk-size", "1B"], &["--chunk-size", "1B is out of range; write 4KiB to 1024TiB"]),
        (2, &["--chunk-size", "2000TiB"], &["--chunk-size", "2000TiB is out of range"]),
        (2, &["--chunk-size", "99999999999TiB"], &["--chunk-size", "too large"]),
        (2, &["--chunk-size", "10"], &["--chunk-size", "3.5GiB"]),
        (2, &["--no-such-option"], &["--no-such-option"]),
        (1, &["--config", "missing.toml"], &["missing.toml", "No such file"]),
        (1, &["--config", "/"], &["settings /", "not a regular file"]),
        (1, &["--config", "/dev/zero"], &["/dev/zero", "not a regular file"]),
        (1, &["--config", "caller.wav"], &["caller.wav", "not UTF-8 text", "TOML"]),
    ] {
        stage.check_record_refused(code, more, words);
    }
    let long = format!("{}=agent.wav", "x".repeat(10_000));
    stage.check_record_refused(2, &["--participant", &long], &["256 bytes at most, this one has 10000"]);
    let unmixed = ["record", "unmixed-wav", "--participant", "caller=caller.wav", "--out", "out", "--pin", "caller=5"];
    stage.check_refused(2, &unmixed, &["no channel 5", "channels 0 to 4"]);
    assert!(!stage.path("out/.reelgraph-mixed-wav").exists());
}

#[test]
fn commands_without_what_they_need_are_refused() {
    let stage = Stage::new();
    stage.check_refused(2, &[], &["Usage"]);
    stage.check_refused(2, &["recrod"], &["recrod", "record"]);
    stage.check_refused(2, &["record", "mixed-wav"], &["--participant"]);
    stage.check_refused(2, &["check"], &["GRAPH"]);
    stage.check_refused(2, &["show", "mixed-wav", "--as", "svg"], &["toml", "launch", "dot"]);
    stage.check_refused(2, &["show", "mixed-wav", "--participants", "0"], &["1..=64"]);
    stage.check_refused(2, &["show", "mixed-wav", "--participants", "65"], &["1..=64"]);
    stage.check_refused(1, &["recover", "missing"], &["missing cannot be read", "No such file"]);
    stage.check_refused(1, &["recover", "caller.wav"], &["caller.wav cannot be read", "Not a directory"]);
    stage.check_refused(1, &["recover", "."], &[". holds no unfinished recording"]);
}

#[test]
fn all_errors_of_settings_come_with_their_lines() {
    let stage = Stage::new();
    stage.write("bad.toml", "[worker]\ntick = \"9h\"\ntock = 1\n\n[recordings]\nclose-timeout = \"5s\"\n");
    let words = ["bad.toml:2", "10ms", "500ms", "bad.toml:3", "tock", "bad.toml:5", "recordings"];
    stage.check_record_refused(1, &["--config", "bad.toml"], &words);
}

#[test]
fn places_that_cannot_be_written_are_told() {
    let stage = Stage::new();
    let record = ["record", "mixed-wav", "--participant", "caller=caller.wav", "--out"];
    let check = |out: &str, words: &[&str]| stage.check_refused(1, &[&record[..], &[out]].concat(), words);
    check("caller.wav", &["caller.wav cannot be created", "File exists"]);
    check("caller.wav/below", &["caller.wav/below cannot be created", "Not a directory"]);
    check("/proc/reelgraph", &["/proc/reelgraph cannot be created"]);
    let disk = Disk::mount(stage.path("read-only"), 1 << 20);
    disk.make_read_only();
    check("read-only/out", &["read-only/out cannot be created", "Read-only file system"]);
    check("read-only", &["read-only/.reelgraph-mixed-wav cannot be created", "Read-only file system"]);
}

#[test]
fn a_recording_that_is_there_is_not_touched() {
    let stage = Stage::new();
    let record = ["record", "mixed-wav", "--participant", "caller=caller.wav", "--out", "out"];
    stage.run(record).check_code(0);
    let whole = std::fs::read(stage.path("out/mixed-wav-000.wav")).expect("it is recorded");
    stage.check_refused(1, &record, &["out already holds a recording", "mixed-wav-000", "choose another --out"]);
    assert!(std::fs::read(stage.path("out/mixed-wav-000.wav")).expect("it is still there") == whole);
    // Another graph's files have other names.
    stage.run(["record", "mixed-mp3", "--participant", "caller=caller.wav", "--out", "out"]).check_code(0);
    assert_eq!(names(&stage.path("out")).len(), 4);

    std::fs::create_dir(stage.path("out/.reelgraph-unmixed-wav")).expect("a spool");
    let unmixed = ["record", "unmixed-wav", "--participant", "caller=caller.wav", "--out", "out"];
    stage.check_refused(1, &unmixed, &["did not end", "reelgraph recover out"]);
    stage.run(["recover", "out"]).check_code(0);
    stage.run(unmixed).check_code(0);
}

/// What cannot be recovered is told, stays, and does not keep the rest from it.
#[test]
fn spools_that_are_not_what_they_seem_are_left_alone() {
    let stage = Stage::new();
    let spool = |name: &str| {
        let dir = stage.path("out").join(name);
        std::fs::create_dir_all(&dir).expect("a spool");
        dir
    };
    std::fs::write(spool(".reelgraph-a").join("000.wav"), [0; 100]).expect("media without a journal");
    std::fs::write(spool(".reelgraph-b").join("journal"), "{}\n").expect("a journal of nothing");
    std::fs::write(spool(".reelgraph-b").join("000.wav"), [0; 100]).expect("its media");
    stage.write("out/.reelgraph-c", "a file");
    std::os::unix::fs::symlink(stage.dir(), stage.path("out/.reelgraph-d")).expect("a link");
    spool(".reelgraph-e");
    let output = stage.run(["recover", "out"]).check_code(1);
    for word in [".reelgraph-a/journal cannot be opened", ".reelgraph-b/journal is no journal"] {
        assert!(output.stderr.contains(word), "{word}: {output:?}");
    }
    assert!(output.stdout.contains(".reelgraph-e: killed before it began"), "{output:?}");
    assert_eq!(names(&stage.path("out")), [".reelgraph-a", ".reelgraph-b", ".reelgraph-c", ".reelgraph-d"]);
    assert!(stage.path("caller.wav").exists() && stage.path("out/.reelgraph-a/000.wav").exists());
}

/// A journal names the directory that its files go to.
#[test]
fn a_journal_of_another_recording_is_not_followed() {
    let stage = Stage::new();
    let mut recorder =
        stage.start(["record", "mixed-wav", "--participant", "caller=caller.wav", "--out", "out", "--real-time"]);
    let media = stage.path("out/.reelgraph-mixed-wav/000.wav");
    assert!(recorder.wait_until(|| media.metadata().is_ok_and(|media| media.len() > 10_000)));
    assert!(recorder.kill());
    std::fs::rename(stage.path("out/.reelgraph-mixed-wav"), stage.path("out/.reelgraph-other")).expect("renamed");
    let output = stage.run(["recover", "out"]).check_code(1);
    assert!(output.stderr.contains("holds the journal of a \"mixed-wav\" recording"), "{output:?}");
    assert_eq!(names(&stage.path("out")), [".reelgraph-other"]);
}
