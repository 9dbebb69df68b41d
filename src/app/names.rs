//! How the service is known: by clients, by certificates, by signatures.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::net::SocketAddr;

use crate::config::ServiceSettings;
use crate::config::host::Host;
use crate::config::host::Name;

/// What clients of this machine call it.
const LOCAL: &str = "localhost";

/// How the service is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// What clients are told to speak to, with TLS.
    pub(super) endpoint: Host,
    /// What addresses of files begin with.
    pub(super) content_base: String,
    /// Hosts that clients may have signed.
    pub(super) signed: Vec<String>,
    /// What the certificate is for: names and addresses, at least one of either.
    pub(super) certified: Vec<Name>,
    /// Hosts, with their ports, that may be tunnelled to.
    pub(super) tunnelled: Vec<String>,
}

impl Names {
    /// Returns the names of a service that listens at these addresses.
    pub(super) fn new(settings: &ServiceSettings, http: SocketAddr, https: SocketAddr) -> Self {
        let local = |address: SocketAddr| Host::new(Name::Dns(LOCAL.to_owned()), address.port());
        let is_here = https.ip().is_loopback() || https.ip().is_unspecified();
        let own = if is_here { local(https) } else { https.into() };
        let endpoint = settings.hosts.first().cloned().unwrap_or(own);
        let content = settings.content.as_ref().unwrap_or(&endpoint);
        let secure = settings.hosts.iter().cloned().chain([local(https), https.into()]);
        let secure: Vec<_> = secure.chain([content.clone()]).collect();
        let mut certified: BTreeSet<_> = secure.iter().map(|host| host.name().clone()).collect();
        certified.insert(Name::Ip(Ipv4Addr::LOCALHOST.into()));
        certified.retain(|name| !matches!(name, Name::Ip(ip) if ip.is_unspecified()));
        Self {
            content_base: format!("https://{content}"),
            signed: secure.iter().chain(&[local(http), http.into()]).map(Host::to_string).collect(),
            tunnelled: secure.iter().map(Host::with_port).collect(),
            certified: certified.into_iter().collect(),
            endpoint,
        }
    }
}
