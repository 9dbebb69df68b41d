//! When a tick is due.

use std::time::{Duration, Instant};

/// Longest sleep before the caller looks again whether it should stop.
const NAP_MAX: Duration = Duration::from_millis(100);

/// Tells when recording time has come.
pub trait Clock {
    /// Waits until recording time `until`, as long as `go_on` is true.
    fn wait_until(&mut self, until: Duration, go_on: &dyn Fn() -> bool);
}

/// Time passes as fast as the machine can work.
#[derive(Debug, Clone, Copy, Default)]
pub struct VirtualClock;

impl Clock for VirtualClock {
    fn wait_until(&mut self, _until: Duration, _go_on: &dyn Fn() -> bool) {}
}

/// Time passes as it does outside: the node's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct LiveClock {
    zero: Instant,
}

impl LiveClock {
    /// Returns a clock whose recording time zero is `zero`.
    pub fn since(zero: Instant) -> Self {
        Self { zero }
    }
}

impl Clock for LiveClock {
    fn wait_until(&mut self, until: Duration, go_on: &dyn Fn() -> bool) {
        while go_on() {
            let left = until.saturating_sub(self.zero.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(NAP_MAX));
        }
    }
}
