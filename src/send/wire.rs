//! Where packets go, and whose time it is that they go by.

use std::time::Duration;

use crate::send::error::SendError;

/// Time zero of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zero {
    /// Nanoseconds from 1970.
    pub utc_ns: u64,
    /// On this machine's monotonic clock, in nanoseconds; of a live call only.
    pub monotonic_ns: Option<u64>,
}

/// Which of a stream's two ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Rtp,
    Rtcp,
}

/// What could not be sent, and how late the rest was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// How much later than its time a packet was given to the kernel, at worst.
    pub worst_late: Duration,
    /// How often the kernel told that nobody listens.
    pub n_refused: u64,
    /// Packets that the kernel had no room for.
    pub n_unsent: u64,
}

/// Takes what is due, in the order of time.
pub(super) trait Wire {
    /// Returns time zero.
    fn zero(&self) -> Zero;

    /// Returns whether a time, in nanoseconds from zero, has come.
    fn has_come(&self, at_ns: u64) -> bool;

    /// Waits for a time, but not for long: returns whether it has come.
    fn wait(&mut self, at_ns: u64) -> Result<bool, SendError>;

    /// Returns the time, in nanoseconds from zero.
    fn now_ns(&self) -> u64;

    /// Sends a packet that is due; returns when it was sent, in nanoseconds from zero; None where it was not.
    fn put(&mut self, at_ns: u64, stream: usize, port: Port, bytes: &[u8]) -> Result<Option<u64>, SendError>;

    /// Ends; all is where it belongs.
    fn close(&mut self) -> Result<Delivery, SendError>;
}
