//! What is refused, and whose doing that is.

/// Why something is not done. Reads after "refused: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such call, or it is another resource's.
    #[error("there is no such call")]
    UnknownCall,
    /// There is no such recording, it has ended, or it is another resource's.
    #[error("there is no such recording")]
    UnknownRecording,
    /// There is no such document, or it is another resource's.
    #[error("there is no such document")]
    UnknownDocument,
    /// There is nobody of that name in the call.
    #[error("there is no such participant")]
    UnknownParticipant,
    /// A call of the resource has that name.
    #[error("a call has the name {0:?} already")]
    CallExists(String),
    /// Somebody of that name is in the call.
    #[error("the participant is in the call already")]
    ParticipantExists,
    /// The call is recorded already.
    #[error("the call is recorded already")]
    AlreadyRecording,
    /// The recording is being ended.
    #[error("the recording is being stopped")]
    Stopping,
    /// The request was made before, and asked for something else.
    #[error("the same request id was used for another request")]
    RequestDiffers,
    /// No graph makes this.
    #[error("nothing here records {0}")]
    NoGraph(String),
    /// The resource has as many as it may.
    #[error("the resource has as many {0} as it may")]
    TooMany(&'static str),
    /// There is no room for more: it may be asked again.
    #[error("{0}")]
    NoCapacity(String),
    /// The service failed.
    #[error("{0}")]
    Failed(String),
}

impl Refusal {
    /// Returns its word in the audit.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::UnknownCall => "unknown-call",
            Self::UnknownRecording => "unknown-recording",
            Self::UnknownDocument => "unknown-document",
            Self::UnknownParticipant => "unknown-participant",
            Self::CallExists(_) => "call-exists",
            Self::ParticipantExists => "participant-exists",
            Self::AlreadyRecording => "already-recording",
            Self::Stopping => "stopping",
            Self::RequestDiffers => "request-differs",
            Self::NoGraph(_) => "no-graph",
            Self::TooMany(_) => "too-many",
            Self::NoCapacity(_) => "no-capacity",
            Self::Failed(_) => "failed",
        }
    }
}
