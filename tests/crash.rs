//! `kill -9` at any moment costs a second of media at most, and `recover` finishes the rest exactly.

mod support;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use support::course::{Course, Voice};
use support::metadata::{self, began, between};
use support::program::{self, Output, Program, names};
use support::remains::Remains;
use support::sound::Random;
use support::source::{self, RATE};
use support::wav::Wav;

/// The signal of `kill -9`.
const KILL: i32 = 9;

/// Recordings that run at once.
const AT_ONCE: usize = 10;

/// What a kill may cost, against all media that can have been pushed until then.
const LOSS_MAX: Duration = Duration::from_secs(1);

/// Sources are longer than any recording here lasts.
const SOURCE_SECONDS: u32 = 12;

/// A directory with two voices in it.
struct Stage {
    dir: tempfile::TempDir,
    caller: Vec<i16>,
    agent: Vec<i16>,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let voice = |name, from, to| Wav::read(&source::sweep(dir.path(), name, SOURCE_SECONDS, from, to)).samples;
        let (caller, agent) = (voice("caller", 300, 3_000), voice("agent", 2_500, 400));
        Self { dir, caller, agent }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn course(&self, pauses: &[(u64, u64)], keeps_pauses: bool) -> Course {
        let voices = vec![
            Voice { name: "caller", join_ms: 0, samples: self.caller.clone() },
            Voice { name: "agent", join_ms: 400, samples: self.agent.clone() },
        ];
        Course { voices, pauses: pauses.to_vec(), keeps_pauses }
    }

    /// Starts a recording of a course, paced to real time.
    fn record(&self, graph: &str, course: &Course, out: &Path, more: &[&str]) -> Program {
        let args = self.args(graph, course, out).into_iter().chain(more.iter().map(ToString::to_string));
        Program::start(program::command(args).arg("--real-time"))
    }

    /// Returns what the program must be told to record a course.
    fn args(&self, graph: &str, course: &Course, out: &Path) -> Vec<String> {
        let mut args = vec!["record".to_owned(), graph.to_owned()];
        let mut option = |name: &str, value: String| args.extend([format!("--{name}"), value]);
        for Voice { name, join_ms, .. } in &course.voices {
            option("participant", format!("{name}={}", self.path(&format!("{name}.wav")).display()));
            option("join", format!("{name}={join_ms}ms"));
        }
        course.pauses.iter().for_each(|(from, to)| option("pause", format!("{from}ms-{to}ms")));
        option("pause-mode", if course.keeps_pauses { "silence" } else { "skip" }.to_owned());
        option("out", out.display().to_string());
        args
    }
}

fn spool(out: &Path, graph: &str) -> PathBuf {
    out.join(format!(".reelgraph-{graph}"))
}

/// The name of a chunk's file in the spool.
fn chunk_file(graph: &str, index: usize) -> String {
    format!("{index:03}.{}", graph.rsplit('-').next().unwrap_or_default())
}

/// One of many recordings that are killed.
struct Case {
    name: String,
    graph: &'static str,
    course: Course,
    options: Vec<&'static str>,
    /// After the recording began.
    kill_after: Duration,
}

fn cases(stage: &Stage) -> Vec<Case> {
    let mut random = Random::for_test("kills_at_random_moments");
    let mut case = |index: usize, graph: &'static str| {
        let chunk_duration = [None, Some("1s"), Some("2s"), None][index / 2 % 4];
        let pauses: &[(u64, u64)] =
            [&[][..], &[(700, 1_300)][..], &[(1_300, 1_800), (2_450, 2_500)][..]][index / 2 % 3];
        Case {
            name: format!("{graph}-{index:02}"),
            graph,
            course: stage.course(pauses, index % 5 == 4),
            options: chunk_duration.into_iter().flat_map(|duration| ["--chunk-duration", duration]).collect(),
            kill_after: Duration::from_millis(random.below(3_700) as u64),
        }
    };
    let mut cases: Vec<_> = (0..44).map(|index| case(index, ["mixed-wav", "mixed-mp3"][index % 2])).collect();
    // Chunks of 1 and 2 s, with pauses.
    cases.extend([2, 4, 8, 10, 20, 26].map(|index| case(index, "unmixed-wav")));
    cases
}

