//! The same call recorded by ffmpeg: a process for each, which reads what it is to receive from an SDP file.

use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use reelgraph::media::Codec;
use rustix::process::Pid;
use rustix::process::Signal;
use serde_json::Value;
use serde_json::json;

use crate::child::wait_for;
use crate::workload::Output;
use crate::workload::Workload;

/// Processes of ffmpeg; killed when they are dropped.
pub(crate) struct Ffmpeg {
    processes: Vec<Child>,
    files: Vec<PathBuf>,
}

/// Returns ffmpeg's version; None where it is not installed.
pub(crate) fn version() -> Option<String> {
    let said = Command::new("ffmpeg").arg("-version").output().ok()?;
    Some(String::from_utf8_lossy(&said.stdout).split_whitespace().nth(2)?.to_owned())
}

/// Returns the arguments of one recording.
pub(crate) fn args(workload: Workload, sdp: &Path, file: &Path) -> Vec<String> {
    let inputs: String = (0..workload.parties).map(|party| format!("[0:{party}]")).collect();
    let mix = format!("{inputs}amix=inputs={}:normalize=0[mix]", workload.parties);
    let [sdp, file] = [sdp, file].map(|path| path.display().to_string());
    let input = ["-nostdin", "-loglevel", "fatal", "-protocol_whitelist", "file,udp,rtp", "-i", &sdp];
    let graph = ["-filter_complex", &mix, "-map", "[mix]", "-ar", "16000", "-ac", "1", "-y"];
    let encoder: &[&str] = match workload.output {
        Output::Mp3 => &["-c:a", "libmp3lame", "-b:a", "48k", "-compression_level", "7"],
        Output::Wav { .. } => &["-c:a", "pcm_s16le"],
    };
    [&input[..], &graph, encoder, &[&file]].concat().into_iter().map(str::to_owned).collect()
}

fn sdp(workload: Workload, port: u16) -> String {
    let (number, name) = match workload.codec {
        Codec::Opus => (111, "opus/48000/2"),
        _ => (0, "PCMU/8000"),
    };
    let head = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=call\nc=IN IP4 127.0.0.1\nt=0 0\n".to_owned();
    let media = |party: usize| {
        format!("m=audio {} RTP/AVP {number}\na=rtpmap:{number} {name}\n", usize::from(port) + 2 * party)
    };
    head + &(0..workload.parties).map(media).collect::<String>()
}

impl Ffmpeg {
    /// Records `n` calls that come to `port` and the ports after it.
    pub(crate) fn start(workload: Workload, n: usize, port: u16, dir: &Path) -> anyhow::Result<Self> {
        let mut ffmpeg = Self { processes: Vec::new(), files: Vec::new() };
        for index in 0..n {
            let port = port + (2 * workload.parties * index) as u16;
            let description = dir.join(format!("{index}.sdp"));
            std::fs::write(&description, sdp(workload, port))?;
            let file = dir.join(format!("{index}.{}", workload.output.extension()));
            let child = Command::new("ffmpeg")
                .args(args(workload, &description, &file))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .context("ffmpeg cannot be started")?;
            ffmpeg.processes.push(child);
            ffmpeg.files.push(file);
        }
        Ok(ffmpeg)
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.processes.iter().map(Child::id).collect()
    }

    /// Ends all recordings, and says what came of them. They began with the first packets, at `begun`.
    pub(crate) fn stop(&mut self, begun: Instant) -> Value {
        let recorded = begun.elapsed() * self.processes.len() as u32;
        for child in &self.processes {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| rustix::process::kill_process(pid, Signal::INT));
        }
        let is_over = |child: &mut Child| matches!(child.try_wait(), Ok(Some(_)));
        wait_for(Duration::from_secs(10), || self.processes.iter_mut().all(is_over));
        let bytes: u64 = self.files.iter().map(|file| std::fs::metadata(file).map_or(0, |m| m.len())).sum();
        json!({ "bytes": bytes, "recordedNs": recorded.as_nanos() as u64 })
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        for child in &mut self.processes {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
