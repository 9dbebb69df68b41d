//! What the kernel counts of processes: CPU time of all their threads, switches, memory, datagrams dropped.
//!
//! All recorders are measured by this, from outside, and so in the same way.

use std::fs::read_to_string;
use std::ops::Range;
use std::path::PathBuf;

/// What a recorder has used so far, of all its processes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// User and system, of threads that are there.
    pub(crate) cpu_ns: u64,
    /// Voluntary and not.
    pub(crate) switches: u64,
    pub(crate) threads: usize,
    pub(crate) resident_bytes: u64,
}

impl Used {
    /// Reads what these processes have used. What has gone in the meantime counts as nothing.
    pub(crate) fn by(pids: &[u32]) -> Self {
        let mut used = Self::default();
        for pid in pids {
            let process = PathBuf::from(format!("/proc/{pid}"));
            let status = read_to_string(process.join("status")).unwrap_or_default();
            used.resident_bytes += field(&status, "VmRSS:") * 1024;
            for task in std::fs::read_dir(process.join("task")).into_iter().flatten().flatten() {
                // Nanoseconds on a CPU, nanoseconds of waiting for one, times that it got one. `stat` has ticks of
                // 10 ms, which is more than a single recording takes in a second.
                let run = read_to_string(task.path().join("schedstat")).unwrap_or_default();
                used.cpu_ns += run.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
                let status = read_to_string(task.path().join("status")).unwrap_or_default();
                used.switches += field(&status, "voluntary_ctxt_switches:");
                used.switches += field(&status, "nonvoluntary_ctxt_switches:");
                used.threads += 1;
            }
        }
        used
    }
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Returns how many datagrams the kernel has dropped at IPv4 sockets that are bound to these ports.
pub(crate) fn kernel_drops(ports: Range<u16>) -> u64 {
    let table = read_to_string("/proc/net/udp").unwrap_or_default();
    let drops = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let port = u16::from_str_radix(fields.get(1)?.split_once(':')?.1, 16).ok()?;
        ports.contains(&port).then_some(fields.last()?.parse::<u64>().ok()?)
    };
    table.lines().skip(1).filter_map(drops).sum()
}