/// Records a case until it is killed; returns how much recording time can have passed.
fn kill(stage: &Stage, case: &Case) -> (jiff::Timestamp, Duration) {
    let out = stage.path(&case.name);
    let mut recorder = stage.record(case.graph, &case.course, &out, &case.options);
    let has_begun = recorder.wait_until(|| began(&spool(&out, case.graph)).is_some());
    assert!(has_begun, "{}: {:?}", case.name, recorder.finish());
    let began = began(&spool(&out, case.graph)).expect("it was there");
    recorder.wait_until(|| between(began, jiff::Timestamp::now()) >= case.kill_after);
    assert!(recorder.kill(), "{} has ended before", case.name);
    (began, between(began, jiff::Timestamp::now()))
}

#[test]
fn kills_at_random_moments_cost_a_second_at_most() {
    let stage = Stage::new();
    let cases = cases(&stage);
    assert_eq!(cases.len(), 50);
    let (queue, killed) = (Mutex::new(cases.iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((index, case)) = queue.lock().expect("no test panics with it").next() else { break };
                    let remains = kill(&stage, case);
                    killed.lock().expect("no test panics with it").push((index, remains));
                }
            });
        }
    });
    // Judged when nothing is recorded any more: it needs the processors.
    let killed = killed.into_inner().expect("all threads have ended");
    let judge_all = |killed: &[(usize, (jiff::Timestamp, Duration))]| -> Vec<u128> {
        let losses = killed.iter().map(|(index, (began, passed))| {
            let loss = judge(&stage, &cases[*index], *began, *passed);
            assert!(loss <= LOSS_MAX, "{}: {loss:?} lost of {passed:?}", cases[*index].name);
            loss.as_millis()
        });
        losses.collect()
    };
    let (one, other) = killed.split_at(killed.len() / 2);
    let mut losses = std::thread::scope(|scope| {
        let other = scope.spawn(|| judge_all(other));
        let one = judge_all(one);
        [one, other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))].concat()
    });
    losses.sort_unstable();
    let (min, median, max) = (losses[0], losses[losses.len() / 2], losses[losses.len() - 1]);
    println!("lost by kill -9, {} recordings: min {min} ms, median {median} ms, max {max} ms", losses.len());
}

/// Recovers a recording that was killed before its end: that is said in its last file, and in no other.
#[track_caller]
fn recover(out: &Path, graph: &str) -> Output {
    let recovered = program::run(["recover".as_ref(), out.as_os_str()]).check_code(0);
    let files = metadata::finished(out, graph, graph.rsplit('-').next().unwrap_or_default());
    for (index, file) in files.iter().enumerate() {
        let is_due = index + 1 == files.len();
        let notes = file.metadata.notes();
        let is_said = notes.iter().any(|note| note.contains("the program was killed"));
        assert_eq!(is_said, is_due, "{}: {notes:?}", file.media.display());
    }
    recovered
}

/// Judges a killed recording before and after its recovery; returns what was lost.
fn judge(stage: &Stage, case: &Case, began: jiff::Timestamp, passed: Duration) -> Duration {
    let out = stage.path(&case.name);
    let remains = Remains { out: &out, graph: case.graph, course: &case.course, began };
    let on_disk = remains.samples_on_disk();
    let recovered = recover(&out, case.graph);
    let finished = remains.check_finished();
    let recordable = case.course.recorded_by(passed);
    let name = &case.name;
    assert!(finished <= recordable, "{name}: {finished} samples of {recordable}: {recovered:?}");
    // An encoder's delay and padding are in the frames, five at most, and not in the media. Each file has its metadata.
    let added = if case.graph == "mixed-mp3" { 5 * 576 * (names(&out).len() as u64).div_ceil(2) } else { 0 };
    assert!(finished + added >= on_disk, "{name}: {finished} samples of {on_disk} on the disk: {recovered:?}");
    check_nothing_to_recover(&out);
    Duration::from_nanos((recordable - finished) * 1_000_000_000 / u64::from(RATE))
}

