//! The service that is measured: the program itself, as whoever runs it starts it.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use anyhow::ensure;
use rustix::process::Pid;
use rustix::process::Signal;

use crate::client::Client;
use crate::client::Key;
use crate::metrics::Metrics;

/// The program, built as this one is.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_reelgraph");

/// Longest wait for it to be ready, and for it to end.
const READY: Duration = Duration::from_secs(30);
const END: Duration = Duration::from_secs(30);

/// How often something is looked at that is waited for.
const POLL: Duration = Duration::from_millis(10);

/// A service that runs in a directory of its own; killed when it is dropped.
pub(crate) struct Service {
    process: Child,
    /// All that it keeps.
    pub(crate) data: PathBuf,
    /// Host and port without encryption.
    pub(crate) http: String,
    /// Host and port with TLS.
    pub(crate) https: String,
    admin: String,
    pub(crate) key: Key,
    log: PathBuf,
    stop: Arc<AtomicBool>,
}

impl Service {
    /// Starts it in `dir`, as it is shipped but for where it is. Nobody is to ask it anything when `stop` is set.
    pub(crate) fn start(dir: &Path, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        let (data, log, config) = (dir.join("data"), dir.join("service.log"), dir.join("config.toml"));
        let mut text = format!("[service]\ndata-dir = {:?}\nshutdown-timeout = \"0s\"\n", data.display().to_string());
        text.extend(["http", "https", "admin"].map(|which| format!("{which} = \"127.0.0.1:0\"\n")));
        // How many it can answer is what is to be seen.
        text += "[resources.default]\nrequests-per-second = 1000000\n";
        std::fs::write(&config, text)?;
        let mut command = Command::new(PROGRAM);
        command.arg("serve").arg("--config").arg(&config).env("REELGRAPH_LOG", "warn").env_remove("GST_DEBUG");
        let mut process = command.stderr(File::create(&log)?).spawn().context("the service cannot be started")?;
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        // It tells that last.
        let is_ready = |said: &str| said.lines().any(|line| line.starts_with("connection string of default"));
        let until = Instant::now() + READY;
        while !is_ready(&said()) {
            let is_there = matches!(process.try_wait(), Ok(None)) && Instant::now() < until;
            ensure!(is_there, "the service does not start:\n{}", said());
            std::thread::sleep(POLL);
        }
        let said = said();
        let told = |words: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(words));
            let address = line.and_then(|line| line.split('/').next());
            address.map(str::to_owned).with_context(|| format!("the service does not tell its {words}"))
        };
        let connection = std::fs::read_to_string(data.join("connection-strings/default"))?;
        let (_, key) = connection.trim().split_once(";accesskey=").context("no key in the connection string")?;
        Ok(Self {
            process,
            http: told("endpoint http://")?,
            https: told("endpoint https://")?,
            admin: told("metrics and health http://")?,
            key: Key::from_base64(key)?,
            data,
            log,
            stop,
        })
    }

    /// Connects somebody who keeps the connection.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Client::connect(&self.http, self.key.clone(), Arc::clone(&self.stop))
    }

    /// Returns what it counts of itself.
    pub(crate) fn metrics(&self) -> anyhow::Result<Metrics> {
        let text = Client::connect(&self.admin, self.key.clone(), Arc::clone(&self.stop))?.get("/metrics")?.body;
        Ok(Metrics::read(&String::from_utf8_lossy(&text)))
    }

    /// Lets it end in good order, and fails where it does not.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("no process")?;
        rustix::process::kill_process(pid, Signal::TERM)?;
        let until = Instant::now() + END;
        loop {
            match self.process.try_wait()? {
                Some(status) => break ensure!(status.success(), "the service has ended with {status}"),
                None => ensure!(Instant::now() < until, "the service does not end"),
            }
            std::thread::sleep(POLL);
        }
        let said = std::fs::read_to_string(&self.log)?;
        ensure!(!said.contains("ERROR") && !said.contains("panicked"), "the service says:\n{said}");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
