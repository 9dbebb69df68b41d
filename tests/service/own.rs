//! The service's own API: a call is offered by SDP, named, recorded by a rule and by a graph of one's own, and found.

use crate::story_of_calls;
use crate::support::judge;
use crate::support::server::Server;
use crate::support::signal::loudest_tone_db;
use crate::told;

/// FLAC, as whoever runs a service may want it.
const LOSSLESS: &str = r#"
graph = { content = "audio", channel = "mixed", format = "flac" }

[participant.decode]
element = "reelaudiodec"
inputs = ["@audio"]
caps = "audio/x-raw,format=S16LE,rate=16000,channels=1"

[recording.mix]
element = "reelmixer"
inputs = { "sink_%u" = "decode", timeline = "@timeline" }

[recording.gate]
element = "reelgate"
inputs = ["mix"]

[recording.split]
element = "reelsplit"
inputs = ["gate"]

[chunk.meta]
element = "reelmeta"
inputs = ["split"]

[chunk.encode]
element = "flacenc"
inputs = ["meta"]

[chunk.file]
element = "reelsink"
inputs = ["encode"]
"#;

#[test]
fn a_call_is_recorded_and_found_without_acs() {
    let graphs = tempfile::tempdir().expect("a directory");
    std::fs::write(graphs.path().join("lossless.toml"), LOSSLESS).expect("it can be written");
    std::fs::write(graphs.path().join("notes.txt"), "no graph").expect("it can be written");
    let settings = format!(
        "[recording]\ngraphs-dir = {:?}\n[calls]\nempty-timeout = \"1s\"\n[auto-record.sales]\n\
         resource = \"default\"\ncall-key = \"sales-*\"\ngraph = \"mixed-wav\"\ntags = [\"by-rule\"]\n",
        graphs.path()
    );
    let server = Server::start(&settings);
    let mut command = story_of_calls(&server, "own.py");
    command.arg("--out").arg(graphs.path());
    let files: Vec<(String, usize)> = serde_json::from_str(&told(&server, command)).expect("files are told");
    let [(flac, flac_ms), (wav, wav_ms)] = &files[..] else { panic!("{files:?}") };
    assert_eq!((flac.as_str(), wav.as_str()), ("flac", "wav"));
    // One was recorded until it was paused, the other until a second after everybody had left.
    assert!(*flac_ms > 300 && *wav_ms > *flac_ms + 1_000, "{files:?}");
    for (format, ms) in &files {
        let samples = judge::decoded(&graphs.path().join(format!("call.{format}")));
        assert!(samples.len().abs_diff(ms * 16) <= 16, "{format}: {} samples are told as {ms} ms", samples.len());
        // As loud as it was sent; 3 000 of 32 768 are -20.8 dBFS.
        let heard = loudest_tone_db(&samples, 440.0);
        assert!((heard + 20.8).abs() < 1.0, "{format}: {heard} dB");
    }
    server.signal("TERM");
    server.ended();
}
