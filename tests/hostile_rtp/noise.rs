//! A flood: 100 000 packets a second on the port of a phone that speaks.

use std::time::Duration;
use std::time::Instant;

use crate::packet::Rtp;
use crate::support::sound::Random;
use crate::voice::Live;
use crate::voice::Phone;

const PER_MS: u32 = 100;
const FLOOD: Duration = Duration::from_secs(3);
/// Packets of a flood, and how much of it comes at once.
const BATCH_MS: u32 = 5;

/// Memory may grow by so much while it is flooded: pools and allocators, and no packets.
const GROWTH_KIB_MAX: u64 = 16 * 1_024;

/// Returns the memory of a process in KiB.
fn resident_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// Sends noise of all kinds for a while; returns how many packets.
fn flood(stranger: &Phone, own: &Phone) -> u64 {
    let mut random = Random::for_test("flood");
    let begun = Instant::now();
    let mut n_sent = 0;
    for batch in 0.. {
        let due = begun + Duration::from_millis(u64::from(batch * BATCH_MS));
        // On a busy machine it is less than what was asked for: what counts is that it ends before the call does.
        if due >= begun + FLOOD || begun.elapsed() >= FLOOD {
            break;
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        for n in 0..PER_MS * BATCH_MS {
            let from = if n % 2 == 0 { stranger } else { own };
            let any = random.next();
            let rtp = Rtp { ssrc: any as u32, sequence: (any >> 32) as u16, ..Rtp::frame(7) };
            let mut bytes = rtp.bytes();
            bytes.truncate(12 + (any >> 48) as usize % 160);
            if n % 5 == 0 {
                bytes[0] = (any >> 40) as u8;
            }
            from.send(&bytes);
            n_sent += 1;
        }
    }
    n_sent
}

#[test]
fn a_flood_of_noise_takes_no_frame_and_no_memory() {
    let live = Live::start("codec=pcmu", "--duration 5s");
    let id = live.program.id();
    let (phone, stranger, own) = (Phone::new(live.to), Phone::new(live.to), Phone::new(live.to));
    let (mut n_noise, mut before, mut after) = (0, 0, 0);
    let (spoken, flooded) = std::thread::scope(|scope| {
        let (begin, begun) = std::sync::mpsc::channel::<()>();
        let flooding = scope.spawn(move || {
            begun.recv().expect("the phone speaks");
            flood(&stranger, &own)
        });
        // What is told of drops comes with a later packet: the last ones are the phone's.
        let spoken = phone.speak(220, |n, _| {
            if n == 20 {
                begin.send(()).expect("it waits");
            }
            match n {
                40 => before = resident_kib(id),
                150 => after = resident_kib(id),
                _ => (),
            }
        });
        (spoken, flooding.join().expect("it ends"))
    });
    n_noise += flooded;
    let recorded = live.finish(0);
    let [received, dropped, placed] = ["received", "kernelDrops", "placed"].map(|name| recorded.counter(name));
    println!("{n_noise} of noise, {received} received, {dropped} dropped, {placed} heard, {before} to {after} KiB");
    // Truth about drops: what was sent is one or the other.
    assert_eq!(received + dropped, n_noise + u64::from(spoken.n));
    assert!(after <= before + GROWTH_KIB_MAX, "{before} to {after} KiB");
    recorded.check_frames(&spoken);
    assert_eq!(recorded.wav.frames(), 80_000);
}
