//! A participant whose media breaks in the middle: it is told, and nobody else is worse off.

use std::path::Path;

use serde_json::Value;

use crate::stage::Stage;
use crate::support::metadata::Metadata;
use crate::support::source;
use crate::support::wav::Wav;

const SECONDS: u32 = 6;

/// Records `guest=FILE` with the caller and the agent; returns the document.
fn record(stage: &Stage, graph: &str, out: &str, guest: Option<&str>, code: i32) -> Value {
    let guest = guest.map(|file| format!("guest={file}"));
    let guest = guest.iter().flat_map(|guest| ["--participant", guest]);
    let voices = ["--participant", "caller=caller.wav", "--participant", "agent=agent.wav", "--join", "agent=500ms"];
    let pins: &[&str] = &["--pin", "caller=1", "--pin", "agent=2"];
    let args = ["record", graph, "--json", "--out", out].into_iter().chain(guest).chain(voices).chain(pins.to_vec());
    let output = stage.run(args).check_code(code);
    serde_json::from_str(&output.stdout).expect("one JSON document")
}

fn texts(notes: &Value) -> Vec<String> {
    let notes = notes.as_array().into_iter().flatten();
    notes.map(|note| note.as_str().expect("a note is a text").to_owned()).collect()
}

/// Compares with a recording that the guest is not in, and finds the damage wherever it must stand.
#[track_caller]
fn check(stage: &Stage, graph: &str, file: &str, words: &[&str]) {
    let (with, without) = (format!("with-{file}"), format!("without-{file}"));
    let graph_name = Path::new(graph).file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
    let document = record(stage, graph, &with, Some(file), 4);
    record(stage, graph, &without, None, 0);
    let read = |out: &str| Wav::read(&stage.path(out).join(format!("{graph_name}-000.wav")));
    let (with_guest, alone) = (read(&with), read(&without));
    assert_eq!(with_guest.frames(), alone.frames(), "{file}: the others are shorter or longer");
    for channel in [1, 2] {
        assert!(with_guest.channel(channel) == alone.channel(channel), "{file}: channel {channel} is another");
    }
    let guest = with_guest.channel(0);
    assert!(guest.iter().any(|sample| *sample != 0), "{file}: nothing is heard before the damage");

    let metadata = Metadata::read(&stage.path(&with).join(format!("{graph_name}-000.json"))).notes();
    for notes in [texts(&document["notes"]), metadata] {
        let [note] = &notes[..] else { panic!("{file}: one note: {notes:?}") };
        for word in words.iter().chain(&["guest: "]) {
            assert!(note.contains(word), "{file}: {word:?} is not in {note:?}");
        }
    }
    assert_eq!(document["endReason"], "media-ended");
    assert_eq!(document["lostSamples"], 0);
}

#[test]
fn a_file_that_breaks_in_the_middle_is_told_and_the_others_go_on() {
    let stage = Stage::with_seconds(SECONDS);
    let caller = stage.path("caller.wav").display().to_string();
    let make = |options: &[&str], name| std::fs::read(source::ffmpeg(stage.dir(), &["-i", &caller], options, name));
    let halved = |name: &str, bytes: Vec<u8>| drop(stage.write(name, &bytes[..bytes.len() / 2]));
    let holed = |name: &str, mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4_000].fill(0x5a);
        stage.write(name, bytes);
    };
    halved("torn.wav", std::fs::read(&caller).expect("it was made"));
    halved("torn.opus", make(&["-c:a", "libopus"], "whole.opus").expect("ffmpeg wrote it"));
    halved("torn.flac", make(&[], "whole.flac").expect("ffmpeg wrote it"));
    halved("torn.mka", make(&["-c:a", "libopus"], "whole.mka").expect("ffmpeg wrote it"));
    holed("holed.flac", make(&[], "whole.flac").expect("ffmpeg wrote it"));
    holed("holed.opus", make(&["-c:a", "libopus"], "whole.opus").expect("ffmpeg wrote it"));
    check(&stage, "unmixed-wav", "torn.wav", &["0:00:06", "are declared", "the file was cut off", "(at 2.9"]);
    check(&stage, "unmixed-wav", "torn.opus", &["without the mark of an end", "the file was cut off"]);
    check(&stage, "unmixed-wav", "torn.flac", &["0:00:06", "are declared", "the file was cut off"]);
    check(&stage, "unmixed-wav", "torn.mka", &["are declared", "the file was cut off"]);
    check(&stage, "unmixed-wav", "holed.flac", &["the media from 0:00:0", "the file is damaged there"]);
    check(&stage, "unmixed-wav", "holed.opus", &["the media from 0:00:0", "the file is damaged there"]);
}

