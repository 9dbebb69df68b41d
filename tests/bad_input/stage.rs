//! A directory with two voices in it, in which commands run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::support::program::{self, Output, Program, names};
use crate::support::source;

/// Length of the voices.
pub(crate) const SECONDS: u32 = 4;

pub(crate) struct Stage {
    dir: tempfile::TempDir,
}

impl Stage {
    /// Makes `caller.wav` and `agent.wav`.
    pub(crate) fn new() -> Self {
        Self::with_seconds(SECONDS)
    }

    pub(crate) fn with_seconds(seconds: u32) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        source::sweep(dir.path(), "caller", seconds, 300, 3_000);
        source::sweep(dir.path(), "agent", seconds, 2_500, 400);
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.dir.path().join(Path::new(name.as_ref()))
    }

    pub(crate) fn write(&self, name: impl AsRef<OsStr>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the directory can be written");
        path
    }

    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Program {
        Program::start(program::command(args).current_dir(self.dir()))
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.start(args).finish()
    }

    /// Asserts that a command is refused with an exit code and a text that has all of `words` in it, and that `out` is
    /// as it was.
    #[track_caller]
    pub(crate) fn check_refused(&self, code: i32, args: &[&str], words: &[&str]) {
        let before = names(&self.path("out"));
        let output = self.run(args).check_code(code);
        for word in words {
            assert!(output.stderr.contains(word), "{word:?} is not told: {args:?}: {output:?}");
        }
        assert_eq!(output.stdout, "", "{args:?}: a result where there is none");
        assert_eq!(names(&self.path("out")), before, "{args:?}: it left files");
    }

    /// As [`Self::check_refused`], of `record mixed-wav --participant caller=caller.wav --out out` and `more`.
    #[track_caller]
    pub(crate) fn check_record_refused(&self, code: i32, more: &[&str], words: &[&str]) {
        let sound = ["record", "mixed-wav", "--participant", "caller=caller.wav", "--out", "out"];
        self.check_refused(code, &[&sound, more].concat(), words);
    }
}
