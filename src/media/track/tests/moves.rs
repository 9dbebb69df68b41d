//! Who sends: before anybody speaks, from another address, before anybody records.

use super::*;

#[test]
fn who_is_quiet_before_the_first_word_is_nobody_else() {
    let quiet = |number: u16| Sent { payload_type: if number < 5 { 13 } else { 101 }, ..Sent::plain(number) };
    let outcome = run([(0..10).map(quiet).collect(), plain(10..20)].concat());
    assert_eq!((outcome.stats.quiet, outcome.stats.foreign, outcome.stats.placed), (10, 0, 10));
    check_counted(&outcome.stats);
}

#[test]
fn a_sender_that_goes_on_from_another_address_loses_no_word() {
    let moved = plain(50..150).into_iter().map(|sent| Sent { port: 4_001, ..sent }).collect();
    let outcome = run([plain(0..50), moved].concat());
    assert_eq!(outcome.places(), in_place(0..150));
    assert_eq!((outcome.stats.late, outcome.stats.lost), (0, 0));
    // Somebody who knows the SSRC and not the numbers has to wait, and what is older than the hold is not heard.
    let elsewhere = |sent: Sent| Sent { port: 4_001, sequence: sent.sequence.wrapping_add(9_000), ..sent };
    let outcome = run([plain(0..50), plain(50..150).into_iter().map(elsewhere).collect()].concat());
    assert!(outcome.stats.late > 0, "{:?}", outcome.stats);
}

#[test]
fn what_was_said_before_a_recording_is_not_counted_as_heard() {
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    let join = ZERO + 1_000 * MS;
    for packet in plain(0..50) {
        track.receive(&packet.bytes(), address(4_000), ZERO + packet.arrival_ms * MS);
    }
    let cursor = track.open(join);
    for packet in plain(50..100) {
        track.receive(&packet.bytes(), address(4_000), ZERO + packet.arrival_ms * MS);
    }
    track.advance(join + 1_000 * MS, join + 1_400 * MS);
    let mut n_heard = 0;
    track.read(cursor, i64::MAX, |_| n_heard += 1);
    assert_eq!((n_heard, track.stats().placed, track.stats().unrecorded), (50, 50, 50));
}
