//! What nobody should do, and what is right all the same.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use serde_json::Value;

use crate::stage::{SECONDS, Stage};
use crate::support::judge;
use crate::support::metadata::{Metadata, finished};
use crate::support::program::{self, Output, Program, names};
use crate::support::source::RATE;
use crate::support::wav::Wav;

const RECORD: [&str; 5] = ["record", "mixed-wav", "--participant", "caller=caller.wav", "--out"];

fn caller(stage: &Stage) -> Vec<i16> {
    Wav::read(&stage.path("caller.wav")).samples
}

fn document(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).expect("one JSON document")
}

/// Runs `record` in a shell line that does something to it first.
fn in_shell(stage: &Stage, before: &str, args: &[&str]) -> Output {
    let mut command = Command::new("sh");
    let line = format!("{before} \"$0\" \"$@\"");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_reelgraph")]).args(args).env("G_DEBUG", "fatal_warnings");
    Program::start(command.current_dir(stage.dir())).finish()
}

#[test]
fn sixty_four_of_one_file_are_all_recorded() {
    let stage = Stage::new();
    let participants: Vec<_> = (0..64).flat_map(|n| ["--participant".into(), format!("p{n}=caller.wav")]).collect();
    for graph in ["mixed-wav", "mixed-mp3", "unmixed-wav"] {
        let args = ["record".to_owned(), graph.into(), "--out".into(), graph.into(), "--json".into()];
        let output = stage.run(args.iter().chain(&participants)).check_code(if graph == "unmixed-wav" { 4 } else { 0 });
        let document = document(&output);
        assert_eq!(document["participants"].as_array().map(Vec::len), Some(64));
        assert_eq!((&document["lostSamples"], &document["durationSeconds"]), (&0.into(), &f64::from(SECONDS).into()));
    }
    let unmixed = Wav::read(&stage.path("unmixed-wav/unmixed-wav-000.wav"));
    assert_eq!(unmixed.channels, 5);
    assert!((0..5).all(|channel| unmixed.channel(channel) == caller(&stage)));
    // 64 voices in step are far too loud together; what comes out is the voice, and does not wrap round.
    let mixed = Wav::read(&stage.path("mixed-wav/mixed-wav-000.wav")).samples;
    let opposite = mixed.iter().zip(caller(&stage)).filter(|(mix, voice)| i32::from(**mix) * i32::from(*voice) < 0);
    assert_eq!(opposite.count(), 0);

    let pins = (0..65).flat_map(|n| ["--pin".into(), format!("p{n}={n}")]);
    let participants = (0..65).flat_map(|n| ["--participant".into(), format!("p{n}=caller.wav")]);
    let args: Vec<String> = ["record", "unmixed-wav", "--out", "out"].map(String::from).into_iter().collect();
    let args: Vec<String> = args.into_iter().chain(participants).chain(pins).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    stage.check_refused(2, &args, &["--pin", "from 0 to 63", "\"64\""]);
}

#[test]
fn a_pause_longer_than_the_recording_ends_with_it() {
    let stage = Stage::new();
    for (mode, kept_ms) in [("skip", 1_000), ("silence", 4_000), ("tone", 4_000)] {
        let args = [&RECORD[..], &[mode, "--pause", "1s-100h", "--pause-mode", mode, "--json"]].concat();
        let document = document(&stage.run(args).check_code(0));
        assert_eq!(document["pauses"], serde_json::json!([{ "startSeconds": 1.0, "durationSeconds": 3.0 }]), "{mode}");
        let found = Wav::read(&stage.path(mode).join("mixed-wav-000.wav"));
        assert_eq!(found.frames(), kept_ms * RATE as usize / 1_000, "{mode}");
        assert!(found.samples[..RATE as usize] == caller(&stage)[..RATE as usize], "{mode}");
        let heard = found.samples[RATE as usize..].iter().any(|sample| *sample != 0);
        assert_eq!(heard, mode == "tone", "what was said in the pause");
    }
}

