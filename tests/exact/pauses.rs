//! Pauses: exactly these samples are gone, or are something else, and all others are as they were.

use std::time::Duration;

use crate::model;
use crate::model::{Party, Pause, position};
use crate::support::RATE;
use crate::support::call::{Call, Recording};
use crate::support::signal::{assert_same, rms_db, tone_db};
use crate::support::sound;
use crate::unmixed;

fn parties() -> Vec<Party> {
    let party = |seed, join_ms, n| Party {
        samples: sound::noise(seed, n, 5_000),
        join: Duration::from_millis(join_ms),
        ..Party::default()
    };
    vec![party(1, 0, 4 * RATE), party(2, 300, 2 * RATE), party(3, 1_700, 30_001)]
}

fn ns(pauses: &[(u64, u64)]) -> Vec<Pause> {
    pauses.iter().map(|(from, to)| (Duration::from_nanos(*from), Duration::from_nanos(*to))).collect()
}

/// Pauses in nanoseconds, each list of them a case.
fn cases() -> [(&'static str, Vec<Pause>); 11] {
    const S: u64 = 1_000_000_000;
    [
        ("one", ns(&[(S, 2 * S)])),
        ("several", ns(&[(S / 2, S), (3 * S / 2, 8 * S / 5), (3 * S, 7 * S / 2)])),
        ("adjacent", ns(&[(S, 3 * S / 2), (3 * S / 2, 2 * S)])),
        ("before the first sample", ns(&[(0, S / 4)])),
        ("over the first samples", ns(&[(0, S)])),
        ("at odd instants", ns(&[(1_000_031_249, 1_234_567_891), (1_234_598_765, 2_000_031_251)])),
        ("of one sample", ns(&[(S, S + 62_500), (S + 125_000, S + 187_500)])),
        ("of less than half a sample", ns(&[(S + 10_000, S + 20_000)])),
        ("to the end", ns(&[(2 * S + 1, 4 * S)])),
        ("beyond the end", ns(&[(S, 2 * S), (3 * S, 60 * S)])),
        ("inside one tick", ns(&[(S + 10_000_000, S + 20_000_000), (S + 30_000_000, S + 90_000_000)])),
    ]
}

/// Records the call, paused.
#[track_caller]
fn record(graph: &str, parties: &[Party], pauses: &[Pause], mode: &str) -> Recording {
    call(parties, pauses, mode).record(graph)
}

fn call(parties: &[Party], pauses: &[Pause], mode: &str) -> Call {
    let pauses = pauses.iter().map(|(from, to)| format!("--pause {}ns-{}ns", from.as_nanos(), to.as_nanos()));
    let words: Vec<_> = pauses.chain([format!("--pause-mode {mode}")]).collect();
    unmixed::call(parties).args(&words.join(" "))
}

#[test]
fn a_pause_takes_exactly_its_samples_out_of_a_mix() {
    let parties = parties();
    let whole = model::mix(&parties, model::length(&parties));
    for (what, pauses) in cases() {
        let wav = record("mixed-wav", &parties, &pauses, "skip").wav();
        assert_same(what, &model::skipped(&whole, &pauses), &wav.samples);
    }
}

#[test]
fn a_pause_takes_exactly_its_samples_out_of_every_channel() {
    let parties = parties();
    for (what, pauses) in cases() {
        let expected = model::unmixed(&parties, &pauses, model::length(&parties), 5);
        let wav = record("unmixed-wav", &parties, &pauses, "skip").wav();
        assert_eq!(wav.channels, 3, "{what}");
        for channel in 0..wav.channels {
            let samples = model::skipped(&expected.channels[channel], &pauses);
            assert_same(&format!("{what}: channel {channel}"), &samples, &wav.channel(channel));
        }
    }
}

#[test]
fn a_pause_can_leave_silence_of_its_length() {
    let parties = parties();
    let whole = model::mix(&parties, model::length(&parties));
    for (what, pauses) in cases() {
        let wav = record("mixed-wav", &parties, &pauses, "silence").wav();
        assert_same(what, &model::silenced(&whole, &pauses), &wav.samples);
    }
}

#[test]
fn a_pause_can_leave_a_tone_that_knows_nothing_of_what_was_said() {
    let (parties, pauses) = (parties(), ns(&[(1_000_000_000, 2_000_031_251)]));
    let (from, to) = (position(pauses[0].0), position(pauses[0].1));
    let whole = model::mix(&parties, model::length(&parties));
    let wav = record("mixed-wav", &parties, &pauses, "tone").wav();
    assert_same("before", &whole[..from], &wav.samples[..from]);
    assert_same("after", &whole[to..], &wav.samples[to..]);
    let tone = &wav.samples[from..to];
    // A sine of amplitude 1600 is −26.2 dBFS, and its RMS 3 dB less; nothing but it is there.
    assert!((tone_db(tone, RATE, 400.0) + 26.2).abs() < 0.1, "{}", tone_db(tone, RATE, 400.0));
    assert!((rms_db(tone) + 29.2).abs() < 0.1, "{}", rms_db(tone));
    let step = std::f64::consts::TAU * 400.0 / RATE as f64;
    let sine = |at: usize| ((at as f64) * step).sin() * 1_600.0;
    let worst = tone.iter().zip(from..).map(|(sample, at)| (f64::from(*sample) - sine(at)).abs()).fold(0.0, f64::max);
    assert!(worst <= 1.0, "{worst} beside a sine");

    let mut others = parties.clone();
    others.iter_mut().zip(100..).for_each(|(party, seed)| {
        let begin = position(party.join);
        let inside = from.saturating_sub(begin).min(party.samples.len())..(to - begin).min(party.samples.len());
        let n = inside.len();
        party.samples.splice(inside, sound::noise(seed, n, 7_000));
    });
    let other = record("mixed-wav", &others, &pauses, "tone").wav();
    assert_same("other words in the pause", &wav.samples, &other.samples);
}

/// Once the tone stood on four channels that belong to nobody.
#[test]
fn a_tone_adds_no_channels() {
    for mode in ["tone", "silence", "skip"] {
        let wav = record("unmixed-wav", &parties()[..2], &ns(&[(500_000_000, 700_000_000)]), mode).wav();
        assert_eq!(wav.channels, 2, "{mode}");
    }
}

#[test]
fn who_first_speaks_in_a_pause_gets_a_channel_when_heard_after_it() {
    let party = |seed, join_ms, n| Party {
        samples: sound::noise(seed, n, 8_000),
        join: Duration::from_millis(join_ms),
        ..Party::default()
    };
    let pauses = ns(&[(500_000_000, 1_000_000_000)]);
    // The second speaks in the pause only, the third in it and after it.
    let parties = [party(1, 0, 2 * RATE), party(2, 600, 3_200), party(3, 700, RATE)];
    let expected = model::unmixed(&parties, &pauses, model::length(&parties), 5);
    assert_eq!(expected.holders[..3], [Some(0), Some(2), None]);
    let wav = record("unmixed-wav", &parties, &pauses, "skip").wav();
    assert_eq!(wav.channels, 2);
    for channel in 0..2 {
        let samples = model::skipped(&expected.channels[channel], &pauses);
        assert_same(&format!("channel {channel}"), &samples, &wav.channel(channel));
    }
}

#[test]
fn a_call_that_is_paused_from_begin_to_end_holds_nothing() {
    let pauses = ns(&[(0, 60_000_000_000)]);
    for graph in ["mixed-wav", "unmixed-wav"] {
        let recording = record(graph, &parties(), &pauses, "skip");
        assert_eq!((recording.wav().samples.len(), recording.samples(0)), (0, 0), "{graph}");
    }
    // LAME makes no frame of nothing: the file is empty, which is worth a note.
    let mp3 = call(&parties(), &pauses, "skip").record_with_faults("mixed-mp3");
    assert_eq!((mp3.samples(0), std::fs::metadata(mp3.file()).expect("the file is there").len()), (0, 0));
}
