//! A full disk ends a recording, loudly, and costs nothing of what was on it.

mod support;

use std::path::{Path, PathBuf};

use support::course::{Course, Voice};
use support::disk::Disk;
use support::metadata::{Metadata, began, finished};
use support::program::{self, Output, Program, names};
use support::remains::Remains;
use support::source;
use support::wav::Wav;

const KIB: u64 = 1_024;

/// Longer than any disk here has room for.
const SOURCE_SECONDS: u32 = 60;

struct Stage {
    dir: tempfile::TempDir,
    course: Course,
    config: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let samples = Wav::read(&source::sweep(dir.path(), "caller", SOURCE_SECONDS, 300, 3_000)).samples;
        let voices = vec![Voice { name: "caller", join_ms: 0, samples }];
        // Whoever waits for the last chunk's timeout is beyond every deadline here.
        let config = dir.path().join("config.toml");
        std::fs::write(
            &config,
            "[worker]\ntick = \"100ms\"\nstall-timeout = \"5s\"\n[recording]\nclose-timeout = \"60s\"\n",
        )
        .expect("a file");
        Self { dir, course: Course { voices, pauses: vec![(300, 500)], keeps_pauses: false }, config }
    }

    fn disk(&self, name: &str, size: u64) -> Disk {
        Disk::mount(self.dir.path().join(name), size)
    }

    fn start(&self, graph: &str, out: &Path, more: &[&str]) -> Program {
        let caller = format!("caller={}", self.dir.path().join("caller.wav").display());
        let mut command = program::command(["record", graph, "--pause", "300ms-500ms", "--participant", &caller]);
        Program::start(command.arg("--config").arg(&self.config).arg("--out").arg(out).args(more))
    }

    /// Judges by the start of the first chunk, since the journal is gone with the spool.
    #[track_caller]
    fn check_finished(&self, graph: &str, out: &Path) -> u64 {
        let extension = graph.rsplit('-').next().unwrap_or_default();
        let first = Metadata::read(&out.join(format!("{graph}-000.json")));
        let remains = Remains { out, graph, course: &self.course, began: first.start() };
        let files = finished(out, graph, extension);
        for file in &files[..files.len() - 1] {
            assert_eq!(file.metadata.notes(), [""; 0], "{}", file.media.display());
        }
        remains.check_finished()
    }
}

#[track_caller]
fn check_told(output: &Output, out: &Path) {
    assert!(output.stderr.contains("No space left"), "{output:?}");
    assert!(output.stderr.contains(&out.display().to_string()), "the place is not told: {output:?}");
}

#[test]
fn a_disk_that_fills_up_ends_the_recording_and_keeps_it() {
    let stage = Stage::new();
    for (graph, options) in [
        ("mixed-wav", &[][..]),
        ("mixed-wav", &["--chunk-duration", "500ms"]),
        ("mixed-wav", &["--chunk-duration", "100ms"]),
        ("mixed-mp3", &[]),
        ("mixed-mp3", &["--chunk-duration", "1s"]),
        ("unmixed-wav", &[]),
        ("unmixed-wav", &["--chunk-duration", "300ms"]),
    ] {
        for size in [72 * KIB, 100 * KIB, 180 * KIB, 256 * KIB] {
            let disk = stage.disk(&format!("{graph}-{}-{size}", options.concat()), size);
            let out = disk.path();
            let output = stage.start(graph, out, &[options, &["--json"]].concat()).finish().check_code(1);
            check_told(&output, out);
            let document: serde_json::Value = serde_json::from_str(&output.stdout).expect("one JSON document");
            // More chunks waited for their metadata than there is room kept for.
            let is_unfinished = out.join(format!(".reelgraph-{graph}")).exists();
            assert_eq!(document["unfinished"].is_string(), is_unfinished, "{document}");
            assert!(!is_unfinished || !options.is_empty(), "room is kept to finish one chunk: {output:?}");
            if is_unfinished {
                assert!(output.stderr.contains(&format!("reelgraph recover {}", out.display())), "{output:?}");
                disk.grow(10 * size);
                program::run(["recover".as_ref(), out.as_os_str()]).check_code(0);
            }
            let samples = stage.check_finished(graph, out);
            assert!(samples > 0, "{graph} {options:?} {size}");
            assert_eq!(document["endReason"], "failed");
            assert!(document["error"].as_str().is_some_and(|error| error.contains("No space left")), "{document}");
            let chunks = document["chunks"].as_array().expect("chunks");
            let told: u64 = chunks.iter().map(|chunk| chunk["samples"].as_u64().expect("samples")).sum();
            assert!(told == samples || is_unfinished && told < samples, "{told} of {samples} samples are told");
            assert!(chunks.len() * 2 == names(out).len() || is_unfinished, "{:?}", names(out));
        }
    }
}

