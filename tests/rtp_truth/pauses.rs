//! Silence that is not sent: speech stays where it was said.

use crate::support::RATE;
use crate::support::signal;
use crate::support::sound::scaled;
use crate::support::sound::speech;
use crate::truth::Sent;
use crate::truth::zero_ns;

/// Bursts of speech, and the silence behind each.
const BURSTS: usize = 10;
const BURST: usize = 2 * RATE;
const SILENCES: [usize; 3] = [2 * RATE, RATE, 5 * RATE];

/// Most that speech may be beside its place.
const OFF: usize = RATE / 50;

/// How much of it must be what was said: the correlation's square is its share of the power. At 24 kbit/s Opus makes
/// speech that sounds so, not one that looks so.
const LIKENESS: [(&str, f64); 2] = [("opus", 0.6), ("pcmu", 0.97)];

/// Quieter than any speech, and what senders without DTX would have sent.
const QUIET_DB: f64 = -55.0;

/// Returns speech with silence between, and where each burst begins.
fn bursts() -> (Vec<i16>, Vec<usize>) {
    let (mut samples, mut begins) = (vec![0; RATE], Vec::new());
    for burst in 0..BURSTS {
        begins.push(samples.len());
        samples.extend(scaled(&speech(burst, BURST), 0.9));
        samples.resize(samples.len() + SILENCES[burst % SILENCES.len()], 0);
    }
    (samples, begins)
}

fn likeness(said: &[i16], heard: &[i16]) -> f64 {
    let sum = |a: &[i16], b: &[i16]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    sum(said, heard) / (sum(said, said) * sum(heard, heard)).sqrt()
}

#[track_caller]
fn check(codec: &str, skew_ppm: i32, network: &str) {
    let (said, begins) = bursts();
    let sent = Sent { codec, skew_ppm, network: &format!("--dtx {network}") };
    let captured = sent.capture(RATE, &said);
    let n_sent = captured.rtp(0).len();
    assert!(n_sent < said.len() * 3 / 4 / 320, "{codec}: {n_sent} packets are no DTX");
    let recording = sent.record(&captured);
    let (heard, zero_ns) = (recording.wav().samples, zero_ns(&captured));
    let name = format!("{codec} {skew_ppm:+} ppm {network}");
    let likeness_min = LIKENESS.iter().find(|(of, _)| *of == codec).expect("a codec of these").1;
    let (mut lags, mut least) = (Vec::new(), 1.0f64);
    for (burst, begin) in begins.iter().enumerate() {
        let spoken = &said[*begin..begin + BURST];
        let place = (sent.recorded_at(zero_ns, *begin as f64 / RATE as f64) * RATE as f64).round() as usize;
        // Half of it and a bit: where its clock is not ours, more would be smeared.
        let (spoken, reach) = (&spoken[RATE / 4..RATE * 5 / 4], 2 * OFF);
        let from = place + RATE / 4;
        let lag = signal::lag(spoken, &heard[from..from + RATE], reach);
        let at = from.saturating_add_signed(lag as isize);
        least = least.min(likeness(spoken, &heard[at..at + RATE]));
        lags.push(lag);
        // From half a second behind it on there is nothing, whatever was sent of silence.
        let silence = place + BURST + RATE / 2..place + BURST + SILENCES[burst % SILENCES.len()] - RATE / 10;
        if let Some(silence) = heard.get(silence) {
            let db = signal::rms_db(silence);
            assert!(db <= QUIET_DB, "{name}: {db} dBFS behind burst {burst}");
        }
    }
    println!("{name}: {n_sent} packets; bursts are {lags:?} samples late, {least:.3} like what was said");
    assert!(lags.iter().all(|lag| lag.unsigned_abs() as usize <= OFF), "{name}: {lags:?} samples late");
    assert!(least >= likeness_min, "{name}: {least}");
}

#[test]
fn speech_between_pauses_of_opus_is_where_it_was_said() {
    check("opus", 0, "");
    check("opus", 200, "--jitter 60ms");
}

#[test]
fn speech_between_comfort_noise_of_g711_is_where_it_was_said() {
    check("pcmu", 0, "");
    check("pcmu", -200, "--jitter 60ms");
}
