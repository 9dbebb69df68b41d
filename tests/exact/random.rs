//! Random calls: whatever happens in them, each sample is where the model says.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use reelgraph::graph::Limits;
use reelgraph::model::PauseMode;

use crate::inside;
use crate::inside::Course;
use crate::model;
use crate::model::{Party, Pause};
use crate::support::sound;
use crate::support::wav::Wav;

/// The seed of all cases; a failure prints the smallest case that fails.
const SEED: u64 = 20_241_130;
const CASES: u32 = 150;

const MODES: [PauseMode; 2] = [PauseMode::Skip, PauseMode::Silence];

fn instant(max_ms: u64) -> impl Strategy<Value = Duration> {
    // Half of them on the millisecond, half of them anywhere.
    let whole = (0..=max_ms).prop_map(Duration::from_millis);
    prop_oneof![whole, (0..=max_ms * 1_000_000).prop_map(Duration::from_nanos)]
}

fn party() -> impl Strategy<Value = Party> {
    // Somebody may murmur before speaking up, or never speak.
    let sound = (any::<u64>(), 0usize..6_000, 1usize..24_000);
    (sound, instant(1_500), prop::option::weighted(0.4, instant(2_000))).prop_map(|((seed, murmur, n), join, stay)| {
        let (quiet, loud) = (sound::noise(seed, n, 40), sound::noise(!seed, n, 2_700));
        let murmur = murmur.min(n);
        let samples = [&quiet[..murmur], &loud[murmur..]].concat();
        // Who leaves, leaves after joining.
        let leave = stay.map(|stay| join + stay.max(Duration::from_nanos(1)));
        Party { samples, join, leave, pin: None }
    })
}

fn pauses() -> impl Strategy<Value = Vec<Pause>> {
    let lengths = prop::collection::vec((instant(900), instant(600)), 0..4);
    lengths.prop_map(|lengths| {
        let mut at = Duration::ZERO;
        let mut pauses = Vec::new();
        for (gap, length) in lengths {
            let from = at + gap;
            at = from + length.max(Duration::from_nanos(1));
            pauses.push((from, at));
        }
        pauses
    })
}

fn course() -> impl Strategy<Value = Course> {
    let limits = prop::option::weighted(0.7, (100u64..2_500).prop_map(Duration::from_millis));
    let duration = prop::option::weighted(0.3, instant(3_000));
    let pins = prop::option::weighted(0.4, (0usize..6, 0usize..5));
    let parties = prop::collection::vec(party(), 1..=6);
    (parties, pins, pauses(), 0..MODES.len(), limits, duration, 10u64..=300).prop_map(
        |(mut parties, pin, pauses, mode, max_duration, duration, tick)| {
            if let Some((number, channel)) = pin {
                let n = parties.len();
                parties[number % n].pin = Some(channel);
            }
            Course {
                parties,
                pauses,
                mode: MODES[mode],
                limits: Limits { max_duration, max_size: None },
                duration: duration.map(|duration| duration.max(Duration::from_millis(1))),
                tick: Duration::from_millis(tick),
            }
        },
    )
}

/// Returns the channels of all chunks of a recording, put together.
fn record(graph: &str, course: &Course, seed: u64) -> Result<Vec<Vec<i16>>, TestCaseError> {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let recorded = inside::record(graph, course, seed, dir.path().to_owned());
    prop_assert_eq!(recorded.lost_samples, 0);
    let wavs: Vec<_> = recorded.chunks.iter().map(|chunk| Wav::read(&chunk.path)).collect();
    if let Some(max) = course.limits.max_duration {
        let max = model::position(max);
        let (last, full) = wavs.split_last().expect("a recording has a chunk");
        prop_assert!(full.iter().all(|wav| wav.frames() == max) && last.frames() <= max);
    }
    let n = wavs.iter().map(|wav| wav.channels).min().expect("a recording has a chunk");
    Ok((0..n).map(|channel| wavs.iter().flat_map(|wav| wav.channel(channel)).collect()).collect())
}

fn same(what: &str, expected: &[i16], actual: &[i16]) -> Result<(), TestCaseError> {
    let differs = expected.iter().zip(actual).position(|(a, b)| a != b);
    prop_assert_eq!(differs, None, "{}: first difference", what);
    prop_assert_eq!(expected.len(), actual.len(), "{}: samples", what);
    Ok(())
}

fn check(course: &Course, seed: u64) -> Result<(), TestCaseError> {
    // Nobody joins after the end; who would is not part of the call.
    let mut course = course.clone();
    if let Some(duration) = course.duration {
        course.parties.retain(|party| party.join < duration);
    }
    let len = course.duration.map_or_else(|| model::length(&course.parties), model::position);
    let rest = |samples: &[i16]| match course.mode {
        PauseMode::Skip => model::skipped(samples, &course.pauses),
        _ => model::silenced(samples, &course.pauses),
    };
    let mixed = record("mixed-wav", &course, seed)?;
    same("mix", &rest(&model::mix(&course.parties, len)), &mixed[0])?;

    let expected = model::unmixed(&course.parties, &course.pauses, len, 5);
    let channels = record("unmixed-wav", &course, seed)?;
    for (channel, samples) in channels.iter().enumerate() {
        same(&format!("channel {channel}"), &rest(&expected.channels[channel]), samples)?;
    }
    // What was trimmed off was nobody's.
    prop_assert!(expected.holders[channels.len()..].iter().all(Option::is_none), "{:?}", expected.holders);
    Ok(())
}

#[test]
fn every_sample_of_a_random_call_is_where_it_belongs() {
    println!("seed {SEED}, {CASES} calls");
    let config =
        Config { cases: CASES, rng_seed: RngSeed::Fixed(SEED), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&(course(), any::<u32>()), |(course, seed)| check(&course, u64::from(seed)));
    if let Err(error) = result {
        panic!("seed {SEED}: {}", without_samples(&error.to_string()));
    }
}

/// Leaves the samples out of a printed call: its numbers make them again.
fn without_samples(text: &str) -> String {
    let mut parts = text.split("samples: [");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        let (samples, rest) = part.split_once(']').unwrap_or((part, ""));
        format!("{all}samples: [{} of them]{rest}", samples.split(',').count())
    })
}
