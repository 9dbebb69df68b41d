//! Calls and who is in them: what `reelgraph send` sends is what is recorded.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use anyhow::ensure;
use rustix::process::Pid;
use rustix::process::Signal;
use serde_json::Value;
use serde_json::json;

use crate::client::Answer;
use crate::client::Client;
use crate::service::PROGRAM;

/// Where recordings are controlled.
pub(crate) const RECORDINGS: &str = "/calling/recordings";

/// Longest wait for what is asked for again and again: the service tries to store for five minutes.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often it is asked whether a file is there.
const POLL: Duration = Duration::from_millis(1);

/// A call.
pub(crate) struct Call {
    key: String,
    /// By which the service's own API knows it.
    pub(crate) id: String,
}

/// A recording that was started.
#[derive(Clone)]
pub(crate) struct Started {
    pub(crate) id: String,
    pub(crate) sent_ns: i64,
    pub(crate) answered_ns: i64,
}

/// A recording that is over, and where its only file is.
pub(crate) struct Ready {
    /// When the service had not been asked yet to stop.
    pub(crate) stop_sent_ns: i64,
    /// When the first byte of the file had come.
    pub(crate) loaded_ns: i64,
    pub(crate) content: String,
    /// How long it plays, as the result tells.
    pub(crate) duration_ms: u64,
}

/// Creates `n` calls of so many parties, who are heard at the returned port and those after it, two for each.
pub(crate) fn create(
    client: &mut Client,
    name: &str,
    n: usize,
    parties: usize,
    codec: &str,
) -> anyhow::Result<(Vec<Call>, u16)> {
    let (mut calls, mut ports) = (Vec::new(), Vec::new());
    for index in 0..n {
        let key = format!("{name}-{index}");
        let body = json!({ "callKey": key }).to_string();
        let id = text(&client.ask("POST", "/api/v1/calls", &body, 201)?.json()?, "id")?;
        for party in 0..parties {
            let body = json!({ "participantId": party.to_string(), "track": format!("codec={codec}") }).to_string();
            let answer = client.ask("POST", &format!("/api/v1/calls/{id}/participants"), &body, 201)?.json()?;
            let address = text(&answer, "rtp")?;
            let port: u16 = address.rsplit(':').next().unwrap_or_default().parse().context("no port")?;
            ports.push(port);
        }
        calls.push(Call { key, id });
    }
    let first = *ports.first().context("no calls")?;
    let is_next = |(index, port): (usize, &u16)| usize::from(*port) == usize::from(first) + 2 * index;
    // One sender counts on from its first port.
    ensure!(ports.iter().enumerate().all(is_next), "some ports are somebody else's");
    Ok((calls, first))
}

fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    Ok(value.get(name).and_then(Value::as_str).with_context(|| format!("no {name}: {value}"))?.to_owned())
}

impl Call {
    /// Starts a recording of all voices in one.
    pub(crate) fn record(&self, client: &mut Client, format: &str) -> anyhow::Result<Started> {
        let body = json!({
            "callLocator": { "kind": "serverCallLocator", "serverCallId": self.key },
            "recordingContentType": "audio",
            "recordingChannelType": "mixed",
            "recordingFormatType": format,
        });
        let answer = client.ask("POST", RECORDINGS, &body.to_string(), 200)?;
        let id = text(&answer.json()?, "recordingId")?;
        Ok(Started { id, sent_ns: answer.sent_ns, answered_ns: answer.answered_ns })
    }
}

impl Started {
    pub(crate) fn pause(&self, client: &mut Client) -> anyhow::Result<Answer> {
        client.ask("POST", &format!("{RECORDINGS}/{}:pause", self.id), "", 202)
    }

    pub(crate) fn resume(&self, client: &mut Client) -> anyhow::Result<Answer> {
        client.ask("POST", &format!("{RECORDINGS}/{}:resume", self.id), "", 202)
    }

    /// Stops it; returns when the request was sent.
    pub(crate) fn stop(&self, client: &mut Client) -> anyhow::Result<i64> {
        Ok(client.ask("DELETE", &format!("{RECORDINGS}/{}", self.id), "", 204)?.sent_ns)
    }

    /// Asks until the result tells of the end, then loads the file's first byte.
    pub(crate) fn ready(&self, client: &mut Client, stop_sent_ns: i64) -> anyhow::Result<Ready> {
        let until = Instant::now() + DEADLINE;
        let result = loop {
            let result = client.get(&format!("{RECORDINGS}/{}/result", self.id))?.json()?;
            match result["sessionEndReason"].as_str() {
                Some("InitiatorLeft") => break result,
                Some("SessionStillOngoing") => ensure!(Instant::now() < until, "it does not become ready"),
                _ => anyhow::bail!("it has ended by itself: {result}"),
            }
            std::thread::sleep(POLL);
        };
        let chunks = result["recordingStorageInfo"]["recordingChunks"].as_array().context("no chunks")?;
        let [chunk] = &chunks[..] else { anyhow::bail!("not one file: {result}") };
        let address = text(chunk, "contentLocation")?;
        let path = address.splitn(4, '/').nth(3).with_context(|| format!("no path in {address}"))?;
        let content = format!("/{path}");
        let loaded_ns = client.first_byte(&content)?.answered_ns;
        let duration_ms = result["recordingDurationMs"].as_u64().context("no duration")?;
        Ok(Ready { stop_sent_ns, loaded_ns, content, duration_ms })
    }
}

/// A process that sends; ended when it is dropped.
pub(crate) struct Sender {
    process: Child,
    told: PathBuf,
}

/// What a sender tells when it has ended.
pub(crate) struct Sent {
    /// When the media of each stream began, by the monotonic clock.
    pub(crate) begun_ns: Vec<i64>,
    pub(crate) worst_late: Duration,
}

impl Sender {
    /// Sends a file without end as `n` streams, to `port` and the ports after it.
    pub(crate) fn start(file: &Path, codec: &str, port: u16, n: usize, told: PathBuf) -> anyhow::Result<Self> {
        let to = format!("rtp://127.0.0.1:{port}");
        let mut command = Command::new(PROGRAM);
        command.arg("send").arg(file).args(["--to", &to, "--codec", codec, "--streams", &n.to_string()]);
        // It ends by itself where nobody is left to end it.
        command.args(["--loop", "--duration", "15m", "--seed", &port.to_string(), "--json"]);
        let process = command.stdout(File::create(&told)?).spawn().context("a sender cannot be started")?;
        Ok(Self { process, told })
    }

    /// Ends the calls.
    pub(crate) fn end(mut self) -> anyhow::Result<Sent> {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("no process")?;
        rustix::process::kill_process(pid, Signal::INT)?;
        ensure!(self.process.wait()?.success(), "a sender has failed");
        let told: Value = serde_json::from_slice(&std::fs::read(&self.told)?)?;
        let zero_ns = told["t0MonotonicNs"].as_i64().context("no time zero")?;
        let streams = told["streams"].as_array().context("no streams")?.iter();
        let begun_ns = streams.filter_map(|stream| Some(zero_ns + stream["phaseNs"].as_i64()?)).collect();
        let late = told["worstLatenessSeconds"].as_f64().unwrap_or_default();
        Ok(Sent { begun_ns, worst_late: Duration::try_from_secs_f64(late)? })
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
