//! What the service counts of itself, as a second witness of what was seen from outside.

use std::collections::HashMap;

/// What was scraped: values by series, as they are spelled.
pub(crate) struct Metrics(HashMap<String, f64>);

/// A histogram between two scrapes: how many values there were up to each bound.
pub(crate) struct Histogram(Vec<(f64, f64)>);

impl Metrics {
    pub(crate) fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.filter_map(|line| line.rsplit_once(' '));
        Self(series.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }

    /// Returns the sum of all series of a name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let is_of = |series: &str| series.split('{').next() == Some(name);
        self.0.iter().filter(|(series, _)| is_of(series)).map(|(_, value)| value).sum()
    }

    /// Returns one series.
    pub(crate) fn one(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or(0.0)
    }

    /// Returns what came to a histogram without labels since `before`.
    pub(crate) fn since(&self, before: &Self, name: &str) -> Histogram {
        let prefix = format!("{name}_bucket{{le=\"");
        let bound = |series: &str| match series.strip_prefix(&prefix)?.strip_suffix("\"}")? {
            "+Inf" => Some(f64::INFINITY),
            bound => bound.parse().ok(),
        };
        let counts = self.0.iter().filter_map(|(series, n)| Some((bound(series)?, n - before.one(series))));
        let mut counts: Vec<_> = counts.collect();
        counts.sort_by(|one, other| one.0.total_cmp(&other.0));
        Histogram(counts)
    }
}

impl Histogram {
    pub(crate) fn n(&self) -> u64 {
        self.0.last().map_or(0, |(_, n)| *n as u64)
    }

    /// Returns the least bound in ms that a share of the values does not exceed, as text: the buckets tell no more.
    pub(crate) fn within(&self, share: f64) -> String {
        let enough = self.n() as f64 * share;
        let bound = self.0.iter().find(|(_, n)| *n > 0.0 && *n >= enough).map(|(bound, _)| *bound);
        match bound {
            None => "–".to_owned(),
            Some(f64::INFINITY) => "above all bounds".to_owned(),
            Some(seconds) => format!("≤ {:.0}", seconds * 1e3),
        }
    }
}
