//! What is printed of plans, for GStreamer's and Graphviz's own tools.

use std::io::Write;
use std::process::Command;
use std::process::Stdio;

use crate::graph::render;
use crate::graph::shipped::SHIPPED;
use crate::graph::shipped::shipped;
use crate::graph::tests::plans::MIXED_MP4;
use crate::graph::tests::plans::plan;

#[track_caller]
fn launch(name: &str, participants: u32) -> String {
    render::launch(&plan(name, shipped(name).unwrap().text), participants)
}

#[test]
fn mixed_mp3_becomes_one_line() {
    let expected = concat!(
        "audiotestsrc num-buffers=500 samplesperbuffer=160 freq=300 volume=0.2 ",
        "! audio/x-raw,format=S16LE,rate=16000,channels=1 ",
        "! reelaudiodec ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! mix.sink_0 ",
        "audiotestsrc num-buffers=500 samplesperbuffer=160 freq=400 volume=0.2 ",
        "! audio/x-raw,format=S16LE,rate=16000,channels=1 ",
        "! reelaudiodec ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! mix.sink_1 ",
        "reelmixer name=mix ! reelgate name=gate ! ",
        "reelsplit name=split max-duration=14400000000000 max-size=3758096384 ",
        "'chunk=\"reelmeta ! lamemp3enc target=bitrate bitrate=48 cbr=true encoding-engine-quality=fast ",
        "! reelsink location=mixed-mp3-%03d.mp3\"'",
    );
    assert_eq!(launch("mixed-mp3", 2), expected);
}

#[test]
fn without_participants_only_the_recording_is_left() {
    let line = launch("mixed-wav", 0);
    assert!(line.starts_with("reelmixer name=mix ! reelgate name=gate ! "), "{line}");
    assert!(line.ends_with("'chunk=\"reelmeta ! reelsink location=mixed-wav-%03d.wav\"'"), "{line}");
}

#[test]
fn participant_chains_have_all_their_nodes() {
    let line = launch("noise-suppression", 1);
    let chain = "! reelaudiodec ! audio/x-raw,format=S16LE,rate=16000,channels=1 \
                 ! webrtcdsp echo-cancel=false gain-control=false noise-suppression-level=high ! mix.sink_0 ";
    assert!(line.contains(chain), "{line}");
}

#[test]
fn nodes_with_several_pads_are_referred_to_by_name() {
    let line = render::launch(&plan("mixed-mp4.toml", MIXED_MP4), 1);
    let recording = concat!(
        "! mix.sink_0 videotestsrc num-buffers=80 ! video/x-raw,format=I420,width=640,height=360,framerate=16/1 ",
        "! reelvideodec ! grid.sink_0 reelmixer name=mix ! gate.sink_0 reelgrid name=grid ! gate.sink_1 ",
        "reelgate name=gate gate.src_0 ! split.sink_0 gate.src_1 ! split.sink_1 reelsplit name=split ",
    );
    let chunk = concat!(
        "'chunk=\"reelmeta name=meta meta.src_0 ! audioconvert ! avenc_aac ! mux.audio ",
        "meta.src_1 ! x264enc tune=zerolatency bitrate=1000 ! mux.video ",
        "reelmp4mux name=mux ! reelsink location=mixed-mp4-%03d.mp4\"'",
    );
    assert!(line.contains(recording), "{line}");
    assert!(line.ends_with(chunk), "{line}");
}

#[test]
fn names_that_are_no_shell_words_are_quoted_through_both_readers() {
    let text = shipped("mixed-wav").unwrap().text;
    let line = render::launch(&plan("my $(rm) \"it's\".toml", text), 0);
    let chunk = r#"'chunk="reelmeta ! reelsink location=\"my $(rm) \\\"it'\''s\\\"-%03d.wav\""'"#;
    assert!(line.ends_with(chunk), "{line}");
}

/// Asks Graphviz for the nodes and edges it sees.
#[track_caller]
fn graphviz(dot: &str) -> (usize, usize) {
    let dot_program = Command::new("dot").arg("-Tplain").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = dot_program.expect("this test needs Graphviz (Debian package graphviz)");
    child.stdin.take().expect("stdin is piped").write_all(dot.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "dot refused:\n{dot}");
    let plain = String::from_utf8(output.stdout).unwrap();
    let count = |word: &str| plain.lines().filter(|line| line.starts_with(word)).count();
    (count("node "), count("edge "))
}

#[test]
fn graphviz_sees_every_copy_of_every_node() {
    for graph in SHIPPED {
        let plan = plan(graph.name, graph.text);
        let participant = plan.scope_nodes(crate::graph::Scope::Participant).count();
        let rest = plan.nodes.len() - participant;
        // Each participant has a door and its nodes in a chain; the timeline is one more door of the recording.
        let nodes = 3 * (1 + participant) + rest + 1;
        let edges = 3 * (participant + 1) + rest;
        assert_eq!(graphviz(&render::dot(&plan, 3)), (nodes, edges), "{}", graph.name);
    }
}

#[test]
fn a_picture_labels_edges_by_their_pads() {
    let dot = render::dot(&plan("mixed-mp4.toml", MIXED_MP4), 2);
    for line in [
        r#""participant 1/voice" -> "recording/mix" [label="src → sink_1"];"#,
        r#""recording/@timeline" -> "recording/grid" [label="timeline"];"#,
        r#""recording/split" -> "chunk/meta" [label="src_1 → sink_1"];"#,
    ] {
        assert!(dot.contains(line), "{dot}");
    }
    assert!(graphviz(&dot).0 > 10);
    let odd = render::dot(&plan("a \"b\\.toml", MIXED_MP4), 1);
    assert!(graphviz(&odd).0 > 10);
}
