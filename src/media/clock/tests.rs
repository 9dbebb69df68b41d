//! The clock against senders whose truth is known: an hour in a moment.

use super::*;

const RATE: u32 = 8_000;
const FRAME: i64 = 160;
const HOLD_NS: i64 = 400_000_000;
const MS: i64 = 1_000_000;

/// SplitMix64: any generator does, as long as a seed gives the same call again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: i64) -> i64 {
        if end == 0 { 0 } else { (self.next() % end as u64) as i64 }
    }
}

#[derive(Debug, Clone, Copy)]
struct Sender {
    skew_ppm: i64,
    jitter_ns: i64,
    loss_percent: i64,
    seed: u64,
}

impl Sender {
    /// When frame `k` is sent, and so heard by who hears it without delay.
    fn truth_ns(self, k: i64) -> i64 {
        let media_ns = i128::from(k) * 20_000_000;
        (media_ns * 1_000_000 / i128::from(1_000_000 + self.skew_ppm)) as i64
    }

    /// Returns the error in ns of each frame's place, in order, when it is placed a hold after its time.
    fn errors(self, n_frames: i64) -> Vec<i64> {
        let mut random = Random(self.seed);
        let mut clock = TrackClock::new(RATE);
        let (mut arrival, mut placed, mut errors) = (0, 0, Vec::new());
        for k in 0..n_frames {
            let sent = self.truth_ns(k);
            arrival = (sent + random.below(self.jitter_ns)).max(arrival);
            if random.below(100) >= self.loss_percent {
                clock.observe(k * FRAME, arrival);
            }
            while placed <= k && self.truth_ns(placed) + HOLD_NS <= arrival {
                match placed {
                    0 => clock.begin_spurt(0, clock.best_ns(0)),
                    _ => clock.go_on(placed * FRAME),
                }
                errors.push(clock.place_ns(placed * FRAME) - self.truth_ns(placed));
                placed += 1;
            }
        }
        errors
    }
}

fn mean(errors: &[i64]) -> i64 {
    errors.iter().sum::<i64>() / errors.len() as i64
}

#[test]
fn an_hour_of_skew_and_jitter_stays_within_5_ms_and_does_not_grow() {
    for skew_ppm in [-300, -50, 0, 50, 300] {
        for seed in 1..=4 {
            let sender = Sender { skew_ppm, jitter_ns: 30 * MS, loss_percent: 5, seed };
            let errors = sender.errors(180_000);
            let worst = errors.iter().map(|error| error.abs()).max().unwrap();
            let minute = 3_000;
            let half = mean(&errors[errors.len() / 2..][..minute]);
            let end = mean(&errors[errors.len() - minute..]);
            println!("{sender:?}: worst {worst} ns, half {half}, end {end}");
            assert!(worst < 5 * MS, "{sender:?}: {worst} ns");
            assert!((end - half).abs() < MS / 10, "{sender:?}: {half} to {end} ns");
            assert!(end.abs() < MS, "{sender:?}: {end} ns");
        }
    }
}

/// Until a slope was believed only from ten seconds on, a call began with an error of 4.4 ms.
#[test]
fn skew_is_learnt_within_seconds_where_packets_come_evenly() {
    for (jitter_ns, worst_ns) in [(0, MS), (10 * MS, 2 * MS)] {
        for skew_ppm in [-300, 300] {
            for seed in 1..=20 {
                let sender = Sender { skew_ppm, jitter_ns, loss_percent: 5, seed };
                let worst = sender.errors(3_000).iter().map(|error| error.abs()).max().unwrap();
                assert!(worst < worst_ns, "{sender:?}: {worst} ns");
            }
        }
    }
}

#[test]
fn places_inside_a_spurt_never_step() {
    let sender = Sender { skew_ppm: 300, jitter_ns: 60 * MS, loss_percent: 0, seed: 9 };
    let errors = sender.errors(30_000);
    for pair in errors.windows(2) {
        // 20 ms at 500 ppm beside a skew of 300 ppm.
        assert!((pair[1] - pair[0]).abs() <= 16_000 + 2, "{pair:?}");
    }
}

#[test]
fn without_jitter_the_place_is_the_arrival() {
    let sender = Sender { skew_ppm: 0, jitter_ns: 0, loss_percent: 0, seed: 1 };
    assert!(sender.errors(1_000).iter().all(|error| *error == 0));
}

#[test]
fn a_path_that_becomes_slower_for_good_is_believed() {
    let mut clock = TrackClock::new(RATE);
    for k in 0..5_000 {
        let delay = if k < 1_000 { 0 } else { 80 * MS };
        clock.observe(k * FRAME, k * 20 * MS + delay);
    }
    assert_eq!(clock.best_ns(5_000 * FRAME), 5_000 * 20 * MS + 80 * MS);
}

#[test]
fn any_times_are_taken() {
    let mut random = Random(3);
    let mut clock = TrackClock::new(48_000);
    for _ in 0..10_000 {
        let media = random.next() as i64 >> 16;
        clock.observe(media, random.next() as i64 >> 1);
        clock.go_on(media);
        if random.below(3) == 0 {
            clock.begin_spurt(media, clock.best_ns(media));
        }
        clock.excess_ns(media, clock.place_ns(media));
    }
}
