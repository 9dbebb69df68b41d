//! The node's monotonic clock: the only one that live recordings go by.

use rustix::time::ClockId;
use rustix::time::clock_gettime;

/// Returns nanoseconds of CLOCK_MONOTONIC, which `std::time::Instant` reads too but does not tell.
pub fn monotonic_ns() -> i64 {
    nanoseconds(ClockId::Monotonic)
}

/// Returns by how much the monotonic clock is ahead of the wall clock (CLOCK_REALTIME) now, in nanoseconds: what turns
/// a stamp of the kernel into monotonic time.
pub fn monotonic_ahead_of_wall_ns() -> i64 {
    nanoseconds(ClockId::Monotonic).saturating_sub(nanoseconds(ClockId::Realtime))
}

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}
