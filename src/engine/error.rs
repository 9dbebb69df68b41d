//! What can go wrong with a recording as a whole.

use crate::pipeline::PipelineError;
use crate::session::JournalError;

/// What went wrong. Reads after "failed to record: ".
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The pipeline could not be built.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// All workers are busy.
    #[error("no worker has time for another recording")]
    NoCapacity,
    /// Who gives orders gives more than a recording can take in a tick.
    #[error("too many orders at a time")]
    TooManyOrders,
    /// A thread could not be started.
    #[error("a thread cannot be started: {0}")]
    Thread(std::io::Error),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
