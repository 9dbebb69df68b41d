//! `rtp://HOST:PORT?codec=opus`: how people say where a track comes from, and what it is.

use std::net::IpAddr;
use std::net::SocketAddr;

use crate::media::Codec;
use crate::media::Payloads;
use crate::media::Settings;
use crate::media::is_media_type;
use crate::media::read_ssrc;

/// What begins such an address.
const SCHEME: &str = "rtp://";

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not an address.
    #[error("write rtp://ADDRESS:PORT?codec=opus with an IP address of this machine, not {text:?}")]
    Address {
        /// As given.
        text: String,
    },
    /// RTP needs a port, and the next one for RTCP.
    #[error("a port is a number from 1 to 65534, even by custom")]
    Port,
    /// A key that nobody reads.
    #[error("no option {key:?}; known: codec, pt, event-pt, ssrc, source, port, rate, channels")]
    UnknownKey {
        /// As given.
        key: String,
    },
    /// A value that its key does not take.
    #[error("{key}={value:?} is not {wanted}")]
    Value {
        /// The key.
        key: &'static str,
        /// As given.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// An option twice, or a key where it means nothing.
    #[error("{key} {why}")]
    Key {
        /// The key.
        key: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// Nobody said what is sent.
    #[error("say what is sent: codec=opus, pcmu, pcma, g722 or l16")]
    NoCodec,
}

/// What stands behind the `?`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query {
    codec: Option<CodecName>,
    payload_type: Option<u8>,
    events: Option<u8>,
    source: Option<SocketAddr>,
    rate: Option<u32>,
    channels: Option<u32>,
    /// SSRC that is taken.
    pub ssrc: Option<u32>,
    /// UDP port that a capture's packets went to.
    pub port: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CodecName {
    Opus,
    Pcmu,
    Pcma,
    G722,
    L16,
}

impl Query {
    /// Reads `key=value&key=value`; empty text is an empty query.
    ///
    /// # Errors
    ///
    /// The first key that cannot be.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.set(key, value)?;
        }
        Ok(query)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), UrlError> {
        match key {
            "codec" => put(&mut self.codec, "codec", codec(value)),
            "pt" => put(&mut self.payload_type, "pt", payload_type("pt", value)),
            "event-pt" => put(&mut self.events, "event-pt", payload_type("event-pt", value)),
            "ssrc" => put(&mut self.ssrc, "ssrc", ssrc(value)),
            "source" => {
                let wanted = "IP:PORT, [IPV6]:PORT";
                put(&mut self.source, "source", value.parse().map_err(|_| refused("source", value, wanted)))
            }
            "port" => put(&mut self.port, "port", value.parse().map_err(|_| refused("port", value, "a UDP port"))),
            "rate" => put(&mut self.rate, "rate", number("rate", value, 8_000..=192_000, "8000 to 192000")),
            "channels" => put(&mut self.channels, "channels", number("channels", value, 1..=2, "1 or 2")),
            _ => Err(UrlError::UnknownKey { key: key.to_owned() }),
        }
    }

    /// Returns what a track with these options takes; `default` where no codec was given.
    ///
    /// # Errors
    ///
    /// There is no codec, or options that do not go together.
    pub fn settings(&self, default: Option<Codec>) -> Result<Settings, UrlError> {
        let is_l16 = self.codec == Some(CodecName::L16);
        for (key, is_given) in [("rate", self.rate.is_some()), ("channels", self.channels.is_some())] {
            if is_given && !is_l16 {
                return Err(UrlError::Key { key, why: "is for codec=l16" });
            }
        }
        if self.payload_type.is_some() && self.payload_type == self.events {
            return Err(UrlError::Key { key: "event-pt", why: "must differ from pt" });
        }
        let named = self.codec.map(|codec| match codec {
            CodecName::Opus => Codec::Opus,
            CodecName::Pcmu => Codec::Pcmu,
            CodecName::Pcma => Codec::Pcma,
            CodecName::G722 => Codec::G722,
            CodecName::L16 => Codec::L16 { rate: self.rate.unwrap_or(L16_RATE), channels: self.channels.unwrap_or(1) },
        });
        let codec = named.or(default).ok_or(UrlError::NoCodec)?;
        let payloads = Payloads { codec, payload_type: self.payload_type, events: self.events };
        Ok(Settings { payloads, source: self.source, ssrc: self.ssrc })
    }
}

/// Rate of L16 where none is given: what contact centres record in.
const L16_RATE: u32 = 16_000;

/// Where a track comes from, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Url {
    /// Address of this machine that is listened on.
    pub address: SocketAddr,
    /// What is taken.
    pub settings: Settings,
}

impl Url {
    /// Returns whether a text is meant to be such an address.
    pub fn is_meant(text: &str) -> bool {
        text.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    }

