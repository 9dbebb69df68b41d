//! Test media, made by tools that are not ours.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::support::judge;

/// A directory of test media that goes away with it.
pub(crate) struct Media {
    dir: tempfile::TempDir,
}

impl Media {
    pub(crate) fn new() -> Self {
        gst::init().expect("GStreamer starts");
        Self { dir: tempfile::tempdir().expect("a temporary directory can be made") }
    }

    pub(crate) fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.dir.path().join(Path::new(name.as_ref()))
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the temporary directory can be written");
        path
    }

    /// Makes a sweep from 300 to 3000 Hz: nowhere like itself a few samples later.
    pub(crate) fn sweep(&self, rate: u32, channels: u32, samples: u32) -> PathBuf {
        let path = self.path(format!("sweep-{rate}-{channels}-{samples}.wav"));
        let (rate, channels, length) = (rate.to_string(), channels.to_string(), format!("{samples}s"));
        let source = ["-R", "-r", &rate, "-c", &channels, "-n", "-b", "16"].map(OsStr::new);
        run("sox", source, &path, &["synth", &length, "sine", "300-3000", "gain", "-6"].map(OsStr::new));
        path
    }

    /// Makes a file with ffmpeg; its format is what the name's ending says.
    pub(crate) fn ffmpeg(&self, inputs: &[&Path], options: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        let inputs = inputs.iter().flat_map(|input| [OsStr::new("-i"), input.as_os_str()]);
        let options = options.split_whitespace().map(OsStr::new);
        let quiet = ["-nostdin", "-v", "error", "-y"].map(OsStr::new);
        run("ffmpeg", quiet.into_iter().chain(inputs).chain(options), &path, &[]);
        path
    }
}

/// Runs a tool that writes a file.
pub(crate) fn run<'a>(tool: &str, before: impl IntoIterator<Item = &'a OsStr>, output: &'a Path, after: &[&'a OsStr]) {
    judge::run(tool, before.into_iter().chain([output.as_os_str()]).chain(after.iter().copied()));
}
