//! Live over loopback: what was said at the same time stands at the same time, and where the clock has it.

use std::path::Path;

use serde_json::Value;

use crate::support::chirp;
use crate::support::metadata;
use crate::support::ports;
use crate::support::program;
use crate::support::program::Program;
use crate::support::wav;
use crate::support::wav::Wav;
use crate::truth::range_ms;

const SECONDS: usize = 7;

/// Most that a live recording may be off, and its channels beside one another, in milliseconds (DESIGN §10).
const OFF_MS: f64 = 5.0;

/// Who calls: codec, rate of what is said, least likeness of a chirp.
type Party = (&'static str, usize, f64);

fn send(dir: &Path, (codec, rate, ..): Party, port: u16) -> Program {
    let path = dir.join(format!("{codec}.wav"));
    wav::write(&path, rate as u32, 1, &chirp::pattern(rate, SECONDS));
    let to = format!("rtp://127.0.0.1:{port}");
    let mut command = program::command(["send", "--json", "--codec", codec, "--start", "200ms", "--to", &to]);
    Program::start(command.arg(&path))
}

#[track_caller]
fn document(program: Program) -> Value {
    serde_json::from_str(&program.finish().check_code(0).stdout).expect("one JSON document")
}

#[track_caller]
fn check(parties: [Party; 2]) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (out, ports) = (dir.path().join("out"), parties.map(|_| ports::pair()));
    let mut command = program::command(["record", "unmixed-wav", "--json", "--out"]);
    command.arg(&out);
    for (channel, ((codec, ..), port)) in parties.iter().zip(ports).enumerate() {
        let (source, pin) = (format!("{codec}=rtp://127.0.0.1:{port}?codec={codec}"), format!("{codec}={channel}"));
        command.args(["--participant", &source, "--pin", &pin]);
    }
    let mut recorder = Program::start(&mut command);
    let zero_ns = || metadata::monotonic_zero_ns(&out.join(".reelgraph-unmixed-wav"));
    assert!(recorder.wait_until(|| zero_ns().is_some()), "{:?}", recorder.finish());
    let zero_ns = zero_ns().expect("it was there");
    let senders = [0, 1].map(|index| send(dir.path(), parties[index], ports[index]));
    let sent = senders.map(document);
    let recorded = document(recorder);
    assert_eq!((&recorded["endReason"], &recorded["lostSamples"]), (&"media-ended".into(), &0.into()));
    let wav = Wav::read(Path::new(recorded["chunks"][0]["file"].as_str().expect("a path")));
    assert_eq!(wav.channels, 2);

    let mut off = Vec::new();
    for (channel, (codec, _, likeness_min)) in parties.into_iter().enumerate() {
        let t0_ns = sent[channel]["t0MonotonicNs"].as_u64().expect("a time");
        let begin = (t0_ns as f64 - zero_ns as f64) / 1e9 + 0.2;
        let heard = chirp::find(&wav.channel(channel), SECONDS, likeness_min, |number| begin + chirp::middle(number));
        let (earliest, latest) = range_ms(&heard);
        println!(
            "{codec}: {} chirps, {earliest:.3} to {latest:.3} ms late; sent {} s late at worst; {}",
            heard.len(),
            sent[channel]["worstLatenessSeconds"],
            recorded["participants"][channel]["packets"]
        );
        assert_eq!(heard.len(), SECONDS, "{codec}: all chirps are there");
        assert!(earliest >= -OFF_MS && latest <= OFF_MS, "{codec}: {earliest} to {latest} ms late");
        off.push(heard);
    }
    let apart = off[0].iter().zip(&off[1]).map(|(one, other)| (one.late_ms - other.late_ms).abs());
    let apart = apart.fold(0.0, f64::max);
    println!("channels are {apart:.3} ms apart at most; ticks: {}", recorded["ticks"]);
    assert!(apart <= OFF_MS, "{apart} ms apart");
}

#[test]
fn what_is_said_live_stands_where_the_clock_has_it() {
    check([("opus", 16_000, 0.6), ("pcmu", 8_000, 0.9)]);
    check([("g722", 16_000, 0.9), ("l16", 16_000, 0.9)]);
}