    /// Reads an address.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let rest = text.get(SCHEME.len()..).filter(|_| Self::is_meant(text)).unwrap_or_default();
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let no_address = || UrlError::Address { text: text.to_owned() };
        let address: SocketAddr = match place.strip_prefix("localhost:") {
            Some(port) => (IpAddr::from([127, 0, 0, 1]), port.parse::<u16>().map_err(|_| UrlError::Port)?).into(),
            None => place.trim_end_matches('/').parse().map_err(|_| no_address())?,
        };
        if address.port() == 0 || address.port() == u16::MAX {
            return Err(UrlError::Port);
        }
        if address.ip().is_multicast() {
            return Err(no_address());
        }
        let query = Query::parse(options)?;
        if query.port.is_some() {
            return Err(UrlError::Key { key: "port", why: "is for captures" });
        }
        Ok(Self { address, settings: query.settings(None)? })
    }
}

fn put<T>(place: &mut Option<T>, key: &'static str, value: Result<T, UrlError>) -> Result<(), UrlError> {
    match place.replace(value?) {
        Some(_) => Err(UrlError::Key { key, why: "is given twice" }),
        None => Ok(()),
    }
}

fn refused(key: &'static str, value: &str, wanted: &'static str) -> UrlError {
    UrlError::Value { key, value: value.to_owned(), wanted }
}

fn codec(value: &str) -> Result<CodecName, UrlError> {
    match value.to_ascii_lowercase().as_str() {
        "opus" => Ok(CodecName::Opus),
        "pcmu" => Ok(CodecName::Pcmu),
        "pcma" => Ok(CodecName::Pcma),
        "g722" => Ok(CodecName::G722),
        "l16" => Ok(CodecName::L16),
        _ => Err(refused("codec", value, "opus, pcmu, pcma, g722 or l16")),
    }
}

fn payload_type(key: &'static str, value: &str) -> Result<u8, UrlError> {
    let wanted = "a payload type of media: 0 to 127, but for 13 and 64 to 95";
    let number = value.parse().ok().filter(|number| is_media_type(*number));
    number.ok_or_else(|| refused(key, value, wanted))
}

fn ssrc(value: &str) -> Result<u32, UrlError> {
    read_ssrc(value).ok_or_else(|| refused("ssrc", value, "a number of 32 bits, as in 0x1234abcd"))
}

fn number(
    key: &'static str,
    value: &str,
    range: std::ops::RangeInclusive<u32>,
    wanted: &'static str,
) -> Result<u32, UrlError> {
    value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| refused(key, value, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_where_and_what() {
        let url =
            Url::parse("rtp://127.0.0.1:5004?codec=opus&pt=111&event-pt=110&ssrc=0x12&source=10.0.0.1:9").unwrap();
        assert_eq!(url.address, ([127, 0, 0, 1], 5004).into());
        let payloads = Payloads { codec: Codec::Opus, payload_type: Some(111), events: Some(110) };
        assert_eq!(url.settings, Settings { payloads, source: Some(([10, 0, 0, 1], 9).into()), ssrc: Some(0x12) });
        let l16 = Url::parse("RTP://[::1]:6000/?codec=L16&rate=8000&channels=2").unwrap();
        assert_eq!(l16.settings.payloads.codec, Codec::L16 { rate: 8_000, channels: 2 });
        assert_eq!(Url::parse("rtp://localhost:5004?codec=pcmu").unwrap().address, url.address);
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (text, says) in [
            ("rtp://127.0.0.1:5004", "say what is sent"),
            ("rtp://127.0.0.1?codec=opus", "write rtp://ADDRESS:PORT"),
            ("rtp://example.com:5004?codec=opus", "write rtp://ADDRESS:PORT"),
            ("rtp://224.0.0.1:5004?codec=opus", "write rtp://ADDRESS:PORT"),
            ("rtp://127.0.0.1:0?codec=opus", "from 1 to 65534"),
            ("rtp://127.0.0.1:65535?codec=opus", "from 1 to 65534"),
            ("rtp://127.0.0.1:5004?codec=mp3", "is not opus, pcmu"),
            ("rtp://127.0.0.1:5004?codec=opus&codec=pcmu", "codec is given twice"),
            ("rtp://127.0.0.1:5004?codec=opus&pt=128", "0 to 127"),
            ("rtp://127.0.0.1:5004?codec=opus&rate=8000", "rate is for codec=l16"),
            ("rtp://127.0.0.1:5004?codec=opus&pt=99&event-pt=99", "event-pt must differ"),
            ("rtp://127.0.0.1:5004?codec=opus&colour=red", "no option \"colour\""),
            ("rtp://127.0.0.1:5004?codec=opus&ssrc=0xgg", "32 bits"),
            ("rtp://127.0.0.1:5004?codec=opus&port=9", "port is for captures"),
        ] {
            let error = Url::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