#[track_caller]
fn check_nothing_to_recover(out: &Path) {
    let again = program::run(["recover".as_ref(), out.as_os_str()]).check_code(1);
    assert!(again.stderr.contains("holds no unfinished recording"), "{again:?}");
}

/// Between the spool's first sight and the first tick: there is nothing to keep, and nothing stays in the way.
#[test]
fn killed_before_it_began_a_recording_can_be_made_anew() {
    let stage = Stage::new();
    let course = stage.course(&[], false);
    for (index, graph) in ["mixed-wav", "mixed-mp3", "unmixed-wav"].into_iter().cycle().take(9).enumerate() {
        let out = stage.path(&format!("early-{index}"));
        let mut recorder = stage.record(graph, &course, &out, &[]);
        assert!(recorder.wait_until(|| spool(&out, graph).exists()));
        assert!(recorder.kill());
        let recovered = recover(&out, graph);
        assert!(!spool(&out, graph).exists(), "{recovered:?}");
        if names(&out).is_empty() {
            stage.record(graph, &course, &out, &["--duration", "500ms"]).finish().check_code(0);
        }
        assert_eq!(names(&out).len(), 2, "one file and its metadata: {:?}", names(&out));
    }
}

/// What was recorded before the pause is there to the sample; what comes behind it never will.
#[test]
fn killed_in_a_pause_it_holds_what_was_before_the_pause() {
    let stage = Stage::new();
    for (graph, pause_from) in [("mixed-wav", 500), ("unmixed-wav", 500), ("mixed-wav", 0), ("mixed-mp3", 0)] {
        let course = stage.course(&[(pause_from, 11_000)], false);
        let out = stage.path(&format!("{graph}-{pause_from}"));
        let mut recorder = stage.record(graph, &course, &out, &[]);
        assert!(recorder.wait_until(|| began(&spool(&out, graph)).is_some()));
        let began = began(&spool(&out, graph)).expect("it was there");
        let is_paused = || between(began, jiff::Timestamp::now()) > Duration::from_millis(1_500);
        assert!(recorder.wait_until(is_paused));
        assert!(recorder.kill());
        let recovered = recover(&out, graph);
        let remains = Remains { out: &out, graph, course: &course, began };
        assert_eq!(remains.check_finished(), pause_from * u64::from(RATE) / 1_000, "{graph}: {recovered:?}");
        check_nothing_to_recover(&out);
    }
}

/// One is complete and not finished yet, the next has just been opened.
#[test]
fn killed_at_a_cut_the_chunks_join_without_a_sample_between_them() {
    let stage = Stage::new();
    let course = stage.course(&[(650, 900)], false);
    let mut recorders = Vec::new();
    for index in 0..9 {
        let graph = ["mixed-wav", "mixed-mp3", "unmixed-wav"][index % 3];
        let out = stage.path(&format!("cut-{index}"));
        let mut recorder = stage.record(graph, &course, &out, &["--chunk-duration", "100ms"]);
        assert!(recorder.wait_until(|| began(&spool(&out, graph)).is_some()));
        let began = began(&spool(&out, graph)).expect("it was there");
        recorders.push((recorder, graph, out, began, index + 2));
    }
    for (recorder, graph, out, _, chunk) in &mut recorders {
        let (file, spool) = (chunk_file(graph, *chunk), spool(out, graph));
        recorder.wait_until(|| spool.join(&file).exists() || out.join(format!("{graph}-{file}")).exists());
        assert!(recorder.kill(), "{graph} has ended before its chunk {chunk}");
    }
    for (_, graph, out, began, chunk) in recorders {
        let recovered = recover(&out, graph);
        let samples = Remains { out: &out, graph, course: &course, began }.check_finished();
        assert!(samples >= chunk as u64 * u64::from(RATE) / 10, "{graph} {chunk}: {samples} samples, {recovered:?}");
        check_nothing_to_recover(&out);
    }
}

