//! What workers measure of themselves, for whoever scrapes it.

use std::sync::Arc;
use std::sync::Weak;

use crate::engine::Engine;
use crate::engine::Ticks;
use crate::telemetry::Distribution;
use crate::telemetry::Metric;
use crate::telemetry::Registry;

/// Bounds of how late ticks are, in milliseconds: from what a timer takes to what is given up.
const BOUNDS_MS: [u64; 10] = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000];

/// Registers what an engine tells of itself, for as long as it is there.
pub fn register(registry: &Registry, engine: &Arc<Engine>) {
    let with = |read: fn(&Engine) -> f64| {
        let engine = Arc::downgrade(engine);
        move || engine.upgrade().map_or(0.0, |engine| read(&engine))
    };
    registry.read_one(Metric::Workers, with(|engine| engine.loads().len() as f64));
    registry.read_one(Metric::WorkerBusyRatio, with(|engine| engine.loads().into_iter().fold(0.0, f64::max)));
    registry.read_one(Metric::WorkerBusySeconds, with(|engine| seconds(engine.ticks().busy_ns)));
    registry.read_one(Metric::RecordingsGivenUp, with(|engine| engine.n_given_up() as f64));
    let engine: Weak<Engine> = Arc::downgrade(engine);
    registry.read_histogram(Metric::TickLateness, move || {
        engine.upgrade().map_or_else(Distribution::default, |engine| distribution(&engine.ticks()))
    });
}

fn distribution(ticks: &Ticks) -> Distribution {
    let buckets = BOUNDS_MS.map(|bound| (bound as f64 / 1_000.0, ticks.n_within(bound)));
    // Its parts are read while it grows: what came last may be in one and not in another.
    let n = buckets.iter().map(|(_, n)| *n).fold(ticks.n, u64::max);
    Distribution { buckets: buckets.into(), n, sum: seconds(ticks.late_ns) }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
