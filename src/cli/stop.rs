//! Ctrl-C, SIGTERM, and the end of the terminal, as a flag.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;

/// Returns a flag that Ctrl-C, SIGTERM and SIGHUP set. A second Ctrl-C ends the program as it would any other.
///
/// # Errors
///
/// Signals cannot be watched.
pub(super) fn stop_signal() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}
