//! `TrackClock`: media time of one sender, mapped to the monotonic clock.
//!
//! What a packet's place would be by the envelope of transit times is the *best* guess; it changes a little with each
//! second that passes. Inside a spurt the map is therefore slewed towards it, by [`SLEW_MAX_PPB`] at most with the
//! difference of the clocks included, so that a decoder can follow by resampling. Between spurts it steps. Pure.

use crate::media::envelope::Envelope;
use crate::media::envelope::share;

/// Steepest map inside a spurt, in 1/10⁹ beside media time: what a decoder's resampler follows.
const SLEW_MAX_PPB: i64 = 500_000;

/// Time in which a difference to the best guess is to be gone.
const SLEW_NS: i64 = 8_000_000_000;

/// The map is turned towards the best guess this often, in media time.
const TURN_NS: i64 = 100_000_000;

/// Where a spurt stands: straight from its last turn on.
#[derive(Debug, Clone, Copy)]
struct Map {
    media_ns: i64,
    place_ns: i64,
    slope_ppb: i64,
}

impl Map {
    fn at(self, media_ns: i64) -> i64 {
        let passed = media_ns.saturating_sub(self.media_ns);
        self.place_ns.saturating_add(passed).saturating_add(share(passed, self.slope_ppb))
    }
}

/// Maps media time to the monotonic clock.
#[derive(Debug, Clone)]
pub(super) struct TrackClock {
    rate: u32,
    envelope: Envelope,
    map: Option<Map>,
}

impl TrackClock {
    /// Returns the clock of a sender that counts `rate` units per second, above 0.
    pub(super) fn new(rate: u32) -> Self {
        Self { rate: rate.max(1), envelope: Envelope::default(), map: None }
    }

    /// Returns units of media time in nanoseconds of the sender's clock.
    pub(super) fn media_ns(&self, media: i64) -> i64 {
        let rate = i64::from(self.rate);
        let (seconds, rest) = (media.div_euclid(rate), media.rem_euclid(rate));
        seconds.saturating_mul(1_000_000_000).saturating_add(rest * 1_000_000_000 / rate)
    }

    /// Takes note of a packet of media time `media` that arrived at `arrival_ns`.
    pub(super) fn observe(&mut self, media: i64, arrival_ns: i64) {
        let media_ns = self.media_ns(media);
        self.envelope.observe(media_ns, arrival_ns.saturating_sub(media_ns));
    }

    /// Returns by how much a packet is later than the path allows; negative where it is earlier than any before it.
    pub(super) fn excess_ns(&self, media: i64, arrival_ns: i64) -> i64 {
        arrival_ns.saturating_sub(self.best_ns(media))
    }

    /// Returns the place of media time `media` as far as is known now.
    pub(super) fn best_ns(&self, media: i64) -> i64 {
        let media_ns = self.media_ns(media);
        media_ns.saturating_add(self.envelope.line().at(media_ns))
    }

    /// Returns by how much the sender's clock differs from ours, in 1/10⁹; positive where it is slow.
    pub(super) fn skew_ppb(&self) -> i64 {
        self.envelope.line().slope_ppb
    }

    /// Returns the place of `media` if the spurt goes on.
    pub(super) fn place_ns(&self, media: i64) -> i64 {
        self.map.map_or_else(|| self.best_ns(media), |map| map.at(self.media_ns(media)))
    }

    /// Begins a spurt: `media` stands at `place_ns`.
    pub(super) fn begin_spurt(&mut self, media: i64, place_ns: i64) {
        let slope_ppb = self.skew_ppb().clamp(-SLEW_MAX_PPB, SLEW_MAX_PPB);
        self.map = Some(Map { media_ns: self.media_ns(media), place_ns, slope_ppb });
    }

    /// Goes on with a spurt at `media`: turns the map where it is time to.
    pub(super) fn go_on(&mut self, media: i64) {
        let media_ns = self.media_ns(media);
        let Some(map) = self.map.filter(|map| media_ns - map.media_ns >= TURN_NS) else { return };
        let place_ns = map.at(media_ns);
        let behind_ns = self.best_ns(media).saturating_sub(place_ns);
        let turn_ppb = (i128::from(behind_ns) * 1_000_000_000 / i128::from(SLEW_NS)) as i64;
        let slope_ppb = self.skew_ppb().saturating_add(turn_ppb).clamp(-SLEW_MAX_PPB, SLEW_MAX_PPB);
        self.map = Some(Map { media_ns, place_ns, slope_ppb });
    }
}

#[cfg(test)]
mod tests;
