//! Who took part stands in the metadata, and in no line of any log.

use crate::support::RATE;
use crate::support::call::Call;
use crate::support::sound;

#[test]
fn participants_are_named_in_no_log_line_at_any_level() {
    let names = ["8:acs:zaphod_beeblebrox", "+4915112345678", "Zoë Müller"];
    for graph in ["unmixed-wav", "mixed-mp3"] {
        let mut call = Call::new().env("REELGRAPH_LOG", "trace").env("GST_DEBUG", "*:6,reel*:9");
        for (seed, name) in names.iter().enumerate() {
            call = call.with(name, &sound::noise(seed as u64, RATE, 8_000));
        }
        let call = call.args("--join +4915112345678=200ms --leave +4915112345678=600ms --pause 300ms-500ms");
        let pin = if graph == "unmixed-wav" { "--pin 8:acs:zaphod_beeblebrox=1" } else { "" };
        let call = call.args(pin).args("--chunk-duration 300ms");
        let recording = call.record_with_log(graph);
        let log = &recording.log;
        assert!(log.lines().count() > 1_000 && log.contains("reelgate") && log.contains("TRACE"), "{graph}: no log");
        for name in names {
            let told = recording.json["participants"].as_array().expect("a list").iter().any(|row| row["name"] == name);
            assert!(told, "{graph}: {name} is in the call");
            // Neither as it is nor in parts, nor with what is not ASCII escaped.
            for part in [name, "zaphod", "4915112345678", "Zo\\u", "Müller", "M\\u"] {
                let line = log.lines().find(|line| line.contains(part));
                assert_eq!(line, None, "{graph}: {part} in a log line");
            }
        }
    }
}
