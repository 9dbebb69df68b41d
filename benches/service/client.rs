//! Somebody who asks: one connection that is kept, requests signed as the SDKs sign, and when each of them was sent and
//! answered by the monotonic clock.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::Context;
use anyhow::ensure;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::fmt::rfc2822::DateTimePrinter;
use reelgraph::engine::clock::monotonic_ns;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

/// No answer takes longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// An access key.
#[derive(Clone)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) fn from_base64(text: &str) -> anyhow::Result<Self> {
        Ok(Self(BASE64_STANDARD.decode(text).context("the key is none")?))
    }

    pub(crate) fn to_base64(&self) -> String {
        BASE64_STANDARD.encode(&self.0)
    }

    /// Returns the text of a request that is signed now; `more` is a header that is not. It can be sent again for 15
    /// minutes.
    pub(crate) fn signed(
        &self,
        method: &str,
        target: &str,
        host: &str,
        more: &str,
        body: &str,
    ) -> anyhow::Result<String> {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&jiff::Timestamp::now())?;
        let hash = BASE64_STANDARD.encode(Sha256::digest(body.as_bytes()));
        let text = format!("{method}\n{target}\n{date};{host};{hash}");
        let mac = Hmac::<Sha256>::new_from_slice(&self.0)?.chain_update(text).finalize().into_bytes();
        let signature = BASE64_STANDARD.encode(mac);
        let mut headers = vec![
            format!("Host: {host}"),
            format!("x-ms-date: {date}"),
            format!("x-ms-content-sha256: {hash}"),
            format!(
                "Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
            ),
            format!("Content-Length: {}", body.len()),
        ];
        headers.extend(Some(more).filter(|more| !more.is_empty()).map(str::to_owned));
        Ok(format!("{method} {target} HTTP/1.1\r\n{}\r\n\r\n{body}", headers.join("\r\n")))
    }
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Right before the request was given to the kernel: the service cannot have had it earlier.
    pub(crate) sent_ns: i64,
    /// Right after the whole answer was there.
    pub(crate) answered_ns: i64,
}

impl Answer {
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("an answer is no JSON")
    }
}

/// A connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    host: String,
    key: Key,
    /// Somebody wants it all to end.
    stop: Arc<AtomicBool>,
}

impl Client {
    pub(crate) fn connect(host: &str, key: Key, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).with_context(|| format!("{host} cannot be reached"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Self { stream: BufReader::new(stream), host: host.to_owned(), key, stop })
    }

    pub(crate) fn get(&mut self, target: &str) -> anyhow::Result<Answer> {
        self.ask("GET", target, "", 200)
    }

    /// Loads a file's first byte.
    pub(crate) fn first_byte(&mut self, target: &str) -> anyhow::Result<Answer> {
        self.ask_with("GET", target, "Range: bytes=0-0", "", 206)
    }

    /// Asks, and fails where the answer has another status.
    pub(crate) fn ask(&mut self, method: &str, target: &str, body: &str, status: u16) -> anyhow::Result<Answer> {
        self.ask_with(method, target, "", body, status)
    }

    fn ask_with(&mut self, method: &str, target: &str, more: &str, body: &str, status: u16) -> anyhow::Result<Answer> {
        let request = self.key.signed(method, target, &self.host, more, body)?;
        let answer = self.exchange(&request).with_context(|| format!("{method} {target}"))?;
        let said = || String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(answer.status == status, "{method} {target}: {}: {}", answer.status, said());
        Ok(answer)
    }

    fn exchange(&mut self, request: &str) -> anyhow::Result<Answer> {
        ensure!(!self.stop.load(Relaxed), "stopped");
        let sent_ns = monotonic_ns();
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let mut length = 0;
        loop {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "cut off");
            let header = line.trim_end().to_ascii_lowercase();
            match header.split_once(": ") {
                None => break,
                Some(("content-length", n)) => length = n.parse()?,
                Some(("transfer-encoding", _)) => anyhow::bail!("an answer of unknown length"),
                Some(_) => (),
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, body, sent_ns, answered_ns: monotonic_ns() })
    }
}
