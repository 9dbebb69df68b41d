//! Which worker takes another recording, if any has time: by what recordings of each graph have taken so far. Pure.
//!
//! What workers measure of their load is seconds old: recordings that begin at the same moment would all see the same.
//! So each counts for what its graph has been seen to cost, from when it is taken.

use std::collections::BTreeMap;
use std::time::Duration;

/// Share of a core, in 1/1 000 000.
type Share = u64;

/// A worker that is busier than this takes no more recordings.
const FULL: Share = 800_000;

/// What a recording of a graph is taken to cost that was never measured: two parties of Opus to MP3 on a slow core. Too
/// many that begin together have to be refused: they are told to come again, and by then a few have been measured.
const UNKNOWN: Share = 7_000;

/// A recording's first ticks build its elements, and are no measure.
const MEASURED: Duration = Duration::from_secs(2);

/// What a recording has taken so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Wall time of its ticks, in ns.
    pub(super) busy_ns: u64,
    /// Time that it was ticked for, in ns.
    pub(super) of_ns: u64,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.busy_ns = self.busy_ns.saturating_add(other.busy_ns);
        self.of_ns = self.of_ns.saturating_add(other.of_ns);
    }

    fn is_measured(self) -> bool {
        u128::from(self.of_ns) >= MEASURED.as_nanos()
    }

    fn share(self) -> Share {
        let share = u128::from(self.busy_ns) * 1_000_000 / u128::from(self.of_ns.max(1));
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

/// A recording that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running<'a> {
    pub(super) graph: &'a str,
    pub(super) cost: Cost,
}

/// A worker, and what it records.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'a> {
    /// Load that it measures itself, in 1/1000.
    pub(super) load: u64,
    pub(super) recordings: Vec<Running<'a>>,
}

/// Returns the index of the worker that is to take a recording of `graph`; None where none has time for it. `known` has
/// what graphs cost of which nothing runs.
pub(super) fn choose(workers: &[Candidate<'_>], graph: &str, known: &BTreeMap<String, Cost>) -> Option<usize> {
    let mut costs: BTreeMap<&str, Cost> = known.iter().map(|(graph, cost)| (graph.as_str(), *cost)).collect();
    for running in workers.iter().flat_map(|worker| &worker.recordings).filter(|running| running.cost.is_measured()) {
        costs.entry(running.graph).or_default().add(running.cost);
    }
    let expected = |graph: &str| costs.get(graph).map_or(UNKNOWN, |cost| cost.share());
    let share = |running: &Running<'_>| match running.cost.is_measured() {
        true => running.cost.share(),
        false => expected(running.graph),
    };
    let load = |worker: &Candidate<'_>| worker.recordings.iter().map(share).sum::<Share>().max(worker.load * 1_000);
    let loads = workers.iter().map(load).enumerate();
    let (index, least) = loads.min_by_key(|(_, load)| *load)?;
    (least.saturating_add(expected(graph)) <= FULL).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn running(graph: &str, percent: u64, seconds: u64) -> Running<'_> {
        Running { graph, cost: Cost { busy_ns: seconds * SECOND / 100 * percent, of_ns: seconds * SECOND } }
    }

    fn worker(load: u64, recordings: &[Running<'static>]) -> Candidate<'static> {
        Candidate { load, recordings: recordings.to_vec() }
    }

    #[track_caller]
    fn check(workers: &[Candidate<'_>], graph: &str, expected: Option<usize>) {
        assert_eq!(choose(workers, graph, &BTreeMap::new()), expected);
    }

    #[test]
    fn the_worker_with_most_time_takes_it() {
        check(&[worker(0, &[running("a", 3, 9)]), worker(0, &[running("a", 2, 9)])], "a", Some(1));
        check(&[worker(100, &[]), worker(300, &[])], "a", Some(0));
        check(&[], "a", None);
    }

    #[test]
    fn those_that_have_just_begun_count_for_what_their_graph_costs() {
        let measured = running("video", 25, 60);
        let begun = running("video", 0, 0);
        check(&[worker(250, &[measured, begun])], "video", Some(0));
        check(&[worker(250, &[measured, begun, begun])], "video", None);
        check(&[worker(250, &[measured, begun, begun])], "audio", Some(0));
    }

    #[test]
    fn graphs_that_nobody_knows_are_taken_in_numbers_and_not_without_end() {
        let workers = |n| [worker(0, &vec![running("new", 0, 1); n])];
        check(&workers(113), "new", Some(0));
        check(&workers(114), "new", None);
    }

    #[test]
    fn a_worker_that_is_busy_for_other_reasons_takes_none() {
        check(&[worker(801, &[])], "a", None);
    }

    #[test]
    fn what_has_run_before_is_known() {
        let known = BTreeMap::from([("heavy".to_owned(), running("heavy", 90, 10).cost)]);
        assert_eq!(choose(&[worker(0, &[])], "heavy", &known), None);
    }
}