/// Why there is no more stands in the file's own metadata, too.
#[test]
fn the_last_chunk_says_that_the_disk_was_full() {
    let stage = Stage::new();
    let disk = stage.disk("noted", 120 * KIB);
    let output = stage.start("mixed-wav", disk.path(), &[]).finish().check_code(1);
    let notes = Metadata::read(&disk.path().join("mixed-wav-000.json")).notes();
    assert!(notes.iter().any(|note| note.contains("too early") && note.contains("No space left")), "{notes:?}");
    assert!(output.stdout.contains("note: the recording ends here, too early"), "{output:?}");
}

#[test]
fn a_disk_without_room_for_an_end_takes_no_recording() {
    let stage = Stage::new();
    for size in [4 * KIB, 32 * KIB, 64 * KIB] {
        let disk = stage.disk(&format!("small-{size}"), size);
        let output = stage.start("mixed-wav", disk.path(), &[]).finish().check_code(1);
        check_told(&output, disk.path());
        assert_eq!(names(disk.path()), [""; 0]);
    }
}

/// Somebody else has taken the room that was kept free: nothing is finished, nothing is lost, and all of it is told.
#[test]
fn what_cannot_be_finished_stays_and_is_finished_when_there_is_room() {
    let stage = Stage::new();
    for (graph, options) in [("mixed-wav", &[][..]), ("unmixed-wav", &[]), ("mixed-mp3", &["--chunk-duration", "1s"])] {
        let disk = stage.disk(&format!("crowded-{graph}"), 1_000 * KIB);
        let out = disk.path();
        let spool = out.join(format!(".reelgraph-{graph}"));
        let mut recorder = stage.start(graph, out, &[options, &["--real-time"]].concat());
        assert!(recorder.wait_until(|| began(&spool).is_some_and(|began| seconds_since(began) > 1.5)));
        std::fs::remove_file(spool.join("reserve")).expect("room is kept");
        disk.fill();
        let output = recorder.finish().check_code(1);
        check_told(&output, out);
        assert!(output.stderr.contains(&format!("reelgraph recover {}", out.display())), "{output:?}");
        assert!(spool.exists());
        check_no_half_file(out, graph);

        let refused = program::run(["recover".as_ref(), out.as_os_str()]).check_code(1);
        check_told(&refused, out);
        check_no_half_file(out, graph);
        disk.free();
        program::run(["recover".as_ref(), out.as_os_str()]).check_code(0);
        let samples = stage.check_finished(graph, out);
        assert!(samples > u64::from(source::RATE) / 2, "{graph}: {samples} samples");
    }
}

/// A final name without its metadata, or metadata of a file that is not there yet, must not be told from a whole one.
#[track_caller]
fn check_no_half_file(out: &Path, graph: &str) {
    for name in names(out).into_iter().filter(|name| name.starts_with(graph) && !name.ends_with(".json")) {
        assert!(out.join(&name).with_extension("json").exists(), "{graph}: {name} has no metadata");
    }
}

fn seconds_since(began: jiff::Timestamp) -> f64 {
    jiff::Timestamp::now().duration_since(began).as_secs_f64()
}

/// The kept room serves a recovery as well.
#[test]
fn killed_on_a_full_disk_it_is_recovered_on_the_full_disk() {
    let stage = Stage::new();
    let disk = stage.disk("killed", 400 * KIB);
    let (out, spool) = (disk.path(), disk.path().join(".reelgraph-unmixed-wav"));
    let mut recorder = stage.start("unmixed-wav", out, &["--real-time"]);
    assert!(recorder.wait_until(|| spool.join("000.wav").metadata().is_ok_and(|file| file.len() > 100_000)));
    assert!(recorder.kill());
    disk.fill();
    program::run(["recover".as_ref(), out.as_os_str()]).check_code(0);
    disk.free();
    assert!(stage.check_finished("unmixed-wav", out) > 8_000);
}
