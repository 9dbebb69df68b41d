//! Mixed recordings above −6 dBFS: limited, never clipped, and nobody is made quieter for another's loudness.

use std::time::Duration;

use crate::model;
use crate::model::{LOUDEST_EXACT, Party};
use crate::support::RATE;
use crate::support::call::Call;
use crate::support::signal::{rms_db, tone_db};
use crate::support::sound;

/// Returns the mix of a call with the sums that went into it.
#[track_caller]
fn mixed(parties: &[Party]) -> (Vec<i32>, Vec<i16>) {
    let mut call = Call::new();
    for (number, party) in parties.iter().enumerate() {
        let (name, join) = (format!("p{number}"), party.join.as_nanos());
        call = call.with(&name, &party.samples).args(&format!("--join {name}={join}ns"));
    }
    let sums = model::sums(parties, model::length(parties));
    let mix = call.record("mixed-wav").wav().samples;
    assert_eq!(mix.len(), sums.len());
    (sums, mix)
}

/// Asserts that the mix follows the sum: equal where it is not loud, never in another order, never at full scale, and
/// never flat where the sum is not.
#[track_caller]
fn check(what: &str, parties: &[Party], loudest: i32) {
    let (sums, mix) = mixed(parties);
    let top = sums.iter().map(|sum| sum.abs()).max();
    assert!(top >= Some(loudest), "{what}: the case is not loud: {top:?}");
    let mut pairs: Vec<_> = sums.iter().copied().zip(mix.iter().copied()).collect();
    for (sum, sample) in &pairs {
        assert!((-32_766..=32_766).contains(sample), "{what}: {sum} became {sample}");
        if sum.abs() <= LOUDEST_EXACT {
            assert_eq!(i32::from(*sample), *sum, "{what}");
        } else {
            assert!(sample.unsigned_abs() >= LOUDEST_EXACT as u16, "{what}: {sum} became {sample}");
            assert!(i32::from(*sample).abs() <= sum.abs(), "{what}: {sum} became {sample}");
            assert_eq!(i32::from(*sample).signum(), sum.signum(), "{what}: {sum} became {sample}");
        }
    }
    pairs.sort();
    let order = pairs.windows(2).find(|pair| pair[0].1 > pair[1].1);
    assert_eq!(order, None, "{what}: a louder sum became quieter");
    // 3 dB apart in the sum are apart in the mix, up to twice full scale; in a square wave there is nothing between.
    let near = |sum: i32| pairs.get(pairs.partition_point(|pair| pair.0 < sum)).filter(|pair| pair.0 < sum * 11 / 10);
    for (lower, higher) in [(17_000, 24_000), (24_000, 33_900), (33_900, 47_900), (47_900, 65_000)] {
        if let (Some(lower), Some(higher)) = (near(lower), near(higher)) {
            assert!(i32::from(lower.1) + 200 < i32::from(higher.1), "{what}: {lower:?} and {higher:?}");
        }
    }
}

#[test]
fn loud_talkers_are_limited_and_never_clip() {
    let talkers = |n: u64, peak| -> Vec<_> {
        let talker = |p| Party { samples: sound::noise(p, 3 * RATE, peak), ..Party::default() };
        (0..n).map(talker).collect()
    };
    check("two at full scale", &talkers(2, 32_767), 60_000);
    check("ten at full scale", &talkers(10, 32_767), 120_000);
    let alike = |n| vec![Party { samples: sound::tone(220.0, RATE, RATE, 32_767.0), ..Party::default() }; n];
    check("one at full scale", &alike(1), 32_767);
    check("ten in step", &alike(10), 320_000);
    let square: Vec<i16> = (0..RATE).map(|at| if at / 40 % 2 == 0 { 32_767 } else { -32_768 }).collect();
    check("twelve squares", &vec![Party { samples: square, ..Party::default() }; 12], 390_000);
}

#[test]
fn a_quiet_voice_keeps_its_level_beside_loud_ones() {
    const TONE_HZ: f64 = 440.0;
    let quiet = Party { samples: sound::tone(TONE_HZ, RATE, 4 * RATE, 1_000.0), ..Party::default() };
    // Ten shout together, twice, for 0.8 s.
    let shout = |p: u64, join_ms| {
        let (samples, join) = (sound::noise(p, RATE * 4 / 5, 30_000), Duration::from_millis(join_ms));
        Party { samples, join, ..Party::default() }
    };
    let shouts = (0..10).map(|p| shout(p, 600)).chain((10..20).map(|p| shout(p, 2_400)));
    let (_, mix) = mixed(&[vec![quiet.clone()], shouts.collect()].concat());
    assert!(rms_db(&mix[RATE..RATE + RATE / 4]) > -6.0, "the shouts are loud");
    let alone = tone_db(&quiet.samples[..RATE / 2], RATE, TONE_HZ);
    // Right before the shouts and from their last sample on, where a gain that recovers slowly would still be low.
    for from in [0, 1_600, 22_400, 22_401, 24_000, 30_400, 51_200, 51_201, 56_000] {
        let level = tone_db(&mix[from..from + RATE / 2], RATE, TONE_HZ);
        assert!((level - alone).abs() < 0.1, "from sample {from}: {level:.2} dB instead of {alone:.2} dB");
    }
}