/// Calls that change names on the disk, or see to it that something is on it: between two of them nothing happens that
/// a recovery could see. Of other names on another architecture.
const DISK_CALLS: [&str; 6] = ["/^mkdir", "fdatasync", "fsync", "/^rename", "?unlink", "unlinkat"];

/// Runs the program until its first thread makes one of [`DISK_CALLS`] for the `nth` time, instead of which it is
/// killed; returns whether it was.
#[track_caller]
fn kill_at_call(call: &str, nth: u32, args: &[String]) -> bool {
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
    let strace = ["strace", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", &trace, "-e", &inject];
    let output = Program::start(&mut program::under(&strace, args)).finish();
    let is_killed = output.status.signal() == Some(KILL);
    if !is_killed {
        output.check_code(0);
    }
    is_killed
}

/// All that the course has: the agent joins 400 ms late and is heard to the end of that; one second is paused.
const FINALISED_SAMPLES: u64 = (SOURCE_SECONDS as u64 * 1_000 + 400 - 1_000) * (RATE as u64 / 1_000);

/// Wherever it is killed: before it begins, at each step of its end (trimming, metadata written, metadata in place,
/// media in place), and when all but the spool's end is done.
#[test]
fn killed_at_any_call_but_its_media_it_is_finished_by_recover() {
    type Moment = fn(&[String], &[String]) -> bool;
    let moments: [Moment; 4] = [
        |_, spool| spool.iter().any(|name| name.ends_with(".trimmed")),
        |_, spool| spool.iter().any(|name| name.ends_with(".json")),
        |out, spool| out.iter().any(|name| name.ends_with(".json")) && spool.iter().any(|name| name.ends_with(".wav")),
        |out, spool| out.iter().any(|name| name.ends_with(".wav")) && spool.iter().any(|name| name == "journal"),
    ];
    let mut hits = [0; 4];
    let stage = Stage::new();
    let course = stage.course(&[(1_000, 2_000)], false);
    for (index, call) in DISK_CALLS.into_iter().enumerate() {
        for nth in 1.. {
            let out = stage.path(&format!("call-{index}-{nth}"));
            let spool = spool(&out, "unmixed-wav");
            if !kill_at_call(call, nth, &stage.args("unmixed-wav", &course, &out)) {
                break;
            }
            hits.iter_mut().zip(moments).for_each(|(n, moment)| *n += u32::from(moment(&names(&out), &names(&spool))));
            let began = began(&spool);
            let has_media = [spool.join("000.wav"), out.join("unmixed-wav-000.wav")].iter().any(|file| file.exists());
            if spool.exists() {
                program::run(["recover".as_ref(), out.as_os_str()]).check_code(0);
            }
            let samples = match began {
                Some(began) => Remains { out: &out, graph: "unmixed-wav", course: &course, began }.check_finished(),
                // There is no journal yet, or no more.
                None => FINALISED_SAMPLES * u64::from(names(&out).len() == 2),
            };
            assert_eq!(samples, FINALISED_SAMPLES * u64::from(has_media), "{call} {nth}: {:?}", names(&out));
        }
    }
    assert!(hits.iter().all(|n| *n > 0), "{hits:?}");
}

/// What a kill left in the middle of a write is written anew.
#[test]
fn half_written_files_are_written_anew() {
    let stage = Stage::new();
    let course = stage.course(&[], false);
    let torn = stage.path("torn");
    let mut recorder = stage.record("unmixed-wav", &course, &torn, &[]);
    let spool = spool(&torn, "unmixed-wav");
    assert!(recorder.wait_until(|| spool.join("000.wav").metadata().is_ok_and(|file| file.len() > 150_000)));
    assert!(recorder.kill());
    let whole = stage.path("whole");
    copy_dir(&torn, &whole);
    std::fs::write(spool.join("000.trimmed"), b"RIFF").expect("a file");
    std::fs::write(spool.join("000.json"), b"{").expect("a file");
    for out in [&torn, &whole] {
        program::run(["recover".as_ref(), out.as_os_str()]).check_code(0);
        check_nothing_to_recover(out);
    }
    check_same(&torn, &whole, "half written");
}

#[track_caller]
fn check_same(found: &Path, expected: &Path, what: &str) {
    assert_eq!(names(found), names(expected), "{what}");
    for (found, expected) in contents(found).into_iter().zip(contents(expected)) {
        assert!(found == expected, "{what}: {} is another", found.0);
    }
}

fn copy_dir(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp is installed").success());
}

fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| (name.clone(), std::fs::read(dir.join(name)).expect("a file"));
    names(dir).into_iter().map(read).collect()
}

