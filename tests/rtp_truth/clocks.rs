//! Clocks that are not ours: a recording follows them for an hour, and all channels are as long as the call.

use crate::support::call::Call;
use crate::support::chirp;
use crate::support::chirp::Heard;
use crate::support::chirp::mean_late_ms;
use crate::truth::Sent;
use crate::truth::range_ms;
use crate::truth::zero_ns;

/// A bad mobile network.
const BAD: &str = "--jitter 30ms --loss 5% --reorder 1%";

const HOUR: usize = 3_600;

/// Seconds over which lateness is averaged: the end, and the middle.
const AVERAGED: usize = 300;

/// Most that a recording may be off, in milliseconds (DESIGN §10), and by how much more in the last half of it.
const OFF_MS: f64 = 5.0;
const GROWTH_MS: f64 = 0.1;

/// While a clock is being learned (a difference of 300 ppm is believed from 10 s on and followed by 30 s) its samples
/// may be off by this, and by no more than this from [`LEARNED`] seconds on.
const LEARNING_MS: f64 = 6.0;
const LEARNED_MS: f64 = 1.5;
const LEARNED: usize = 60;

/// Chirps that are like what was said. A lost packet's is not. Half a sample beside the middle costs 0.06.
const LIKENESS: f64 = 0.9;

#[track_caller]
fn check_range(name: &str, heard: &[Heard]) {
    let n_learning = heard.iter().filter(|heard| heard.number < LEARNED).count();
    for (heard, most) in [(&heard[..n_learning], LEARNING_MS), (&heard[n_learning..], LEARNED_MS)] {
        let (earliest, latest) = range_ms(heard);
        assert!(earliest >= -most && latest <= most, "{name}: {earliest} to {latest} ms late");
    }
}

#[track_caller]
fn check_hour(skew_ppm: i32) {
    let sent = Sent { codec: "pcmu", skew_ppm, network: BAD };
    let captured = sent.capture(8_000, &chirp::pattern(8_000, HOUR));
    let recording = sent.record(&captured);
    let heard = sent.chirps(&recording.wav().samples, HOUR, zero_ns(&captured), LIKENESS);
    assert!(heard.len() > HOUR * 90 / 100, "{} of {HOUR} chirps were heard", heard.len());
    let (earliest, latest) = range_ms(&heard);
    let middle = mean_late_ms(&heard, (HOUR - AVERAGED) / 2..(HOUR + AVERAGED) / 2);
    let end = mean_late_ms(&heard, HOUR - AVERAGED..HOUR);
    let (first, last) = range_ms(&heard[heard.partition_point(|heard| heard.number < LEARNED)..]);
    println!(
        "an hour at {skew_ppm:+} ppm: {} chirps, {earliest:.3} to {latest:.3} ms late, from {LEARNED} s on {first:.3} \
         to {last:.3}; middle {middle:.3} ms, end {end:.3} ms, growth {:.3} ms",
        heard.len(),
        end - middle
    );
    check_range(&format!("{skew_ppm:+} ppm"), &heard);
    assert!((end - middle).abs() <= GROWTH_MS, "{} ms of growth", end - middle);
    assert_eq!(recording.json["participants"][0]["packets"]["late"], 0);
}

#[test]
fn an_hour_of_a_fast_clock_ends_where_it_ended() {
    check_hour(300);
}

#[test]
fn an_hour_of_a_slow_clock_ends_where_it_ended() {
    check_hour(-300);
}

/// One is fast and the other is slow: after ten minutes they have come apart by 360 ms, and stand in their places.
#[test]
fn channels_of_two_clocks_are_as_long_as_the_call() {
    let seconds = 600;
    let said = chirp::pattern(8_000, seconds);
    let parties = [("fast", 300), ("slow", -300)]
        .map(|(name, skew_ppm)| (name, Sent { codec: "pcmu", skew_ppm, network: "--jitter 30ms" }));
    let captured = parties.map(|(_, sent)| sent.capture(8_000, &said));
    let call = parties
        .iter()
        .zip(&captured)
        .fold(Call::new(), |call, ((name, sent), captured)| sent.participant(call, name, captured));
    let recording = call.args("--pin fast=0 --pin slow=1").record("unmixed-wav");
    let (wav, zero_ns) = (recording.wav(), captured.iter().map(zero_ns).min().expect("two"));
    assert_eq!(wav.channels, 2);
    // The slow one speaks longest.
    let length = parties[1].1.recorded_at(zero_ns, seconds as f64);
    let told = recording.json["durationSeconds"].as_f64().expect("a time");
    assert_eq!(wav.frames(), (told * 16_000.0).round() as usize, "samples of {told} s");
    assert!((told - length).abs() <= OFF_MS / 1e3, "{told} s of {length} s");
    for (channel, (name, sent)) in parties.iter().enumerate() {
        let heard = sent.chirps(&wav.channel(channel), seconds, zero_ns, LIKENESS);
        let missing: Vec<_> = (0..seconds).filter(|n| heard.iter().all(|heard| heard.number != *n)).collect();
        assert_eq!(missing, [0; 0], "{name}: all chirps are there, the last one too");
        let (earliest, latest) = range_ms(&heard);
        println!("{name}: {earliest:.3} to {latest:.3} ms late; {told:.6} s recorded of {length:.6} s");
        check_range(name, &heard);
    }
}