#[test]
fn a_recording_of_nothing_but_a_pause_says_that_it_is_one() {
    let stage = Stage::new();
    for graph in ["mixed-wav", "unmixed-wav"] {
        let record = ["record", graph, "--participant", "caller=caller.wav", "--pause", "0-4s", "--out", graph];
        stage.run(record).check_code(0);
        assert_eq!(Wav::read(&stage.path(graph).join(format!("{graph}-000.wav"))).frames(), 0);
        let metadata = Metadata::read(&stage.path(graph).join(format!("{graph}-000.json")));
        assert_eq!((metadata.duration(), metadata.pauses().len()), (0, 1));
    }
    let record = ["record", "mixed-mp3", "--participant", "caller=caller.wav", "--pause", "0-4s", "--out", "mp3"];
    let output = stage.run(record).check_code(4);
    assert!(output.stdout.contains("note: the file is empty: nothing was recorded"), "{output:?}");
    let toned = ["record", "mixed-mp3", "--participant", "caller=caller.wav", "--pause", "0-4s", "--out", "toned"];
    stage.run([&toned[..], &["--pause-mode", "tone"]].concat()).check_code(0);
    assert_eq!(judge::decoded(&stage.path("toned/mixed-mp3-000.mp3")).len(), 4 * RATE as usize);
}

#[test]
fn a_duration_beyond_the_media_is_silence() {
    let stage = Stage::new();
    let args = [&RECORD[..], &["out", "--duration", "6.5s", "--json"]].concat();
    let document = document(&stage.run(args).check_code(0));
    assert_eq!((&document["endReason"], &document["durationSeconds"]), (&"duration-reached".into(), &6.5.into()));
    let expected = [caller(&stage), vec![0; 5 * RATE as usize / 2]].concat();
    assert!(Wav::read(&stage.path("out/mixed-wav-000.wav")).samples == expected);
}

#[test]
fn the_shortest_chunks_are_whole_and_all_there() {
    let stage = Stage::new();
    for (graph, limit) in [
        ("mixed-wav", ["--chunk-duration", "100ms"]),
        ("mixed-wav", ["--chunk-size", "4KiB"]),
        ("mixed-mp3", ["--chunk-size", "4KiB"]),
    ] {
        let out = format!("{graph}{}", limit[0]);
        let record = ["record", graph, "--participant", "caller=caller.wav", "--out", &out];
        stage.run([&record[..], &limit].concat()).check_code(0);
        let extension = graph.rsplit('-').next().unwrap_or_default();
        let files = finished(&stage.path(&out), graph, extension);
        assert!(files.len() >= 5, "{graph} {limit:?}: {} files", files.len());
        let ms: u64 = files.iter().map(|file| file.metadata.duration()).sum();
        assert!(ms.abs_diff(u64::from(SECONDS) * 1_000) <= files.len() as u64, "{graph} {limit:?}: {ms} ms");
        for file in files {
            let size = file.media.metadata().expect("it is there").len();
            assert!(limit[0] != "--chunk-size" || size <= 4_096, "{}: {size} bytes", file.media.display());
        }
    }
}

/// Names of directories and files are bytes; what cannot be used is told, and nothing is written elsewhere.
#[test]
fn odd_names_of_files_and_directories_are_taken_as_they_are() {
    let stage = Stage::new();
    std::fs::create_dir(stage.path("real")).expect("a directory");
    std::os::unix::fs::symlink("real", stage.path("link")).expect("a link");
    std::os::unix::fs::symlink("caller.wav", stage.path("link.wav")).expect("a link");
    for out in ["with space", "take%d", "100%05u", "a\nb", "-x", "ä/ö/ü", "link", "quote'\"", "a=b", "{}", "$HOME"] {
        stage
            .run([&RECORD[..4], &["--participant", "other=link.wav"], &[&format!("--out={out}")]].concat())
            .check_code(0);
        assert_eq!(names(&stage.path(out)), ["mixed-wav-000.json", "mixed-wav-000.wav"], "{out}");
    }
    assert_eq!(names(&stage.path("real")).len(), 2);
    let made =
        ["$HOME", "-x", "100%05u", "a\nb", "a=b", "agent.wav", "caller.wav", "link", "link.wav", "quote'\"", "real"];
    let made: Vec<_> = made.into_iter().chain(["take%d", "with space", "{}", "ä"]).collect();
    assert_eq!(names(stage.dir()), made, "something was written elsewhere");

    let bytes = OsStr::from_bytes(b"\xff\xfe.wav");
    std::fs::copy(stage.path("caller.wav"), stage.path(bytes)).expect("a copy");
    let mut participant = OsString::from("caller=");
    participant.push(bytes);
    let args = ["record", "mixed-wav", "--out", "bytes", "--participant"].map(OsString::from);
    stage.run(args.iter().chain([&participant])).check_code(0);
    assert!(Wav::read(&stage.path("bytes/mixed-wav-000.wav")).samples == caller(&stage));

    let nameless = OsStr::from_bytes(b"\xff=caller.wav");
    let output = stage.run(["record", "mixed-wav", "--participant"].map(OsStr::new).into_iter().chain([nameless]));
    assert!(output.check_code(2).stderr.contains("UTF-8"));
    let out = OsStr::from_bytes(b"out\xff");
    let output = stage.run(RECORD.map(OsStr::new).into_iter().chain([out])).check_code(1);
    assert!(output.stderr.contains("not UTF-8; choose another --out"), "{output:?}");
    assert!(!stage.path(out).exists());
}

