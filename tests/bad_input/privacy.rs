//! Who talked, and what was said, is for the files only.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::stage::Stage;
use crate::support::program::{self, Program, names};

/// Returns the permissions of everything below a directory, and of itself.
fn modes(path: &Path) -> Vec<(String, u32)> {
    let metadata = path.symlink_metadata().expect("it is there");
    let mut modes = vec![(path.display().to_string(), metadata.mode() & 0o7777)];
    if metadata.is_dir() {
        modes.extend(names(path).into_iter().flat_map(|name| modes_below(&path.join(name))));
    }
    modes
}

/// What a running recorder takes away meanwhile has no permissions.
fn modes_below(path: &Path) -> Vec<(String, u32)> {
    if path.symlink_metadata().is_ok() { modes(path) } else { Vec::new() }
}

#[track_caller]
fn check_modes(out: &Path) {
    for (path, mode) in modes(out) {
        let expected = if Path::new(&path).is_dir() { 0o700 } else { 0o600 };
        assert!(mode == expected || !Path::new(&path).exists(), "{path}: {mode:o}");
    }
}

/// Whatever the umask of whoever runs it.
#[test]
fn nobody_else_can_read_a_recording() {
    let stage = Stage::new();
    let script = "umask 0; exec \"$0\" \"$@\"";
    let open = |args: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_reelgraph")]).args(args).env("G_DEBUG", "fatal_warnings");
        Program::start(command.current_dir(stage.dir()).process_group(0))
    };
    for graph in ["unmixed-wav", "mixed-mp3"] {
        let (out, out_text) = (stage.path(format!("new/{graph}")), format!("new/{graph}"));
        let record = ["record", graph, "--participant", "caller=caller.wav", "--out", &out_text];
        let mut recorder = open(&[&record[..], &["--real-time", "--chunk-duration", "300ms"]].concat());
        assert!(recorder.wait_until(|| names(&out).len() > 3), "a chunk is finished");
        check_modes(&stage.path("new"));
        assert!(recorder.kill());
        check_modes(&stage.path("new"));
        open(&["recover", &out_text]).finish().check_code(0);
        check_modes(&stage.path("new"));
    }
    open(&["record", "unmixed-wav", "--participant", "caller=caller.wav", "--out", "whole"]).finish().check_code(0);
    check_modes(&stage.path("whole"));
}

#[test]
fn a_crash_leaves_no_memory_behind() {
    let stage = Stage::new();
    let record = ["record", "mixed-wav", "--real-time", "--participant", "caller=caller.wav", "--out", "out"];
    let mut recorder = stage.start(record);
    assert!(recorder.wait_until(|| stage.path("out/.reelgraph-mixed-wav").exists()));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", recorder.id())).expect("it runs");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("the kernel tells it");
    let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{core}");
}

/// Neither ours nor GStreamer's, however much is asked for.
#[test]
fn no_line_of_a_log_has_a_name() {
    let stage = Stage::new();
    let voice = std::fs::read(stage.path("caller.wav")).expect("it was made");
    stage.write("torn.wav", &voice[..voice.len() / 2]);
    let names = ["Zaphod Beeblebrox", "8:acs:trillian", "+15550100", "Slartibartfast"];
    let [zaphod, trillian, number, torn] = names;
    let args = [
        vec!["record".into(), "unmixed-wav".into(), "--json".into(), "--chunk-duration".into(), "1s".into()],
        vec![
            "--participant".into(),
            format!("{zaphod}=caller.wav"),
            "--participant".into(),
            format!("{torn}=torn.wav"),
        ],
        vec!["--participant".into(), format!("{trillian}=agent.wav"), "--join".into(), format!("{trillian}=500ms")],
        vec!["--participant".into(), format!("{number}=agent.wav"), "--leave".into(), format!("{number}=1500ms")],
        vec!["--pin".into(), format!("{zaphod}=3"), "--pause".into(), "1s-2s".into(), "--out".into(), "out".into()],
    ];
    let mut command = program::command(args.concat());
    command.env("REELGRAPH_LOG", "trace").env("GST_DEBUG", "*:4,reel*:7").env("GST_DEBUG_NO_COLOR", "1");
    let output = Program::start(command.current_dir(stage.dir())).finish().check_code(4);
    assert!(output.stderr.contains("reelmeta") && output.stderr.lines().count() > 1_000, "there is no log");
    assert!(output.stderr.contains("a participant's media is damaged"), "nothing is told of the damage");
    for name in names {
        assert!(output.stdout.contains(name), "{name} is in the result");
        let told = output.stderr.lines().find(|line| line.contains(name));
        assert_eq!(told, None, "{name} is in the log");
    }
}
