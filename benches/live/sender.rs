//! Who sends: `reelgraph send` as so many phones, in processes of their own.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use anyhow::ensure;
use reelgraph::media::Codec;
use rustix::process::Pid;
use rustix::process::Signal;

use crate::child::wait_for;

/// Streams of one process: it sends all of them on one thread, at 3 µs a packet.
const STREAMS_MAX: usize = 1_000;

/// The program that is measured, built as this one is.
const PROGRAM: &str = env!("CARGO_BIN_EXE_reelgraph");

/// Human speech, which `scripts/setup` installs.
const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox";
const FILES: [&str; 3] = ["0870", "0890", "0920"];

/// Processes that send, each with the file that it tells into; killed when they are dropped.
pub(crate) struct Senders(Vec<(Child, PathBuf)>);

impl Senders {
    /// Sends `speech` to `n` ports: `port`, `port` + 2 and so on, without end. What is told of it goes into `dir`.
    pub(crate) fn start(speech: &Path, codec: Codec, port: u16, n: usize, dir: &Path) -> anyhow::Result<Self> {
        let mut senders = Self(Vec::new());
        for first in (0..n).step_by(STREAMS_MAX) {
            let to = format!("rtp://{}:{}", Ipv4Addr::LOCALHOST, usize::from(port) + 2 * first);
            let n_streams = STREAMS_MAX.min(n - first).to_string();
            let told = dir.join(format!("sender-{first}.json"));
            let child = Command::new(PROGRAM)
                .arg("send")
                .arg(speech)
                .args(["--to", &to, "--codec", codec.name(), "--streams", &n_streams])
                .args(["--loop", "--seed", &(first + 1).to_string(), "--json"])
                .stdout(File::create(&told)?)
                .spawn()
                .context("a sender cannot be started")?;
            senders.0.push((child, told));
        }
        Ok(senders)
    }
}

impl Senders {
    /// Ends the calls; returns how late the latest packet was sent, as far as senders tell.
    pub(crate) fn stop(mut self) -> Duration {
        self.end();
        let late = |(_, told): &(Child, PathBuf)| {
            let document: serde_json::Value = serde_json::from_slice(&std::fs::read(told).ok()?).ok()?;
            Duration::try_from_secs_f64(document.get("worstLatenessSeconds")?.as_f64()?).ok()
        };
        self.0.iter().filter_map(late).max().unwrap_or_default()
    }

    fn end(&mut self) {
        for (child, _) in &self.0 {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| rustix::process::kill_process(pid, Signal::INT));
        }
        for (child, _) in &mut self.0 {
            // It says goodbye for each stream.
            if !wait_for(Duration::from_secs(5), || matches!(child.try_wait(), Ok(Some(_)))) {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        let is_there = |(child, _): &mut (Child, PathBuf)| matches!(child.try_wait(), Ok(None));
        if self.0.iter_mut().any(is_there) {
            self.end();
        }
    }
}

/// Makes a file of speech without a pause at its ends, for all senders.
pub(crate) fn speech(dir: &Path) -> anyhow::Result<PathBuf> {
    let path = dir.join("speech.wav");
    let files = FILES.map(|n| format!("{SPEECH}/sense_and_sensibility_01_austen_64kb-{n}.wav"));
    let made = Command::new("sox").args(files).arg(&path).status().context("sox is not there: run scripts/setup")?;
    ensure!(made.success(), "sox has made no speech");
    Ok(path)
}

/// Returns payloads of a sender's packets, in order: `seconds` of them.
pub(crate) fn payloads(dir: &Path, speech: &Path, codec: Codec, seconds: u32) -> anyhow::Result<Vec<Vec<u8>>> {
    let capture = dir.join(format!("{}.pcap", codec.name()));
    let sent = Command::new(PROGRAM)
        .arg("send")
        .arg(speech)
        .arg("--to")
        .arg(&capture)
        .args(["--codec", codec.name(), "--loop", "--duration", &format!("{seconds}s"), "--json"])
        .stdout(Stdio::null())
        .status();
    ensure!(sent.context("a sender cannot be started")?.success(), "no packets were sent");
    let packets = crate::pcap::read(&capture).into_iter().filter_map(|datagram| crate::pcap::rtp(0, &datagram.payload));
    Ok(packets.map(|packet| packet.payload).collect())
}
