//! The service under test, on ports that nobody else has.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::support::program::Program;
use crate::support::program::command;
use crate::support::signal;

/// Ports for the calls of one server.
const PORTS: u16 = 400;

/// A service that runs in a directory of its own.
pub(crate) struct Server {
    program: Program,
    dir: tempfile::TempDir,
    pub(crate) endpoint: String,
}

impl Server {
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("the temporary directory can be written"))
    }

    /// Kills it, and starts another one with all that it has left.
    #[track_caller]
    pub(crate) fn kill_and_start_again(mut self) -> Self {
        assert!(self.program.kill(), "it has ended by itself: {}", self.log());
        Self::start_in(self.dir)
    }

    #[track_caller]
    fn start_in(dir: tempfile::TempDir) -> Self {
        let (log, config) = (dir.path().join("log"), dir.path().join("config.toml"));
        // One of before tells another address.
        let _ = std::fs::remove_file(&log);
        // What is somebody else's of these is passed over.
        let first = 20_000 + std::process::id() as u16 % 80 * PORTS / 2 * 2;
        let data = dir.path().join("data");
        let text = format!(
            "[service]\nhttp = \"127.0.0.1:0\"\ndata-dir = {data:?}\n\
             rtp-ports = \"{first}-{}\"\nshutdown-timeout = \"0s\"\n",
            first + PORTS - 1
        );
        std::fs::write(&config, text).expect("the temporary directory can be written");
        let mut serve = command(["serve", "--config"]);
        serve.arg(&config);
        let mut shell = Command::new("bash");
        shell.args(["-c", r#"exec "$0" "$@" 2> "$LOG""#]).arg(serve.get_program()).args(serve.get_args());
        shell.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("LOG", &log);
        let mut program = Program::start(&mut shell);
        let endpoint = || {
            let text = std::fs::read_to_string(&log).ok()?;
            let line = text.lines().find_map(|line| line.split_once("endpoint "))?;
            Some(line.1.trim().to_owned())
        };
        let is_ready = program.wait_until(|| endpoint().is_some_and(|endpoint| endpoint.ends_with('/')));
        let endpoint = endpoint().filter(|_| is_ready);
        let endpoint = endpoint.unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&log).unwrap_or_default()));
        Self { program, dir, endpoint }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.path("data/keys/default")
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Asks it to end; it does, and nothing is left of what was deleted.
    #[track_caller]
    pub(crate) fn end(self) {
        let (log, dir) = (self.path("log"), self.dir);
        self.program.signal("TERM");
        self.program.finish().check_code(0);
        let log = std::fs::read_to_string(&log).expect("its log");
        assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
        for kept in ["recordings", "objects"] {
            let left = std::fs::read_dir(dir.path().join("data").join(kept)).expect("it is there").count();
            assert_eq!(left, 0, "{kept}: {log}");
        }
    }
}

/// Decodes a file by ffmpeg: 16 kHz, one channel.
#[track_caller]
pub(crate) fn decode(path: &Path) -> Vec<i16> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "s16le", "-ac", "1", "-ar", "16000", "-"])
        .output()
        .expect("ffmpeg is installed");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    signal::from_bytes(&output.stdout)
}
