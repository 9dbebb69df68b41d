//! Locks for property getters and setters, which must not panic: they are called from C, so that a panic ends the
//! process, where one on a pad ends its recording only.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks also what a panic left behind.
///
/// The element has posted that panic and takes no more media. Whoever reads its numbers or writes a setting is not to
/// go the same way.
pub(crate) fn lock_anyway<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
