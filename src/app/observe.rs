//! What is told of the service: its registry, with all that nobody else registers.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::config::ServiceSettings;
use crate::storage::free_bytes;
use crate::storage::usage;
use crate::telemetry::Metric;
use crate::telemetry::Registry;

/// Registers what is known of the process and its disk.
pub(super) fn register(registry: &Registry, service: &ServiceSettings) {
    registry.info(Metric::BuildInfo, env!("CARGO_PKG_VERSION"));
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    registry.read_one(Metric::ProcessStart, move || started);
    let (dir, recordings) = (service.recordings_dir(), service.recordings_dir());
    registry.read_one(Metric::SpoolBytes, move || usage(&dir, SystemTime::now()).bytes as f64);
    registry.read_one(Metric::SpoolOldestAge, move || usage(&recordings, SystemTime::now()).oldest.as_secs_f64());
    let dir = service.data_dir.clone();
    registry.read_one(Metric::DiskFreeBytes, move || free_bytes(&dir).unwrap_or(0) as f64);
}
