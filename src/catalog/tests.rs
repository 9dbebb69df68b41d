//! What is saved is there when the file is opened again, whatever happened to it in the meantime.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Connection;
use sqlx::SqliteConnection;
use tempfile::TempDir;

use crate::catalog::*;
use crate::media::Codec;
use crate::media::Payloads;
use crate::media::Settings;
use crate::model::AtMaxPause;
use crate::model::CallId;
use crate::model::ChunkId;
use crate::model::EndReason;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::model::Terms;

/// Longest wait for anything here.
const DEADLINE: Duration = Duration::from_secs(30);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

fn new_file() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("the temporary directory can be written");
    let path = dir.path().join("catalog.db");
    (dir, path)
}

async fn save(catalog: &Catalog, updates: &[Update]) {
    let saving = catalog.save(updates.to_vec()).expect("there is room");
    tokio::time::timeout(DEADLINE, saving).await.expect("it is saved in time").expect("it is saved");
}

/// Opens a file, and returns what is in it.
async fn rows(path: &std::path::Path) -> Rows {
    let (catalog, rows, writer) = Catalog::open(path).await.expect("it can be opened");
    drop(catalog);
    tokio::time::timeout(DEADLINE, writer).await.expect("it ends in time").expect("no panic");
    rows
}

fn all() -> Rows {
    let (resource, call, recording) = (ResourceId::new(), CallId::new(), RecordingId::new());
    let name = |kind: &str, name: &str| NameRow { kind: kind.to_owned(), name: name.to_owned() };
    let names = vec![name("key", "k\u{0}ü"), name("room", "r")];
    let end = EndRow { reason: EndReason::Drained, error: None, ready_at: at(8), expires_at: at(9) };
    Rows {
        calls: vec![CallRow { id: call, resource, names, created_at: at(1) }],
        participants: vec![ParticipantRow {
            call,
            id: "8:acs:ada".to_owned(),
            display_name: Some("Ada".to_owned()),
            track: Settings {
                payloads: Payloads::of(Codec::L16 { rate: 48_000, channels: 2 }),
                source: Some(([127, 0, 0, 1], 9).into()),
                ssrc: Some(u32::MAX),
            },
            port: 65_534,
            joined_at: at(2),
        }],
        recordings: vec![RecordingRow {
            id: recording,
            resource,
            call,
            graph: "mixed-wav".to_owned(),
            pins: vec![("ada".to_owned(), 4)],
            started_at: at(3),
            paused: true,
            paused_at: at(4),
            about: About {
                call_key: Some("key".to_owned()),
                people: ["8:acs:ada".to_owned()].into(),
                rule: Some("sales".to_owned()),
                terms: Terms { tags: vec!["a".to_owned()], at_max_pause: AtMaxPause::Stop, ..Terms::default() },
            },
            stopping: Some(EndReason::CallEnded),
            end: Some(end),
        }],
        chunks: vec![ChunkRow {
            id: ChunkId::new(),
            recording,
            index: 7,
            format: "wav".to_owned(),
            size: 1 << 40,
            sha256: "00".to_owned(),
            duration: Duration::from_micros(1_000_001),
        }],
        deletions: vec![ChunkId::new()],
        repeats: vec![RepeatRow { resource, id: "r1".to_owned(), body: [9; 32], recording, at: at(5) }],
    }
}

fn updates(rows: &Rows) -> Vec<Update> {
    let calls = rows.calls.iter().cloned().map(Update::Call);
    let participants = rows.participants.iter().cloned().map(Update::Participant);
    let recordings = rows.recordings.iter().cloned().map(Update::Recording);
    let chunks = rows.chunks.iter().cloned().map(Update::Chunk);
    let deletions = rows.deletions.iter().copied().map(Update::ChunkDoomed);
    let repeats = rows.repeats.iter().cloned().map(Update::Repeat);
    calls.chain(participants).chain(recordings).chain(chunks).chain(deletions).chain(repeats).collect()
}

#[tokio::test]
async fn what_is_saved_is_there_when_it_is_opened_again() {
    let (_dir, path) = new_file();
    let (catalog, nothing, _) = Catalog::open(&path).await.expect("it can be made");
    assert_eq!(nothing, Rows::default());
    let all = all();
    save(&catalog, &updates(&all)).await;
    // While the first one is still open, as after a crash.
    assert_eq!(rows(&path).await, all);
    // A second time changes nothing.
    save(&catalog, &updates(&all)).await;
    assert_eq!(rows(&path).await, all);
    let (chunk, call) = (all.chunks[0].id, all.calls[0].id);
    let gone = [
        Update::CallGone(call),
        Update::RecordingGone(all.recordings[0].id),
        Update::ChunkDoomed(chunk),
        Update::ChunkDeleted(all.deletions[0]),
        Update::RepeatsGone(at(6)),
    ];
    save(&catalog, &gone).await;
    assert_eq!(rows(&path).await, Rows { deletions: vec![chunk], ..Rows::default() });
}

