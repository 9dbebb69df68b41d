//! What fuzzing has found worth keeping (`fuzz/corpus/TARGET`), given to the same code again.

use std::path::Path;

#[path = "../fuzz/src/audio.rs"]
mod audio;
#[path = "../fuzz/src/call.rs"]
mod call;
#[path = "../fuzz/src/capture.rs"]
mod capture;
#[path = "../fuzz/src/record.rs"]
mod record;
#[path = "../fuzz/src/rtcp.rs"]
mod rtcp;
#[path = "../fuzz/src/rtp.rs"]
mod rtp;
#[path = "../fuzz/src/track.rs"]
mod track;

#[track_caller]
fn check(target: &str, run: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&dir).expect("a corpus");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", dir.display());
    for file in files {
        // The last one that is told is the one that failed.
        println!("{}", file.display());
        run(&std::fs::read(&file).expect("a file can be read"));
    }
}

#[test]
fn rtp_is_read_as_the_standard_has_it() {
    check("rtp", rtp::run);
}

#[test]
fn rtcp_changes_no_audio_and_is_answered() {
    check("rtcp", rtcp::run);
}

#[test]
fn captures_are_read_the_same_however_they_come() {
    check("capture", capture::run);
}

#[test]
fn tracks_are_in_order_in_time_and_counted() {
    check("track", track::run);
}

#[test]
fn recordings_of_any_calls_are_contiguous() {
    check("audio", audio::run);
}

#[test]
fn records_are_read_whole_or_not_at_all() {
    check("record", record::run);
}
