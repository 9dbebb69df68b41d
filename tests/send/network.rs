//! What the network does, counted in what arrives.

use std::path::Path;

use crate::support::captured::{Captured, T0, capture, indices};
use crate::support::judge;

/// Which packets of a call arrived, in order of arrival, and when.
fn arrivals(call: &Captured) -> Vec<(u64, u64)> {
    let packets = call.rtp(0);
    let first = u16::try_from(call.number("streams/0/firstSequence")).expect("16 bits");
    indices(&packets, first).into_iter().zip(packets.iter().map(|packet| packet.ns - T0)).collect()
}

#[test]
fn losses_are_as_many_and_as_long_as_asked_for() {
    // Of 45 000 packets: five standard deviations, which bursts of n widen by about √(2n).
    for (options, rate, rate_error, length, length_error) in [
        ("--loss 5%", 0.05, 0.0055, 1.0526, 0.03),
        ("--loss 5% --burst-loss 3", 0.05, 0.013, 3.0, 0.5),
        ("--loss 30% --burst-loss 10", 0.3, 0.05, 10.0, 1.5),
    ] {
        let call = capture(&format!("--serial --duration 15m {options} --seed 11"));
        let mut arrived = vec![false; 45_000];
        for (index, at) in arrivals(&call) {
            assert_eq!(at, index * 20_000_000, "a loss moves nothing else");
            arrived[index as usize] = true;
        }
        let lost = arrived.iter().filter(|arrived| !**arrived).count();
        assert_eq!(call.number("lost"), lost as u64);
        assert_eq!(call.number("packets"), 45_000 - lost as u64);
        let bursts = arrived.split(|arrived| *arrived).filter(|burst| !burst.is_empty()).count();
        let (rate_found, length_found) = (lost as f64 / 45_000.0, lost as f64 / bursts as f64);
        assert!((rate_found - rate).abs() < rate_error, "{options}: {rate_found}");
        assert!((length_found - length).abs() < length_error, "{options}: {length_found}");
        // The sender does not know what is lost.
        assert_eq!(call.reports(0).last().expect("a goodbye").packets, 45_000);
    }
}

#[test]
fn jitter_delays_and_keeps_the_order() {
    let call = capture("--serial --duration 5m --jitter 100ms");
    let arrivals = arrivals(&call);
    assert_eq!(arrivals.iter().map(|arrival| arrival.0).collect::<Vec<_>>(), (0..15_000).collect::<Vec<_>>());
    let delays: Vec<_> =
        arrivals.iter().map(|(index, at)| at.checked_sub(index * 20_000_000).expect("a delay")).collect();
    assert!(delays.iter().all(|delay| *delay <= 100_000_000));
    // In order, a delay is the largest of d₀, d₁ − 20 ms, d₂ − 40 ms …, each even from 0 to 100 ms. Its mean is the
    // integral of the chance that not all of them are below x.
    let are_below = |x: f64| (0..5).map(|n| ((x + 20.0 * f64::from(n)) / 100.0).min(1.0)).product::<f64>();
    let expected: f64 = (0..1_000).map(|tenths| (1.0 - are_below(f64::from(tenths) / 10.0 + 0.05)) / 10.0).sum();
    let mean = delays.iter().sum::<u64>() as f64 / 15_000.0 / 1e6;
    assert!((mean - expected).abs() < 1.5, "{mean} ms, not {expected}");
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.1));
    let reports = call.reports(0);
    assert!(reports.iter().take(60).enumerate().all(|(j, report)| report.ns == T0 + j as u64 * 5_000_000_000));
    assert!(reports.last().expect("a goodbye").ns >= T0 + arrivals.last().expect("arrivals").1);
}

#[test]
fn reordered_packets_are_overtaken_by_one_to_three() {
    let call = capture("--serial --duration 10m --reorder 1%");
    let arrivals = arrivals(&call);
    let mut delays = vec![0; 30_004];
    for (index, at) in &arrivals {
        delays[*index as usize] = at - index * 20_000_000;
    }
    let (mut n_late, mut n_overtaken) = (0, 0);
    for (place, (index, _)) in arrivals.iter().enumerate() {
        let (at, delay) = (*index as usize, delays[*index as usize]);
        let before = arrivals[place.saturating_sub(8)..place].iter().filter(|(before, _)| before > index);
        n_overtaken += u64::from(before.clone().count() > 0);
        if delay == 0 {
            continue;
        }
        n_late += 1;
        assert!((25_000_000..70_000_000).contains(&delay), "packet {index}: {delay} ns");
        // Those that were in time and are sent before it arrives.
        let in_time = |at: &usize| delays[*at] == 0 && *at < 30_000;
        let expected = (at + 1..=at + (delay / 20_000_000) as usize).filter(in_time).count();
        let overtaken_by = before.filter(|(before, _)| in_time(&(*before as usize))).count();
        assert_eq!(overtaken_by, expected, "packet {index}");
    }
    assert!((210..=390).contains(&n_late), "{n_late} of 30 000");
    assert_eq!(call.number("reordered"), n_overtaken);
    assert!(n_overtaken > n_late * 9 / 10);
}

/// Asks tshark, of packets on port 5004 as RTP.
#[track_caller]
fn tshark(path: &Path, words: &str) -> String {
    let fixed = "-n -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -d udp.port==5004,rtp -d udp.port==5005,rtcp";
    let (text, _) =
        judge::run("tshark", fixed.split(' ').chain(["-r", path.to_str().expect("text")]).chain(words.split(' ')));
    String::from_utf8(text).expect("text")
}

#[test]
fn tshark_sees_what_was_sent_and_nothing_wrong() {
    let call = capture("--serial --duration 20s --loss 5% --jitter 15ms --ssrc 0x1234");
    assert_eq!(tshark(&call.path, "-Y _ws.malformed||ip.checksum.status==0||udp.checksum.status==0"), "");
    let n_arrived = call.number("packets");
    assert_eq!(tshark(&call.path, "-Y rtp").lines().count() as u64, n_arrived);
    assert_eq!(tshark(&call.path, "-Y rtcp").lines().count(), 5);
    let streams = tshark(&call.path, "-q -z rtp,streams");
    let words = streams.lines().find(|line| line.contains("0x00001234")).expect("a stream");
    let words: Vec<_> = words.split_whitespace().collect();
    assert!(words.contains(&"g711U") && words.contains(&n_arrived.to_string().as_str()), "{streams}");
    // Those before the first and behind the last that arrived are not known to be lost.
    let arrivals = arrivals(&call);
    let known = arrivals[arrivals.len() - 1].0 - arrivals[0].0 + 1;
    let lost = format!(" {} (", known - n_arrived);
    assert!(known - n_arrived > 30);
    assert!(streams.contains(&lost), "{streams}: {lost} lost");
    let times = tshark(&call.path, "-Y rtp -T fields -e frame.time_epoch -e rtp.seq -e rtp.timestamp");
    for (line, packet) in times.lines().zip(call.rtp(0)) {
        let (seconds, ns) = (packet.ns / 1_000_000_000, packet.ns % 1_000_000_000);
        assert_eq!(line, format!("{seconds}.{ns:09}\t{}\t{}", packet.sequence, packet.timestamp));
    }
    let reports = tshark(&call.path, "-Y rtcp.pt==200 -T fields -e rtcp.timestamp.rtp -e rtcp.sender.packetcount");
    let expected =
        call.reports(0).iter().map(|report| format!("{}\t{}\n", report.timestamp, report.packets)).collect::<String>();
    assert_eq!(reports, expected);
}
