//! Where the service listens, how it is known, and where it keeps what it has.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::host::Host;
use crate::config::table::Table;
use crate::config::tls::CertificateFiles;

/// Names that the service may be reached by: each is tried where a signature is checked.
const HOSTS_MAX: usize = 32;

/// Where the service listens, how it is known, and where it keeps what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Directory of all that is kept.
    pub data_dir: PathBuf,
    /// Where requests are taken with TLS.
    pub https: SocketAddr,
    /// Where requests are taken without encryption.
    pub http: SocketAddr,
    /// Hosts that clients reach the service by, with TLS; the first is the one that they are told.
    pub hosts: Vec<Host>,
    /// Host of the files' addresses, if it is another.
    pub content: Option<Host>,
    /// Somebody's certificate, in place of the service's own.
    pub certificate: Option<CertificateFiles>,
    /// Where tunnels to the service itself are asked for.
    pub connect_proxy: Option<SocketAddr>,
    /// Where whoever runs the service looks at it, if anywhere.
    pub admin: Option<SocketAddr>,
    /// Address that calls are received at.
    pub rtp_address: IpAddr,
    /// Address that clients are told.
    pub rtp_announced: IpAddr,
    /// Ports that calls are received at: two for each track.
    pub rtp_ports: RangeInclusive<u16>,
    /// Longest that recordings may go on when the service is asked to end.
    pub shutdown_timeout: Duration,
}

impl ServiceSettings {
    /// Returns where the token is of whoever runs the service.
    pub fn admin_token(&self) -> PathBuf {
        self.data_dir.join("admin-token")
    }

    /// Returns where recordings are that run, a directory for each.
    pub fn recordings_dir(&self) -> PathBuf {
        self.data_dir.join("recordings")
    }

    /// Returns where finished files are.
    pub fn objects_dir(&self) -> PathBuf {
        self.data_dir.join("objects")
    }

    /// Returns the file of the catalog.
    pub fn catalog(&self) -> PathBuf {
        self.data_dir.join("catalog.db")
    }

    /// Returns where the keys of resources are.
    pub fn keys_dir(&self) -> PathBuf {
        self.data_dir.join("keys")
    }
}

pub(super) fn read(table: &mut Table<'_>) -> ServiceSettings {
    let rtp_address = table.ip("rtp-address");
    ServiceSettings {
        data_dir: table.text("data-dir").into(),
        https: table.address("https"),
        http: table.address("http"),
        hosts: hosts(table),
        content: content(table),
        certificate: certificate(table),
        connect_proxy: connect_proxy(table),
        admin: admin(table),
        rtp_announced: announced(table, rtp_address),
        rtp_address,
        rtp_ports: table.ports("rtp-ports"),
        shutdown_timeout: table.duration("shutdown-timeout", Duration::ZERO..=Duration::from_secs(24 * 3_600)),
    }
}

fn hosts(table: &mut Table<'_>) -> Vec<Host> {
    let wanted = format!("0 to {HOSTS_MAX} hosts, as in [\"rec.example.com:8443\"]");
    table.take("hosts", &wanted, |value| {
        let hosts = value.as_array()?.iter().map(|host| Host::parse(host.get_ref().as_str()?));
        hosts.collect::<Option<Vec<_>>>().filter(|hosts| hosts.len() <= HOSTS_MAX)
    })
}

fn content(table: &mut Table<'_>) -> Option<Host> {
    let wanted = "\"\", or https:// and a host, as in \"https://rec.example.com:8443\"";
    table.take("content-url", wanted, |value| match value.as_str()? {
        "" => Some(None),
        url => Host::parse(url.strip_prefix("https://")?.trim_end_matches('/')).map(Some),
    })
}

/// One is of no use without the other.
fn certificate(table: &mut Table<'_>) -> Option<CertificateFiles> {
    let mut path = |key| {
        let path = table.take(key, "the path of a file, or \"\"", |value| value.as_str().map(PathBuf::from));
        Some(path).filter(|path| !path.as_os_str().is_empty())
    };
    match (path("certificate"), path("certificate-key")) {
        (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            table.refuse("certificate", "given together with \"certificate-key\"");
            None
        }
        (None, Some(_)) => {
            table.refuse("certificate-key", "given together with \"certificate\"");
            None
        }
    }
}

/// Nobody can send to any address.
fn announced(table: &mut Table<'_>, received: IpAddr) -> IpAddr {
    let announced =
        table.take("rtp-announced", "\"\", or an address, as in \"192.0.2.1\"", |value| match value.as_str()? {
            "" => Some(None),
            address => address.parse::<IpAddr>().ok().filter(|address| !address.is_unspecified()).map(Some),
        });
    if announced.is_none() && received.is_unspecified() {
        table.refuse("rtp-address", "one address, or any together with \"rtp-announced\"");
    }
    announced.unwrap_or(received)
}

fn admin(table: &mut Table<'_>) -> Option<SocketAddr> {
    table.take("admin", "\"\", or an address and a port, as in \"127.0.0.1:9464\"", |value| match value.as_str()? {
        "" => Some(None),
        address => address.parse().ok().map(Some),
    })
}

/// It is for who is on this machine: what it is for must not be open to others.
fn connect_proxy(table: &mut Table<'_>) -> Option<SocketAddr> {
    table.take("connect-proxy", "\"\", or an address of this machine alone, as in \"127.0.0.1:8444\"", |value| {
        match value.as_str()? {
            "" => Some(None),
            address => address.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback()).map(Some),
        }
    })
}
