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