/// Behind a hole the voice goes on where it belongs.
#[test]
fn what_follows_a_hole_stands_in_its_place() {
    let stage = Stage::with_seconds(SECONDS);
    let caller = stage.path("caller.wav").display().to_string();
    let whole = source::ffmpeg(stage.dir(), &["-i", &caller], &[], "whole.flac");
    let mut bytes = std::fs::read(whole).expect("ffmpeg wrote it");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4_000].fill(0x5a);
    stage.write("holed.flac", bytes);
    stage.run(["record", "mixed-wav", "--participant", "guest=holed.flac", "--out", "out"]).check_code(4);
    let (found, expected) = (Wav::read(&stage.path("out/mixed-wav-000.wav")), Wav::read(&stage.path("caller.wav")));
    assert_eq!(found.frames(), expected.frames());
    let differs: Vec<_> = (0..found.frames()).filter(|at| found.samples[*at] != expected.samples[*at]).collect();
    let (first, last) = (differs[0], differs[differs.len() - 1]);
    assert!(last - first < 16_000, "{first} to {last} of {}", found.frames());
    assert!(found.samples[last + 1..] == expected.samples[last + 1..] && last + 16_000 < found.frames());
    // Whole FLAC frames are missing, and not a sample of them is made up.
    assert!(differs.iter().all(|at| found.samples[*at] == 0), "{first} to {last}");
}

/// An element of a branch gives up after 250 buffers of 100 ms, which the others do not reach. (200 go through it
/// before the recording, when its delay is measured.)
#[test]
fn a_branch_that_fails_in_mid_stream_is_told_and_the_others_go_on() {
    let stage = Stage::with_seconds(30);
    let shipped = stage.run(["show", "unmixed-wav"]).check_code(0).stdout;
    let failing = shipped.replace("\"sink_%u\" = \"decode\"", "\"sink_%u\" = \"fail\"").replace(
        "[recording.channels]",
        "[participant.fail]\nelement = \"identity\"\ninputs = [\"decode\"]\nproperties = { error-after = 250 }\n\n\
         [recording.channels]",
    );
    stage.write("failing.toml", failing);
    let short = |name: &str, seconds: &str| {
        let path = stage.path(name).display().to_string();
        source::ffmpeg(stage.dir(), &["-i", &path], &["-t", seconds], &format!("short-{name}"));
        std::fs::rename(stage.path(format!("short-{name}")), stage.path(name)).expect("it was made");
    };
    std::fs::copy(stage.path("caller.wav"), stage.path("guest.wav")).expect("a copy");
    short("caller.wav", "20");
    short("agent.wav", "18");
    let document = record(&stage, "failing.toml", "with", Some("guest.wav"), 4);
    record(&stage, "failing.toml", "without", None, 0);
    let notes = texts(&document["notes"]);
    let [note] = &notes[..] else { panic!("one note: {notes:?}") };
    assert!(note.contains("guest: node fail") && note.contains("silent from there on"), "{note}");
    let guest = &document["participants"][0];
    assert_eq!(guest["name"], "guest");
    let read = |out: &str| Wav::read(&stage.path(out).join("failing-000.wav"));
    let (with_guest, alone) = (read("with"), read("without"));
    for channel in [1, 2] {
        let (with_guest, alone) = (with_guest.channel(channel), alone.channel(channel));
        assert!(with_guest[..alone.len()] == alone, "channel {channel} is another");
        assert!(with_guest[alone.len()..].iter().all(|sample| *sample == 0));
    }
    check_heard(&stage, &with_guest);
}

