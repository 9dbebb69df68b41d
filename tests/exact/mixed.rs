//! Mixed recordings below −6 dBFS: the exact sum.

use std::time::Duration;

use crate::model;
use crate::model::Party;
use crate::support::RATE;
use crate::support::call::Call;
use crate::support::signal::assert_same;
use crate::support::sound;

fn party(seed: u64, join_ns: u64, n: usize, peak: i16) -> Party {
    Party { samples: sound::noise(seed, n, peak), join: Duration::from_nanos(join_ns), ..Party::default() }
}

/// Asserts that the mix is the sum.
#[track_caller]
fn check(what: &str, parties: &[Party]) {
    let mut call = Call::new();
    for (number, party) in parties.iter().enumerate() {
        let (name, join) = (format!("p{number}"), party.join.as_nanos());
        call = call.with(&name, &party.samples).args(&format!("--join {name}={join}ns"));
    }
    let expected = model::mix(parties, model::length(parties));
    assert_same(what, &expected, &call.record("mixed-wav").wav().samples);
}

#[test]
fn one_to_twelve_parties_are_their_sum() {
    for n in 1..=12 {
        let peak = 16_384 / n as i16;
        let parties: Vec<_> = (0..n).map(|p| party(p, p * 37_123_457, RATE + p as usize * 731, peak)).collect();
        check(&format!("{n} parties"), &parties);
    }
}

#[test]
fn one_follows_the_other_with_and_without_a_gap() {
    let sample_ns = 62_500;
    for gap in [0, 1, 2, 319, 320, 1_600, 40_000] {
        let join = (5_000 + gap) * sample_ns;
        check(&format!("a gap of {gap}"), &[party(1, 0, 5_000, 16_000), party(2, join, 5_000, 16_000)]);
    }
    // At one instant one ends and two begin; before the first there is silence.
    let three = [party(1, 250_000_000, 4_000, 8_000), party(2, 500_000_000, 1_601, 8_000), party(3, 500_000_000, 1, 8)];
    check("one ends, two begin", &three);
}

#[test]
fn the_shortest_calls_are_whole() {
    for n in [1, 2, 159, 160, 1_599, 1_600, 1_601, 3_520, 3_521] {
        check(&format!("{n} samples"), &[party(1, 0, n, 16_000)]);
    }
}
