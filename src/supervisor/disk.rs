//! Whether there is room on the disk, asked again and again by somebody who may wait for it.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use crate::storage::FREE_MIN;
use crate::storage::free_bytes;

/// The disk of a directory.
pub(super) struct Disk {
    dir: PathBuf,
    asked: Arc<Asked>,
    was_short: bool,
}

#[derive(Default)]
struct Asked {
    /// Somebody waits for the answer: a disk that is gone may give none.
    is_waiting: AtomicBool,
    is_short: AtomicBool,
}

impl Disk {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), asked: Arc::default(), was_short: false }
    }

    /// Returns whether there is little, where that was otherwise before; asks again.
    pub(super) fn changed(&mut self) -> Option<bool> {
        if !self.asked.is_waiting.swap(true, Relaxed) {
            let (dir, asked) = (self.dir.clone(), Arc::clone(&self.asked));
            tokio::task::spawn_blocking(move || {
                let free = free_bytes(&dir).unwrap_or(0);
                // There is room again when there is more of it: else one that is at the edge is told every second.
                let is_short = asked.is_short.load(Relaxed);
                let least = if is_short { FREE_MIN + FREE_MIN / 4 } else { FREE_MIN };
                asked.is_short.store(free < least, Relaxed);
                asked.is_waiting.store(false, Relaxed);
            });
        }
        let is_short = self.asked.is_short.load(Relaxed);
        if is_short == std::mem::replace(&mut self.was_short, is_short) {
            return None;
        }
        match is_short {
            true => tracing::error!("the disk is nearly full: no recording begins, those that run go on"),
            false => tracing::info!("there is room on the disk again"),
        }
        Some(is_short)
    }
}