#[test]
fn a_directory_that_is_gone_is_told() {
    let stage = Stage::new();
    std::fs::create_dir(stage.path("gone")).expect("a directory");
    let before = "cd gone && rmdir ../gone && exec";
    let args = ["record", "mixed-wav", "--participant", "caller=../caller.wav", "--out", "out"];
    let output = in_shell(&stage, before, &args).check_code(1);
    assert!(output.stderr.contains("out cannot be created"), "{output:?}");
}

#[test]
fn language_and_environment_change_nothing() {
    let stage = Stage::new();
    let plain = |document: &Value| {
        let chunk = &document["chunks"][0];
        (document["durationSeconds"].clone(), chunk["sha256"].clone(), chunk["metadata"]["chunkDuration"].clone())
    };
    let run = |index: usize, variables: &[(&str, &str)]| {
        let out = format!("out-{index}");
        let mut command = program::command([&RECORD[..], &[&out, "--pause", "1500ms-2.25s", "--json"]].concat());
        let command = command.envs(variables.iter().copied()).current_dir(stage.dir());
        document(&Program::start(command).finish().check_code(0))
    };
    let usual = run(0, &[]);
    for (index, variables) in [
        &[("LC_ALL", "de_DE.UTF-8"), ("LANG", "de_DE.UTF-8")][..],
        &[("LC_ALL", "C")],
        &[("LC_ALL", "nonsense")],
        &[("TZ", "Pacific/Kiritimati")],
        &[("HOME", "/nonexistent"), ("XDG_CACHE_HOME", "/dev/null")],
        &[("REELGRAPH_LOG", "=,[[["), ("GST_DEBUG", "::::")],
        &[("COLUMNS", "1"), ("TERM", "dumb"), ("NO_COLOR", "1")],
    ]
    .iter()
    .enumerate()
    {
        let document = run(index + 1, variables);
        assert_eq!(plain(&document), plain(&usual), "{variables:?}");
        let start = document["chunks"][0]["metadata"]["chunkStartTime"].as_str().expect("a time").to_owned();
        assert!(start.ends_with('Z'), "{variables:?}: {start}");
    }
}

/// A log or a table that nobody reads any more ends no recording.
#[test]
fn a_reader_that_has_gone_ends_nothing_but_the_output() {
    let stage = Stage::new();
    let voice = std::fs::read(stage.path("caller.wav")).expect("it was made");
    stage.write("torn.wav", &voice[..voice.len() / 2]);
    let logged = [&RECORD[..], &["logged", "--participant", "guest=torn.wav"]].concat();
    in_shell(&stage, "export REELGRAPH_LOG=trace; exec 2>/dev/full;", &logged).check_code(4);
    assert!(Wav::read(&stage.path("logged/mixed-wav-000.wav")).frames() == caller(&stage).len());

    for args in
        [&[&RECORD[..], &["printed"]].concat()[..], &["show", "mixed-wav"], &["doctor"], &["check", "mixed-wav"]]
    {
        let output = in_shell(&stage, "exec >/dev/full;", args).check_code(1);
        assert!(output.stderr.contains("the result cannot be printed: No space left"), "{output:?}");
    }
    assert!(Wav::read(&stage.path("printed/mixed-wav-000.wav")).samples == caller(&stage));
}

/// A limit of the user's own: the write that meets it fails, and the rest is as on a full disk.
#[test]
fn a_limit_of_file_sizes_ends_a_recording_properly() {
    let stage = Stage::new();
    // In blocks of 512 bytes: 80 KiB.
    let output = in_shell(&stage, "ulimit -f 160; exec", &[&RECORD[..], &["out"]].concat()).check_code(1);
    assert!(output.stderr.contains("File too large"), "{output:?}");
    let found = Wav::read(&stage.path("out/mixed-wav-000.wav"));
    assert!(
        found.frames() > 40_000 - 22 - 1_600 && found.samples[..] == caller(&stage)[..found.frames()],
        "{}",
        found.frames()
    );
    let notes = Metadata::read(&stage.path("out/mixed-wav-000.json")).notes();
    assert!(notes.iter().any(|note| note.contains("File too large")), "{notes:?}");
}
