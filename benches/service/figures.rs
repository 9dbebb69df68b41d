//! What was measured many times: shares of it that are not exceeded.

/// Durations in ns, as they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures(Vec<i64>);

impl Figures {
    pub(crate) fn add(&mut self, ns: i64) {
        self.0.push(ns);
    }

    pub(crate) fn n(&self) -> usize {
        self.0.len()
    }

    /// Returns the least of them that `share` of all do not exceed, in ms: 0 is the least, 1 the greatest.
    pub(crate) fn ms(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |ns| *ns as f64 / 1e6)
    }

    /// Returns whether `share` of all are no further from nothing than `bar`, in ms.
    pub(crate) fn are_within(&self, bar: f64, share: f64) -> bool {
        let magnitudes = Self(self.0.iter().map(|ns| ns.abs()).collect());
        magnitudes.ms(share) <= bar
    }

    /// Returns n, the least, p50, p99 and the greatest, for a table.
    pub(crate) fn cells(&self) -> Vec<String> {
        let shares = [0.0, 0.5, 0.99, 1.0].map(|share| self.ms(share));
        let digits = if shares[3].abs() < 100.0 { 2 } else { 0 };
        let cells = shares.map(|ms| format!("{ms:.digits$}"));
        [vec![self.n().to_string()], cells.to_vec()].concat()
    }
}

/// Returns a number with three digits that tell something.
pub(crate) fn rounded(number: f64) -> String {
    let unit = 10_f64.powi((number.abs().max(1.0).log10().floor() as i32 - 2).max(0));
    format!("{:.0}", (number / unit).round() * unit)
}
