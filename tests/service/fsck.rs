//! `reelgraph fsck`: what is stored is checked, and known again when the catalog is lost.

use std::fs::read;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::story;
use crate::support::program;
use crate::support::program::Output;
use crate::support::program::Program;
use crate::support::server::Server;
use crate::told;

/// Bytes of a second of one channel.
const SECOND_BYTES: u64 = 32_000;

/// Found something.
const FAULTS: i32 = 4;

/// Tells the service something; returns what it told.
#[track_caller]
fn tell(server: &Server, what: &str, names: &[&str]) -> String {
    let mut command = story(server, "fsck.py");
    command.args([what, "--kept"]).arg(server.path("kept.json"));
    command.arg("--other").arg(server.path("data/connection-strings/other"));
    told(server, {
        command.arg("--names").args(names);
        command
    })
}

#[track_caller]
pub(crate) fn fsck(server: &Server, args: &[&str], code: i32) -> Output {
    let config = server.path("config.toml");
    let args = [&["fsck", "--config", config.to_str().expect("a path in UTF-8")], args].concat();
    program::run(args).check_code(code)
}

/// Checks that a fault is told, and nothing else; and that it is not there any more when it is mended.
#[track_caller]
fn check_told(server: &Server, fault: &str, make: impl FnOnce(), mend: impl FnOnce()) {
    make();
    let told = fsck(server, &[], FAULTS);
    let mut wrong = told.stdout.lines().filter(|line| line.starts_with("wrong: "));
    assert!(wrong.next().is_some_and(|line| line.contains(fault)) && wrong.next().is_none(), "{fault}: {told:?}");
    assert!(told.stdout.ends_with(": 1 faults\n"), "{told:?}");
    mend();
    fsck(server, &[], 0);
}

/// As [`check_told`], of a file that is changed.
#[track_caller]
fn check_file_told(server: &Server, fault: &str, file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let whole = read(file).expect("it is there");
    let mut changed = whole.clone();
    change(&mut changed);
    let write = |bytes: &[u8]| std::fs::write(file, bytes).expect("it is ours");
    check_told(server, fault, || write(&changed), || write(&whole));
}

/// Returns the files of the catalog that were put aside, without what is beside them.
fn aside(data: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(data).expect("it is there").flatten().map(|entry| entry.path());
    let is_aside = |path: &PathBuf| path.to_string_lossy().contains("catalog.db.damaged-");
    names.filter(is_aside).filter(|path| path.to_string_lossy().ends_with('Z')).collect()
}

/// Returns how many recordings go on that have a second of somebody.
fn n_heard(data: &Path) -> usize {
    let below = |dir: &PathBuf| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_spool = |dir: &PathBuf| dir.to_string_lossy().contains("/.reelgraph-");
    let spools = below(&data.join("recordings")).flat_map(|dir| below(&dir).collect::<Vec<_>>()).filter(is_spool);
    let is_heard = |path: PathBuf| {
        path.extension().is_some_and(|extension| extension == "wav")
            && path.metadata().is_ok_and(|metadata| metadata.len() >= SECOND_BYTES)
    };
    spools.filter(|spool| below(spool).any(is_heard)).count()
}

/// Two recordings have ended, one of them in two lives of the service; one runs when it is killed.
#[track_caller]
fn killed_while_recording() -> (Server, Vec<String>) {
    let mut server = Server::start("[resources.default]\n[resources.other]\n");
    let ports: Vec<u16> = serde_json::from_str(&tell(&server, "calls", &[])).expect("ports");
    let send = |port: &u16| {
        let to = format!("rtp://127.0.0.1:{port}");
        Program::start(&mut program::command(["send", "--serial", "--to", &to]))
    };
    let senders: Vec<_> = ports.iter().map(send).collect();
    tell(&server, "start", &["unmixed"]);
    server.wait_until(|data| n_heard(data) == 1);
    server = server.kill_and_start_again();
    let is_second = |path: PathBuf| path.to_string_lossy().ends_with("-1");
    server.wait_until(|data| {
        std::fs::read_dir(data.join("recordings")).expect("it is there").flatten().any(|entry| is_second(entry.path()))
    });
    tell(&server, "start", &["mixed", "killed"]);
    server.wait_until(|data| n_heard(data) == 3);
    let documents = serde_json::from_str(&tell(&server, "stop", &["mixed", "unmixed"])).expect("documents");
    let beside = fsck(&server, &[], 1);
    assert!(beside.stderr.contains("in use by a service that runs"), "{beside:?}");
    fsck(&server, &["--rebuild"], 1);
    server.kill();
    drop(senders);
    (server, documents)
}

