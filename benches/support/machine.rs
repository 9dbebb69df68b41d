//! What figures were measured on.

use std::fs::read_to_string;
use std::process::Command;
use std::thread::available_parallelism;

/// Returns when and on what: the date, the processor, the kernel.
pub(crate) fn today_and_here() -> String {
    let cpus = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown CPU", |(_, model)| model);
    let cores = available_parallelism().map_or(1, usize::from);
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let date = jiff::Timestamp::now().to_string();
    let date = date.split_once('T').map_or(date.as_str(), |(date, _)| date);
    format!("{date}; {model}, {cores} cores; Linux {}", kernel.trim())
}

/// Returns name and version of a Debian package.
pub(crate) fn package(name: &str) -> String {
    let said = Command::new("dpkg-query").args(["-W", "-f", "${Version}", name]).output();
    said.map_or_else(|_| "?".to_owned(), |said| format!("{name} {}", String::from_utf8_lossy(&said.stdout)))
}
