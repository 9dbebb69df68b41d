//! Graphs that are none.

use std::process::Command;

use crate::stage::Stage;

#[test]
fn what_is_no_graph_ends_with_its_code_in_every_command() {
    let stage = Stage::new();
    let fifo = Command::new("mkfifo").arg(stage.path("fifo")).status();
    assert!(fifo.expect("mkfifo is installed").success());
    std::fs::create_dir(stage.path("directory")).expect("a directory");
    stage.write("empty.toml", "");
    stage.write("deep.toml", format!("graph = {}", "[".repeat(100_000)));
    stage.write("deeper.toml", format!("graph = {}", "{ a = ".repeat(100_000)));
    stage.write("dotted.toml", format!("{}graph = 1", "a.".repeat(100_000)));
    stage.write("huge.toml", "# nothing\n".repeat(200_000));
    stage.write(
        "many.toml",
        (0..500).map(|n| format!("[recording.n{n}]\nelement = \"identity\"\n")).collect::<String>(),
    );
    for (graph, words) in [
        ("no-such-graph", &["no graph \"no-such-graph\"", "mixed-mp3", "unmixed-wav", "nor a file"][..]),
        ("missing/graph.toml", &["missing/graph.toml", "nor a file"]),
        ("", &["no graph \"\""]),
        ("directory", &["graph directory", "not a regular file"]),
        ("/dev/zero", &["graph /dev/zero", "not a regular file"]),
        ("fifo", &["graph fifo", "not a regular file"]),
        ("caller.wav", &["graph caller.wav", "not UTF-8 text", "TOML"]),
        ("empty.toml", &["empty.toml:1", "graph"]),
        ("deep.toml", &["deep.toml:1", "recursion"]),
        ("deeper.toml", &["deeper.toml:1", "recursion"]),
        ("dotted.toml", &["dotted.toml:1", "recursion"]),
        ("huge.toml", &["huge.toml", "2MB", "1MiB"]),
        ("many.toml", &["many.toml", "500"]),
    ] {
        stage.check_refused(3, &["check", graph], words);
        stage.check_refused(3, &["show", graph], words);
        let record = ["record", graph, "--participant", "caller=caller.wav", "--out", "out"];
        stage.check_refused(3, &record, words);
    }
    assert!(!stage.path("out").exists(), "a directory for nothing");
}

#[test]
fn all_errors_of_a_graph_are_told_at_once_with_their_lines() {
    let stage = Stage::new();
    let shipped = stage.run(["show", "mixed-mp3"]).check_code(0).stdout;
    let broken = shipped
        .replace("\"reelmixer\"", "\"reelmixxer\"")
        .replace("[\"split\"]", "[\"splat\"]")
        .replace("bitrate = 48", "bitrate = 4800000")
        .replace("\"4h\"", "\"4 hours\"");
    stage.write("broken.toml", &broken);
    let line = |text: &str| broken.lines().position(|line| line.contains(text)).expect("it is there") + 1;
    let places = ["reelmixxer", "splat", "4800000", "4 hours"].map(|text| format!("broken.toml:{}", line(text)));
    let words: Vec<&str> = places
        .iter()
        .map(String::as_str)
        .chain(["no element named", "did you mean \"split\"", "8 to 320", "2.5s"])
        .collect();
    stage.check_refused(3, &["check", "broken.toml"], &words);
    stage.check_refused(3, &["record", "broken.toml", "--participant", "caller=caller.wav", "--out", "out"], &words);
    // A sound one beside it is told as such.
    let output = stage.run(["check", "mixed-wav", "broken.toml"]).check_code(3);
    assert!(output.stdout.contains("mixed-wav: "), "{output:?}");
}

/// A format that this machine has no element for.
#[test]
fn an_unknown_codec_in_a_graph_is_named() {
    let stage = Stage::new();
    let shipped = stage.run(["show", "mixed-mp3"]).check_code(0).stdout;
    stage.write("codec.toml", shipped.replace("lamemp3enc", "ultracodecenc"));
    stage.check_refused(3, &["check", "codec.toml"], &["codec.toml:", "encode", "ultracodecenc"]);
}
