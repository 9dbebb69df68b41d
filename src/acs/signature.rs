//! Signatures of requests: HMAC-SHA256 with an access key of the resource that is spoken to. Pure.
//!
//! What is signed: verb, path with query, date, host, and the hash of the body (Microsoft's HMAC tutorial; the wire
//! contract, §3). Clients do not agree on the host, and some leave the query of a download out, so that several texts
//! are tried. A request that is sent again carries the date of the first time: nothing is refused for having been seen.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::SignedDuration;
use jiff::Timestamp;
use sha2::Digest;
use sha2::Sha256;
use zeroize::Zeroizing;

/// How far a request's date may be from now, in either direction.
pub const SKEW_MAX: SignedDuration = SignedDuration::from_mins(15);

/// Of downloads and deletions some clients sign the path alone, and all sign the host of the service, wherever they
/// load from.
const CONTENT: &str = "/v1/objects/";

const SCHEME: &str = "HMAC-SHA256 ";
const SIGNED_HEADERS: &str = "x-ms-date;host;x-ms-content-sha256";

/// A key that signs. What it is appears nowhere: neither in logs nor in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey(Zeroizing<Vec<u8>>);

/// Shortest key that is taken: half of what is generated.
const KEY_BYTES_MIN: usize = 16;

impl AccessKey {
    /// Reads a key from base64, as connection strings have it; None where it is none, or shorter than 16 bytes.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text.trim()).ok()?);
        (bytes.len() >= KEY_BYTES_MIN).then_some(Self(bytes))
    }

    /// Returns the key of these bytes.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Returns whether a text is this key in base64, after a time that tells nothing of where they differ.
    pub fn is_base64(&self, text: &str) -> bool {
        let Ok(keyed) = Hmac::<Sha256>::new_from_slice(&self.0) else { return false };
        let own = keyed.clone().chain_update(self.to_base64().as_bytes()).finalize();
        keyed.chain_update(text).verify(&own.into_bytes()).is_ok()
    }

    /// Returns the key as connection strings have it.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_STANDARD.encode(&*self.0))
    }
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

/// A request as far as it is signed. Headers are as they came; None where they did not.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// Verb, in upper case.
    pub method: &'a str,
    /// Path and query as they were on the wire.
    pub target: &'a str,
    /// `Host`.
    pub host: Option<&'a str>,
    /// `x-ms-host`: who is spoken to where the connection goes elsewhere.
    pub endpoint_host: Option<&'a str>,
    /// `x-ms-date`.
    pub date: Option<&'a str>,
    /// `x-ms-content-sha256`.
    pub content_hash: Option<&'a str>,
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

/// Why a request is not believed. Reads after "the request is not signed as it should be: ".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is not there.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// A header is not what it should be.
    #[error("header {0} is malformed")]
    Malformed(&'static str),
    /// It was signed long ago, or will be.
    #[error("x-ms-date is more than {} minutes from now", SKEW_MAX.as_mins())]
    Expired,
    /// Its body is another one.
    #[error("x-ms-content-sha256 is not the hash of the body")]
    Body,
    /// No key of anybody has signed this.
    #[error("no key fits")]
    Key,
}

impl<'a> SignedRequest<'a> {
    /// Checks all that needs no key, and reads the signature.
    ///
    /// # Errors
    ///
    /// What is wrong; never [`SignatureError::Key`].
    pub fn read(self, now: Timestamp) -> Result<Signed<'a>, SignatureError> {
        use SignatureError::{Body, Expired, Malformed, Missing};
        let authorization = self.authorization.ok_or(Missing("Authorization"))?;
        let parameters = authorization.strip_prefix(SCHEME).ok_or(Malformed("Authorization"))?;
        let (headers, signature) = parameters.split_once('&').ok_or(Malformed("Authorization"))?;
        if headers.strip_prefix("SignedHeaders=") != Some(SIGNED_HEADERS) {
            return Err(Malformed("Authorization"));
        }
        let signature = signature.strip_prefix("Signature=").ok_or(Malformed("Authorization"))?;
        let signature = BASE64_STANDARD.decode(signature).map_err(|_| Malformed("Authorization"))?;
        let date = self.date.ok_or(Missing("x-ms-date"))?;
        let hash = self.content_hash.ok_or(Missing("x-ms-content-sha256"))?;
        let said = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date);
        let said = said.map_err(|_| Malformed("x-ms-date"))?;
        if now.duration_since(said).abs() > SKEW_MAX {
            return Err(Expired);
        }
        if BASE64_STANDARD.encode(Sha256::digest(self.body)) != hash {
            return Err(Body);
        }
        let path = self.target.split('?').next().filter(|path| path.starts_with(CONTENT));
        let targets = [Some(self.target), path.filter(|path| *path != self.target)];
        let hosts = [self.host, self.endpoint_host];
        Ok(Signed { method: self.method, targets, hosts, is_content: path.is_some(), date, hash, signature })
    }
}

