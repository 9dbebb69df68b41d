//! Spools that somebody has been at: nothing that is not known is removed, followed, waited for or written over.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::stage::Stage;
use crate::support::metadata::Metadata;
use crate::support::program::names;
use crate::support::wav::Wav;

const SPOOL: &str = "out/.reelgraph-mixed-wav";
const RECOVER: [&str; 2] = ["recover", "out"];

/// A recording in `out` that was killed in its second chunk.
fn killed() -> Stage {
    let stage = Stage::new();
    let args = ["record", "mixed-wav", "--real-time", "--participant", "caller=caller.wav", "--out", "out"];
    let mut recorder = stage.start(args.iter().chain(&["--chunk-duration", "1s"]));
    let len = |name| stage.path(name).metadata().map_or(0, |metadata| metadata.len());
    let second = PathBuf::from(SPOOL).join("001.wav");
    assert!(recorder.wait_until(|| len("out/mixed-wav-000.json") > 0 && len(second.to_str().unwrap()) > 8_000));
    assert!(recorder.kill());
    assert_eq!(names(&stage.path(SPOOL)), ["001.wav", "journal", "reserve"]);
    stage
}

/// Asserts that the second chunk is finished.
#[track_caller]
fn check_finished(stage: &Stage) {
    stage.run(RECOVER).check_code(0);
    assert!(!stage.path(SPOOL).exists());
    let found = Wav::read(&stage.path("out/mixed-wav-001.wav")).samples;
    let sound = Wav::read(&stage.path("caller.wav")).samples;
    assert!(found.len() > 3_900 && found == sound[16_000..][..found.len()], "{} samples", found.len());
}

#[test]
fn what_is_not_ours_stays() {
    for name in ["notes.txt", "001.wav.bak", "002.mp3", "002.wavx"] {
        let stage = killed();
        let unknown = stage.write(format!("{SPOOL}/{name}"), "somebody's");
        let output = stage.run(RECOVER).check_code(1);
        assert!(output.stderr.contains(name) && output.stderr.contains("move it away"), "{output:?}");
        assert_eq!(std::fs::read(&unknown).unwrap(), b"somebody's");
        std::fs::remove_file(unknown).unwrap();
        check_finished(&stage);
    }
}

#[test]
fn a_journal_of_another_format_deletes_nothing() {
    let stage = killed();
    let journal = stage.path(SPOOL).join("journal");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replace("\"format\":\"wav\"", "\"format\":\"mp3\"")).unwrap();
    stage.check_refused(1, &RECOVER, &["001.wav", "move it away"]);
    assert!(stage.path(SPOOL).join("001.wav").exists());
    std::fs::write(&journal, text).unwrap();
    check_finished(&stage);
}

#[test]
fn a_file_that_has_the_name_already_stays() {
    for name in ["out/mixed-wav-001.wav", "out/mixed-wav-001.json"] {
        let stage = killed();
        let there = stage.write(name, "somebody's");
        let output = stage.run(RECOVER).check_code(1);
        assert!(output.stderr.contains(name), "{output:?}");
        assert_eq!(std::fs::read(&there).unwrap(), b"somebody's");
        assert_eq!(names(&stage.path("out")).iter().filter(|name| name.contains("001")).count(), 1, "{name}");
        std::fs::remove_file(there).unwrap();
        check_finished(&stage);
    }
}

#[test]
fn pipes_and_links_are_not_waited_for_or_followed() {
    for name in ["journal", "001.wav"] {
        let stage = killed();
        let (path, aside) = (stage.path(SPOOL).join(name), stage.path("aside"));
        std::fs::rename(&path, &aside).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        stage.check_refused(1, &RECOVER, &[name]);
        std::fs::remove_file(&path).unwrap();
        if name == "001.wav" {
            symlink(&aside, &path).unwrap();
            stage.check_refused(1, &RECOVER, &[name, "move it away"]);
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::rename(&aside, &path).unwrap();
        check_finished(&stage);
    }
}

#[test]
fn the_last_file_says_why_there_is_no_more_and_says_it_once() {
    let stage = killed();
    // Named as a later chunk would be, and somebody else's.
    stage.write("out/mixed-wav-999.wav", "somebody's");
    let notes = |index| Metadata::read(&stage.path(format!("out/mixed-wav-00{index}.json"))).notes();
    check_finished(&stage);
    assert_eq!(notes(0), [""; 0]);
    assert_eq!(notes(1), ["the recording ends here, too early: the program was killed"]);

    // Killed when its last chunk was finished, and nothing of the next was written.
    let stage = killed();
    std::fs::write(stage.path(SPOOL).join("001.wav"), "").unwrap();
    stage.run(RECOVER).check_code(0);
    let notes = Metadata::read(&stage.path("out/mixed-wav-000.json")).notes();
    assert_eq!(notes, ["the recording ends here, too early: the program was killed"]);

    // The same, and somebody has the metadata already.
    let stage = killed();
    std::fs::write(stage.path(SPOOL).join("001.wav"), "").unwrap();
    std::fs::remove_file(stage.path("out/mixed-wav-000.json")).unwrap();
    stage.run(RECOVER).check_code(0);
    assert_eq!(names(&stage.path("out")), ["mixed-wav-000.wav"]);
}

#[test]
fn a_chunk_that_is_taken_away_is_missed() {
    let stage = Stage::new();
    let args = ["record", "mixed-wav", "--real-time", "--participant", "caller=caller.wav", "--out", "out"];
    let mut recorder = stage.start(args.iter().chain(&["--chunk-duration", "1s", "--json"]));
    let second = stage.path(SPOOL).join("001.wav");
    assert!(recorder.wait_until(|| second.exists()));
    std::fs::remove_file(second).unwrap();
    let output = recorder.finish().check_code(1);
    assert!(output.stderr.contains("001.wav") && output.stderr.contains("failed to finish all files"), "{output:?}");
    let names = names(&stage.path("out"));
    let finished = [0, 2, 3].map(|index| format!("mixed-wav-00{index}.wav"));
    assert!(finished.iter().all(|name| names.contains(name)), "{names:?}");
}
