//! What is refused, in the words that clients know: HTTP status, code, message. Pure.

use serde::Serialize;
use utoipa::ToSchema;

/// Why a request is refused (the wire contract, §2.4). The message is for people; clients decide by status and code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nobody knows who asks.
    #[error("HMAC validation failed: {0}")]
    Unauthenticated(String),
    /// There is no such call, recording or document, or it is another resource's.
    #[error("{0} not found.")]
    NotFound(&'static str),
    /// The request is not what it should be.
    #[error("{0}")]
    InvalidArgument(String),
    /// A request's id was another one's.
    #[error("The Repeatability-Request-ID was used for another request.")]
    Repeated,
    /// The service does not do this.
    #[error("{0}")]
    Unsupported(String),
    /// The call is over, or has never been there.
    #[error("{0}")]
    CallNotEstablished(&'static str),
    /// A call has one recording at a time.
    #[error("Duplicate start recording request, recording already initiated or in progress.")]
    DuplicateRecording,
    /// The recording is in another state.
    #[error("{0}")]
    Conflict(&'static str),
    /// Content, channel and format do not go together.
    #[error("{0}")]
    WrongFormat(String),
    /// A limit of the resource.
    #[error("{0}")]
    TooMany(String),
    /// There is no room for more.
    #[error("{0}")]
    NoCapacity(String),
    /// The service failed.
    #[error("Unknown internal server error.")]
    Internal,
}

impl Problem {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated(_) => 401,
            Self::NotFound(_) => 404,
            Self::InvalidArgument(_)
            | Self::Repeated
            | Self::CallNotEstablished(_)
            | Self::DuplicateRecording
            | Self::WrongFormat(_) => 400,
            Self::Unsupported(_) => 405,
            Self::Conflict(_) => 409,
            Self::TooMany(_) => 429,
            Self::NoCapacity(_) => 503,
            Self::Internal => 500,
        }
    }

    /// Returns the code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "7509",
            Self::NotFound(_) => "8522",
            Self::InvalidArgument(_) | Self::Repeated => "8523",
            Self::Unsupported(_) => "8520",
            Self::CallNotEstablished(_) => "8501",
            Self::DuplicateRecording => "8559",
            Self::Conflict(_) => "8571",
            Self::WrongFormat(_) => "8557",
            Self::TooMany(_) => "429",
            Self::NoCapacity(_) => "503",
            Self::Internal => "9999",
        }
    }

    /// Returns after how many seconds it may be asked again. Nothing else may say so: clients ask again whatever the
    /// status, if they are told when.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooMany(_) => Some(1),
            Self::NoCapacity(_) => Some(5),
            _ => None,
        }
    }

    /// Returns the answer of an operation on `target`, the path that was asked for.
    pub fn document(&self, target: &str) -> ErrorDocument {
        let error = ErrorBody { code: self.code(), message: self.to_string(), target: Some(target.to_owned()) };
        ErrorDocument { error, title: None, status: None, message: None, trace_id: None }
    }

    /// Returns the answer of a download or a deletion: some clients read the fields on top, others those inside.
    pub fn content_document(&self, title: &str, trace_id: &str) -> ErrorDocument {
        ErrorDocument {
            error: ErrorBody { code: self.code(), message: self.to_string(), target: None },
            title: Some(title.to_owned()),
            status: Some(self.status()),
            message: Some(self.to_string()),
            trace_id: Some(trace_id.to_owned()),
        }
    }
}

/// A refusal as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    error: ErrorBody,
}

/// What a client is told of something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorBody {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl ErrorBody {
    /// Returns what is told of a recording that could not go on: why stands in the service's log.
    pub fn of_recording() -> Self {
        let message = "The recording could not go on; what was recorded until then is there.".to_owned();
        Self { code: Problem::Internal.code(), message, target: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_what_the_service_sends() {
        let document = Problem::NotFound("Recording").document("/calling/recordings/rid");
        let expected =
            r#"{"error":{"code":"8522","message":"Recording not found.","target":"/calling/recordings/rid"}}"#;
        assert_eq!(serde_json::to_string(&document).expect("plain data"), expected);
    }

    #[test]
    fn downloads_are_refused_with_status_and_message_on_top() {
        let document = Problem::Unauthenticated("no key fits".to_owned()).content_document("Unauthorized", "7");
        let json = serde_json::to_value(&document).expect("plain data");
        assert_eq!((&json["status"], &json["title"]), (&401.into(), &"Unauthorized".into()));
        assert_eq!((&json["message"], &json["error"]["code"]), (&json["error"]["message"], &"7509".into()));
    }

    #[test]
    fn only_who_may_come_again_is_told_when() {
        let refused = [Problem::DuplicateRecording, Problem::Internal, Problem::Conflict(""), Problem::NotFound("")];
        assert!(refused.iter().all(|problem| problem.retry_after().is_none()));
        assert!(Problem::NoCapacity(String::new()).retry_after().is_some());
    }
}
