//! Stopped by a signal: properly, twice, too early; and as long as what had passed.

use std::time::Duration;

use crate::stage::Stage;
use crate::support::course::{Course, Voice};
use crate::support::metadata::{Metadata, began, between};
use crate::support::program::{self, Output, Program, names};
use crate::support::remains::Remains;
use crate::support::source::RATE;
use crate::support::wav::Wav;

/// Longer than any recording here lasts.
const SECONDS: u32 = 30;

/// What a stopped recording may lack of the time until it was stopped: a tick, what an element holds back, and what a
/// busy machine adds.
const LAG_MAX: Duration = Duration::from_millis(700);

fn course(stage: &Stage, pauses: &[(u64, u64)]) -> Course {
    let samples = Wav::read(&stage.path("caller.wav")).samples;
    Course { voices: vec![Voice { name: "caller", join_ms: 0, samples }], pauses: pauses.to_vec(), keeps_pauses: false }
}

fn start(stage: &Stage, graph: &str, out: &str, more: &[&str]) -> Program {
    let sound = ["record", graph, "--real-time", "--json", "--participant", "caller=caller.wav", "--out", out];
    stage.start(sound.iter().chain(more))
}

fn end_reason(output: &Output) -> String {
    let document: serde_json::Value = serde_json::from_str(&output.stdout).expect("one JSON document");
    document["endReason"].as_str().expect("a text").to_owned()
}

#[test]
fn a_signal_ends_a_recording_as_long_as_what_had_passed() {
    let stage = Stage::with_seconds(SECONDS);
    for (index, (signal, graph)) in
        [("INT", "mixed-wav"), ("TERM", "mixed-mp3"), ("HUP", "unmixed-wav"), ("INT", "mixed-mp3")].iter().enumerate()
    {
        let chunks: &[&str] = if index % 2 == 1 { &["--chunk-duration", "500ms"] } else { &[] };
        let name = format!("out-{index}");
        let (out, course) = (stage.path(&name), course(&stage, &[(300, 450)]));
        let spool = out.join(format!(".reelgraph-{graph}"));
        let mut recorder = start(&stage, graph, &name, &[&["--pause", "300ms-450ms"], chunks].concat());
        let has_run = |time| began(&spool).is_some_and(|began| between(began, jiff::Timestamp::now()) > time);
        assert!(recorder.wait_until(|| has_run(Duration::from_millis(1_700))));
        let began = began(&spool).expect("it was there");
        let at_least = between(began, jiff::Timestamp::now());
        recorder.signal(signal);
        let output = recorder.finish().check_code(0);
        let at_most = between(began, jiff::Timestamp::now());
        assert_eq!(end_reason(&output), "stopped");
        let samples = Remains { out: &out, graph, course: &course, began }.check_finished();
        let limits = course.recorded_by(at_least - LAG_MAX)..=course.recorded_by(at_most);
        assert!(limits.contains(&samples), "{signal} {graph}: {samples} samples, not {limits:?}");
    }
}

#[test]
fn stopped_in_a_pause_it_ends_where_the_pause_began() {
    let stage = Stage::with_seconds(SECONDS);
    let mut recorder = start(&stage, "mixed-wav", "out", &["--pause", "500ms-20s"]);
    let spool = stage.path("out/.reelgraph-mixed-wav");
    let is_paused = || began(&spool).is_some_and(|began| between(began, jiff::Timestamp::now()).as_millis() > 1_200);
    assert!(recorder.wait_until(is_paused));
    recorder.signal("INT");
    let output = recorder.finish().check_code(0);
    assert_eq!(end_reason(&output), "stopped");
    let found = Wav::read(&stage.path("out/mixed-wav-000.wav"));
    assert!(found.samples == Wav::read(&stage.path("caller.wav")).samples[..RATE as usize / 2]);
}

