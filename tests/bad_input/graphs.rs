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
        stage.check_refused(3, &["show", graph, "--as", "dot"], words);
        let record = ["record", graph, "--participant", "caller=caller.wav", "--out", "out"];
        stage.check_refused(3, &record, words);
    }
    assert!(!stage.path("out").exists(), "a directory for nothing");
    stage.check_refused(3, &["show", "no-such-graph"], &["no graph \"no-such-graph\""]);
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

/// What the language knows and the program cannot do yet is refused, and not found out by who records.
#[test]
fn what_cannot_be_recorded_yet_is_told_by_check() {
    let stage = Stage::new();
    let shipped = stage.run(["show", "mixed-mp3"]).check_code(0).stdout;
    let video = shipped.replace("\"audio\"", "\"audio-video\"").replace("\"mp3\"", "\"mp4\"");
    let picture = "[participant.picture]\nelement = \"identity\"\ninputs = [\"@video\"]\n\
                   [recording.pictures]\nelement = \"funnel\"\ninputs = [\"picture\"]\n\
                   [recording.drop]\nelement = \"fakesink\"\ninputs = [\"pictures\"]\n";
    stage.write("video.toml", format!("{video}\n{picture}"));
    stage.check_refused(3, &["check", "video.toml"], &["video.toml:", "graph.content", "video cannot be recorded yet"]);
    let tracks = shipped
        .replace("[recording.gate]", "[recording.tee]\nelement = \"tee\"\ninputs = [\"mix\"]\n[recording.gate]")
        .replace("inputs = [\"mix\"]\n\n", "inputs = [\"tee\", \"tee\"]\n\n")
        .replace("inputs = [\"gate\"]", "inputs = [\"gate.src_0\", \"gate.src_1\"]")
        .replace("inputs = [\"split\"]", "inputs = [\"split.src_0\"]");
    let rest = "[chunk.rest]\nelement = \"fakesink\"\ninputs = [\"split.src_1\"]\n";
    stage.write("tracks.toml", format!("{tracks}\n{rest}"));
    stage.check_refused(3, &["check", "tracks.toml"], &["tracks.toml:", "[recording.split] inputs[1]", "one track"]);
}

/// Each of these was let through and recorded nothing, or something else, or did not end.
#[test]
fn what_elements_cannot_do_is_told_by_check() {
    let stage = Stage::new();
    let shipped = stage.run(["show", "mixed-wav"]).check_code(0).stdout;
    let mixer = "element = \"reelmixer\"\ninputs = { \"sink_%u\" = \"decode\", timeline = \"@timeline\" }";
    let with = |element: &str, properties: &str| {
        let node =
            format!("[recording.more]\nelement = \"{element}\"\ninputs = [\"mix\"]\nproperties = {{ {properties} }}\n");
        shipped.replace("[recording.gate]", &format!("{node}\n[recording.gate]")).replacen(
            "[\"mix\"]\n\n",
            "[\"more\"]\n\n",
            1,
        )
    };
    for (text, words) in [
        (shipped.replace("\"wav\"", "\"json\""), &["\"json\" is no format", "metadata"][..]),
        (shipped.replace("\"wav\"", "\"mp3\""), &["graph.format", "mp3 would hold wav"]),
        (shipped.replace("\"mixed\"", "\"unmixed\""), &["graph.channel", "reelmixer makes mixed"]),
        (
            shipped.replace(mixer, "element = \"adder\"\ninputs = [\"decode\"]"),
            &["adder with more than one input waits"],
        ),
        (shipped.replace("\"reelaudiodec\"", "\"opusdec\""), &["behind reelaudiodec", "and opusdec take"]),
        (with("audiomixer", "output-buffer-duration-fraction = \"fast\""), &["holds a GstFraction, not \"fast\""]),
        (with("audiomixer", "force-live = true"), &["property force-live of audiomixer cannot be set"]),
        (with("capsfilter", "caps = \"audio/x-raw,=\""), &["properties.caps", "GstCaps"]),
        (with("autoaudiosink", "sync = true"), &["autoaudiosink has a thread of its own"]),
    ] {
        stage.write("bad.toml", &text);
        stage.check_refused(3, &["check", "bad.toml"], words);
    }
}
