//! Graphs of other shapes than the shipped ones: several mixers, none of ours, elements in between.

use crate::support::RATE;
use crate::support::call::{Call, Recording};
use crate::support::judge;
use crate::support::signal::assert_same;
use crate::support::sound;

/// A graph of 16 kHz mono WAV with these nodes between participants and the gate, which takes `mix`.
fn graph(between: &str) -> String {
    format!(
        r#"
        graph = {{ content = "audio", channel = "mixed", format = "wav" }}
        participant.decode.element = "reelaudiodec"
        participant.decode.inputs = ["@audio"]
        {between}
        recording.gate = {{ element = "reelgate", inputs = ["mix"] }}
        recording.split = {{ element = "reelsplit", inputs = ["gate"] }}
        chunk.meta = {{ element = "reelmeta", inputs = ["split"] }}
        chunk.file = {{ element = "reelsink", inputs = ["meta"] }}
        "#
    )
}

#[track_caller]
fn record(call: &Call, text: &str) -> Recording {
    let path = call.path("shape.toml");
    std::fs::write(&path, text).expect("a file can be written");
    call.record(path.to_str().expect("a path of text"))
}

/// Two people of whom one comes later; the mix never gets loud.
fn call() -> Call {
    let call = Call::new().with("anna", &sound::scaled(&sound::speech(0, 3 * RATE + 123), 0.3));
    call.with("bert", &sound::scaled(&sound::speech(1, 2 * RATE), 0.3)).args("--join bert=1.0003s --pause 500ms-700ms")
}

/// Once every second mixer took the door's only timeline pad, and the recording did not begin.
#[test]
fn two_mixers_are_both_told_how_far_the_recording_is() {
    let between = r#"
        participant.decode.caps = "audio/x-raw,rate=16000"
        recording.some = { element = "reelmixer", inputs = { "sink_%u" = "decode", timeline = "@timeline" } }
        recording.mix = { element = "reelmixer", inputs = { sink_0 = "some", timeline = "@timeline" } }"#;
    for course in ["", "--chunk-duration 900ms"] {
        let call = call().args(course);
        let (shipped, heard) = (call.record("mixed-wav"), record(&call, &graph(between)));
        assert_eq!(heard.wavs().len(), shipped.wavs().len(), "{course}");
        for (shipped, heard) in shipped.wavs().iter().zip(heard.wavs()) {
            assert_same(course, &shipped.samples, &heard.samples);
        }
    }
}

/// Once the first tick failed: nobody took what the door says of time.
#[test]
fn a_stock_mixer_needs_no_timeline() {
    let between = r#"
        participant.decode.caps = "audio/x-raw,rate=16000"
        recording.add = { element = "audiomixer", inputs = ["decode"], properties = { latency = 1_000_000_000 } }
        recording.mix = { element = "audioconvert", inputs = ["add"], caps = "audio/x-raw,format=S16LE,channels=1" }"#;
    let call = Call::new().with("anna", &sound::scaled(&sound::speech(0, 3 * RATE), 0.3));
    let call = call.with("bert", &sound::scaled(&sound::speech(1, 3 * RATE), 0.3));
    let (shipped, heard) = (call.record("mixed-wav"), record(&call, &graph(between)));
    assert_same("audiomixer", &shipped.wav().samples, &heard.wav().samples);
}

