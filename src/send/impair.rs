//! What a network does to the packets of one stream: pure, and the same for the same seed.
//!
//! | option | model |
//! |---|---|
//! | loss | each packet by itself; with a mean burst of n as Gilbert's two states, with the same overall rate |
//! | jitter | a delay drawn evenly from 0 ‥ T; the order is kept: nothing arrives before what was sent before it |
//! | reorder | held back by T and 25 ‥ 70 ms more: at least the next packet overtakes it; without jitter, three at most |
//!
//! (A packet that is held back or lost itself overtakes nobody.)
//!
//! Loss, jitter and reordering draw from streams of their own: one that is switched on moves nothing of the others.

use crate::send::random::Random;

/// Longest jitter, in nanoseconds: what is longer is an outage, and would be held in memory.
pub const JITTER_NS_MAX: u64 = 1_000_000_000;

/// A packet that is held back comes so much later, in nanoseconds. More than a frame, less than four.
const HELD_NS: std::ops::Range<u64> = 25_000_000..70_000_000;

/// What is done to packets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Impairments {
    /// Share of packets that are lost, 0 ‥ 1.
    pub loss: f64,
    /// Mean number of packets that are lost one behind the other, at least 1; without it losses are independent.
    pub burst: Option<f64>,
    /// Longest delay, in nanoseconds, at most [`JITTER_NS_MAX`].
    pub jitter_ns: u64,
    /// Share of packets that later ones overtake, 0 ‥ 1.
    pub reorder: f64,
}

impl Impairments {
    /// Returns the largest share that can be lost in bursts of the mean length `burst`: between two of them there is
    /// at least one packet.
    pub fn loss_max(burst: f64) -> f64 {
        burst / (burst + 1.0)
    }
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives.
    Arrives {
        /// When, in nanoseconds on the scale on which it was sent.
        at_ns: u64,
    },
}

/// The network that one stream goes through.
#[derive(Debug, Clone)]
pub(super) struct Network {
    impairments: Impairments,
    losses: Random,
    delays: Random,
    orders: Random,
    /// In Gilbert's bad state.
    is_losing: Option<bool>,
    /// When the last packet that was not held back arrived.
    arrived_ns: u64,
}

impl Network {
    /// Returns a network that does these things by chance of this seed.
    pub(super) fn new(impairments: Impairments, seed: u64) -> Self {
        let [losses, delays, orders] = [1, 2, 3].map(|index| Random::of_stream(seed, index));
        Self { impairments, losses, delays, orders, is_losing: None, arrived_ns: 0 }
    }

    /// Takes the next packet, sent at `sent_ns`.
    pub(super) fn carry(&mut self, sent_ns: u64) -> Fate {
        let Impairments { jitter_ns, reorder, .. } = self.impairments;
        // All are drawn for each packet, so that a loss changes nothing of what the others meet.
        let is_lost = self.loses();
        let delay = if jitter_ns == 0 { 0 } else { self.delays.below(jitter_ns + 1) };
        let is_held = self.orders.happens(reorder);
        let held = HELD_NS.start + self.orders.below(HELD_NS.end - HELD_NS.start);
        if is_lost {
            return Fate::Lost;
        }
        if is_held {
            return Fate::Arrives { at_ns: sent_ns.saturating_add(jitter_ns + held) };
        }
        self.arrived_ns = self.arrived_ns.max(sent_ns.saturating_add(delay));
        Fate::Arrives { at_ns: self.arrived_ns }
    }

