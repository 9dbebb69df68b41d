//! Calls that do not go on as they began: counters wrap and jump, senders change, are mute, are held up.

use crate::hand::FRAME_NS;
use crate::hand::Hand;
use crate::hand::TimeStamps;
use crate::support::sound::Random;

const SECOND_NS: u64 = 1_000_000_000;

/// A second.
const FRAMES: u64 = 50;

/// A sender whose counters are far from their ends.
fn plain() -> Hand {
    Hand::new(1_000, 160_000)
}

#[test]
fn both_counters_wrap_unheard() {
    let mut hand = Hand::new(u16::MAX - 60, u32::MAX - 160 * 90 - 7);
    hand.talk(200);
    hand.check("both wrap");

    let mut hand = Hand::new(u16::MAX - 50, u32::MAX - 160 * 50 - 79);
    hand.talk(48);
    hand.lose(8);
    hand.talk(100);
    hand.check("both wrap in a loss");

    let mut hand = Hand::new(u16::MAX - 49, u32::MAX - 160 * 100);
    hand.talk(50);
    hand.pass(3 * SECOND_NS, TimeStamps::GoOn);
    hand.talk(100);
    hand.check("both wrap in a pause");
}

#[test]
fn spurts_of_talk_are_where_they_were() {
    let mut hand = plain();
    for spurt in 0..8 {
        hand.talk(10 + 7 * spurt);
        hand.pass(SECOND_NS * (spurt + 1) / 4 + 20 * spurt * 1_000_000, TimeStamps::GoOn);
    }
    hand.talk(FRAMES);
    let (_, recording) = hand.check("spurts");
    let talk = 0.02 * (0..8).map(|spurt| 10 + 7 * spurt).chain([FRAMES]).sum::<u64>() as f64;
    let silent = recording.json["participants"][0]["samples"]["silentSeconds"].as_f64().expect("a number");
    let duration = recording.json["durationSeconds"].as_f64().expect("a number");
    assert!((silent + talk - duration).abs() < 0.01, "{silent} s silent beside {talk} s of {duration} s");
}

#[test]
fn comfort_noise_and_pressed_keys_are_no_frames() {
    let mut hand = plain();
    for _ in 0..4 {
        hand.talk(40);
        hand.other(13, &[70]);
        hand.pass(SECOND_NS / 2, TimeStamps::GoOn);
        hand.other(13, &[70]);
        hand.pass(SECOND_NS / 2, TimeStamps::GoOn);
    }
    hand.talk(40);
    for duration in [400u16, 800, 1_200] {
        // The key 5 (RFC 4733), beside the talk.
        hand.other(101, &[5, 10, duration.to_be_bytes()[0], duration.to_be_bytes()[1]]);
        hand.talk(2);
    }
    hand.talk(40);
    let (_, recording) = hand.check("comfort noise and keys");
    assert_eq!(recording.json["participants"][0]["packets"]["quiet"], 11);
}

/// Mute: nothing is sent. The sender's time goes on meanwhile, or it stands still.
#[test]
fn after_a_mute_talk_is_where_it_was_whatever_time_stamps_did() {
    for ms in [300, 500, 1_000, 3_000, 20_000, 70_000] {
        for time_stamps in [TimeStamps::GoOn, TimeStamps::Stop] {
            let mut hand = plain();
            hand.talk(2 * FRAMES);
            hand.pass(ms * 1_000_000, time_stamps);
            hand.talk(FRAMES);
            hand.pass(ms * 1_000_000, time_stamps);
            hand.talk(2 * FRAMES);
            hand.check(&format!("mute for {ms} ms, time-stamps {time_stamps:?}"));
        }
    }
}