/// What had come through before the failure is the guest's, to the sample.
fn check_heard(stage: &Stage, with_guest: &Wav) {
    let (found, expected) = (with_guest.channel(0), Wav::read(&stage.path("guest.wav")).samples);
    let heard = found.iter().rposition(|sample| *sample != 0).expect("something is heard") + 1;
    assert!(heard > 240 * 1_600 && found[..heard] == expected[..heard], "{heard} samples");
}

/// It gives up before there is a recording: the graph is at fault.
#[test]
fn a_branch_that_fails_at_once_is_told_by_its_node() {
    let stage = Stage::new();
    let shipped = stage.run(["show", "mixed-wav"]).check_code(0).stdout;
    stage.write(
        "failing.toml",
        shipped.replace("\"sink_%u\" = \"decode\"", "\"sink_%u\" = \"fail\"").replace(
            "[recording.mix]",
            "[participant.fail]\nelement = \"identity\"\ninputs = [\"decode\"]\nproperties = { error-after = 3 }\n\n\
             [recording.mix]",
        ),
    );
    let record = ["record", "failing.toml", "--participant", "caller=caller.wav", "--out", "out"];
    stage.check_refused(1, &record, &["failed to record: node fail", "Failed after iterations as requested"]);
}

/// What others' elements do not let through is in no file, and the last file says how much that is.
#[test]
fn media_that_an_element_drops_is_told() {
    let stage = Stage::new();
    let shipped = stage.run(["show", "mixed-wav"]).check_code(0).stdout;
    let dropping = shipped.replace("inputs = [\"gate\"]", "inputs = [\"some\"]").replace(
        "[recording.split]",
        "[recording.some]\nelement = \"identity\"\ninputs = [\"gate\"]\nproperties = { drop-probability = 0.3 }\n\n\
         [recording.split]",
    );
    stage.write("dropping.toml", dropping);
    let record = ["record", "dropping.toml", "--participant", "caller=caller.wav", "--out", "out", "--json"];
    let course = ["--pause", "500ms-1s", "--chunk-duration", "1s"];
    let output = stage.run(record.iter().chain(&course)).check_code(4);
    let document: Value = serde_json::from_str(&output.stdout).expect("one JSON document");
    let chunks = document["chunks"].as_array().expect("a list of chunks");
    let held: f64 = chunks.iter().filter_map(|chunk| chunk["durationSeconds"].as_f64()).sum();
    let recorded = document["durationSeconds"].as_f64().expect("seconds") - 0.5;
    let missing = recorded - held;
    assert!(missing > 0.1, "{missing} s");
    let note = format!("{recorded:.3} s were recorded, and {held:.3} s came to the files");
    assert_eq!(texts(&document["notes"]), [note.as_str()]);
    let last = chunks[chunks.len() - 1]["metadataFile"].as_str().expect("a path");
    assert_eq!(Metadata::read(&stage.path(last)).notes(), [note]);
}

/// What elements cannot agree on is found out late, by one that only says no.
#[test]
fn who_refused_is_told_by_its_node() {
    let stage = Stage::new();
    let shipped = stage.run(["show", "unmixed-wav"]).check_code(0).stdout;
    let encode = "[chunk.encode]\nelement = \"lamemp3enc\"\ninputs = [\"meta\"]\n\n\
                  [chunk.parse]\nelement = \"mpegaudioparse\"\ninputs = [\"encode\"]\n\n[chunk.file]";
    let five_in_mp3 = shipped
        .replace("\"wav\"", "\"mp3\"")
        .replace("\"reelsink\"\ninputs = [\"meta\"]", "\"reelsink\"\ninputs = [\"parse\"]")
        .replace("[chunk.file]", encode);
    stage.write("five.toml", five_in_mp3);
    let record = ["record", "five.toml", "--participant", "caller=caller.wav", "--out", "out"];
    let output = stage.run(record).check_code(1);
    assert!(output.stderr.contains("node encode refused media (NotNegotiated)"), "{output:?}");
}
