//! Any packets at all, and any fate of a plain sender's.

use super::*;
use proptest::prelude::*;

/// A packet of anybody's making.
fn any_packet() -> impl Strategy<Value = Sent> {
    let near = (0i64..4_000, any::<u16>(), 0u16..400, 0u32..64_000, 1u32..3, 4_000u16..4_002);
    let far = (0i64..4_000, any::<u16>(), any::<u16>(), any::<u32>(), 1u32..3, 4_000u16..4_002);
    let types = prop_oneof![8 => Just(0u8), 1 => Just(13), 1 => Just(101), 1 => Just(77)];
    (prop_oneof![4 => near, 1 => far], types).prop_map(|(numbers, payload_type)| {
        let (arrival_ms, number, sequence, timestamp, ssrc, port) = numbers;
        Sent { arrival_ms, number, sequence, timestamp, ssrc, port, payload_type }
    })
}

proptest! {
    /// Whatever comes beside a sender: frames come in order, none far from when it came, and all is counted.
    #[test]
    fn any_packets_make_frames_in_order_and_in_their_time(noise in prop::collection::vec(any_packet(), 0..300)) {
        let mut sent = plain(0..150);
        sent.extend(&noise);
        let outcome = run(sent);
        for pair in outcome.frames.windows(2) {
            prop_assert!(pair[1].place_ns >= pair[0].place_ns, "{pair:?}");
        }
        for frame in &outcome.frames {
            prop_assert!((-1_000..6_000).contains(&((frame.place_ns - ZERO) / MS)), "{frame:?}");
            prop_assert!(frame.duration_ns > 0 && frame.duration_ns < 21 * MS, "{frame:?}");
        }
        let Stats { placed, late, .. } = outcome.stats;
        prop_assert_eq!(placed as usize, outcome.frames.len());
        prop_assert!(late <= outcome.stats.received);
        check_counted(&outcome.stats);
    }

    /// Loss, jitter and reordering within the hold: all that came is heard once, in its place.
    #[test]
    fn all_that_comes_in_time_is_heard_once(
        fates in prop::collection::vec((0i64..250, 0u8..20), 50..300),
    ) {
        let mut sent = Vec::new();
        // The first ones arrive: a lone packet is nobody's.
        for (number, fate) in fates.iter().enumerate().filter(|(number, fate)| *number < 5 || fate.1 > 0) {
            // The first ones are on time, so that the path is known.
            let delay = if number < 5 { 0 } else { fate.0 };
            let packet = Sent::plain(number as u16);
            sent.push(Sent { arrival_ms: packet.arrival_ms + delay, ..packet });
        }
        let expected: Vec<_> = sent.iter().map(|packet| packet.number).collect();
        let outcome = run(sent);
        let heard: Vec<_> = outcome.heard.iter().map(|heard| heard.0).collect();
        prop_assert_eq!(heard, expected);
        for (number, at) in outcome.places() {
            prop_assert!((at - i64::from(number) * 20).abs() <= 1, "{} at {}", number, at);
        }
    }
}