/// A signature, and what it may be of.
#[derive(Debug, Clone)]
pub struct Signed<'a> {
    method: &'a str,
    targets: [Option<&'a str>; 2],
    hosts: [Option<&'a str>; 2],
    is_content: bool,
    date: &'a str,
    hash: &'a str,
    signature: Vec<u8>,
}

impl Signed<'_> {
    /// Returns whether a key has made it. `hosts` are those that the service is known by, with their ports: content may
    /// be loaded by another name. Takes the same time whatever is wrong with a signature of the right length.
    pub fn is_by(&self, key: &AccessKey, hosts: &[String]) -> bool {
        let Ok(keyed) = Hmac::<Sha256>::new_from_slice(&key.0) else { return false };
        let known = hosts.iter().map(String::as_str).filter(|_| self.is_content);
        let hosts = self.hosts.iter().flatten().copied().chain(known);
        let texts = hosts.flat_map(|host| ["", "/"].map(|slash| (host, slash)));
        let mut fits = false;
        for (host, slash) in texts {
            for target in self.targets.iter().flatten() {
                let text = format!("{}\n{target}\n{};{host}{slash};{}", self.method, self.date, self.hash);
                fits |= keyed.clone().chain_update(text).verify_slice(&self.signature).is_ok();
            }
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    const START: &str = r#"{"callLocator": {"serverCallId": "sc1", "kind": "serverCallLocator"}}"#;
    const ELSEWHERE: &str = "storage.example:9";

    fn key() -> AccessKey {
        AccessKey::from_base64("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").expect("32 bytes")
    }

    fn now() -> Timestamp {
        "1994-11-06T08:49:37Z".parse().expect("a time")
    }

    /// A vector of the contract, as the SDK's own policy signs: method and target, host, body, signature.
    type Vector = (&'static str, &'static str, &'static str, &'static str, &'static str);

    const VECTORS: [Vector; 6] = [
        (
            "POST",
            "/calling/recordings?api-version=2026-03-12",
            "127.0.0.1:8080",
            START,
            "I/0ZQog1UvCPfIxnaIrpZDxeTf7FQty7inIqBlUprH4=",
        ),
        (
            "GET",
            "/calling/recordings/rid1?api-version=2026-03-12",
            "127.0.0.1:8080",
            "",
            "Z7XVNl/g50TdAHmNJyBIhAgIymVvyd+vdRDNkfzHA6A=",
        ),
        (
            "POST",
            "/calling/recordings/rid1:pause?api-version=2026-03-12",
            "127.0.0.1:8080",
            "",
            "oh4upTqRUNXK1K+GL+CtCqAf+IEuTI4RbXcs/u4Q8eI=",
        ),
        (
            "DELETE",
            "/calling/recordings/rid1?api-version=2025-06-15",
            "contoso.communication.azure.com",
            "",
            "j8D3zqF55Hrnkkf4J2MwtoLhMYlhG+MzV4lLkY1zWaU=",
        ),
        (
            "GET",
            "/v1/objects/0-eus-d12-801b/content/audio",
            "127.0.0.1:8080",
            "",
            "QNrGZ+d3AvaYYT4ouo6YzFRKmDPIRP+MGtn5uzgLBlg=",
        ),
        ("DELETE", "/v1/objects/0-eus-d12-801b", "127.0.0.1:8080", "", "wTQ5qsRYY2LfPlhRGs294KCCdPXdqKHmiarRa0oL3j0="),
    ];

    /// A vector as a request; the strings live as long as the closure runs.
    fn with(vector: Vector, check: impl FnOnce(SignedRequest<'_>)) {
        let (method, target, host, body, signature) = vector;
        let hash = if body.is_empty() { EMPTY } else { "W7mkmTzRccQY3kH2hIfjHmQ+mtKV9MtYR3xMKse2cNY=" };
        let authorization = format!("{SCHEME}SignedHeaders={SIGNED_HEADERS}&Signature={signature}");
        check(SignedRequest {
            method,
            target,
            host: Some(host),
            endpoint_host: None,
            date: Some(DATE),
            content_hash: Some(hash),
            authorization: Some(&authorization),
            body: body.as_bytes(),
        });
    }

    fn is_believed(request: SignedRequest<'_>, hosts: &[&str]) -> Result<bool, SignatureError> {
        let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        Ok(request.read(now())?.is_by(&key(), &hosts))
    }

    #[test]
    fn what_the_sdks_sign_is_believed() {
        for vector in VECTORS {
            with(vector, |request| assert_eq!(is_believed(request, &[]), Ok(true), "{vector:?}"));
        }
    }

    #[test]
    fn a_host_may_be_named_in_three_ways() {
        with(VECTORS[4], |request| {
            let elsewhere = SignedRequest { host: Some(ELSEWHERE), ..request };
            assert_eq!(is_believed(elsewhere, &[]), Ok(false));
            assert_eq!(is_believed(elsewhere, &["other", "127.0.0.1:8080"]), Ok(true));
            let said = SignedRequest { endpoint_host: request.host, ..elsewhere };
            assert_eq!(is_believed(said, &[]), Ok(true));
        });
        // Who controls recordings speaks to the service itself.
        with(VECTORS[1], |request| {
            let elsewhere = SignedRequest { host: Some(ELSEWHERE), ..request };
            assert_eq!(is_believed(elsewhere, &["127.0.0.1:8080"]), Ok(false));
        });
    }

    #[test]
    fn the_query_of_a_download_may_be_left_out_and_of_nothing_else() {
        with(VECTORS[4], |request| {
            let target = format!("{}?x=1", request.target);
            assert_eq!(is_believed(SignedRequest { target: &target, ..request }, &[]), Ok(true));
        });
        with(VECTORS[1], |request| {
            let target = format!("{}&x=1", request.target);
            assert_eq!(is_believed(SignedRequest { target: &target, ..request }, &[]), Ok(false));
        });
    }

    #[test]
    fn a_byte_that_was_changed_is_noticed() {
        with(VECTORS[0], |request| {
            let check = |changed: SignedRequest<'_>, expected| assert_eq!(is_believed(changed, &[]), expected);
            check(SignedRequest { method: "PUT", ..request }, Ok(false));
            check(SignedRequest { target: "/calling/recordings?api-version=2026-03-13", ..request }, Ok(false));
            check(SignedRequest { host: Some("127.0.0.1:8081"), ..request }, Ok(false));
            check(SignedRequest { date: Some("Sun, 06 Nov 1994 08:49:38 GMT"), ..request }, Ok(false));
            check(SignedRequest { body: b"{}", ..request }, Err(SignatureError::Body));
            check(SignedRequest { body: b"", content_hash: Some(EMPTY), ..request }, Ok(false));
            let other = AccessKey::from_base64("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWc=").expect("32 bytes");
            assert!(!request.read(now()).expect("it is well made").is_by(&other, &[]));
        });
    }

    #[test]
    fn dates_far_from_now_are_refused() {
        with(VECTORS[1], |request| {
            for (minutes, expected) in [(-16, false), (-14, true), (14, true), (16, false)] {
                let now = now() + SignedDuration::from_mins(minutes);
                assert_eq!(request.read(now).is_ok(), expected, "{minutes}");
            }
        });
    }

    #[test]
    fn what_is_missing_or_malformed_is_told() {
        use SignatureError::{Malformed, Missing};
        with(VECTORS[1], |request| {
            let check = |changed: SignedRequest<'_>, expected| assert_eq!(is_believed(changed, &[]), Err(expected));
            check(SignedRequest { authorization: None, ..request }, Missing("Authorization"));
            check(SignedRequest { date: None, ..request }, Missing("x-ms-date"));
            check(SignedRequest { content_hash: None, ..request }, Missing("x-ms-content-sha256"));
            check(SignedRequest { date: Some("yesterday"), ..request }, Malformed("x-ms-date"));
            for authorization in [
                "",
                "Bearer x",
                "HMAC-SHA256 ",
                "HMAC-SHA256 SignedHeaders=host&Signature=AA==",
                "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=é",
            ] {
                check(SignedRequest { authorization: Some(authorization), ..request }, Malformed("Authorization"));
            }
        });
    }

    #[test]
    fn keys_show_themselves_to_nobody() {
        assert_eq!(format!("{:?}", key()), "AccessKey(…)");
        assert_eq!(key().to_base64().as_str(), "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        for text in ["", "AAAA", "not base64!", "MDEyMzQ1Njc4OWFiY2Q"] {
            assert!(AccessKey::from_base64(text).is_none(), "{text}");
        }
    }
}