/// Who has been mute says a last word: too short a one to show by itself where it belongs.
#[test]
fn the_last_word_after_a_mute_is_heard() {
    for n in [1, 2, 5, 9] {
        for time_stamps in [TimeStamps::GoOn, TimeStamps::Stop] {
            let mut hand = plain();
            hand.talk(2 * FRAMES);
            hand.pass(SECOND_NS, time_stamps);
            hand.talk(n);
            hand.check(&format!("{n} frames after a mute, time-stamps {time_stamps:?}"));
        }
    }
}

#[test]
fn another_sender_goes_on_where_the_first_one_was() {
    for pause_ms in [0, 100, 2_000] {
        let mut hand = plain();
        hand.talk(100);
        for (ssrc, sequence, timestamp) in [(7, 60_000, 5), (0xFFFF_FFFF, 3, 0xF000_0000), (8, 30_000, 1 << 31)] {
            hand.pass(pause_ms * 1_000_000, TimeStamps::Stop);
            (hand.ssrc, hand.sequence, hand.timestamp) = (ssrc, sequence, timestamp);
            hand.talk(100);
        }
        let (_, recording) = hand.check(&format!("another SSRC after {pause_ms} ms"));
        assert_eq!(recording.json["participants"][0]["packets"]["streams"], 4);
    }
}

#[test]
fn counters_that_jump_move_nothing() {
    for (name, sequence, timestamp) in [
        ("time forwards by an hour", 0, 8_000 * 3_600),
        ("time forwards by a day and a half", 0, 8_000 * 3_600 * 36),
        ("time back by a minute", 0, 0u32.wrapping_sub(8_000 * 60)),
        ("sequence forwards", 20_000, 0),
        ("sequence back", 0u16.wrapping_sub(20_000), 0),
        ("both anywhere", 31_234, 0x7654_3210),
    ] {
        let mut hand = plain();
        hand.talk(100);
        hand.sequence = hand.sequence.wrapping_add(sequence);
        hand.timestamp = hand.timestamp.wrapping_add(timestamp);
        hand.talk(200);
        hand.check(name);
    }
}

/// All that is sent while a path is blocked comes at once when it is free again.
#[test]
fn after_a_stall_and_its_burst_talk_is_where_it_was() {
    for ms in [60, 150, 250, 350, 390, 700, 2_000, 5_000] {
        let mut hand = plain();
        hand.talk(150);
        let free_ns = 150 * FRAME_NS + ms * 1_000_000;
        // Not all in one instant: a millisecond for ten of them.
        hand.talk_over(ms / 20, |now_ns| free_ns.max(now_ns) + (now_ns / FRAME_NS) % 10 * 100_000);
        hand.talk(150);
        hand.check(&format!("stall of {ms} ms"));
    }
}

#[test]
fn packets_that_come_twice_are_heard_once() {
    for later_ns in [0, 1_000_000, 100_000_000, 1_000_000_000] {
        let mut hand = plain();
        for _ in 0..200 {
            hand.talk(1);
            hand.again(later_ns);
        }
        hand.talk(50);
        let (_, recording) = hand.check(&format!("twice, {later_ns} ns later"));
        let packets = &recording.json["participants"][0]["packets"];
        let n = |name: &str| packets[name].as_u64().expect("a count");
        assert_eq!((n("placed"), n("duplicate") + n("late")), (250, 200), "{packets}");
    }
}

/// One packet of seven comes later than its neighbours, by anything up to the hold.
#[test]
fn single_packets_that_come_late_within_the_hold_are_in_place() {
    let mut random = Random::for_test("single_packets_that_come_late");
    let delays: Vec<_> = (0..3_000).map(|n| if n % 7 == 3 { random.below(389_000_000) as u64 } else { 0 }).collect();
    let mut hand = plain();
    hand.talk(FRAMES);
    hand.talk_over(3_000, |now_ns| now_ns + delays[(now_ns / FRAME_NS - FRAMES) as usize]);
    hand.talk(FRAMES);
    let (found, _) = hand.check("late by up to 389 ms");
    assert_eq!(found.n_due, 3_100);
}
