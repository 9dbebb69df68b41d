//! What a track takes, as whoever opens it has agreed on with its sender.

use std::net::SocketAddr;

use serde::Deserialize;
use serde::Serialize;

use crate::media::codec::Payloads;

/// What a track takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// What payload types mean.
    pub payloads: Payloads,
    /// Who may send; None: whoever comes first, and is followed.
    pub source: Option<SocketAddr>,
    /// SSRC that is taken, and no other; None: the sender's.
    pub ssrc: Option<u32>,
}
