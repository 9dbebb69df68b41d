//! Who leaves is heard to that very sample, whatever the codec.

use std::time::Duration;

use crate::model;
use crate::model::{Party, position};
use crate::support::RATE;
use crate::support::call::Call;
use crate::support::judge;
use crate::support::signal::{assert_same, rms_db};
use crate::support::sound;

/// Instants, some of them between two samples and between two ticks.
const LEAVES_NS: [u64; 6] = [1_000_000_000, 1_000_062_500, 1_234_567_891, 999_999_999, 100_000_000, 50_031_249];

#[test]
fn raw_media_ends_at_the_sample_nearest_to_the_leave() {
    let said = sound::noise(1, 2 * RATE, 8_000);
    for join_ns in [0, 20_031_251, 33_333_333] {
        for leave_ns in LEAVES_NS {
            let (join, leave) = (Duration::from_nanos(join_ns), Duration::from_nanos(leave_ns));
            let party = Party { samples: said.clone(), join, leave: Some(leave), pin: None };
            let other = Party { samples: sound::noise(2, 2 * RATE, 4_000), ..Party::default() };
            let parties = [party, other];
            let recording = crate::unmixed::call(&parties).record("mixed-wav");
            let expected = model::mix(&parties, model::length(&parties));
            assert_same(&format!("{join_ns} ns to {leave_ns} ns"), &expected, &recording.wav().samples);
        }
    }
}

#[test]
fn mulaw_ends_at_the_sample_nearest_to_the_leave() {
    let said = sound::noise(1, 2 * RATE, 8_000);
    for leave_ns in LEAVES_NS {
        let call = Call::new().codec("wav", "-c:a pcm_mulaw").with("anna", &said);
        let recording = call.args(&format!("--leave anna={leave_ns}ns")).record("mixed-wav");
        let decoded = judge::decoded(&call_file(&recording.out));
        let expected = &decoded[..position(Duration::from_nanos(leave_ns))];
        assert_same(&format!("{leave_ns} ns"), expected, &recording.wav().samples);
    }
}

/// Returns the file that the only participant is heard from.
fn call_file(out: &std::path::Path) -> std::path::PathBuf {
    out.parent().expect("recordings are in the call's directory").join("0-coded.wav")
}

#[test]
fn other_codecs_are_heard_to_the_leave_and_not_beyond() {
    let said = sound::noise(1, 2 * RATE, 8_000);
    // Codecs and resamplers smear the end by some samples.
    const SMEARED: usize = 32;
    let codecs = [
        ("opus", "-c:a libopus -b:a 64k"),
        ("wav", "-c:a g722"),
        ("wav", "-ar 8000 -c:a pcm_alaw"),
        ("wav", "-ar 44100"),
        ("flac", ""),
    ];
    for (ending, options) in codecs {
        for leave_ns in LEAVES_NS {
            let what = format!("{ending} {options}, leave at {leave_ns} ns");
            let leave = position(Duration::from_nanos(leave_ns));
            let alone = Call::new().codec(ending, options).with("anna", &said);
            let alone = alone.args(&format!("--leave anna={leave_ns}ns"));
            assert_eq!(alone.record("mixed-wav").wav().frames(), leave, "{what}");

            let heard = alone.args("--duration 2s").record("mixed-wav").wav().samples;
            let last = heard.iter().rposition(|sample| sample.unsigned_abs() > 1).map_or(0, |last| last + 1);
            assert!(last.abs_diff(leave) <= SMEARED, "{what}: heard up to sample {last}, not {leave}");
            let end = rms_db(&heard[leave - 160..leave]);
            assert!(end > -22.0, "{what}: {end:.1} dBFS in the last 10 ms");
        }
    }
}
