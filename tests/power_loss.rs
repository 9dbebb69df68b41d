//! What must be on the disk before what: power may go between any two calls. Judged by the calls that strace saw.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::program::{self, Program, names};
use support::source;

const CALLS: &str = "trace=openat,mkdir,write,pwrite64,ftruncate,fsync,fdatasync,/^rename,unlink,unlinkat";

/// What would be gone with the power: bytes of files, and entries of directories.
#[derive(Default)]
struct Disk {
    bytes: BTreeSet<PathBuf>,
    /// Files that have never been synced.
    new: BTreeSet<PathBuf>,
    /// Chunks (`000`) of which the journal tells what they hold.
    held: BTreeSet<String>,
    entries: BTreeSet<PathBuf>,
    /// Chunks that left the spool.
    n_chunks: usize,
}

impl Disk {
    /// Takes in a call as strace prints it; panics where something must have been synced before it.
    #[track_caller]
    fn call(&mut self, line: &str, out: &Path) {
        let (name, args) = line.split_once('(').expect("a call");
        // Of an open file, its path in angle brackets; else in quotes.
        let opened = || PathBuf::from(args.split(['<', '>']).nth(1).unwrap_or_default());
        let quoted: Vec<_> = args.split('"').skip(1).step_by(2).map(PathBuf::from).collect();
        match name {
            "openat" if args.contains("O_CREAT") => {
                self.entries.insert(quoted[0].clone());
                self.new.insert(quoted[0].clone());
            }
            "mkdir" => {
                self.entries.insert(quoted[0].clone());
            }
            "write" | "pwrite64" | "ftruncate" => {
                let path = opened();
                if is_media(&path) {
                    // Without them nobody would find it, or know what it is.
                    let journal = path.with_file_name("journal");
                    assert!(!self.new.contains(&journal), "the journal has no beginning yet: {line}");
                    self.check_entries(|entry| journal.starts_with(entry), line);
                }
                // Strace puts a backslash before each quote of what is written.
                let told = args.split("chunk-held").nth(1).and_then(|entry| entry.split("index\\\":").nth(1));
                let index = told.map(|index| index.split(',').next().unwrap_or_default());
                self.held.extend(index.map(|index| format!("{index:0>3}")));
                self.bytes.insert(path);
            }
            "fsync" | "fdatasync" => {
                let path = opened();
                self.bytes.remove(&path);
                self.new.remove(&path);
                if path.ends_with("journal") {
                    self.held.clear();
                }
                self.entries.retain(|entry| entry.parent() != Some(&path));
            }
            // It goes when nothing needs it any more.
            "unlink" | "unlinkat" if quoted[0].ends_with("journal") => {
                self.check_entries(|entry| entry.parent() == Some(out), line);
            }
            _ if name.starts_with("rename") => self.rename(&quoted[0], &quoted[1], out, line),
            _ => (),
        }
    }

    #[track_caller]
    fn rename(&mut self, from: &Path, to: &Path, out: &Path, line: &str) {
        self.check_bytes(from, line);
        if to.parent() == Some(out) && is_media(from) {
            // Its file is where recover does not look for what is not in the journal.
            let chunk = from.file_stem().expect("a name").to_str().expect("text");
            assert!(!self.held.contains(chunk), "what it holds is not on the disk: {line}");
            self.n_chunks += 1;
        }
        self.entries.extend([from, to].map(Path::to_owned));
    }

    #[track_caller]
    fn check_bytes(&self, path: &Path, line: &str) {
        assert!(!self.bytes.contains(path), "{} is not on the disk: {line}", path.display());
    }

    #[track_caller]
    fn check_entries(&self, is_needed: impl Fn(&Path) -> bool, line: &str) {
        let lost = self.entries.iter().find(|entry| is_needed(entry));
        assert_eq!(lost, None, "its directory is not on the disk: {line}");
    }
}

/// A chunk's file in the spool.
fn is_media(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wav" || extension == "mp3")
}

/// Runs the program, and judges the order of its calls in and above `out`; returns the number of chunks it finished.
#[track_caller]
fn run(args: &[&str], dir: &Path, out: &Path) -> usize {
    let log = dir.join("calls");
    let strace = ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", "signal=none", "-e", CALLS, "-o"];
    let strace = [&strace[..], &[log.to_str().expect("a path of text")]].concat();
    // Nobody knows what the kernel has written of what is there already.
    let spools = names(out).into_iter().filter(|name| name.starts_with('.')).map(|name| out.join(name));
    let bytes = spools.flat_map(|spool| names(&spool).into_iter().map(move |name| spool.join(name))).collect();
    let mut disk = Disk { bytes, ..Disk::default() };
    Program::start(&mut program::under(&strace, args)).finish().check_code(0);
    let calls = std::fs::read_to_string(&log).expect("strace has written");
    for line in calls.lines().filter(|line| line.contains(dir.to_str().expect("a path of text"))) {
        // Behind the number of the thread. What failed did nothing; what is resumed has counted from its start.
        let (_, call) = line.split_once(char::is_whitespace).expect("a thread and a call");
        let call = call.trim_start();
        if !call.contains(" = -1 ") && !call.starts_with("<...") {
            disk.call(call, out);
        }
    }
    disk.n_chunks
}

/// Returns a directory with a sound of 3 s in it.
fn stage() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let caller = format!("caller={}", source::sweep(dir.path(), "caller", 3, 300, 3_000).display());
    (dir, caller)
}

#[test]
fn a_recording_is_on_the_disk_before_it_is_told() {
    // The first has channels to trim.
    for (graph, chunk, n_chunks) in [("unmixed-wav", "1h", 1), ("mixed-wav", "1s", 3), ("mixed-mp3", "1s", 3)] {
        let (dir, caller) = stage();
        let out = dir.path().join("recordings/today/out");
        let out_text = out.to_str().expect("a path of text");
        let args = ["record", graph, "--participant", &caller, "--chunk-duration", chunk, "--out", out_text];
        assert_eq!(run(&args, dir.path(), &out), n_chunks, "{graph}");
    }
}

#[test]
fn a_recovered_recording_is_on_the_disk_before_it_is_told() {
    for (graph, file) in [("unmixed-wav", "000.wav"), ("mixed-wav", "000.wav"), ("mixed-mp3", "000.mp3")] {
        let (dir, caller) = stage();
        let out = dir.path().join("out");
        let mut command = program::command(["record", graph, "--real-time", "--participant", &caller, "--out"]);
        let mut recorder = Program::start(command.arg(&out));
        let media = out.join(format!(".reelgraph-{graph}")).join(file);
        assert!(recorder.wait_until(|| media.metadata().is_ok_and(|file| file.len() > 3_000)));
        assert!(recorder.kill());
        let n_chunks = run(&["recover", out.to_str().expect("a path of text")], dir.path(), &out);
        assert_eq!(n_chunks, 1, "{graph}");
    }
}
