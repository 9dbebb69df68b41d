//! Each fault is told, and nothing else: of files as a service stores them, and of a catalog as it writes it.

use std::path::Path;

use sha2::Digest;
use sha2::Sha256;
use tempfile::TempDir;
use uuid::Uuid;

use crate::app::fsck::*;
use crate::catalog::About;
use crate::catalog::Catalog;
use crate::catalog::Update;
use crate::model::CallId;
use crate::model::RecordingId;
use crate::model::ResourceId;
use crate::session::Entry;
use crate::session::Journal;
use crate::session::Opening;
use crate::storage::document;

/// Longest wait for anything here.
const DEADLINE: Duration = Duration::from_secs(30);

const DIFFERS: &str = "its record says something else than the catalog";

/// Something that happens, and faults that are told then.
type Case<'a> = (&'a str, &'a dyn Fn(&mut Rig), &'a [&'a str]);

/// What a service has: one document, of a recording that has ended.
struct Rig {
    dir: TempDir,
    config: Config,
    /// What the catalog is to know.
    rows: Rows,
}

fn sha256(content: &str) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn opening(recording: u128) -> Opening {
    Opening { recording_id: Uuid::from_u128(recording), call_id: Uuid::from_u128(8), ..crate::session::opening() }
}

/// Returns what stands beside a document; its duration is no whole number of microseconds.
fn record(opening: &Opening, content: &str) -> Record {
    let document = document(opening, 0);
    let text = serde_json::json!({
        "version": 1, "recording-id": opening.recording_id, "call-id": opening.call_id,
        "resource": Uuid::from_u128(9), "graph": opening.graph, "started-at": opening.started_at, "part": 0,
        "reason": "stopped", "document": document, "index": 0, "format": opening.format, "size": content.len(),
        "sha256": sha256(content), "duration": {"secs": 1, "nanos": 1_999}, "stored-at": opening.started_at,
    });
    Record::read(document, text.to_string().as_bytes()).expect("it is one")
}

fn rows(record: &Record) -> Rows {
    let recording = RecordingRow {
        id: record.recording_id,
        resource: record.resource,
        call: record.call_id,
        graph: record.graph.clone(),
        pins: Vec::new(),
        started_at: record.started_at,
        paused: false,
        paused_at: record.started_at,
        about: About::default(),
        stopping: None,
        end: None,
    };
    let chunk = ChunkRow {
        id: record.document,
        recording: record.recording_id,
        index: 0,
        format: "wav".to_owned(),
        size: record.size,
        sha256: record.sha256.clone(),
        duration: Duration::from_micros(1_000_001),
    };
    Rows { recordings: vec![recording], chunks: vec![chunk], ..Rows::default() }
}

impl Rig {
    async fn new() -> Self {
        let (dir, mut config) = (tempfile::tempdir().expect("a directory"), Config::default());
        config.service.data_dir = dir.path().join("data");
        let record = record(&opening(7), "RIFF");
        let rig = Self { dir, config, rows: rows(&record) };
        let [content, metadata] = ["content", "metadata"].map(|file| rig.dir.path().join(file));
        write(&content, "RIFF");
        write(&metadata, "{}");
        let objects = rig.path("objects");
        std::fs::create_dir_all(&objects).expect("it is made");
        std::fs::create_dir_all(rig.path("recordings")).expect("it is made");
        let objects = Objects::local(&objects).expect("it is there");
        objects.put(&record, &content, &metadata).await.expect("it is stored");
        rig
    }

    fn path(&self, below: &str) -> PathBuf {
        self.config.service.data_dir.join(below)
    }

    /// Returns where a part of the document is.
    fn part(&self, part: &str) -> PathBuf {
        self.path("objects").join(document(&opening(7), 0).0.simple().to_string()).join(part)
    }

    fn recording(&mut self) -> &mut RecordingRow {
        &mut self.rows.recordings[0]
    }

    fn chunk(&mut self) -> &mut ChunkRow {
        &mut self.rows.chunks[0]
    }

    /// Changes the content, and what the catalog knows of it.
    fn store(&mut self, content: &str) {
        write(&self.part("content"), content);
        (self.chunk().size, self.chunk().sha256) = (content.len() as u64, sha256(content));
    }

    /// Takes away a part of the document.
    fn lose(&self, part: &str) {
        std::fs::remove_file(self.part(part)).expect("it is there");
    }

    /// Checks what is there, with a catalog that knows what it is to know.
    async fn check(self) -> Checked {
        let (catalog, _, writer) = Catalog::open(&self.path("catalog.db")).await.expect("it can be made");
        let Rows { recordings, chunks, deletions, .. } = self.rows;
        let recordings = recordings.into_iter().map(Update::Recording);
        let chunks = chunks.into_iter().map(Update::Chunk);
        let updates = recordings.chain(chunks).chain(deletions.into_iter().map(Update::ChunkDoomed));
        let saving = catalog.save(updates.collect()).expect("there is room");
        tokio::time::timeout(DEADLINE, saving).await.expect("it is saved in time").expect("it is saved");
        drop(catalog);
        tokio::time::timeout(DEADLINE, writer).await.expect("it ends in time").expect("no panic");
        check(&self.config).await.expect("it can be checked")
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("it has one")).expect("it is made");
    std::fs::write(path, text).expect("it is written");
}

#[tokio::test]
async fn each_fault_is_told_and_nothing_else() {
    let name = Uuid::from_u128(6).simple().to_string();
    let cases: [Case<'_>; 24] = [
        ("all is well", &|_| (), &[]),
        ("no recording", &|rig| rig.rows.recordings.clear(), &["of a recording that the catalog does not know"]),
        ("not known", &|rig| rig.rows.chunks.clear(), &["is not in the catalog"]),
        (
            "to be deleted",
            &|rig| rig.rows.deletions = std::mem::take(&mut rig.rows.chunks).iter().map(|chunk| chunk.id).collect(),
            &[],
        ),
        ("no content", &|rig| rig.lose("content"), &["has no content"]),
        ("no metadata", &|rig| rig.lose("metadata"), &["has no metadata"]),
        ("no record", &|rig| rig.lose("record"), &["has no record"]),
        ("longer", &|rig| write(&rig.part("content"), "RIFFS"), &["is not what was stored, by its size"]),
        ("changed", &|rig| write(&rig.part("content"), "RIFX"), &["is not what was stored, by its SHA-256"]),
        ("no record in it", &|rig| write(&rig.part("record"), "{}"), &["the record of a document cannot be read"]),
        ("stranger", &|rig| write(&rig.path("objects/a/content"), ""), &["\"a/content\" among the documents is no"]),
        (
            "left, and no part",
            &|rig| write(&rig.path("recordings").join(&name).join("mixed-wav-000.wav"), "RIFF"),
            &["what is left of a recording cannot be read"],
        ),
        (
            "put aside",
            &|rig| write(&rig.path("recordings").join(format!("{name}.damaged")).join("journal"), ""),
            &["could not be read, and was put aside"],
        ),
        // Of what the record says.
        ("size", &|rig| rig.store("RIFFS"), &[DIFFERS]),
        ("SHA-256", &|rig| rig.store("RIFX"), &[DIFFERS]),
        ("index", &|rig| rig.chunk().index = 1, &[DIFFERS]),
        ("format", &|rig| rig.chunk().format = "mp3".to_owned(), &[DIFFERS]),
        ("duration", &|rig| rig.chunk().duration += Duration::from_micros(1), &[DIFFERS]),
        (
            "recording",
            &|rig| {
                rig.recording().id = RecordingId(Uuid::from_u128(6));
                rig.chunk().recording = rig.recording().id;
            },
            &[DIFFERS],
        ),
        ("resource", &|rig| rig.recording().resource = ResourceId(Uuid::from_u128(6)), &[DIFFERS]),
        ("call", &|rig| rig.recording().call = CallId(Uuid::from_u128(6)), &[DIFFERS]),
        ("graph", &|rig| rig.recording().graph = "unmixed-wav".to_owned(), &[DIFFERS]),
        // More than one.
        (
            "nothing is there",
            &|rig| ["content", "metadata", "record"].iter().for_each(|part| rig.lose(part)),
            &["has no content", "has no metadata", "has no record"],
        ),
        (
            "changed and no recording",
            &|rig| {
                rig.rows.recordings.clear();
                rig.store("RIFX");
            },
            &["of a recording that the catalog does not know", DIFFERS],
        ),
    ];
    for (case, change, expected) in cases {
        let mut rig = Rig::new().await;
        change(&mut rig);
        let told: Vec<_> = rig.check().await.faults.iter().map(ToString::to_string).collect();
        let is_told = expected.iter().zip(&told).all(|(expected, told)| told.contains(expected));
        assert!(is_told && told.len() == expected.len(), "{case}: {told:?}");
    }
}

#[tokio::test]
async fn what_the_next_service_stores_again_is_no_fault() {
    let rig = Rig::new().await;
    let opening = opening(6);
    let part = rig.path("recordings").join(opening.recording_id.simple().to_string());
    write(&part.join(".reelgraph-mixed-wav/000.wav"), "RIFF");
    let mut journal = Journal::create(&part.join(".reelgraph-mixed-wav/journal")).expect("it can be made");
    journal.append(&Entry::Began(opening.clone())).expect("it can be written");
    let stored = rig.path("objects").join(document(&opening, 0).0.simple().to_string());
    write(&stored.join("content"), "RIFF");
    let checked = rig.check().await;
    assert!(checked.faults.is_empty(), "{checked:?}");
    assert_eq!((checked.left, checked.n_recordings, checked.n_documents), (vec![part], 1, 2));
}

#[tokio::test]
async fn what_goes_while_it_is_looked_at_is_told() {
    let mut rig = Rig::new().await;
    let data = Data::open(&rig.config).expect("nobody has it");
    let (document, stored) = data.objects.list().await.expect("it can be read").documents.pop_first().expect("one");
    rig.lose("content");
    rig.lose("record");
    let row = rig.chunk().clone();
    let told = data.check_document(&row, None, stored).await;
    let is_told = |fault: &Fault| matches!(fault, Fault::Unreadable { document: of, .. } if *of == document);
    assert!(told.len() == 2 && told.iter().all(is_told), "{told:?}");
}
