//! What is due when: the formula, the merge, reports, the end.

use super::*;

use crate::send::frame::Kind;
use crate::send::impair::Impairments;

const MS: u64 = 1_000_000;

fn frame(index: u64) -> Frame {
    Frame { ticks: index * 160, payload: vec![0; 160].into(), kind: Kind::Media, marker: false }
}

fn schedule(impairments: Impairments, skew_ppb: i64, n_streams: usize) -> Schedule {
    let streams = (0..n_streams).map(|index| Stream::new(42, index, None, impairments)).collect();
    Schedule::new(Codec::Pcmu, SenderClock::new(8_000, skew_ppb, 3 * MS), streams)
}

/// All that is due of a call of so many frames.
fn all(mut schedule: Schedule, n_frames: u64) -> Vec<Due> {
    let (mut due, mut pushed) = (Vec::new(), 0);
    loop {
        while schedule.wants_frame() {
            if pushed == n_frames {
                schedule.end(n_frames * 160);
            } else {
                schedule.push(frame(pushed));
                pushed += 1;
            }
        }
        let Some(next) = schedule.pop() else { return due };
        due.push(next);
    }
}

fn packets(due: &[Due]) -> Vec<(u64, u64)> {
    let packet = |due: &Due| match &due.what {
        What::Packet { index, .. } => Some((*index, due.at_ns)),
        _ => None,
    };
    due.iter().filter_map(packet).collect()
}

#[test]
fn packets_are_due_when_the_formula_says() {
    let due = all(schedule(Impairments::default(), 200_000, 1), 501);
    // 3 ms and n · 20 ms / 1.0002.
    let expected = (0..501).map(|n: u64| (n, 3 * MS + (n as u128 * 200_000_000_000 / 10_002) as u64));
    assert_eq!(packets(&due), expected.collect::<Vec<_>>());
}

#[test]
fn reports_come_every_five_seconds_of_media_and_count_what_was_sent_before() {
    let due = all(schedule(Impairments { loss: 0.5, ..Default::default() }, -1_000_000, 1), 600);
    let report = |due: &Due| match due.what {
        What::Report { ticks, counts } => Some((due.at_ns, ticks, counts.packets, counts.octets)),
        _ => None,
    };
    let reports: Vec<_> = due.iter().filter_map(report).collect();
    // 5 s / 0.999 = 5.005 005 005 005… s. What the network loses was sent.
    let expected = [(3 * MS, 0, 0, 0), (5_008_005_005, 40_000, 250, 40_000), (10_013_010_010, 80_000, 500, 80_000)];
    assert_eq!(reports, expected);
    let goodbye = due.last().expect("there is an end");
    let counts = Counts { packets: 600, octets: 96_000 };
    // 12 s / 0.999.
    assert_eq!(goodbye.at_ns, 3 * MS + 12_012_012_012);
    assert_eq!(goodbye.what, What::Bye { ticks: 96_000, counts });
}

#[test]
fn what_comes_out_is_in_order_whatever_the_network_does() {
    let bad = Impairments { loss: 0.1, burst: Some(3.0), jitter_ns: 80 * MS, reorder: 0.05 };
    for n_streams in [1, 7] {
        let due = all(schedule(bad, 1_000_000, n_streams), 1_000);
        assert!(due.is_sorted_by_key(|due| due.at_ns));
        let n = |stream: usize, is: fn(&What) -> bool| {
            due.iter().filter(|due| due.stream == stream && is(&due.what)).count()
        };
        for stream in 0..n_streams {
            let (arrived, lost) =
                (n(stream, |what| matches!(what, What::Packet { .. })), n(stream, |what| *what == What::Lost));
            assert_eq!(arrived + lost, 1_000);
            assert!((50..200).contains(&lost), "{lost}");
            let last = due.iter().rev().find(|due| due.stream == stream).expect("it has an end");
            assert!(matches!(last.what, What::Bye { .. }), "something comes behind the goodbye");
        }
        let order: Vec<_> = packets(&due).iter().map(|packet| packet.0).collect();
        assert!(n_streams > 1 || !order.is_sorted());
    }
}

#[test]
fn streams_have_their_own_numbers_and_phases() {
    let schedule = schedule(Impairments::default(), 0, 100);
    let identities: Vec<_> = schedule.identities().collect();
    assert_eq!(identities[0].phase_ns, 0);
    let n_different =
        |number: fn(&Identity) -> u64| identities.iter().map(number).collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(n_different(|identity| u64::from(identity.ssrc)), 100);
    assert!(n_different(|identity| u64::from(identity.first_sequence)) > 95);
    assert!(n_different(|identity| u64::from(identity.first_timestamp)) > 95);
    assert!(n_different(|identity| identity.phase_ns) > 15);
    let due = all(schedule, 3);
    for (stream, identity) in identities.iter().enumerate() {
        let of_stream: Vec<_> = due.iter().filter(|due| due.stream == stream).cloned().collect();
        let at = [0, 20, 40].map(|ms| (ms / 20, 3 * MS + ms * MS + identity.phase_ns));
        assert_eq!(packets(&of_stream), at);
    }
}

#[test]
fn stopped_it_counts_what_was_sent_and_delivers_what_is_on_its_way() {
    let mut schedule = schedule(Impairments { jitter_ns: 500 * MS, ..Default::default() }, 0, 1);
    let mut arrived = 0;
    for index in 0..50 {
        schedule.push(frame(index));
    }
    while schedule.next_at().is_some_and(|at| at < 403 * MS) {
        arrived += usize::from(matches!(schedule.pop().expect("it is due").what, What::Packet { .. }));
    }
    // Sent at 3, 23 … 403 ms: the packets 0 to 20.
    schedule.stop(410 * MS);
    let rest: Vec<_> = std::iter::from_fn(|| schedule.pop()).collect();
    assert_eq!(arrived + packets(&rest).len(), 21);
    let (last, packets) = (rest.last().expect("there is an end"), packets(&rest));
    let counts = Counts { packets: 21, octets: 21 * 160 };
    assert!(matches!(last.what, What::Bye { counts: said, .. } if said == counts), "{last:?}");
    assert!(last.at_ns >= packets.last().expect("some were on their way").1 && last.at_ns >= 410 * MS);
}

#[test]
fn a_pause_of_the_media_keeps_reports_in_their_places() {
    let mut schedule = schedule(Impairments::default(), 0, 1);
    let mut at = Vec::new();
    for index in [0, 1, 900] {
        while !schedule.wants_frame() {
            at.push(schedule.pop().expect("something is due").at_ns / MS);
        }
        schedule.push(frame(index));
    }
    schedule.end(901 * 160);
    at.extend(std::iter::from_fn(|| schedule.pop()).map(|due| due.at_ns / MS));
    assert_eq!(at, [3, 3, 23, 5_003, 10_003, 15_003, 18_003, 18_023]);
}
