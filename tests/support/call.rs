//! Runs the program as a user does, and reads what it says.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use super::RATE;
use super::judge;
use super::program::{self, Output, Program};
use super::wav::{self, Wav};

/// A call to be recorded: who, and how.
#[derive(Clone)]
pub(crate) struct Call {
    dir: Rc<tempfile::TempDir>,
    args: Vec<OsString>,
    env: Vec<(&'static str, &'static str)>,
    codec: Option<(&'static str, &'static str)>,
}

impl Call {
    /// Returns a call in which nobody takes part yet.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        Self { dir: Rc::new(dir), args: Vec::new(), env: Vec::new(), codec: None }
    }

    /// Returns a path in the call's directory, which goes away with its last recording.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// From here on, media is given to the program in another codec: ending of the file, options of ffmpeg.
    pub(crate) fn codec(mut self, ending: &'static str, options: &'static str) -> Self {
        self.codec = Some((ending, options));
        self
    }

    /// Somebody who says `samples` (16 kHz mono).
    pub(crate) fn with(self, name: &str, samples: &[i16]) -> Self {
        let path = self.path(&format!("{}.wav", self.args.len()));
        wav::write(&path, RATE as u32, 1, samples);
        let path = match self.codec {
            Some((ending, options)) => {
                let coded = self.path(&format!("{}-coded.{ending}", self.args.len()));
                judge::convert(&path, options, &coded);
                coded
            }
            None => path,
        };
        self.with_file(name, &path)
    }

    /// Somebody who is heard from a file.
    pub(crate) fn with_file(mut self, name: &str, path: &Path) -> Self {
        let mut value = OsString::from(format!("{name}="));
        value.push(path);
        self.args.extend([OsString::from("--participant"), value]);
        self
    }

    /// More arguments, as words.
    pub(crate) fn args(mut self, words: &str) -> Self {
        self.args.extend(words.split_whitespace().map(OsString::from));
        self
    }

    /// A setting in the environment.
    pub(crate) fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    /// Ticks of this length.
    pub(crate) fn tick(self, tick: &str) -> Self {
        let path = self.path(&format!("{tick}.toml"));
        let config =
            format!("[worker]\ntick = \"{tick}\"\nstall-timeout = \"5s\"\n[recording]\nclose-timeout = \"5s\"\n");
        std::fs::write(&path, config).expect("the temporary directory can be written");
        let path = path.into_os_string().into_string().expect("a path of text");
        self.args(&format!("--config {path}"))
    }

    /// Runs the program, under others if need be, and returns what came of it.
    pub(crate) fn run(&self, under: &[&str], graph: &str, out: &Path) -> Output {
        let mut command = program::under(under, ["record", graph, "--json", "--out"]);
        Program::start(command.arg(out).args(&self.args).envs(self.env.iter().copied())).finish()
    }

    /// Records the call; nothing may go wrong.
    #[track_caller]
    pub(crate) fn record(&self, graph: &str) -> Recording {
        let recording = self.record_with_log(graph);
        assert_eq!(recording.log, "", "{graph}: standard error");
        recording
    }

    /// Records the call, and keeps what stands on standard error.
    #[track_caller]
    pub(crate) fn record_with_log(&self, graph: &str) -> Recording {
        let out = tempfile::tempdir_in(self.dir.path()).expect("a temporary directory can be made").keep();
        Recording::read(self, graph, out.clone(), self.run(&[], graph, &out), DONE)
    }

    /// Records a call of which the program must say that something is not as it should be.
    #[track_caller]
    pub(crate) fn record_with_faults(&self, graph: &str) -> Recording {
        let out = tempfile::tempdir_in(self.dir.path()).expect("a temporary directory can be made").keep();
        Recording::read(self, graph, out.clone(), self.run(&[], graph, &out), FAULTS)
    }
}

/// Exit codes of the program, as README has them.
pub(crate) const DONE: i32 = 0;
pub(crate) const FAULTS: i32 = 4;

/// A recording that was made.
pub(crate) struct Recording {
    /// Keeps the directory.
    _call: Call,
    pub(crate) out: PathBuf,
    pub(crate) json: Value,
    pub(crate) log: String,
}

impl Recording {
    /// Reads what the program told; it must have ended with this code.
    #[track_caller]
    pub(crate) fn read(call: &Call, graph: &str, out: PathBuf, output: Output, code: i32) -> Self {
        let log = output.stderr;
        let last = log.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(code), "{graph}: {last}");
        let json: Value = serde_json::from_str(&output.stdout).expect("one JSON document");
        assert_eq!(json["lostSamples"], 0, "{graph}");
        let names = program::names(&out).into_iter();
        assert_eq!(names.filter(|name| name.starts_with('.')).collect::<Vec<_>>(), [""; 0], "{graph}: left over");
        Self { _call: call.clone(), out, json, log }
    }

    /// The chunks as the program tells them.
    #[track_caller]
    pub(crate) fn chunks(&self) -> &[Value] {
        self.json["chunks"].as_array().expect("a list of chunks")
    }

    /// The files of the chunks.
    #[track_caller]
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.chunks().iter().map(|chunk| chunk["file"].as_str().expect("a path").into()).collect()
    }

    /// The only file.
    #[track_caller]
    pub(crate) fn file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    /// The only file, a WAV.
    #[track_caller]
    pub(crate) fn wav(&self) -> Wav {
        Wav::read(&self.file())
    }

    /// All files, WAV.
    #[track_caller]
    pub(crate) fn wavs(&self) -> Vec<Wav> {
        self.files().iter().map(|path| Wav::read(path)).collect()
    }

    /// Samples of a chunk as the program tells them.
    #[track_caller]
    pub(crate) fn samples(&self, chunk: usize) -> usize {
        self.chunks()[chunk]["samples"].as_u64().expect("a number") as usize
    }
}
