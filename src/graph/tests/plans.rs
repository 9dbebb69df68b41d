//! What good graphs are resolved to.

use std::time::Duration;

use crate::graph::check;
use crate::graph::plan::Limits;
use crate::graph::plan::Link;
use crate::graph::plan::Naming;
use crate::graph::plan::Plan;
use crate::graph::plan::SinkPad;
use crate::graph::plan::Source;
use crate::graph::plan::SrcPad;
use crate::graph::plan::Value;
use crate::graph::shipped::SHIPPED;
use crate::graph::shipped::shipped;
use crate::graph::spec::Scope;
use crate::graph::tests::catalogue::Catalogue;
use crate::model::Bytes;
use crate::model::ChannelType;
use crate::model::Content;
use crate::model::Format;

/// A recording with pictures: the language's widest use.
pub(super) const MIXED_MP4: &str = r#"
graph = { content = "audio-video", channel = "mixed", format = "mp4" }

[participant]
voice = { element = "reelaudiodec", inputs = ["@audio"], caps = "audio/x-raw,rate=16000" }
picture = { element = "reelvideodec", inputs = ["@video"] }

[recording]
mix = { element = "reelmixer", inputs = { "sink_%u" = "voice", timeline = "@timeline" } }
grid = { element = "reelgrid", inputs = { "sink_%u" = "picture", timeline = "@timeline" } }
gate = { element = "reelgate", inputs = { sink_0 = "mix", sink_1 = "grid" } }
split = { element = "reelsplit", inputs = { sink_0 = "gate.src_0", sink_1 = "gate.src_1" } }

[chunk]
meta = { element = "reelmeta", inputs = { sink_0 = "split.src_0", sink_1 = "split.src_1" } }
float = { element = "audioconvert", inputs = ["meta.src_0"] }
aac = { element = "avenc_aac", inputs = ["float"] }
h264 = { element = "x264enc", inputs = ["meta.src_1"], properties = { tune = "zerolatency", bitrate = 1000 } }
mux = { element = "reelmp4mux", inputs = { audio = "aac", video = "h264" } }
file = { element = "reelsink", inputs = ["mux"] }
"#;

#[track_caller]
pub(super) fn plan(file: &str, text: &str) -> Plan {
    check(file, text, &Catalogue::new()).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    })
}

/// A graph with these nodes between participants and splitter, and a plain rest.
fn with_recording(nodes: &str) -> String {
    let header = "graph = { content = \"audio\", channel = \"mixed\", format = \"wav\" }\n";
    let decode = "participant.decode = { element = \"reelaudiodec\", inputs = [\"@audio\"] }\n";
    let file = "chunk.file = { element = \"reelsink\", inputs = [\"split\"] }\n";
    format!("{header}{decode}{nodes}\n{file}")
}

fn requested(template: &str, name: &str, naming: Naming) -> SinkPad {
    SinkPad::Request { template: template.to_owned(), name: name.to_owned(), naming }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.nodes.iter().map(|node| node.name.as_str()).collect()
}

#[track_caller]
fn links<'p>(plan: &'p Plan, name: &str) -> &'p [Link] {
    &plan.nodes.iter().find(|node| node.name == name).expect("the plan has the node").links
}

/// A link's ends in short: where from, which src pad, which sink pad.
fn ends(plan: &Plan, link: &Link) -> String {
    let from = match &link.from {
        Source::Audio => "@audio".to_owned(),
        Source::Video => "@video".to_owned(),
        Source::Timeline => "@timeline".to_owned(),
        Source::Node { id, pad } => format!("{}.{}", plan.node(*id).name, pad.name()),
        Source::Chunk { index } => format!("chunk {index}"),
    };
    format!("{from} > {}", link.to.name())
}

#[track_caller]
fn assert_links(plan: &Plan, name: &str, expected: &[&str]) {
    let found: Vec<String> = links(plan, name).iter().map(|link| ends(plan, link)).collect();
    assert_eq!(found, expected, "inputs of {name}");
}

