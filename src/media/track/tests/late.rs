//! Rough paths: late packets, and senders whose time has stood still.

use super::*;

/// Every tenth packet of a rough path is late, and delays none.
fn rough(numbers: std::ops::Range<u16>) -> Vec<Sent> {
    let delay_ms = |number: u16| if number % 10 == 3 { 120 } else { 0 };
    let late = |number: u16| Sent { arrival_ms: i64::from(number) * 20 + delay_ms(number), ..Sent::plain(number) };
    numbers.map(late).collect()
}

#[test]
fn a_burst_of_late_packets_on_a_rough_path_moves_nothing() {
    // After a second of silence all of a word are late by 235 ms.
    let late = |number: u16| Sent { arrival_ms: i64::from(number) * 20 + 235, ..Sent::plain(number) };
    let outcome = run([rough(0..100), (150..175).map(late).collect(), rough(250..300)].concat());
    assert_eq!(outcome.places(), in_place((0..100).chain(150..175).chain(250..300)));
    assert_eq!((outcome.stats.streams, outcome.stats.late), (1, 0));
    check_counted(&outcome.stats);
}

/// On a rough path nobody knows at once that time has stood still: packets are heard too early by as much, and for 3 s.
#[test]
fn time_that_stood_still_on_a_rough_path_is_made_up_for_after_a_while() {
    let late = |packet: Sent| Sent { arrival_ms: packet.arrival_ms + 230, ..packet };
    let outcome = run([rough(0..100), rough(100..500).into_iter().map(late).collect()].concat());
    let places = outcome.places();
    assert_eq!(places.len(), 500, "{:?}", outcome.stats);
    let late_ms = |number: usize| places[number].1 - number as i64 * 20;
    assert_eq!((late_ms(99), late_ms(110), late_ms(240), late_ms(270), late_ms(499)), (0, 0, 0, 230, 230));
    check_counted(&outcome.stats);
}

#[test]
fn the_first_word_is_heard_though_others_tell_that_it_is_late() {
    // Three late packets, and then some that are not: they belong to where the recording has passed already.
    let mut sent = plain(0..100);
    for (packet, delay_ms) in sent.iter_mut().zip([180, 185, 190]) {
        packet.arrival_ms += delay_ms;
    }
    sent.retain(|packet| !(3..29).contains(&packet.number));
    let outcome = run(sent);
    assert_eq!((outcome.stats.placed, outcome.stats.late), (74, 0));
    assert_eq!(outcome.places()[0].0, 0);
}

/// Nobody would hear the latest of them, so that they tell at once.
#[test]
fn time_that_stood_still_by_nearly_the_hold_on_a_rough_path_loses_no_second() {
    let delayed = |packet: Sent, ms| Sent { arrival_ms: packet.arrival_ms + ms, ..packet };
    let rougher = |numbers| rough(numbers).into_iter().map(|p| delayed(p, if p.number % 10 == 3 { 30 } else { 0 }));
    let sent = rougher(0..100).chain(rougher(100..500).map(|packet| delayed(packet, 290))).collect();
    let outcome = run(sent);
    assert!(outcome.stats.late + outcome.stats.implausible <= 2, "{:?}", outcome.stats);
    let (number, place) = *outcome.places().last().expect("they are heard");
    assert_eq!((number, place - i64::from(number) * 20), (499, 290));
}

#[test]
fn a_path_that_becomes_slow_for_a_while_moves_nothing() {
    let sent = plain(0..1_000).into_iter().map(|packet| {
        let delay_ms = match packet.number {
            100..150 => i64::from(packet.number - 100) * 5,
            150..350 => 250,
            350..400 => i64::from(400 - packet.number) * 5,
            _ => 0,
        };
        Sent { arrival_ms: packet.arrival_ms + delay_ms, ..packet }
    });
    let outcome = run(sent.collect());
    assert_eq!(outcome.places(), in_place(0..1_000));
    assert_eq!(outcome.stats.streams, 1);
}

#[test]
fn a_time_stamp_that_jumps_by_a_little_takes_nothing_from_the_word_before_it() {
    let word = |number: u16| match number {
        119.. => Sent { timestamp: u32::from(number) * 160 + 2_400, ..Sent::plain(number) },
        _ => Sent::plain(number),
    };
    let outcome = run([plain(0..50), (100..200).map(word).collect()].concat());
    assert_eq!(outcome.places(), in_place((0..50).chain(100..200)));
}

/// What comes at once when a recording begins is older than what it can hear, and the others stand where they were.
#[test]
fn a_burst_at_the_begin_moves_nobody() {
    let burst = (0..100).map(|number: u16| Sent { arrival_ms: 1_980 + i64::from(number) / 10, ..Sent::plain(number) });
    let outcome = run(burst.chain(plain(100..300)).collect());
    let places = outcome.places();
    assert!(places.iter().all(|(number, place)| (place - i64::from(*number) * 20).abs() <= 10), "{places:?}");
    assert!(places.len() >= 215, "{}", places.len());
}

#[test]
fn what_comes_too_late_was_not_lost_whatever_it_holds() {
    let quiet = Sent { payload_type: 13, arrival_ms: 1_900, ..Sent::plain(40) };
    let outcome = run([plain(0..40), plain(41..100), vec![quiet]].concat());
    assert_eq!((outcome.stats.lost, outcome.stats.quiet), (0, 1));
    check_counted(&outcome.stats);
}

#[test]
fn what_was_lost_before_anybody_recorded_is_not_missed() {
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    for packet in plain(0..400).iter().filter(|packet| packet.number % 7 != 3) {
        track.receive(&packet.bytes(), address(4_000), ZERO + packet.arrival_ms * MS);
    }
    assert_eq!(track.stats().lost, 0);
}
