//! Whether the service works, and whether it can take more work. Nothing here asks the database.

use std::path::PathBuf;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::engine::Engine;
use crate::storage::FREE_MIN;
use crate::storage::free_bytes;
use crate::supervisor::Handle;

/// A worker that is busier takes no more recordings.
const FULL: f64 = 0.8;

/// Who is asked how they are.
pub struct Health {
    /// Record.
    pub engine: Weak<Engine>,
    /// Decides.
    pub supervisor: Handle,
    /// Where recordings are written.
    pub data_dir: PathBuf,
    /// The service is to end.
    pub is_ending: AtomicBool,
}

impl Health {
    /// Returns what does not work any more, for people.
    fn dead(&self) -> Option<&'static str> {
        match self.engine.upgrade().map(|engine| engine.is_alive()) {
            _ if !self.supervisor.is_there() => Some("nobody decides any more"),
            None => Some("the workers have ended"),
            Some(false) => Some("a worker is stuck"),
            Some(true) => None,
        }
    }

    /// Answers whether the process and its workers work.
    pub(super) fn live(&self) -> Response {
        tell(&self.dead().into_iter().collect::<Vec<_>>())
    }

    /// Answers whether another recording can be taken, and if not, why not. Blocks on the disk.
    pub(super) fn ready(&self) -> Response {
        let mut reasons: Vec<_> = self.dead().into_iter().collect();
        if self.is_ending.load(Relaxed) {
            reasons.push("the service is ending");
        }
        let loads = self.engine.upgrade().map(|engine| engine.loads()).unwrap_or_default();
        if loads.iter().all(|load| *load > FULL) && !loads.is_empty() {
            reasons.push("all workers are busy");
        }
        if free_bytes(&self.data_dir).is_none_or(|bytes| bytes < FREE_MIN) {
            reasons.push("the disk is nearly full");
        }
        tell(&reasons)
    }
}

/// Answers with the reasons, one a line.
fn tell(reasons: &[&str]) -> Response {
    match reasons {
        [] => "ok\n".into_response(),
        reasons => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n"))).into_response(),
    }
}
