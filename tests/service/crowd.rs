//! Clients that are slow, or idle, and many.

use serde_json::Value;

use crate::machine;
use crate::story_of_calls;
use crate::support::serial;
use crate::support::serial::FRAME;
use crate::support::server::Server;
use crate::support::wav::Wav;
use crate::told;

/// Clients, half of them with TLS.
const CLIENTS: usize = 10_000;

/// Connections that the service has at most, of both kinds, and as many on their way to it or from it.
const DESCRIPTORS: u64 = 2 * 512 * 2;

/// Longest that somebody waits who asks for something meanwhile, on a machine that is busy with the others.
const LATENCY_S: f64 = 2.0;

/// What it may take more: no client of these has more than 48 KiB of it, also where a body comes byte by byte.
const MEGABYTES: f64 = 2.0 * 512.0 * 48.0 / 1024.0;

#[test]
fn a_crowd_of_slow_and_idle_clients_hurts_nobody() {
    let _machine = machine();
    let server = Server::start("");
    let out = server.path("recorded.wav");
    let mut command = story_of_calls(&server, "crowd.py");
    command.args(["--pid", &server.id().to_string(), "--count", &CLIENTS.to_string(), "--http", &server.http()]);
    command.arg("--out").arg(&out);
    let text = told(&server, command);
    let told: Value = serde_json::from_str(&text).expect("one JSON document");
    println!("{told}");
    let latencies: Vec<_> = told["latencies"].as_array().expect("an array").iter().filter_map(Value::as_f64).collect();
    assert!(latencies.len() == 40 && latencies.iter().all(|latency| *latency < LATENCY_S), "{latencies:?}");
    let more =
        |what: &str| told["after"][what].as_f64().expect("a number") - told["before"][what].as_f64().expect("a number");
    assert!(more("descriptors") <= DESCRIPTORS as f64 && more("megabytes") <= MEGABYTES, "{told}");
    // Whoever speaks first has the first channel; which of them is Ada's is heard.
    let wav = Wav::read(&out);
    let heard = (0..wav.channels).map(|channel| wav.channel(channel)).map(|samples| {
        let numbers: Vec<_> = serial::read(&samples).into_iter().filter_map(|frame| frame.number).collect();
        (samples.len(), numbers)
    });
    let (n_samples, numbers) = heard.max_by_key(|(_, numbers)| numbers.len()).expect("a channel");
    assert!(numbers.len() + 3 >= n_samples / FRAME, "{} frames in {n_samples} samples", numbers.len());
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    server.end(&[]);
}
