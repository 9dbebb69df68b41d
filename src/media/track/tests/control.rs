//! RTCP of a track: what a sender is told, and its goodbye.

use super::*;

#[test]
fn a_report_calls_nothing_lost_that_came() {
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    track.open(i64::MIN);
    assert_eq!(track.report(7, ZERO), None);
    for packet in plain(0..100) {
        // Two in a row show who sends.
        let payload_type = if packet.number > 2 && packet.number % 2 == 1 { 101 } else { 0 };
        let packet = Sent { payload_type, ..packet };
        track.receive(&packet.bytes(), address(4_000), ZERO + packet.arrival_ms * MS);
    }
    let (report, _) = track.report(7, ZERO + 2_000 * MS).expect("a sender is there");
    // The report block's fraction and cumulative number (RFC 3550 §6.4.2).
    assert_eq!(report[12..16], [0; 4], "{report:?}");
    assert_eq!(track.report(7, ZERO + 7_000 * MS), None, "nothing came since");
}

#[test]
fn a_goodbye_ends_a_track_until_somebody_speaks_again() {
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    let cursor = track.open(i64::MIN);
    let bye = [0x81, 203, 0, 1, 0, 0, 0, 1];
    let of_another = [0x81, 203, 0, 1, 0, 0, 0, 2];
    for packet in plain(0..10) {
        track.receive(&packet.bytes(), address(4_000), ZERO + packet.arrival_ms * MS);
    }
    let end = ZERO + 1_000 * MS;
    track.receive(&of_another, address(4_001), end);
    track.advance(end, end);
    assert!(matches!(track.read(cursor, end, |_| ()), Next::More(_)));
    track.receive(&bye, address(4_001), end);
    assert_eq!(track.read(cursor, end, |_| ()), Next::End);
    // The last word, by a slower way than the goodbye.
    let straggler = Sent { arrival_ms: 1_000, timestamp: 8_000, ..Sent::plain(10) };
    track.receive(&straggler.bytes(), address(4_000), end + 20 * MS);
    assert!(matches!(track.read(cursor, end, |_| ()), Next::More(_)));
    let later = end + 500 * MS;
    track.advance(later, later);
    let mut n_heard = 0;
    assert_eq!(track.read(cursor, later, |_| n_heard += 1), Next::End);
    assert_eq!(n_heard, 1);
    let again = Sent { arrival_ms: 1_500, timestamp: 12_000, ..Sent::plain(11) };
    track.receive(&again.bytes(), address(4_000), later);
    assert!(matches!(track.read(cursor, later, |_| ()), Next::More(_)));
    check_counted(&Stats { placed: 12, ..track.stats() });
}
