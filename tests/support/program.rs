//! The program as a child process that never outlives its deadline.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// No command of these tests has more to do than this, however busy the machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(1);

/// What a command said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Asserts the exit code, and that nothing panicked on the way.
    #[track_caller]
    pub(crate) fn check_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        self
    }
}

/// A running program; killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

fn drain(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

/// Returns a command that runs the program under test, where any warning of GLib is fatal.
pub(crate) fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    under(&[], args)
}

/// As [`command`], run by other programs: their names and options.
pub(crate) fn under<S: AsRef<OsStr>>(tools: &[&str], args: impl IntoIterator<Item = S>) -> Command {
    let line = [tools, &[env!("CARGO_BIN_EXE_reelgraph")]].concat();
    let mut command = Command::new(line[0]);
    command
        .args(&line[1..])
        .args(args)
        .env("G_DEBUG", "fatal_warnings")
        .env_remove("REELGRAPH_LOG")
        .env_remove("GST_DEBUG");
    command
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    Program::start(&mut command(args)).finish()
}

impl Program {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} must start: {error}"));
        let stdout = child.stdout.take().map(drain);
        let stderr = child.stderr.take().map(drain);
        Self { child, stdout, stderr }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Waits until `condition` holds or the program has ended; returns whether it holds.
    pub(crate) fn wait_until(&mut self, condition: impl Fn() -> bool) -> bool {
        let until = Instant::now() + DEADLINE;
        loop {
            if condition() {
                return true;
            }
            if !self.is_running() {
                return condition();
            }
            assert!(Instant::now() < until, "the program does not come to what is waited for");
            std::thread::sleep(POLL);
        }
    }

    /// Kills it with SIGKILL: it can do nothing about it. Returns whether it was still running.
    pub(crate) fn kill(&mut self) -> bool {
        let was_running = self.is_running();
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
        was_running
    }

    /// Sends a signal by its name, as in `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status();
        assert!(sent.expect("kill is installed").success(), "SIG{name} to a program that has ended");
    }

    /// As [`Self::signal`], unless it has ended.
    pub(crate) fn signal_if_running(&mut self, name: &str) {
        if self.is_running() {
            // It is not waited for: its id is nobody else's.
            self.signal(name);
        }
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn finish(self) -> Output {
        let (status, stdout, stderr) = self.finish_with_bytes();
        Output { status, stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr }
    }

    /// As [`Self::finish`], for a program that prints media.
    #[track_caller]
    pub(crate) fn finish_with_bytes(mut self) -> (ExitStatus, Vec<u8>, String) {
        self.wait_until(|| false);
        let status = self.child.wait().expect("a child that has ended");
        let bytes = |stream: Option<JoinHandle<Vec<u8>>>| stream.map(|stream| stream.join().expect("a reader ends"));
        let (stdout, stderr) = (bytes(self.stdout.take()), bytes(self.stderr.take()));
        (status, stdout.unwrap_or_default(), String::from_utf8_lossy(&stderr.unwrap_or_default()).into_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the names in a directory, in order; none where it is not there.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
