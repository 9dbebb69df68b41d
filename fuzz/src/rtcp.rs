//! Any datagrams as RTCP, to a track that has a stream; and what is reported back to its sender.

use std::net::Ipv4Addr;
use std::net::SocketAddr;

use reelgraph::media::Codec;
use reelgraph::media::Next;
use reelgraph::media::Payloads;
use reelgraph::media::Settings;
use reelgraph::media::Track;

const SECOND_NS: i64 = 1_000_000_000;

const BYE: u8 = 203;

/// Datagrams: two bytes of length before each; a time in seconds before all.
pub(crate) fn run(bytes: &[u8]) {
    let Some((time, mut rest)) = bytes.split_first_chunk::<8>() else { return };
    let time_ns = i64::from_be_bytes(*time);
    let mut track = Track::new(Settings { payloads: Payloads::of(Codec::Pcmu), source: None, ssrc: None });
    let cursor = track.open(i64::MIN);
    let [sender, control] = [4_000, 4_001].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    for number in 0..10u8 {
        let mut packet = vec![0x80, 0, 0, number];
        packet.extend((u32::from(number) * 160).to_be_bytes());
        packet.extend([0, 0, 0, 1]);
        packet.extend([number; 160]);
        track.receive(&packet, sender, i64::from(number) * SECOND_NS / 50);
    }
    track.advance(SECOND_NS, SECOND_NS);
    let mut n_heard = 0;
    track.read(cursor, SECOND_NS, |_| n_heard += 1);
    assert_eq!(n_heard, 10);
    // What is reported before, between and behind them, of packets that have been told of already: one report in all.
    let is_reported_first = time_ns % 2 == 0;
    if is_reported_first {
        check_report(&mut track, SECOND_NS);
    }
    let (mut n, mut n_control, mut has_bye) = (10, 0, false);
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let (datagram, after) = behind.split_at(usize::from(u16::from_be_bytes(*length)).min(behind.len()));
        rest = after;
        let is_control = datagram.len() >= 2 && datagram[0] >> 6 == 2 && (192..=223).contains(&datagram[1]);
        n_control += u64::from(is_control);
        has_bye |= is_control && datagram.contains(&BYE);
        // RTP is another target's.
        if !datagram.is_empty() && !is_control && datagram[0] >> 6 == 2 {
            continue;
        }
        n += 1;
        track.receive(datagram, control, time_ns);
        if is_reported_first {
            assert_eq!(track.report(7, time_ns), None, "nothing came since");
        }
    }
    let stats = track.stats();
    assert_eq!((stats.received, stats.placed), (n, 10));
    assert_eq!((stats.control, stats.malformed), (n_control, n - 10 - n_control));
    let is_ended = track.read(cursor, SECOND_NS, |_| panic!("a report is heard")) == Next::End;
    assert!(!is_ended || has_bye, "ended without a goodbye");
    if !is_reported_first && !has_bye {
        check_report(&mut track, i64::MAX);
    }
}

/// A receiver report with one block, then a name.
fn check_report(track: &mut Track, now_ns: i64) {
    let (report, to) = track.report(7, now_ns).expect("somebody sends");
    assert_eq!(to.port(), 4_000);
    assert_eq!(report[..12], [0x81, 201, 0, 7, 0, 0, 0, 7, 0, 0, 0, 1]);
    assert_eq!((report[13..16].to_vec(), report[32..34].to_vec()), (vec![0; 3], vec![0x81, 202]));
    assert_eq!(report.len() % 4, 0);
}
