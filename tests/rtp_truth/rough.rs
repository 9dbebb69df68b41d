//! Paths as rough as a recording can bear: packets that are late by nearly the hold, many at once, after each silence.
//!
//! Nobody knows the least delay of such a path when a call begins, so that its first words may be late by a part of the
//! jitter. From then on no voice is later than they were: a burst of late packets is not a sender whose time has stood
//! still, and what was said in a pause is not heard behind it.

use crate::support::RATE;
use crate::support::signal;
use crate::support::sound::tone;
use crate::truth::Sent;
use crate::truth::zero_ns;

/// A word is said at each full second; of every fifth nobody may hear.
const SECONDS: usize = 18;
const WORD: usize = 3 * RATE / 10;
const WORD_HZ: f64 = 1_000.0;
const SECRET_HZ: f64 = 1_730.0;
const PAUSES: &str = "--pause 4.98s-5.55s --pause 9.98s-10.55s --pause 14.98s-15.55s --pause-mode silence";

/// Most that the first words of these paths may be late: the middle of the jitter.
const FIRST_OFF: f64 = 205.0;

/// Louder is a word, and nothing else is.
const LOUD: u16 = 2_000;

/// What begins and ends of words have of that tone, or an encoder makes of them, is quieter. A secret has -12 dBFS.
const SECRET_DB: f64 = -45.0;

fn is_secret(second: usize) -> bool {
    second.is_multiple_of(5) && second > 0
}

fn said() -> Vec<i16> {
    let word = |second| tone(if is_secret(second) { SECRET_HZ } else { WORD_HZ }, RATE, WORD, 12_000.0);
    (0..SECONDS).flat_map(|second| [word(second), vec![0; RATE - WORD]].concat()).collect()
}

/// Returns where something is said after at least a fifth of a second of silence.
fn onsets(samples: &[i16]) -> Vec<usize> {
    let loud = samples.iter().enumerate().filter(|(_, sample)| sample.unsigned_abs() > LOUD).map(|(at, _)| at);
    let mut last = None;
    let is_onset = |at: &usize| last.replace(*at).is_none_or(|last| at - last > RATE / 5);
    loud.filter(is_onset).collect()
}

#[track_caller]
fn check(codec: &str, network: &str) {
    let sent = Sent { codec, skew_ppm: 0, network };
    let captured = sent.capture(RATE, &said());
    let call = sent.participant(crate::support::call::Call::new().args(PAUSES), "caller", &captured);
    let recording = call.record("mixed-wav");
    let (heard, zero_ns) = (recording.wav().samples, zero_ns(&captured));
    let packets = &recording.json["participants"][0]["packets"];
    let name = format!("{codec} {network}");
    let words = (0..SECONDS).filter(|second| !is_secret(*second));
    let late_ms =
        |(second, at): (usize, usize)| at as f64 / RATE as f64 * 1e3 - sent.recorded_at(zero_ns, second as f64) * 1e3;
    let onsets = onsets(&heard);
    assert_eq!(onsets.len(), words.clone().count(), "{name}: {onsets:?}");
    let late: Vec<_> = words.zip(onsets).map(late_ms).collect();
    let latest = late.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let secret_db = signal::loudest_tone_db(&heard, SECRET_HZ);
    println!("{name}: words are {late:.1?} ms late, a secret is {secret_db:.0} dBFS; {packets}");
    assert!(late.iter().all(|late| *late > -5.0) && late[0] < FIRST_OFF, "{name}: {late:.1?}");
    assert!(latest < late[0] + 1.0, "{name}: {late:.1?}");
    assert!(secret_db < SECRET_DB, "{name}: {secret_db}");
    assert_eq!((&packets["streams"], &packets["lost"]), (&1.into(), &0.into()), "{name}: {packets}");
}

#[test]
fn words_over_a_rough_path_are_never_later_than_the_first() {
    for codec in ["pcmu", "opus"] {
        for seed in 1..=4 {
            check(codec, &format!("--jitter 300ms --reorder 20% --seed {seed}"));
            check(codec, &format!("--jitter 320ms --reorder 10% --seed {seed} --dtx"));
        }
    }
}
