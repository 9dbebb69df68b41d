//! Where a call goes, as people write it: `rtp://host:port`, or the name of a capture.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A peer.
    Live {
        /// IP address or name.
        host: String,
        /// 1 ‥ 65535.
        port: u16,
    },
    /// A capture file, whose name may be any bytes.
    Capture(PathBuf),
}

/// Why a target is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither of the two.
    #[error("write rtp://HOST:PORT, or the name of a capture that ends with .pcap")]
    Neither,
    /// Another way to transport it.
    #[error("only rtp:// can be sent, not {scheme}://")]
    Scheme {
        /// Which.
        scheme: String,
    },
    /// Something behind the port.
    #[error("write rtp://HOST:PORT, with nothing behind it")]
    Path,
    /// No host.
    #[error("write rtp://HOST:PORT; the host is an IP address ([::1] with brackets) or a name")]
    Host,
    /// No port.
    #[error("write rtp://HOST:PORT; the port is a number from 1 to 65535")]
    Port,
}

impl Target {
    /// Reads a target.
    ///
    /// # Errors
    ///
    /// What it is not, and what would be valid.
    pub fn parse(text: &OsStr) -> Result<Self, TargetError> {
        let Some((scheme, rest)) = text.to_str().and_then(|text| text.split_once("://")) else {
            let is_capture = text.as_bytes().ends_with(b".pcap") && Path::new(text).file_stem().is_some();
            return if is_capture { Ok(Self::Capture(text.into())) } else { Err(TargetError::Neither) };
        };
        if scheme != "rtp" {
            return Err(TargetError::Scheme { scheme: scheme.to_owned() });
        }
        if rest.contains(['/', '?', '#', '@']) {
            return Err(TargetError::Path);
        }
        let (host, port) = rest.rsplit_once(':').ok_or(TargetError::Port)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let (host, is_host) = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => (host, host.parse::<std::net::Ipv6Addr>().is_ok()),
            None => (host, !host.is_empty() && host.chars().all(is_name)),
        };
        if !is_host {
            return Err(TargetError::Host);
        }
        let digits = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(port @ 1..) => Ok(Self::Live { host: host.to_owned(), port }),
            _ => Err(TargetError::Port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_peers_or_captures() {
        let live = |host: &str, port| Ok(Target::Live { host: host.to_owned(), port });
        let capture = |name: &str| Ok(Target::Capture(name.into()));
        for (text, expected) in [
            ("rtp://127.0.0.1:5004", live("127.0.0.1", 5_004)),
            ("rtp://recorder-1.example.org:65535", live("recorder-1.example.org", 65_535)),
            ("rtp://[::1]:1", live("::1", 1)),
            ("call.pcap", capture("call.pcap")),
            ("../a b/ü.pcap", capture("../a b/ü.pcap")),
            ("127.0.0.1:5004", Err(TargetError::Neither)),
            ("call.wav", Err(TargetError::Neither)),
            ("", Err(TargetError::Neither)),
            ("srtp://a:1", Err(TargetError::Scheme { scheme: "srtp".to_owned() })),
            ("rtp://a:1/x", Err(TargetError::Path)),
            ("rtp://me@a:1", Err(TargetError::Path)),
            ("rtp://a", Err(TargetError::Port)),
            ("rtp://a:", Err(TargetError::Port)),
            ("rtp://a:0", Err(TargetError::Port)),
            ("rtp://a:65536", Err(TargetError::Port)),
            ("rtp://a:-1", Err(TargetError::Port)),
            ("rtp://:5004", Err(TargetError::Host)),
            ("rtp://[a]:5004", Err(TargetError::Host)),
            ("rtp://[::1:5004", Err(TargetError::Host)),
            ("rtp://a b:5004", Err(TargetError::Host)),
        ] {
            assert_eq!(Target::parse(OsStr::new(text)), expected, "{text}");
        }
        assert!(Target::parse(OsStr::from_bytes(b"\xFF.pcap")).is_ok());
    }
}