#[tokio::test]
async fn a_resource_finds_what_it_has_asked_for_page_by_page() {
    let (_dir, path) = new_file();
    let (catalog, _, _) = Catalog::open(&path).await.expect("it can be made");
    let (own, other) = (ResourceId::new(), ResourceId::new());
    let row = |second, resource| {
        let (key, operation, result) = ("primary", "pause-recording", "accepted");
        Update::Audit(AuditRow { at: at(second), resource, key, operation, object: "o".to_owned(), result })
    };
    let all: Vec<_> = (1..=5).flat_map(|second| [row(second, own), row(second, other)]).collect();
    save(&catalog, &all).await;
    let query = AuditQuery { resource: own, after: 0, from: at(2), to: at(5), limit: 2 };
    let first = catalog.audit_log().read(query).await.expect("it can be read");
    let second = catalog.audit_log().read(AuditQuery { after: first[1].id, ..query }).await.expect("it can be read");
    let seconds = |page: &[Audited]| page.iter().map(|row| row.at.as_second()).collect::<Vec<_>>();
    assert_eq!((seconds(&first), seconds(&second)), (vec![2, 3], vec![4]));
}

#[tokio::test]
async fn what_cannot_be_written_waits() {
    let (_dir, path) = new_file();
    let (catalog, _, writer) = Catalog::open(&path).await.expect("it can be made");
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.expect("it opens");
    let lock = other.begin_with("BEGIN EXCLUSIVE").await.expect("it is locked");
    let all = all();
    let mut saving = catalog.save(updates(&all)).expect("there is room");
    let is_behind = async {
        while !catalog.is_behind() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, is_behind).await.expect("it is told");
    assert!(saving.try_recv().is_err(), "it is not written");
    lock.rollback().await.expect("it is not locked any more");
    tokio::time::timeout(DEADLINE, &mut saving).await.expect("in time").expect("it is saved");
    assert!(!catalog.is_behind());
    // All that was given is written before the end.
    let last = catalog.save(vec![Update::ChunkDeleted(all.deletions[0])]).expect("there is room");
    drop((last, catalog, other));
    tokio::time::timeout(DEADLINE, writer).await.expect("it ends in time").expect("no panic");
    assert_eq!(rows(&path).await, Rows { deletions: vec![], ..all });
}

#[tokio::test]
async fn a_file_that_is_taken_away_is_made_again_and_wants_all() {
    let (_dir, path) = new_file();
    let (catalog, _, _) = Catalog::open(&path).await.expect("it can be made");
    let all = all();
    save(&catalog, &updates(&all)).await;
    assert!(!catalog.wants_all());
    std::fs::remove_file(&path).expect("it is there");
    save(&catalog, &[Update::ChunkDeleted(all.deletions[0])]).await;
    assert!(catalog.wants_all());
    assert!(!catalog.wants_all(), "once");
    save(&catalog, &updates(&all)).await;
    assert_eq!(rows(&path).await, all);
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let (_dir, path) = new_file();
    let (catalog, _, writer) = Catalog::open(&path).await.expect("it can be made");
    let many: Vec<_> = std::iter::repeat_with(all).take(200).flat_map(|rows| updates(&rows)).collect();
    save(&catalog, &many).await;
    drop(catalog);
    tokio::time::timeout(DEADLINE, writer).await.expect("it ends in time").expect("no panic");
    let whole = std::fs::read(&path).expect("it is there");
    let mut torn = whole.clone();
    torn[8_192..20_480].fill(0xa5);
    let mut foreign = whole.clone();
    foreign[..16].copy_from_slice(b"something else!!");
    for (name, bytes) in [("torn", &torn), ("foreign", &foreign), ("cut", &whole[..whole.len() / 2].to_vec())] {
        std::fs::write(&path, bytes).expect("it can be written");
        let refused = Catalog::open(&path).await.err();
        assert!(matches!(refused, Some(CatalogError::Damaged { .. })), "{name}: {refused:?}");
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let (_dir, path) = new_file();
    drop(Catalog::open(&path).await.expect("it can be made"));
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.expect("it opens");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99, 'later', 1, x'00', 0)";
    sqlx::query(newer).execute(&mut other).await.expect("it is written");
    assert!(matches!(Catalog::open(&path).await.err(), Some(CatalogError::Version { .. })));
}

/// Writes a file with so many entries of the audit, and all else once; returns what is in it.
async fn filled(path: &std::path::Path, n_audited: usize) -> Rows {
    let (catalog, _, writer) = Catalog::open(path).await.expect("it can be made");
    let all = all();
    save(&catalog, &updates(&all)).await;
    let audit = |second| {
        let (key, operation, result) = ("primary", "pause-recording", "accepted");
        let (at, resource) = (at(second), all.recordings[0].resource);
        Update::Audit(AuditRow { at, resource, key, operation, object: "o".to_owned(), result })
    };
    save(&catalog, &(0..n_audited as i64).map(audit).collect::<Vec<_>>()).await;
    drop(catalog);
    tokio::time::timeout(DEADLINE, writer).await.expect("it ends in time").expect("no panic");
    all
}

