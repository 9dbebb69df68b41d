//! A recorder as a child of the benchmark: told by lines what to do, answering by lines of JSON.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::process::Child as Process;
use std::process::ChildStdin;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;

/// Nothing that a recorder is told to do takes longer.
const DEADLINE: Duration = Duration::from_secs(120);

/// A recorder in a process of its own; killed when it is dropped.
pub(crate) struct Child {
    process: Process,
    stdin: ChildStdin,
    answers: Receiver<String>,
}

impl Child {
    /// Starts this program once more, as what `args` say.
    pub(crate) fn start(args: &[String]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program has no name")?;
        let mut process = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a recorder cannot be started")?;
        let stdin = process.stdin.take().context("a recorder cannot be told anything")?;
        let stdout = process.stdout.take().context("a recorder cannot be heard")?;
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|l| sender.send(l))
        });
        Ok(Self { process, stdin, answers })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tells it something and returns its answer.
    pub(crate) fn ask(&mut self, what: &str) -> anyhow::Result<Value> {
        writeln!(self.stdin, "{what}").with_context(|| format!("a recorder has gone before \"{what}\""))?;
        self.answer().with_context(|| format!("asked to \"{what}\""))
    }

    /// Returns its next answer.
    pub(crate) fn answer(&mut self) -> anyhow::Result<Value> {
        let line = self.answers.recv_timeout(DEADLINE).context("a recorder does not answer")?;
        serde_json::from_str(&line).with_context(|| format!("a recorder says {line}"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends an answer, as a child.
pub(crate) fn say(value: &Value) {
    let mut stdout = std::io::stdout().lock();
    // Who does not listen any more has killed us, or is about to.
    let _ = writeln!(stdout, "{value}").and_then(|()| stdout.flush());
}

/// Waits until something is so; returns whether it came to be.
pub(crate) fn wait_for(deadline: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + deadline;
    while Instant::now() < until {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
