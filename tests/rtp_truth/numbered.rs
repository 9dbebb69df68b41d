//! Every packet that came in time is in the recording, once, in its place; and nothing that never came.

use crate::frames;
use crate::frames::Said;
use crate::support::call::Call;
use crate::support::call::DONE;
use crate::support::call::FAULTS;
use crate::support::captured::T0;
use crate::support::captured::capture;
use crate::support::captured::indices;
use crate::support::wav::Wav;
use serde_json::Value;

/// How far a recording is behind: who comes later than this after his time is not heard.
const HOLD_NS: i64 = 400_000_000;

/// Nobody knows the path's least delay exactly, and least of all at the begin.
const MARGIN_NS: i64 = 10_000_000;

/// Most that a frame may be beside its place, in milliseconds (DESIGN §10).
const OFF_MS: usize = 5;

#[track_caller]
fn check(minutes: usize, skew_ppm: i64, network: &str, off_max_ms: usize) {
    let captured = capture(&format!("--serial --duration {minutes}m --skew {skew_ppm}ppm {network}"));
    let zero_ns = captured.datagrams()[0].ns;
    let packets = captured.rtp(0);
    let first = captured.number("streams/0/firstSequence") as u16;
    let mut said: Vec<_> = indices(&packets, first)
        .into_iter()
        .zip(&packets)
        .map(|(n, packet)| {
            let sent_ns = T0 + (u128::from(n) * 20_000_000 * 1_000_000 / (1_000_000 + skew_ppm) as u128) as u64;
            let is_due = (packet.ns - sent_ns) as i64 <= HOLD_NS - MARGIN_NS;
            Said { number: n as u16, at_ns: sent_ns as i64 - zero_ns as i64, is_due }
        })
        .collect();
    said.sort_by_key(|said| said.at_ns);
    let name = format!("{skew_ppm:+} ppm {network}");
    let call = Call::new().with_file("caller", &captured.path);
    let out = call.path("out");
    // Of who came later than the hold a part may be lost, and that is told.
    let output = call.run(&[], "mixed-wav", &out);
    let json: Value = serde_json::from_str(&output.stdout).expect("one JSON document");
    let is_whole = json["lostSamples"] == 0;
    assert!(is_whole || !said.iter().all(|said| said.is_due), "{name}: {json}");
    let code = if is_whole { DONE } else { FAULTS };
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(code), ""), "{name}");
    let found = frames::check(&name, &Wav::read(&out.join("mixed-wav-000.wav")).samples, &said, off_max_ms);
    let n_due = said.iter().filter(|said| said.is_due).count();
    println!(
        "{name}: {} of {} arrived, {n_due} within the hold; all of these and {} others are in the file, \
         {:.2} ms off at most; {} samples lost; {}",
        said.len(),
        minutes * 3_000,
        found.n_others,
        found.off_ms,
        json["lostSamples"],
        json["participants"][0]["packets"]
    );
    assert_eq!(found.n_due, n_due);
}

#[test]
fn packets_that_came_are_there_once_and_in_place() {
    check(1, 0, "", OFF_MS);
    check(5, 0, "--loss 5% --jitter 30ms --reorder 1%", OFF_MS);
}

#[test]
fn packets_of_a_clock_of_their_own_are_there_once_and_in_place() {
    check(1, 300, "--loss 5% --jitter 30ms --reorder 1%", OFF_MS);
    check(1, -300, "--loss 5% --jitter 30ms --reorder 1%", OFF_MS);
}

/// Nobody knows the least delay of such paths: places waver by as much as the delays of a minute have in common.
#[test]
fn packets_of_a_bad_path_are_there_once() {
    check(2, 0, "--loss 10% --burst-loss 3 --jitter 100ms --reorder 2%", 10);
    // Nor do samples that are behind their packets' times by less than is corrected take another's place.
    for seed in 1..=3 {
        check(2, 0, &format!("--loss 10% --burst-loss 3 --jitter 100ms --reorder 2% --seed {seed}"), 60);
    }
    check(2, 0, "--loss 5% --jitter 200ms --reorder 1%", 60);
    check(2, 0, "--loss 20% --burst-loss 4 --jitter 200ms", 60);
}