#[test]
fn what_is_stored_is_known_again_when_the_catalog_is_lost() {
    let (server, documents) = killed_while_recording();
    assert_eq!(documents.len(), 3, "{documents:?}");
    let data = server.path("data");
    let healthy = fsck(&server, &[], 0);
    assert!(healthy.stdout.ends_with("3 recordings and 3 documents: 0 faults\n"), "{healthy:?}");
    assert!(healthy.stdout.contains("the next `serve` finishes "), "{healthy:?}");
    let document = documents[0].rsplit('-').next().expect("an id");
    let file = |part: &str| data.join("objects").join(document).join(part);
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    check_file_told(&server, "by its SHA-256", &file("content"), flip);
    check_file_told(&server, "by its size", &file("content"), |bytes| bytes.truncate(9));
    check_file_told(&server, "the record of a document", &file("record"), |bytes| bytes.truncate(9));
    let away = server.path("away");
    let rename = |from: &Path, to: &Path| std::fs::rename(from, to).expect("it is there");
    for part in ["content", "metadata", "record"] {
        let (file, lacks) = (file(part), format!("{document} has no {part}"));
        check_told(&server, &lacks, || rename(&file, &away), || rename(&away, &file));
    }
    let other = data.join("objects").join("0".repeat(32));
    let copy = || {
        std::fs::create_dir(&other).expect("it is ours");
        std::fs::copy(file("content"), other.join("content")).expect("it is there");
    };
    check_told(&server, "is not in the catalog", copy, || std::fs::remove_dir_all(&other).expect("it is ours"));

    // One alone is mended by the other: what was written last stands in the second.
    for file in ["catalog.db", "catalog.db-wal"] {
        std::fs::write(data.join(file), [0xa5; 50_000]).expect("it is ours");
    }
    let config = server.path("config.toml");
    let refused = program::run(["serve", "--config", config.to_str().expect("a path in UTF-8")]).check_code(1);
    assert!(
        refused.stderr.contains("is damaged") && refused.stderr.contains("`reelgraph fsck --rebuild`"),
        "{refused:?}"
    );
    let told = fsck(&server, &[], FAULTS);
    assert!(told.stdout.contains("wrong: the catalog ") && told.stderr.contains("fsck --rebuild"), "{told:?}");
    assert_eq!((read(data.join("catalog.db")).expect("it is there"), aside(&data)), (vec![0xa5; 50_000], vec![]));
    let rebuilt = fsck(&server, &["--rebuild"], 0);
    // A second time it would only lose what the first one kept.
    let sound = fsck(&server, &["--rebuild"], 1);
    assert!(sound.stderr.contains("the catalog is sound"), "{sound:?}");
    assert!(
        rebuilt.stdout.ends_with("2 recordings and 3 documents are in the catalog again, 0 are not\n"),
        "{rebuilt:?}"
    );
    let [kept] = &aside(&data)[..] else { panic!("{rebuilt:?}") };
    assert_eq!(read(kept).expect("it is there"), [0xa5; 50_000]);
    fsck(&server, &[], 0);
    let server = server.start_again();
    tell(&server, "compare", &[]);
    server.end(&[]);
}

#[test]
fn a_document_that_cannot_be_known_again_is_told_and_left() {
    let (server, documents) = killed_while_recording();
    let data = server.path("data");
    let document = |index: usize| data.join("objects").join(documents[index].rsplit('-').next().expect("an id"));
    std::fs::write(document(0).join("record"), "{\"version\": 2}").expect("it is ours");
    std::fs::remove_file(document(1).join("record")).expect("it is there");
    std::fs::remove_file(data.join("catalog.db")).expect("it is there");
    let told = fsck(&server, &["--rebuild"], FAULTS);
    for why in ["is of version 2", "has no record"] {
        assert!(told.stdout.contains(why), "{told:?}");
    }
    assert!(told.stdout.ends_with("1 recordings and 1 documents are in the catalog again, 2 are not\n"), "{told:?}");
    assert!(document(0).join("content").exists() && document(1).join("content").exists());
    let told = fsck(&server, &[], FAULTS);
    assert_eq!(told.stdout.matches("is not in the catalog").count(), 2, "{told:?}");
    // One of another version is no damaged one: it would lose what it knows.
    let older = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); \
                 c.execute('DELETE FROM _sqlx_migrations WHERE version = 2'); c.commit()";
    let status = Command::new("python3").args(["-c", older]).arg(data.join("catalog.db")).status();
    assert!(status.expect("python3 is installed").success());
    let (before, kept) = (read(data.join("catalog.db")).expect("it is there"), aside(&data));
    let refused = fsck(&server, &["--rebuild"], 1);
    assert!(refused.stderr.contains("is of an older version"), "{refused:?}");
    assert_eq!((read(data.join("catalog.db")).expect("it is there"), aside(&data)), (before, kept));
}