    fn loses(&mut self) -> bool {
        let Impairments { loss, burst, .. } = self.impairments;
        let chance = match (burst, self.is_losing) {
            (Some(burst), Some(true)) => 1.0 - 1.0 / burst,
            (Some(burst), Some(false)) => loss / (burst * (1.0 - loss)),
            _ => loss,
        };
        let is_lost = self.losses.happens(chance);
        self.is_losing = Some(is_lost);
        is_lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_NS: u64 = 20_000_000;

    /// Arrival of each packet of a call; None where it is lost.
    fn arrivals(impairments: Impairments, seed: u64, n: u64) -> Vec<Option<u64>> {
        let mut network = Network::new(impairments, seed);
        let fates = (0..n).map(|index| network.carry(index * FRAME_NS));
        fates.map(|fate| if let Fate::Arrives { at_ns } = fate { Some(at_ns) } else { None }).collect()
    }

    /// Share of lost packets, and mean length of their runs.
    fn losses(arrivals: &[Option<u64>]) -> (f64, f64) {
        let lost = arrivals.iter().filter(|arrival| arrival.is_none()).count() as f64;
        let begins = arrivals.windows(2).filter(|pair| pair[0].is_some() && pair[1].is_none()).count() as f64;
        (lost / arrivals.len() as f64, lost / begins)
    }

    #[test]
    fn a_good_network_does_nothing() {
        let all = arrivals(Impairments::default(), 1, 1_000);
        assert!(all.iter().enumerate().all(|(index, at)| *at == Some(index as u64 * FRAME_NS)));
    }

    #[test]
    fn losses_have_their_rate_and_their_length() {
        // Of 200 000 packets: five standard deviations of the rate (bursts of n widen it by about √(2n)) and of the
        // mean. Independent losses come in runs of 1 / (1 − p).
        for (loss, burst, mean, rate_error, mean_error) in [
            (0.05, None, 1.0 / 0.95, 0.0025, 0.02),
            (0.05, Some(3.0), 3.0, 0.006, 0.25),
            (0.2, Some(8.0), 8.0, 0.015, 0.7),
            (0.5, Some(1.0), 1.0, 1e-4, 1e-4),
            (1.0, None, f64::INFINITY, 0.0, 0.0),
        ] {
            let (rate, length) = losses(&arrivals(Impairments { loss, burst, ..Default::default() }, 7, 200_000));
            assert!((rate - loss).abs() <= rate_error, "{loss} {burst:?}: lost {rate}");
            assert!(length == mean || (length - mean).abs() <= mean_error, "{loss} {burst:?}: bursts of {length}");
        }
    }

    #[test]
    fn jitter_only_delays_and_keeps_the_order() {
        let jitter_ns = 90_000_000;
        let all = arrivals(Impairments { jitter_ns, ..Default::default() }, 3, 10_000);
        let all: Vec<_> = all.into_iter().flatten().collect();
        assert!(all.is_sorted() && all.len() == 10_000);
        let delays: Vec<_> = all.iter().enumerate().map(|(index, at)| at - index as u64 * FRAME_NS).collect();
        assert!(delays.iter().all(|delay| *delay <= jitter_ns));
        assert!(delays.iter().any(|delay| *delay > jitter_ns * 9 / 10));
        assert!(delays.iter().any(|delay| *delay < jitter_ns / 4));
    }

    #[test]
    fn whoever_is_held_back_is_overtaken() {
        for (jitter_ns, overtaken_max) in [(0, 3), (40_000_000, 6)] {
            let impairments = Impairments { jitter_ns, reorder: 0.01, ..Default::default() };
            let with = arrivals(impairments, 5, 20_000);
            let without = arrivals(Impairments { reorder: 0.0, ..impairments }, 5, 20_000);
            // One that was held back did not hold back those behind it, which may then be earlier.
            let is_held: Vec<_> = with.iter().zip(&without).map(|(with, without)| with > without).collect();
            let n_held = is_held.iter().filter(|is_held| **is_held).count();
            for (index, at) in with.iter().enumerate().take(19_990) {
                if !is_held[index] || is_held[index + 1..index + 10].contains(&true) {
                    continue;
                }
                let overtaken = with[index + 1..index + 10].iter().filter(|later| *later < at).count();
                assert!((1..=overtaken_max).contains(&overtaken), "{index}: {overtaken}");
            }
            assert!((130..=270).contains(&n_held), "{n_held} of 20 000");
        }
    }

    #[test]
    fn each_kind_of_chance_is_by_itself() {
        let lossy = Impairments { loss: 0.1, jitter_ns: 30_000_000, ..Default::default() };
        let (with, other) = (arrivals(lossy, 9, 5_000), arrivals(lossy, 10, 5_000));
        assert_eq!(with, arrivals(lossy, 9, 5_000));
        assert_ne!(with, other);
        let without_jitter = arrivals(Impairments { jitter_ns: 0, ..lossy }, 9, 5_000);
        assert!(with.iter().zip(&without_jitter).all(|(with, without)| with.is_some() == without.is_some()));
    }
}