/// However often it is killed, the result is that of one that was not.
#[test]
fn a_killed_recovery_is_repeated_to_the_same_result() {
    let stage = Stage::new();
    for graph in ["mixed-wav", "mixed-mp3", "unmixed-wav"] {
        let course = stage.course(&[(450, 700)], false);
        let killed = stage.path(&format!("{graph}-killed"));
        let mut recorder = stage.record(graph, &course, &killed, &["--chunk-duration", "300ms"]);
        assert!(recorder.wait_until(|| spool(&killed, graph).join(chunk_file(graph, 2)).exists()));
        assert!(recorder.kill());
        make_unfinished(&killed, graph);

        let whole = stage.path(&format!("{graph}-whole"));
        copy_dir(&killed, &whole);
        program::run(["recover".as_ref(), whole.as_os_str()]).check_code(0);
        let mut kills = 0;
        for (index, call) in DISK_CALLS.into_iter().enumerate() {
            for nth in 1.. {
                let torn = stage.path(&format!("{graph}-torn-{index}-{nth}"));
                copy_dir(&killed, &torn);
                let args = ["recover".to_owned(), torn.display().to_string()];
                if !kill_at_call(call, nth, &args) {
                    break;
                }
                kills += 1;
                // As far again, if there is as much left to do.
                if spool(&torn, graph).exists() && kill_at_call(call, nth, &args) {
                    program::run(args).check_code(0);
                }
                check_same(&torn, &whole, &format!("{graph}, {call} {nth}"));
            }
        }
        assert!(kills >= 2 * names(&whole).len(), "media and metadata are each synced and renamed: {kills} kills");
    }
}

/// Takes back what the recorder had finished and noted of its chunks: all of them are torn now.
fn make_unfinished(out: &Path, graph: &str) {
    let spool = spool(out, graph);
    for name in names(out).into_iter().filter(|name| !name.starts_with('.')) {
        let chunk = name.strip_prefix(&format!("{graph}-")).expect("a file of the recording");
        if name.ends_with(".json") {
            std::fs::remove_file(out.join(&name)).expect("it is there");
        } else {
            std::fs::rename(out.join(&name), spool.join(chunk)).expect("it is there");
        }
    }
    let journal = std::fs::read_to_string(spool.join("journal")).expect("a journal");
    let is_kept = |line: &&str| !["chunk-held", "file-complete", "finalised"].iter().any(|entry| line.contains(entry));
    let kept: Vec<_> = journal.lines().filter(is_kept).collect();
    std::fs::write(spool.join("journal"), kept.join("\n") + "\n").expect("it can be written");
}

