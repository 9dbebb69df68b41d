//! Who asks: by signature, or with a key.

use jiff::Timestamp;
use tokio::sync::watch;

use crate::acs::Problem;
use crate::acs::signature::AccessKey;
use crate::acs::signature::SignatureError;
use crate::acs::signature::SignedRequest;
use crate::api::rate::Kind;
use crate::api::rate::Rates;
use crate::api::request::Asked;
use crate::supervisor::Asker;

/// All keys, and the names that the service is known by.
#[derive(Debug)]
pub struct Gate {
    /// Keys of each resource, as they are now.
    pub keys: watch::Receiver<Vec<(Asker, AccessKey)>>,
    /// Hosts with their ports.
    pub hosts: Vec<String>,
    /// How often each may ask.
    pub rates: Rates,
}

impl Gate {
    /// Lets a signed request in. What was wrong with it is not told more exactly than helps an honest client.
    pub(super) fn signed(&self, asked: &Asked) -> Result<Asker, Problem> {
        let request = SignedRequest {
            method: asked.method.as_str(),
            target: asked.target(),
            host: asked.header("host"),
            endpoint_host: asked.header("x-ms-host"),
            date: asked.header("x-ms-date"),
            content_hash: asked.header("x-ms-content-sha256"),
            authorization: asked.header("authorization"),
            body: &asked.body,
        };
        let refused = |error: SignatureError| Problem::Unauthenticated(error.to_string());
        let signed = request.read(Timestamp::now()).map_err(refused)?;
        // All are tried, so that time does not tell which came near.
        let keys = self.keys.borrow();
        let fitting = keys.iter().filter(|(_, key)| signed.is_by(key, &self.hosts));
        let caller = fitting.fold(None, |_, (caller, _)| Some(*caller));
        self.counted(asked, caller.ok_or_else(|| refused(SignatureError::Key))?)
    }

    /// Lets a request in that is signed, or has a key with it.
    pub(super) fn known(&self, asked: &Asked) -> Result<Asker, Problem> {
        let Some(said) = asked.header("authorization").and_then(|text| text.strip_prefix("Bearer ")) else {
            return self.signed(asked);
        };
        let keys = self.keys.borrow();
        let fitting = keys.iter().filter(|(_, key)| key.is_base64(said.trim()));
        let caller = fitting.fold(None, |_, (caller, _)| Some(*caller));
        self.counted(asked, caller.ok_or_else(|| Problem::Unauthenticated(SignatureError::Key.to_string()))?)
    }

    /// Lets somebody in who does not ask too often.
    fn counted(&self, asked: &Asked, asker: Asker) -> Result<Asker, Problem> {
        let kind = if asked.method.is_safe() { Kind::Read } else { Kind::Change };
        self.rates.count(asker.resource, kind).map(|()| asker)
    }
}
