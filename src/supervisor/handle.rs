//! How others ask the supervisor.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::oneshot;

use crate::engine::clock::monotonic_ns;
use crate::supervisor::Answer;
use crate::supervisor::Ask;
use crate::supervisor::Asker;
use crate::supervisor::Refusal;
use crate::supervisor::input::Now;

/// Longest wait for an answer: a pipeline is built, and a journal synced, in a fraction of it.
const DEADLINE: Duration = Duration::from_secs(30);

/// Longest that a request can have waited to be read.
const ARRIVED_NS_MAX: i64 = 1_000_000_000;

/// When something was asked. Recordings start, pause and resume at that instant, however late the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub(super) Now);

impl Instant {
    /// Returns this instant.
    pub fn now() -> Self {
        Self(Now { monotonic_ns: monotonic_ns(), wall: Timestamp::now() })
    }

    /// Returns an instant of the monotonic clock: a second ago at most, as nothing arrives earlier that is read now but
    /// what was sent before somebody waited for an answer.
    pub fn arrived(arrived_ns: i64) -> Self {
        let Self(Now { monotonic_ns, wall }) = Self::now();
        let ago_ns = monotonic_ns.saturating_sub(arrived_ns).clamp(0, ARRIVED_NS_MAX);
        let wall = wall.checked_sub(SignedDuration::from_nanos(ago_ns)).unwrap_or(wall);
        Self(Now { monotonic_ns: monotonic_ns - ago_ns, wall })
    }
}

/// What is sent to the task.
pub(super) enum Message {
    Asked {
        asker: Asker,
        ask: Box<Ask>,
        at: Now,
        answer: oneshot::Sender<Result<Answer, Refusal>>,
    },
    /// No recording is taken any more; those that run go on until they are stopped.
    Drain,
}

/// Asks the supervisor.
#[derive(Debug, Clone)]
pub struct Handle(Sender<Message>);

impl Handle {
    pub(super) fn new(sender: Sender<Message>) -> Self {
        Self(sender)
    }

    /// Asks for something in a resource's name, as of an instant.
    ///
    /// # Errors
    ///
    /// It is refused; or nobody answers in time.
    pub async fn ask(&self, asker: Asker, ask: Ask, Instant(at): Instant) -> Result<Answer, Refusal> {
        let (answer, answered) = oneshot::channel();
        let message = Message::Asked { asker, ask: Box::new(ask), at, answer };
        self.0.send_timeout(message, DEADLINE).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => Refusal::NoCapacity("the service is busy".to_owned()),
            SendTimeoutError::Closed(_) => Refusal::NoCapacity("the service is ending".to_owned()),
        })?;
        match tokio::time::timeout(DEADLINE, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Refusal::NoCapacity("the service is ending".to_owned())),
            Err(_) => Err(Refusal::Failed("no answer in time".to_owned())),
        }
    }

    /// Returns whether somebody is there to answer.
    pub fn is_there(&self) -> bool {
        !self.0.is_closed()
    }

    /// Lets nothing begin any more, and ends all recordings after a while. The task ends when all have.
    pub async fn drain(&self) {
        // Where the task is not there any more nothing is left to be ended.
        let _ = self.0.send(Message::Drain).await;
    }
}
