//! How many requests are answered beside recordings, by `wrk`: as fast as its connections can, and what that does to
//! the recordings. A signature holds for 15 minutes, so that what is sent is signed before.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use anyhow::ensure;
use serde_json::Value;

use crate::calls::Call;
use crate::calls::RECORDINGS;
use crate::calls::Started;
use crate::figures::rounded;
use crate::metrics::Metrics;
use crate::service::Service;

/// Connections that are kept; each has one request at a time.
const CONNECTIONS: usize = 16;

const SCRIPT: &str = "benches/service/load.lua";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// What anybody may ask, and nobody decides: how fast this client can be.
    Health,
    /// The state of recordings, signed.
    State,
    /// The same, with TLS.
    StateTls,
    /// Calls, with a key.
    Calls,
}

pub(crate) const ALL: [Asked; 4] = [Asked::Health, Asked::State, Asked::StateTls, Asked::Calls];

impl Asked {
    fn name(self) -> &'static str {
        match self {
            Self::Health => "`GET /healthz`, the client's own limit",
            Self::State => "`GET /calling/recordings/ID`, signed",
            Self::StateTls => "`GET /calling/recordings/ID`, signed, TLS",
            Self::Calls => "`GET /api/v1/calls/ID`, bearer key",
        }
    }

    fn texts(self, service: &Service, calls: &[Call], recordings: &[Started]) -> anyhow::Result<Vec<String>> {
        let (http, https) = (&service.http, &service.https);
        let state = |host: &str| {
            let text = |recording: &Started| {
                service.key.signed("GET", &format!("{RECORDINGS}/{}", recording.id), host, "", "")
            };
            recordings.iter().map(text).collect()
        };
        let call = |call: &Call| {
            let authorization = format!("Authorization: Bearer {}", service.key.to_base64());
            format!("GET /api/v1/calls/{} HTTP/1.1\r\nHost: {http}\r\n{authorization}\r\n\r\n", call.id)
        };
        match self {
            Self::Health => Ok(vec![format!("GET /healthz HTTP/1.1\r\nHost: {http}\r\n\r\n")]),
            Self::State => state(http),
            Self::StateTls => state(https),
            Self::Calls => Ok(calls.iter().map(call).collect()),
        }
    }

    /// Lets it be asked for so many seconds; returns the row of the table.
    pub(crate) fn measure(
        self,
        service: &Service,
        calls: &[Call],
        recordings: &[Started],
        seconds: u64,
        dir: &Path,
    ) -> anyhow::Result<Vec<String>> {
        let texts = dir.join("requests");
        let all: String = self.texts(service, calls, recordings)?.iter().map(|text| format!("{text}\x01")).collect();
        std::fs::write(&texts, all)?;
        let address = match self {
            Self::StateTls => format!("https://{}", service.https),
            _ => format!("http://{}", service.http),
        };
        let before = service.metrics()?;
        let mut wrk = Command::new("wrk");
        wrk.args(["-t", "1", "-c", &CONNECTIONS.to_string(), "-d", &format!("{seconds}s"), "--timeout", "10s"]);
        wrk.arg("-s").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT)).arg(address).arg("--").arg(&texts);
        let output = wrk.output().context("wrk is not there: run scripts/setup")?;
        let after = service.metrics()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let line = said.lines().find(|line| line.starts_with('{')).with_context(|| format!("wrk says {said}"))?;
        let told: Value = serde_json::from_str(line)?;
        let number = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
        ensure!(number("errors") == 0.0, "{}: {line}", self.name());
        let ms = |name: &str| format!("{:.2}", number(name) / 1e3);
        let mut cells = vec![self.name().to_owned(), CONNECTIONS.to_string()];
        cells.extend([rounded(number("requests") / number("us") * 1e6), ms("p50"), ms("p99"), ms("max")]);
        cells.extend(harm(&before, &after));
        Ok(cells)
    }
}

/// Asks for nothing for so many seconds: what recordings do by themselves.
pub(crate) fn none(service: &Service, seconds: u64) -> anyhow::Result<Vec<String>> {
    let before = service.metrics()?;
    std::thread::sleep(Duration::from_secs(seconds));
    let mut cells = vec!["none".to_owned()];
    cells.resize(6, "–".to_owned());
    cells.extend(harm(&before, &service.metrics()?));
    Ok(cells)
}

/// What became of recordings meanwhile: how many ticks there were and how late they were, what was lost.
fn harm(before: &Metrics, after: &Metrics) -> Vec<String> {
    let ticks = after.since(before, "reelgraph_tick_lateness_seconds");
    let grown = |after_one: f64, before_one: f64| (after_one - before_one) as u64;
    let outcome = |name: &str| {
        let series = format!("reelgraph_packets_total{{outcome=\"{name}\"}}");
        grown(after.one(&series), before.one(&series))
    };
    let sum = |name: &str| grown(after.sum(name), before.sum(name));
    let lost = sum("reelgraph_packets_lost_total")
        + sum("reelgraph_kernel_dropped_packets_total")
        + ["late", "overflow"].map(outcome).iter().sum::<u64>();
    vec![ticks.n().to_string(), ticks.within(0.99), ticks.within(1.0), lost.to_string()]
}