/// The second one ends the program as it would any other; what was recorded is recovered.
#[test]
fn a_second_signal_does_not_wait_and_loses_nothing() {
    let stage = Stage::with_seconds(SECONDS);
    for index in 0..6 {
        let (name, graph) = (format!("out-{index}"), ["mixed-wav", "mixed-mp3"][index % 2]);
        let (out, course) = (stage.path(&name), course(&stage, &[]));
        let spool = out.join(format!(".reelgraph-{graph}"));
        let mut recorder = start(&stage, graph, &name, &["--chunk-duration", "200ms"]);
        let has_run = || began(&spool).is_some_and(|began| between(began, jiff::Timestamp::now()).as_millis() > 900);
        assert!(recorder.wait_until(has_run));
        let began = began(&spool).expect("it was there");
        recorder.signal("INT");
        recorder.signal_if_running("INT");
        let output = recorder.finish();
        assert!(!output.stderr.contains("panicked"), "{output:?}");
        // By the signal, or properly where that was quicker.
        assert!(matches!(output.status.code(), None | Some(0)), "{output:?}");
        if spool.exists() {
            program::run(["recover".as_ref(), out.as_os_str()]).check_code(0);
        }
        let samples = Remains { out: &out, graph, course: &course, began }.check_finished();
        assert!(samples > u64::from(RATE) / 5, "{graph}: {samples} samples");
    }
}

/// Before there is anybody who could be told to stop, and when there is nothing to be stopped yet.
#[test]
fn a_signal_at_the_start_leaves_nothing_half() {
    let stage = Stage::with_seconds(SECONDS);
    for index in 0..12 {
        let (name, graph) = (format!("out-{index}"), ["mixed-wav", "mixed-mp3", "unmixed-wav"][index % 3]);
        let out = stage.path(&name);
        let spool = out.join(format!(".reelgraph-{graph}"));
        let mut recorder = start(&stage, graph, &name, &[]);
        if index < 6 {
            assert!(recorder.wait_until(|| spool.exists()));
        }
        recorder.signal_if_running(["INT", "TERM"][index % 2]);
        let output = recorder.finish();
        assert!(!output.stderr.contains("panicked"), "{output:?}");
        match output.status.code() {
            // Before it could take the signal: before anything was made.
            None => assert_eq!(names(&out), [""; 0], "{output:?}"),
            Some(0) => assert_eq!(names(&out).len(), 2, "{:?}", names(&out)),
            // An MP3 file without a frame is none, and says so.
            Some(4) => {
                let notes = Metadata::read(&out.join(format!("{graph}-000.json"))).notes();
                assert_eq!(
                    (graph, &notes[..]),
                    ("mixed-mp3", &["the file is empty: nothing was recorded".to_owned()][..])
                );
            }
            code => panic!("{code:?}: {output:?}"),
        }
        assert!(!spool.exists(), "{:?}", names(&out));
    }
}

/// Elements that keep media to themselves, or take far too long: what is missing is said, and nobody waits for ever.
#[test]
fn what_does_not_end_in_time_has_failed() {
    let stage = Stage::new();
    stage.write(
        "settings.toml",
        "[worker]\ntick = \"100ms\"\nstall-timeout = \"5s\"\n[recording]\nclose-timeout = \"1s\"\n",
    );
    let shipped = include_str!("../../pipelines/mixed-wav.toml");
    let valve = "[recording.valve]\nelement = \"valve\"\ninputs = [\"mix\"]\nproperties = { drop = true }\n";
    let closed = shipped.replace("[recording.gate]", &format!("{valve}\n[recording.gate]"));
    let closed = closed.replace("inputs = [\"mix\"]\n\n", "inputs = [\"valve\"]\n\n");
    let queue = "[chunk.queue]\nelement = \"queue\"\ninputs = [\"meta\"]\n";
    let sleep = "[chunk.sleep]\nelement = \"identity\"\ninputs = [\"queue\"]\nproperties = { sleep-time = 900000 }\n";
    let slow = shipped.replace("[chunk.file]", &format!("{queue}\n{sleep}\n[chunk.file]"));
    let slow =
        slow.replace("element = \"reelsink\"\ninputs = [\"meta\"]", "element = \"reelsink\"\ninputs = [\"sleep\"]");
    for (name, graph) in [("closed", closed), ("slow", slow)] {
        assert_ne!(graph, shipped);
        let file = stage.write(format!("{name}.toml"), graph).display().to_string();
        let args =
            ["record", &file, "--participant", "caller=caller.wav", "--duration", "800ms", "--out", name, "--json"];
        let output = stage.run(args.iter().chain(&["--config", "settings.toml"])).check_code(1);
        assert!(output.stderr.contains("did not end within 1 s"), "{output:?}");
        let kept = if name == "closed" { "nothing of it could be kept" } else { "what is in the files is kept" };
        assert!(output.stderr.contains(kept), "{output:?}");
        assert_eq!(end_reason(&output), "failed");
    }
}
