//! Every packet at its time, by the formula: T0 + start + m / (1 + skew), to the nanosecond.

use crate::support::captured::{T0, capture, indices};

/// Media of so many nanoseconds of the sender's clock, in true nanoseconds; skew in ppm.
fn true_ns(media_ns: u64, skew_ppm: i64) -> u64 {
    (u128::from(media_ns) * 1_000_000 / (1_000_000 + skew_ppm) as u128) as u64
}

#[test]
fn packets_of_a_clock_that_is_fast_or_slow_are_at_their_times() {
    for (skew, start_ns, option) in
        [(0, 0, ""), (200, 1_250_000_000, "--skew 200ppm --start 1.25s"), (-1_000, 7, "--skew -1000ppm --start 7ns")]
    {
        let call = capture(&format!("--serial --duration 21m51s {option}"));
        let packets = call.rtp(0);
        // More than 65 536 frames would be too many; the numbers wrap anyway, since they begin anywhere.
        assert_eq!(packets.len(), 65_550);
        let (ssrc, sequence, timestamp) =
            ["ssrc", "firstSequence", "firstTimestamp"].map(|name| call.number(&format!("streams/0/{name}"))).into();
        for (n, packet) in packets.iter().enumerate() {
            let n = n as u64;
            assert_eq!(packet.ns, T0 + start_ns + true_ns(n * 20_000_000, skew), "frame {n} at {skew} ppm");
            assert_eq!(u64::from(packet.sequence), (sequence + n) % (1 << 16), "frame {n}");
            assert_eq!(u64::from(packet.timestamp), (timestamp + n * 160) % (1 << 32), "frame {n}");
            assert_eq!((u64::from(packet.ssrc), packet.payload_type, packet.marker), (ssrc, 0, false));
            assert_eq!(packet.payload.len(), 160);
        }
        let reports = call.reports(0);
        assert_eq!(reports.len(), 263 + 1);
        for (j, report) in reports[..263].iter().enumerate() {
            let j = j as u64;
            let at = T0 + start_ns + true_ns(j * 5_000_000_000, skew);
            assert_eq!((report.ns, report.ntp_ns), (at, at), "report {j}");
            assert_eq!(u64::from(report.timestamp), (timestamp + j * 40_000) % (1 << 32), "report {j}");
            let sent = j * 250;
            assert_eq!((u64::from(report.packets), u64::from(report.octets)), (sent, sent * 160), "report {j}");
            assert_eq!((u64::from(report.ssrc), report.is_goodbye), (ssrc, false));
        }
        let end = reports.last().expect("a goodbye");
        let at = T0 + start_ns + true_ns(1_311_000_000_000, skew);
        assert_eq!((end.is_goodbye, end.ns, end.ntp_ns, end.packets), (true, at, at, 65_550));
        assert_eq!(u64::from(end.timestamp), (timestamp + 65_550 * 160) % (1 << 32));
    }
}

#[test]
fn streams_go_from_port_to_port_with_numbers_of_their_own() {
    let call = capture("--serial --duration 1s --streams 3 --ssrc 0xfffffffe --payload-type 99");
    for stream in 0..3u16 {
        let (packets, reports) = (call.rtp(stream), call.reports(stream));
        let name = |name: &str| call.number(&format!("streams/{stream}/{name}"));
        assert_eq!((packets.len(), reports.len()), (50, 2));
        let phase = name("phaseNs");
        assert!(if stream == 0 { phase == 0 } else { phase < 20_000_000 });
        let first = u16::try_from(name("firstSequence")).expect("16 bits");
        assert_eq!(indices(&packets, first), (0..50).collect::<Vec<_>>());
        for (n, packet) in packets.iter().enumerate() {
            assert_eq!(packet.ns, T0 + n as u64 * 20_000_000 + phase);
            assert_eq!(packet.ssrc, 0xFFFF_FFFEu32.wrapping_add(u32::from(stream)));
            assert_eq!(packet.payload_type, 99);
        }
        assert_eq!(name("port"), 5_004 + 2 * u64::from(stream));
    }
    for datagram in call.datagrams() {
        let is_rtcp = (200..=203).contains(&datagram.payload[1]);
        assert_eq!((datagram.to % 2 == 1, datagram.from - datagram.to), (is_rtcp, 40_000 - 5_004));
    }
    let call = capture("--serial --duration 1s --rtcp-mux --capture-port 7000");
    assert!(call.datagrams().iter().all(|datagram| (datagram.from, datagram.to) == (40_000, 7_000)));
}

#[test]
fn the_same_seed_sends_the_same() {
    let words = "--serial --duration 60s --streams 3 --loss 10% --burst-loss 2 --jitter 40ms --reorder 2%";
    let bytes = |seed: &str| std::fs::read(capture(&format!("{words} {seed}")).path).expect("a capture");
    let once = bytes("");
    assert!(once == bytes("--seed 1"), "1 is the seed where none is given");
    assert!(once != bytes("--seed 2"));
}