/// Whoever joins later is heard, at any rate, whatever stands between decoder and mixer; and the property `rate` of an
/// element that means something else by it (scaletempo's is a factor) is left alone.
#[test]
fn a_rate_holds_through_nodes_without_caps() {
    let said = sound::scaled(&sound::speech(0, 3 * RATE), 0.3);
    let call = Call::new().with("anna", &said).args("--join anna=1s");
    for (caps, rate) in [("participant.decode.caps = \"audio/x-raw,rate=48000\"", 3 * RATE), ("", RATE)] {
        let between = format!(
            r#"{caps}
            participant.volume = {{ element = "volume", inputs = ["decode"] }}
            participant.pass = {{ element = "identity", inputs = ["volume"] }}
            recording.sum = {{ element = "reelmixer", inputs = {{ "sink_%u" = "pass", timeline = "@timeline" }} }}
            recording.mix = {{ element = "scaletempo", inputs = ["sum"], caps = "audio/x-raw,format=S16LE" }}"#
        );
        let wav = record(&call, &graph(&between)).wav();
        assert_eq!((wav.rate as usize, wav.samples.len()), (rate, 4 * rate), "{caps}");
        assert!(wav.samples[..rate].iter().all(|sample| *sample == 0), "{caps}");
        let loud = |samples: &[i16]| samples.iter().filter(|sample| sample.unsigned_abs() > 300).count();
        let (said, heard) = (loud(&said) * rate / RATE, loud(&wav.samples));
        assert!(heard.abs_diff(said) < said / 20, "{caps}: {heard} loud samples of {said}");
    }
}

/// Once the delay of a decoder was forgotten by the elements behind it, and a mixer lost samples at every tick.
#[test]
fn a_decoder_s_delay_is_known_through_others_elements() {
    let between = r#"participant.decode.caps = "audio/x-raw,rate=16000"
        participant.volume = { element = "volume", inputs = ["decode"] }
        participant.pass = { element = "identity", inputs = ["volume"] }
        recording.mix = { element = "reelmixer", inputs = { "sink_%u" = "pass", timeline = "@timeline" } }"#;
    let said = sound::scaled(&sound::speech(0, 3 * RATE), 0.3);
    for options in ["-ar 8000 -c:a pcm_mulaw", "-ar 8000", "-ar 44100", "-ar 48000"] {
        let call = Call::new().codec("wav", options).with("anna", &said);
        let (shipped, heard) = (call.record("mixed-wav"), record(&call, &graph(between)));
        assert_same(options, &shipped.wav().samples, &heard.wav().samples);
    }
}

/// Names of nodes and of what the engine puts beside them do not meet.
#[test]
fn a_node_may_be_named_as_an_element() {
    let between = r#"
        participant.decode.caps = "audio/x-raw,rate=16000"
        recording.reelsrc = { element = "reelmixer", inputs = { "sink_%u" = "decode", timeline = "@timeline" } }
        recording.mix = { element = "identity", inputs = ["reelsrc"] }"#;
    let call = call();
    let (shipped, heard) = (call.record("mixed-wav"), record(&call, &graph(between)));
    assert_same("reelsrc", &shipped.wav().samples, &heard.wav().samples);
}

/// Once the recording hung in a second request for a pad: `mpegtsmux` wants PIDs in the names of its pads, and did not
/// come back from saying no.
#[test]
fn a_muxer_names_its_pads_as_it_likes() {
    let text = graph(
        r#"participant.decode.caps = "audio/x-raw,rate=16000"
        recording.mix = { element = "reelmixer", inputs = { "sink_%u" = "decode", timeline = "@timeline" } }"#,
    );
    let muxed = r#"chunk.encode = { element = "lamemp3enc", inputs = ["meta"] }
        chunk.parse = { element = "mpegaudioparse", inputs = ["encode"] }
        chunk.mux = { element = "mpegtsmux", inputs = ["parse"] }
        chunk.file = { element = "reelsink", inputs = ["mux"] }"#;
    let text = text.replace(r#"chunk.file = { element = "reelsink", inputs = ["meta"] }"#, muxed);
    let recording = record(&call(), &text.replace("\"wav\"", "\"ts\""));
    let said = recording.samples(0);
    let heard = judge::decoded(&recording.file()).len();
    // Frames of 576 samples, of which a transport stream cannot say what is padding, and two of delay.
    assert!((said..=said + 3 * 576).contains(&heard), "{heard} samples of {said}");
}