#[test]
fn mixed_mp3_is_planned_to_the_last_pad() {
    let plan = plan("pipelines/mixed-mp3.toml", shipped("mixed-mp3").unwrap().text);
    assert_eq!(plan.name, "mixed-mp3");
    assert_eq!(plan.media.content(), Content::Audio);
    assert_eq!(plan.media.channel(), ChannelType::Mixed);
    assert_eq!(plan.media.format(), Format::MP3);
    let limits = Limits { max_duration: Some(Duration::from_secs(4 * 3600)), max_size: Some(Bytes::new(7 << 29)) };
    assert_eq!(plan.limits, limits);
    assert_eq!(names(&plan), ["decode", "mix", "gate", "split", "meta", "encode", "file"]);
    assert_eq!(plan.splitter().name, "split");
    let scope_names = |scope| plan.scope_nodes(scope).map(|node| node.name.as_str()).collect::<Vec<_>>();
    assert_eq!(scope_names(Scope::Participant), ["decode"]);
    assert_eq!(scope_names(Scope::Recording), ["mix", "gate", "split"]);
    assert_eq!(scope_names(Scope::Chunk), ["meta", "encode", "file"]);
    assert_eq!(plan.nodes[0].caps.as_deref(), Some("audio/x-raw,format=S16LE,rate=16000,channels=1"));
    let value = |text: &str| Value::Nick(text.to_owned());
    let properties = [
        ("target".to_owned(), value("bitrate")),
        ("bitrate".to_owned(), Value::Int(48)),
        ("cbr".to_owned(), Value::Bool(true)),
        ("encoding-engine-quality".to_owned(), value("fast")),
    ];
    assert_eq!(plan.nodes[5].properties, properties);

    let decode = Source::Node { id: plan.nodes[0].id, pad: SrcPad::Always { name: "src".to_owned() } };
    let mix = [
        Link { from: decode, to: SinkPad::PerParticipant { template: "sink_%u".to_owned() } },
        Link { from: Source::Timeline, to: requested("timeline", "timeline", Naming::Counted) },
    ];
    assert_eq!(links(&plan, "mix"), mix);
    let gate = SrcPad::Sometimes { template: "src_%u".to_owned(), name: "src_0".to_owned() };
    let split = [Link {
        from: Source::Node { id: plan.nodes[2].id, pad: gate },
        to: requested("sink_%u", "sink_0", Naming::Counted),
    }];
    assert_eq!(links(&plan, "split"), split);
    assert_links(&plan, "decode", &["@audio > sink"]);
    assert_links(&plan, "meta", &["chunk 0 > sink_0"]);
    assert_links(&plan, "encode", &["meta.src_0 > sink"]);
    assert_links(&plan, "file", &["encode.src > sink"]);
}

#[test]
fn video_and_audio_pass_gate_splitter_and_meta_side_by_side() {
    let plan = plan("mixed-mp4.toml", MIXED_MP4);
    assert_eq!(plan.media.content(), Content::AudioVideo);
    assert_eq!(plan.limits, Limits::default());
    assert_links(&plan, "grid", &["picture.src > sink_%u", "@timeline > timeline"]);
    assert_links(&plan, "gate", &["mix.src > sink_0", "grid.src > sink_1"]);
    assert_links(&plan, "split", &["gate.src_0 > sink_0", "gate.src_1 > sink_1"]);
    assert_links(&plan, "meta", &["chunk 0 > sink_0", "chunk 1 > sink_1"]);
    assert_links(&plan, "mux", &["aac.src > audio", "h264.src > video"]);
}

#[test]
fn shipped_graphs_are_named_and_media_are_as_their_file_says() {
    for graph in SHIPPED {
        let plan = plan(&format!("{}.toml", graph.name), graph.text);
        assert_eq!(plan.name, graph.name);
        assert!(graph.text.starts_with("# "), "{} explains itself first", graph.name);
        assert!(plan.limits.max_duration.is_some() && plan.limits.max_size.is_some(), "{} has limits", graph.name);
        if ["mixed-mp3", "mixed-wav", "unmixed-wav"].contains(&graph.name) {
            assert_eq!(plan.media.to_string(), graph.name);
        }
    }
    assert_eq!(shipped("mixed"), None);
}

#[test]
fn nodes_are_planned_in_stream_order_whatever_the_file_s_order() {
    let blocks: Vec<&str> = shipped("mixed-mp3").unwrap().text.split("\n\n").collect();
    let (head, tables) = blocks.split_at(2);
    let tables: Vec<&str> = tables.iter().rev().copied().collect();
    let text = [head, &tables].concat().join("\n\n");
    assert_eq!(names(&plan("reversed.toml", &text)), ["decode", "mix", "gate", "split", "meta", "encode", "file"]);
}

