//! Unmixed recordings: each channel is its source, sample for sample.

use std::time::Duration;

use crate::model;
use crate::model::{Party, Unmixed};
use crate::support::RATE;
use crate::support::call::{Call, Recording};
use crate::support::signal::assert_same;
use crate::support::sound;

const ORDER: [&str; 7] = ["anna", "bert", "cleo", "dora", "emil", "fritz", "gisela"];

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn loud(seed: u64, join: Duration, n: usize) -> Party {
    Party { samples: sound::noise(seed, n, 8_000), join, ..Party::default() }
}

/// Returns the call as the program is given it.
pub(crate) fn call(parties: &[Party]) -> Call {
    let mut call = Call::new();
    for (name, party) in ORDER.iter().zip(parties) {
        call = call.with(name, &party.samples).args(&format!("--join {name}={}ns", party.join.as_nanos()));
        if let Some(leave) = party.leave {
            call = call.args(&format!("--leave {name}={}ns", leave.as_nanos()));
        }
        if let Some(pin) = party.pin {
            call = call.args(&format!("--pin {name}={pin}"));
        }
    }
    call
}

/// Asserts that the channels are the model's, with nothing behind the last one that is used.
#[track_caller]
fn check(what: &str, parties: &[Party]) -> Recording {
    // More voices than channels: somebody is not recorded, which is a fault of the recording.
    let recording = match parties.len() {
        0..=5 => call(parties).record("unmixed-wav"),
        _ => call(parties).record_with_faults("unmixed-wav"),
    };
    let expected = model::unmixed(parties, &[], model::length(parties), 5);
    let wav = recording.wav();
    let n_used = expected.holders.iter().rposition(Option::is_some).map_or(1, |last| last + 1);
    assert_eq!((wav.rate as usize, wav.channels), (RATE, n_used), "{what}");
    for (channel, samples) in expected.channels.iter().take(n_used).enumerate() {
        assert_same(&format!("{what}: channel {channel}"), samples, &wav.channel(channel));
    }
    check_map(what, &recording, &expected);
    recording
}

/// Asserts that participants are told with their channels, in the document and in the last chunk's metadata.
#[track_caller]
fn check_map(what: &str, recording: &Recording, expected: &Unmixed) {
    let metadata = &recording.chunks().last().expect("a chunk")["metadata"]["participants"];
    for (told, name) in [(&recording.json["participants"], "name"), (metadata, "participantId")] {
        for row in told.as_array().expect("a list of participants") {
            let number = ORDER.iter().position(|known| row[name] == *known).expect("a participant of the call");
            let channel = expected.holders.iter().position(|holder| *holder == Some(number));
            assert_eq!(row["channel"].as_u64(), channel.map(|channel| channel as u64), "{what}: {row}");
        }
    }
}

#[test]
fn channels_are_their_sources_from_their_first_sample_on() {
    let (second, odd) = (RATE, 12_345);
    let cases = [
        ("alone", vec![loud(1, ms(0), second)]),
        ("together", vec![loud(1, ms(0), second), loud(2, ms(0), odd)]),
        ("in the other order", vec![loud(1, ms(400), second), loud(2, ms(0), second)]),
        ("five of them", (0..5).map(|n| loud(n, ms(n * 70), odd)).collect()),
        ("in between two samples", vec![loud(1, Duration::from_nanos(31_251), odd), loud(2, ms(1), odd)]),
        ("long after the other", vec![loud(1, ms(0), 3_000), loud(2, ms(2_000), second)]),
        ("when the other ends", vec![loud(1, ms(0), second), loud(2, ms(1_000), second)]),
    ];
    for (what, parties) in cases {
        check(what, &parties);
    }
}

#[test]
fn a_late_voice_begins_200_ms_before_it_was_recognised() {
    // Its first sample; where its channel begins: 200 ms before the end of the third 20 ms that are loud.
    let cases =
        [(8_000, 8_960 - 3_200), (8_001, 8_960 - 3_200), (8_300, 8_960 - 3_200), (8_320, 9_280 - 3_200), (2_000, 0)];
    for (voice, begin) in cases {
        let murmur = sound::noise(3, voice, 40);
        let said = [&murmur[..], &sound::noise(4, RATE, 8_000)].concat();
        let parties = [loud(1, ms(0), 2 * RATE), Party { samples: said.clone(), ..Party::default() }];
        let recording = check(&format!("voice at {voice}"), &parties);
        let expected = [&vec![0; begin][..], &said[begin..], &vec![0; 2 * RATE - said.len()]].concat();
        assert_same(&format!("voice at {voice}"), &expected, &recording.wav().channel(1));
    }
}

#[test]
fn what_is_no_voice_gets_no_channel() {
    let click = [sound::noise(2, 640, 8_000), vec![0; RATE]].concat();
    let quiet = sound::noise(3, RATE, 200);
    for (what, samples) in [("a click of 40 ms", click), ("a murmur below −45 dBFS", quiet)] {
        let recording = check(what, &[loud(1, ms(0), RATE), Party { samples, ..Party::default() }]);
        assert_eq!(recording.wav().channels, 1, "{what}");
    }
}

#[test]
fn a_voice_of_just_three_frames_is_one_wherever_its_media_ends() {
    // The third frame is shorter than 20 ms: its sound is what counts, not its length.
    for n in [960, 900, 800] {
        let recording = check(&format!("{n} samples"), &[loud(1, ms(0), RATE), loud(2, ms(500), n)]);
        assert_eq!(recording.wav().channels, 2, "{n} samples");
    }
}

#[test]
fn the_pinned_are_there_from_their_first_sample_however_quiet() {
    let quiet = |seed, join, pin| Party { samples: sound::noise(seed, RATE, 20), join, pin: Some(pin), leave: None };
    check("one", &[quiet(1, ms(0), 0)]);
    check("not the first channel", &[quiet(1, ms(0), 2), loud(2, ms(0), RATE)]);
    check("later than the others", &[loud(1, ms(0), RATE), loud(2, ms(0), RATE), quiet(3, ms(700), 0)]);
    check("last channel, in between two samples", &[quiet(1, Duration::from_nanos(500_031_251), 4)]);
}

#[test]
fn a_sixth_voice_is_listed_without_a_channel() {
    let parties: Vec<_> = (0..7).map(|n| loud(n, ms(n * 100), RATE)).collect();
    let recording = check("seven", &parties);
    assert_eq!(recording.wav().channels, 5);
    let listed = &recording.chunks()[0]["metadata"]["participants"];
    let channels: Vec<_> = listed.as_array().expect("a list").iter().map(|row| row["channel"].as_u64()).collect();
    assert_eq!(channels, [Some(0), Some(1), Some(2), Some(3), Some(4), None, None]);
    let notes = [5, 6].map(|n| format!("{}: spoke when no channel was free, and is not recorded", ORDER[n]));
    assert_eq!(recording.chunks()[0]["metadata"]["notes"], serde_json::json!(notes));
}