/// Only its own readers know what is in it: it is handed out as it is.
#[test]
fn a_killed_recording_in_another_format_keeps_its_file() {
    let stage = Stage::new();
    let course = stage.course(&[], false);
    let out = stage.path("flac");
    let mut recorder = stage.record("mixed-flac", &course, &out, &[]);
    let file = spool(&out, "mixed-flac").join("000.flac");
    let has_media = || file.metadata().is_ok_and(|metadata| metadata.len() > 20_000);
    assert!(recorder.wait_until(has_media));
    assert!(recorder.kill());
    let killed = std::fs::read(&file).expect("the file");
    recover(&out, "mixed-flac");
    assert!(std::fs::read(out.join("mixed-flac-000.flac")).expect("it is finished") == killed);
    let notes = metadata::Metadata::read(&out.join("mixed-flac-000.json")).notes();
    assert!(notes.iter().any(|note| note.contains("how long it plays is not known")), "{notes:?}");
    check_nothing_to_recover(&out);
}

/// A disk that lost the first block of a file: nobody knows what is in it any more, and it is nobody's to throw away.
#[test]
fn media_without_a_readable_header_is_kept() {
    let stage = Stage::new();
    let course = stage.course(&[], false);
    let out = stage.path("headless");
    let mut recorder = stage.record("mixed-wav", &course, &out, &[]);
    let file = spool(&out, "mixed-wav").join("000.wav");
    assert!(recorder.wait_until(|| file.metadata().is_ok_and(|file| file.len() > 20_000)));
    assert!(recorder.kill());
    let mut bytes = std::fs::read(&file).expect("the file");
    bytes[..44].fill(0);
    std::fs::write(&file, &bytes).expect("it can be written");
    recover(&out, "mixed-wav");
    assert!(std::fs::read(out.join("mixed-wav-000.wav")).expect("it is kept") == bytes);
    let notes = metadata::Metadata::read(&out.join("mixed-wav-000.json")).notes();
    assert!(notes.iter().any(|note| note.contains("how long it plays is not known")), "{notes:?}");
}

#[test]
fn a_recording_that_runs_is_not_recovered() {
    let stage = Stage::new();
    let course = stage.course(&[], false);
    let out = stage.path("live");
    let mut recorder = stage.record("mixed-wav", &course, &out, &["--duration", "2s"]);
    assert!(recorder.wait_until(|| began(&spool(&out, "mixed-wav")).is_some()));
    let began = began(&spool(&out, "mixed-wav")).expect("it was there");
    for command in [vec!["recover"], vec!["record", "mixed-wav", "--participant", "caller=caller.wav", "--out"]] {
        let mut command = program::command(command);
        let refused = Program::start(command.arg(&out).current_dir(stage.dir.path())).finish().check_code(1);
        assert!(refused.stderr.contains("is being recorded or recovered into"), "{refused:?}");
    }
    assert!(recorder.is_running());
    recorder.finish().check_code(0);
    assert_eq!(Remains { out: &out, graph: "mixed-wav", course: &course, began }.check_finished(), 32_000);
}

/// Power may go between the samples and the header that counts them, or in the middle of a sample.
#[test]
fn a_header_that_is_older_than_its_samples_is_repaired() {
    let stage = Stage::new();
    let course = stage.course(&[], false);
    for torn in [&[][..], &[0x5a]] {
        let out = stage.path(&format!("header-{}", torn.len()));
        let mut recorder = stage.record("mixed-wav", &course, &out, &[]);
        let file = spool(&out, "mixed-wav").join("000.wav");
        assert!(recorder.wait_until(|| file.metadata().is_ok_and(|file| file.len() > 20_000)));
        assert!(recorder.kill());
        let began = began(&spool(&out, "mixed-wav")).expect("a journal");
        let mut bytes = std::fs::read(&file).expect("the file");
        let samples = (bytes.len() as u64 - 44) / 2;
        bytes[4..8].copy_from_slice(&1_036u32.to_le_bytes());
        bytes[40..44].copy_from_slice(&1_000u32.to_le_bytes());
        std::fs::write(&file, [&bytes, torn].concat()).expect("it can be written");
        recover(&out, "mixed-wav");
        let remains = Remains { out: &out, graph: "mixed-wav", course: &course, began };
        assert_eq!(remains.check_finished(), samples);
    }
}
