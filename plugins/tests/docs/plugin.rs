//! The plugin as GStreamer's tools find it: `libgstreel.so` of this build, in a folder of its own with a registry.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What takes longer hangs.
const DEADLINE_SECONDS: &str = "60";

/// A directory of the test's own, gone with it, with the plugin in it.
pub(crate) struct Place(PathBuf);

impl Place {
    #[track_caller]
    pub(crate) fn new(name: &str) -> Self {
        // What the compiler made together with this test: the copy one folder above may be older.
        let library = std::env::current_exe().expect("a test has a file").with_file_name("libgstreel.so");
        let found = library.exists();
        assert!(found, "{} is missing: build it with `cargo build -p gst-plugin-reel`", library.display());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("plugins")).expect("a directory for the test");
        std::fs::create_dir_all(path.join("files")).expect("a directory for the test");
        let link = path.join("plugins/libgstreel.so");
        std::os::unix::fs::symlink(library, link).expect("a link to the plugin");
        Self(path)
    }

    /// Where what is run writes its files.
    pub(crate) fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    /// Runs a line of shell, which must end well and in time.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> String {
        let output = self.output(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{}\n{errors}", output.status);
        String::from_utf8(output.stdout).expect("text")
    }

    fn output(&self, line: &str) -> Output {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", DEADLINE_SECONDS, "bash", "-c", line]).current_dir(self.files());
        command.env("GST_PLUGIN_PATH", self.0.join("plugins")).env("GST_REGISTRY", self.0.join("registry.bin"));
        command.env("G_DEBUG", "fatal_warnings").output().expect("timeout and bash are installed")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
