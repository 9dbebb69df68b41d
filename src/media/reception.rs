//! How a sender is received, as receiver reports tell it (RFC 3550 §6.4.1, appendices A.3 and A.8). Pure.

/// What one report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// In 1/256, since the last report.
    pub(super) fraction_lost: u8,
    /// Since the beginning; 24 bits.
    pub(super) cumulative_lost: u32,
    /// Highest sequence number, with its cycles.
    pub(super) extended_sequence: u32,
    /// In units of the media clock.
    pub(super) jitter: u32,
}

/// Most that 24 bits with a sign can say.
const LOST_MAX: u64 = 0x7f_ffff;

/// Counts what a report tells.
#[derive(Debug, Clone)]
pub(super) struct Reception {
    base: i64,
    highest: i64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    /// In 1/16 of a unit of the media clock.
    jitter_16: i64,
    transit: Option<i64>,
}

impl Reception {
    /// Returns the reception of a sender whose first packet has this extended sequence number.
    pub(super) fn new(sequence: i64) -> Self {
        let (received, expected_before, received_before) = (0, 0, 0);
        let (base, highest) = (sequence, sequence);
        Self { base, highest, received, expected_before, received_before, jitter_16: 0, transit: None }
    }

    /// Takes note of a packet whose time tells nothing: it came late or twice, or is no audio.
    pub(super) fn came(&mut self, sequence: i64) {
        self.base = self.base.min(sequence);
        self.highest = self.highest.max(sequence);
        self.received += 1;
    }

    /// Takes note of a packet; `transit` in units of the media clock, from any zero.
    pub(super) fn packet(&mut self, sequence: i64, transit: i64) {
        self.came(sequence);
        if let Some(before) = self.transit.replace(transit) {
            let difference = transit.saturating_sub(before).saturating_abs().min(i64::from(u32::MAX));
            self.jitter_16 += difference - ((self.jitter_16 + 8) >> 4);
        }
    }

    /// Returns whether a packet came since the last report.
    pub(super) fn has_news(&self) -> bool {
        self.received > self.received_before
    }

    /// Returns the numbers of a report and begins the next interval.
    pub(super) fn report(&mut self) -> Said {
        let expected = u64::try_from(self.highest - self.base + 1).unwrap_or(0);
        let interval = expected.saturating_sub(self.expected_before);
        let came = self.received.saturating_sub(self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        let missing = interval.saturating_sub(came);
        Said {
            fraction_lost: (missing * 256).checked_div(interval).map_or(0, |share| share.min(255) as u8),
            cumulative_lost: expected.saturating_sub(self.received).min(LOST_MAX) as u32,
            extended_sequence: self.highest as u32,
            jitter: u32::try_from(self.jitter_16 >> 4).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_of_the_interval_and_of_all() {
        let mut reception = Reception::new(65_530);
        for sequence in (65_530..65_630).filter(|sequence| sequence % 4 != 0) {
            reception.packet(sequence, 0);
        }
        let said = reception.report();
        assert_eq!((said.fraction_lost, said.cumulative_lost, said.extended_sequence), (64, 25, 65_629));
        for sequence in 65_630..65_730 {
            reception.packet(sequence, 0);
        }
        let said = reception.report();
        assert_eq!((said.fraction_lost, said.cumulative_lost), (0, 25));
    }

    #[test]
    fn jitter_comes_to_the_mean_difference() {
        let mut reception = Reception::new(0);
        (0..1_000).for_each(|sequence| reception.packet(sequence, (sequence % 2) * 80));
        assert!(reception.report().jitter.abs_diff(80) <= 1);
    }
}