async fn audited(path: &std::path::Path, of: &Rows) -> Vec<i64> {
    let (catalog, _, _) = Catalog::open(path).await.expect("it can be opened");
    let resource = of.recordings[0].resource;
    let query = AuditQuery { resource, after: 0, from: at(0), to: Timestamp::MAX, limit: u32::MAX };
    catalog.audit_log().read(query).await.expect("it can be read").iter().map(|row| row.at.as_second()).collect()
}

#[tokio::test]
async fn a_file_is_inspected_and_stays_as_it_is() {
    let (_dir, path) = new_file();
    assert!(matches!(inspect(&path).await, Err(CatalogError::Missing { .. })));
    assert!(!path.exists());
    let all = filled(&path, 1_000).await;
    let whole = std::fs::read(&path).expect("it is there");
    assert_eq!(inspect(&path).await.ok().as_ref(), Some(&all));
    assert_eq!(std::fs::read(&path).expect("it is there"), whole);
    let (mut torn, half) = (whole.clone(), whole.len() / 2);
    torn[half..half + 4_096].fill(0xa5);
    // A row that is whole, and that no index leads to any more.
    let (mut changed, of) = (whole.clone(), all.recordings[0].resource.to_string());
    let place = whole[half..].windows(of.len()).position(|text| text == of.as_bytes()).expect("an entry") + half;
    changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
    let none = [0xa5; 9_000];
    for (name, bytes) in
        [("torn", &torn[..]), ("changed", &changed), ("none", &none), ("empty", &[]), ("cut", &whole[..half])]
    {
        std::fs::write(&path, bytes).expect("it can be written");
        let told = inspect(&path).await;
        assert!(matches!(told, Err(CatalogError::Damaged { .. })), "{name}: {told:?}");
        assert_eq!(std::fs::read(&path).expect("it is there"), bytes, "{name}");
    }
}

#[tokio::test]
async fn what_is_not_in_the_file_yet_is_inspected_too() {
    let (_dir, path) = new_file();
    let (catalog, _, _) = Catalog::open(&path).await.expect("it can be made");
    let all = all();
    save(&catalog, &updates(&all)).await;
    assert_eq!(inspect(&path).await.ok(), Some(all));
}

#[tokio::test]
async fn a_catalog_is_made_anew_and_the_old_one_is_kept() {
    let (_dir, path) = new_file();
    let all = filled(&path, 10_000).await;
    let whole = std::fs::read(&path).expect("it is there");
    let rows = Rows { recordings: all.recordings.clone(), chunks: all.chunks.clone(), ..Rows::default() };
    let kept = rebuild(&path, rows.clone(), at(0)).await.expect("it is made");
    let aside = path.with_file_name("catalog.db.damaged-19700101T000000Z");
    assert_eq!(kept, Kept { path: Some(aside.clone()), n_audited: 10_000, audit_lost: None });
    assert_eq!(std::fs::read(&aside).expect("it is kept"), whole);
    assert_eq!(self::rows(&path).await, rows);
    assert_eq!(audited(&path, &all).await, (0..10_000).collect::<Vec<_>>());
    // What was kept is not lost for another one.
    assert!(matches!(rebuild(&path, rows.clone(), at(0)).await, Err(CatalogError::Io { .. })));
    assert_eq!(self::rows(&path).await, rows);
    // Of a damaged one what is whole before the damage.
    let mut torn = whole.clone();
    let two_thirds = whole.len() / 4_096 * 2 / 3 * 4_096;
    torn[two_thirds..two_thirds + 40_960].fill(0xa5);
    std::fs::write(&path, &torn).expect("it can be written");
    let kept = rebuild(&path, rows.clone(), at(1)).await.expect("it is made");
    assert!(kept.n_audited > 1_000 && kept.n_audited < 10_000 && kept.audit_lost.is_some(), "{kept:?}");
    assert_eq!(audited(&path, &all).await, (0..kept.n_audited as i64).collect::<Vec<_>>());
    for nothing in [&[0xa5; 9_000][..], &[]] {
        std::fs::write(&path, nothing).expect("it can be written");
        let kept = rebuild(&path, rows.clone(), at(2 + nothing.len() as i64)).await.expect("it is made");
        assert!(kept.n_audited == 0 && kept.audit_lost.is_some(), "{kept:?}");
    }
    std::fs::remove_file(&path).expect("it is there");
    let kept = rebuild(&path, rows.clone(), at(99)).await.expect("it is made");
    assert_eq!(kept, Kept { path: None, n_audited: 0, audit_lost: None });
    assert_eq!(self::rows(&path).await, rows);
}
