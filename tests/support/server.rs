//! The service under test, on ports that nobody else has.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

use super::program::Program;
use super::program::command;

/// Ports for the calls of one server.
const PORTS: u16 = 200;

/// Servers of one test program that have ports of their own.
const SERVERS: u16 = 8;

/// A service that runs in a directory of its own.
pub(crate) struct Server {
    program: Program,
    dir: Directory,
    level: &'static str,
}

/// A directory that stays where a test has failed, for whoever looks into that.
struct Directory(tempfile::TempDir);

impl Directory {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.disable_cleanup(true);
            eprintln!("kept: {}", self.path().display());
        }
    }
}

impl Server {
    /// Starts it with more of `[service]` than where it is.
    #[track_caller]
    pub(crate) fn start(settings: &str) -> Self {
        Self::start_logging(settings, "info")
    }

    /// Starts it, to log so much.
    #[track_caller]
    pub(crate) fn start_logging(settings: &str, level: &'static str) -> Self {
        static STARTED: AtomicU16 = AtomicU16::new(0);
        let dir = Directory(tempfile::tempdir().expect("the temporary directory can be written"));
        // What is somebody else's of these is passed over.
        let started = STARTED.fetch_add(1, Ordering::Relaxed) % SERVERS;
        let first = 20_000 + (std::process::id() as u16 % 20 * SERVERS + started) * PORTS;
        let data = dir.path().join("data");
        let usual = [
            ("http", "127.0.0.1:0"),
            ("https", "127.0.0.1:0"),
            ("admin", "127.0.0.1:0"),
            ("data-dir", data.to_str().expect("a path in UTF-8")),
            ("rtp-ports", &format!("{first}-{}", first + PORTS - 1)),
            ("shutdown-timeout", "0s"),
        ];
        let is_given = |key: &str| settings.lines().any(|line| line.starts_with(&format!("{key} = ")));
        let lines = usual.iter().filter(|(key, _)| !is_given(key)).map(|(key, value)| format!("{key} = {value:?}\n"));
        let text = format!("[service]\n{}{settings}\n", lines.collect::<String>());
        std::fs::write(dir.path().join("config.toml"), text).expect("the temporary directory can be written");
        Self::start_in(dir, level)
    }

    /// Kills it, and starts another one with all that it has left.
    #[track_caller]
    pub(crate) fn kill_and_start_again(mut self) -> Self {
        self.kill();
        self.start_again()
    }

    /// Kills it.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        assert!(self.program.kill(), "it has ended by itself: {}", self.log());
    }

    /// Starts another one with all that this one has left, which has ended.
    #[track_caller]
    pub(crate) fn start_again(self) -> Self {
        Self::start_in(self.dir, self.level)
    }

    #[track_caller]
    fn start_in(dir: Directory, level: &'static str) -> Self {
        let (log, config) = (dir.path().join("log"), dir.path().join("config.toml"));
        // One of before tells another address.
        let _ = std::fs::remove_file(&log);
        let mut program = Self::run(&config, &log, level);
        // What is told last.
        let is_told = || read(&log).lines().any(|line| line.starts_with("connection string of default"));
        let is_ready = program.wait_until(is_told);
        let server = Self { program, dir, level };
        assert!(is_ready, "{}", server.log());
        server
    }

    fn run(config: &Path, log: &Path, level: &str) -> Program {
        let mut serve = command(["serve", "--config"]);
        serve.arg(config);
        let mut shell = Command::new("bash");
        shell.args(["-c", r#"exec "$0" "$@" 2> "$LOG""#]).arg(serve.get_program()).args(serve.get_args());
        shell.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("LOG", log);
        shell.env("REELGRAPH_LOG", level);
        Program::start(&mut shell)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        read(&self.path("log"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Waits until something is so with the directory of its data.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, is_so: impl Fn(&Path) -> bool) {
        let data = self.path("data");
        assert!(self.program.wait_until(|| is_so(&data)), "{}", self.log());
    }

    /// Waits until its log has a text so many times.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str, times: usize) {
        let path = self.path("log");
        assert!(self.program.wait_until(|| read(&path).matches(text).count() >= times), "{}", self.log());
    }

    /// Returns what it has told behind some words: an address without its last slash, a path.
    #[track_caller]
    pub(crate) fn told(&self, words: &str) -> Option<String> {
        let log = self.log();
        let line = log.lines().find_map(|line| line.strip_prefix(words))?;
        Some(line.split(',').next()?.trim_end_matches('/').to_owned())
    }

    /// Address with TLS.
    pub(crate) fn https(&self) -> String {
        format!("https:{}", self.told("endpoint https:").expect("it is told"))
    }

    /// Address without encryption.
    pub(crate) fn http(&self) -> String {
        format!("http:{}", self.told("endpoint http:").expect("it is told"))
    }

    /// Address of whoever runs it.
    pub(crate) fn admin(&self) -> String {
        self.told("metrics and health ").expect("it is told")
    }

    /// What clients trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.path("data/tls/ca.pem")
    }

    /// What clients connect by.
    pub(crate) fn connection(&self) -> PathBuf {
        self.path("data/connection-strings/default")
    }

    /// Waits until it ends that was asked to: without an error.
    #[track_caller]
    pub(crate) fn ended(self) {
        let log = self.path("log");
        self.program.finish().check_code(0);
        let log = read(&log);
        assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    }

    /// Asks it to end; it does, without errors other than those that are expected.
    #[track_caller]
    pub(crate) fn end(self, expected: &[&str]) {
        let (log, dir) = (self.path("log"), self.dir);
        self.program.signal("TERM");
        self.program.finish().check_code(0);
        let log = read(&log);
        let mut errors = log.lines().filter(|line| line.contains("panicked") || line.contains("ERROR"));
        let unexpected = errors.find(|line| !expected.iter().any(|text| line.contains(text)));
        assert_eq!(unexpected, None, "{log}");
        for kept in ["recordings", "objects"] {
            let left = std::fs::read_dir(dir.path().join("data").join(kept)).expect("it is there").count();
            assert_eq!(left, 0, "{kept}: {log}");
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
