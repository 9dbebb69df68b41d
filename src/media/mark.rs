//! Up to when all that arrived has been handed over: what a reader of sockets tells who places packets. A recording
//! that went on before its reader has would call late what has come in time.

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

/// A time of the monotonic clock, in ns: written by one reader, read by any.
#[derive(Debug)]
pub struct ReadMark(AtomicI64);

impl ReadMark {
    /// Returns a mark at `now_ns`: nothing that came before is missing.
    pub fn new(now_ns: i64) -> Self {
        Self(AtomicI64::new(now_ns))
    }

    /// Says that all that arrived before `until_ns` has been handed over.
    pub fn set(&self, until_ns: i64) {
        self.0.fetch_max(until_ns, Relaxed);
    }

    /// Returns the mark.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}
