//! The service's own API: a call is offered by SDP, named, recorded by a rule and by a graph of one's own, and found.

use crate::story_of_calls;
use crate::support::judge;
use crate::support::server::Server;
use crate::support::signal::loudest_tone_db;
use crate::told;

/// Returns a graph of whoever runs the service: the shipped one for WAV, with an encoder.
fn lossless() -> String {
    let wav = include_str!("../../pipelines/mixed-wav.toml").replace(r#"format = "wav""#, r#"format = "flac""#);
    let encode = "[chunk.encode]\nelement = \"flacenc\"\ninputs = [\"meta\"]\n\n[chunk.file]";
    let (before, file) = wav.split_once("[chunk.file]").expect("the shipped graph has a file");
    format!("{before}{encode}{}", file.replace(r#"["meta"]"#, r#"["encode"]"#))
}

#[test]
fn a_call_is_recorded_and_found_without_acs() {
    let graphs = tempfile::tempdir().expect("a directory");
    std::fs::write(graphs.path().join("lossless.toml"), lossless()).expect("it can be written");
    std::fs::write(graphs.path().join("notes.txt"), "no graph").expect("it can be written");
    let settings = format!(
        "[recording]\ngraphs-dir = {:?}\n[calls]\nempty-timeout = \"1s\"\n[auto-record.sales]\n\
         resource = \"default\"\ncall-key = \"sales-*\"\ngraph = \"mixed-wav\"\ntags = [\"by-rule\"]\n",
        graphs.path()
    );
    let server = Server::start(&settings);
    let mut command = story_of_calls(&server, "own.py");
    command.arg("--out").arg(graphs.path());
    // Format, how long it is told to be, and between what it was asked to be, in ms.
    let files: Vec<(String, usize, f64, f64)> = serde_json::from_str(&told(&server, command)).expect("files are told");
    assert_eq!(files.iter().map(|file| file.0.as_str()).collect::<Vec<_>>(), ["flac", "wav"]);
    for (format, ms, least, most) in &files {
        // Times are rounded to the millisecond, and so is the duration.
        assert!((*least - 1.0..=*most + 1.0).contains(&(*ms as f64)), "{format}: {ms} ms, not {least} to {most}");
    }
    for (format, ms, ..) in &files {
        let samples = judge::decoded(&graphs.path().join(format!("call.{format}")));
        assert!(samples.len().abs_diff(ms * 16) <= 16, "{format}: {} samples are told as {ms} ms", samples.len());
        // As loud as it was sent; 3 000 of 32 768 are -20.8 dBFS.
        let heard = loudest_tone_db(&samples, 440.0);
        assert!((heard + 20.8).abs() < 1.0, "{format}: {heard} dB");
    }
    server.signal("TERM");
    server.ended();
}