#[test]
fn tee_gives_a_pad_to_each_who_asks() {
    let text = with_recording(
        r#"
        recording.mix = { element = "reelmixer", inputs = { "sink_%u" = "decode", timeline = "@timeline" } }
        recording.tee = { element = "tee", inputs = ["mix"] }
        recording.a = { element = "fakesink", inputs = ["tee"] }
        recording.b = { element = "fakesink", inputs = ["tee.src_0"] }
        recording.gate = { element = "reelgate", inputs = ["tee"] }
        recording.split = { element = "reelsplit", inputs = ["gate"] }
        "#,
    );
    let plan = plan("tee.toml", &text);
    assert_links(&plan, "a", &["tee.src_1 > sink"]);
    assert_links(&plan, "b", &["tee.src_0 > sink"]);
    assert_links(&plan, "gate", &["tee.src_2 > sink_0"]);
    let requested = SrcPad::Request { template: "src_%u".to_owned(), name: "src_2".to_owned() };
    assert!(matches!(&links(&plan, "gate")[0].from, Source::Node { pad, .. } if *pad == requested));
}

#[test]
fn array_and_template_inputs_take_pads_in_file_order() {
    let text = with_recording(
        r#"
        recording.mix = { element = "reelmixer", inputs = { "sink_%u" = "decode", timeline = "@timeline" } }
        recording.gate = { element = "reelgate", inputs = ["mix"] }
        recording.tee = { element = "tee", inputs = ["gate"] }
        recording.both = { element = "audiomixer", inputs = ["tee", "tee"], properties = { latency = 1_000_000_000 } }
        recording.split = { element = "reelsplit", inputs = { sink_0 = "both", "sink_%u" = ["again"] } }
        recording.again = { element = "level", inputs = ["tee"] }
        "#,
    );
    let text = text.replace("inputs = [\"split\"]", "inputs = [\"split.src_0\"]")
        + "chunk.rest = { element = \"fakesink\", inputs = [\"split.src_1\"] }";
    let plan = plan("fans.toml", &text);
    assert_links(&plan, "both", &["tee.src_0 > sink_0", "tee.src_1 > sink_1"]);
    assert_links(&plan, "split", &["both.src > sink_0", "again.src > sink_1"]);
    let split: Vec<_> = links(&plan, "split").iter().map(|link| link.to.clone()).collect();
    let named = [("sink_0", Naming::Author), ("sink_1", Naming::Counted)];
    assert_eq!(split, named.map(|(name, naming)| requested("sink_%u", name, naming)));
    assert_links(&plan, "rest", &["chunk 1 > sink"]);
}

#[test]
fn gates_side_by_side_are_one_each() {
    let text = with_recording(
        r#"
        recording.mix = { element = "reelmixer", inputs = { "sink_%u" = "decode", timeline = "@timeline" } }
        recording.tee = { element = "tee", inputs = ["mix"] }
        recording.a = { element = "reelgate", inputs = ["tee"] }
        recording.b = { element = "reelgate", inputs = ["tee"] }
        recording.both = { element = "audiomixer", inputs = ["a", "b"], properties = { latency = 1_000_000_000 } }
        recording.split = { element = "reelsplit", inputs = ["both"] }
        "#,
    );
    let plan = plan("gates.toml", &text);
    assert_eq!(plan.gates().map(|gate| gate.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(plan.joins().map(|join| join.name.as_str()).collect::<Vec<_>>(), ["mix"]);
}

#[test]
fn an_aggregator_may_join_participants_when_it_does_not_wait_for_ever() {
    let text = |latency| {
        let mix = format!("element = \"audiomixer\", inputs = [\"decode\"], properties = {{ latency = {latency} }}");
        let split = "recording.split = { element = \"reelsplit\", inputs = [\"gate\"] }";
        let gate = "recording.gate = { element = \"reelgate\", inputs = [\"mix\"] }";
        with_recording(&format!("recording.mix = {{ {mix} }}\n{gate}\n{split}"))
    };
    assert_links(&plan("agg.toml", &text(1_000_000_000_u64)), "mix", &["decode.src > sink_%u"]);
    assert!(check("agg.toml", &text(999_999_999), &Catalogue::new()).is_err());
}

#[test]
fn participant_pads_are_numbered_as_the_participants() {
    let many = SinkPad::PerParticipant { template: "sink_%u".to_owned() };
    assert_eq!(many.name_for(7), "sink_7");
    assert_eq!(SinkPad::Always { name: "sink".to_owned() }.name_for(7), "sink");
}
