//! What can go wrong with a recording as a whole.

use crate::pipeline::PipelineError;
use crate::session::JournalError;

/// What went wrong. Reads after "failed to record: ".
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The pipeline could not be built.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
