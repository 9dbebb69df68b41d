//! Names that a service is reached by, as addresses have them.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;

/// Port that addresses of HTTPS need not tell.
const HTTPS: u16 = 443;

/// A name or an address, and a port where it is told: `rec.example.com`, `127.0.0.1:8443`, `[::1]:8443`. It is shown as
/// it stands in addresses, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    name: Name,
    port: Option<u16>,
}

/// What a certificate tells of a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// By DNS.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

impl Host {
    /// Returns a name with a port.
    pub fn new(name: Name, port: u16) -> Self {
        Self { name, port: Some(port) }
    }

    /// Reads what stands between `https://` and the path; None where that is no host.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = match text.strip_prefix('[') {
            Some(text) => {
                let (address, rest) = text.split_once(']')?;
                (Name::Ip(address.parse::<Ipv6Addr>().ok()?.into()), rest)
            }
            None => {
                let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
                (Name::parse(name)?, rest)
            }
        };
        let port = match rest {
            "" => None,
            rest => {
                let digits = rest.strip_prefix(':').filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
                Some(digits.parse().ok().filter(|port| *port > 0)?)
            }
        };
        Some(Self { name, port })
    }

    /// Returns the name alone.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns the host with its port, also where it is that of HTTPS.
    pub fn with_port(&self) -> String {
        Self::new(self.name.clone(), self.port.unwrap_or(HTTPS)).to_string()
    }
}

impl From<SocketAddr> for Host {
    fn from(address: SocketAddr) -> Self {
        Self::new(Name::Ip(address.ip()), address.port())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Dns(name) => f.write_str(name)?,
            Name::Ip(IpAddr::V4(address)) => address.fmt(f)?,
            Name::Ip(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Ip(IpAddr::V4(address)));
        }
        // What ends in a number is an address to clients (WHATWG URL, host parsing), and this is none.
        let is_numeric = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        let is_label = |label: &str| {
            let is_made_of = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            (1..=63).contains(&label.len()) && is_made_of && !label.starts_with('-') && !label.ends_with('-')
        };
        let is_name = text.len() <= 253 && text.split('.').all(is_label) && !is_numeric;
        is_name.then(|| Self::Dns(text.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_shown_as_they_were_written() {
        for text in
            ["rec.example.com", "localhost:8443", "127.0.0.1", "127.0.0.1:443", "[::1]", "[::1]:8443", "a-b.c:1"]
        {
            assert_eq!(Host::parse(text).map(|host| host.to_string()).as_deref(), Some(text));
        }
        let host = Host::parse("Rec.Example.COM").expect("a name");
        assert_eq!((host.to_string().as_str(), host.with_port().as_str()), ("rec.example.com", "rec.example.com:443"));
        assert_eq!(Host::parse("[::1]:80").expect("an address").with_port(), "[::1]:80");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ":",
            ":1",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a:1:2",
            "a b",
            "a/",
            "a@b",
            "*.a",
            "-a",
            "a-",
            "a..b",
            ".",
            "a.",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "::1",
            "[::1",
            "[::1]a",
            "[::1]:",
            "[a]",
            "[]",
            "ä",
            "a_b",
            "a\0",
            "a%2e",
            &"a".repeat(64),
            &"a.".repeat(127).repeat(2),
        ] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }
}
