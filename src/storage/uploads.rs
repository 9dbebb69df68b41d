//! What is left of documents that were being stored when the service was killed. Blocks on the disk.
//!
//! The store writes a file beside its place, `content#1`, and gives it its name when it is whole. It goes on with none
//! that it finds, and lists none.

use std::fs::DirEntry;
use std::fs::read_dir;
use std::path::Path;
use std::time::SystemTime;

/// Takes away what is left of uploads that nothing was written to since `since`, when those of before had ended.
pub fn sweep_uploads(objects: &Path, since: SystemTime) {
    let entries = |dir: &Path| read_dir(dir).into_iter().flatten().flatten();
    let is_old = |entry: &DirEntry| {
        let written = entry.metadata().ok().filter(|metadata| metadata.is_file()).and_then(|file| file.modified().ok());
        written.is_some_and(|written| written < since)
    };
    let is_upload = |entry: &DirEntry| {
        let name = entry.file_name();
        let upload = name.to_str().and_then(|name| name.rsplit_once('#'));
        upload.is_some_and(|(_, number)| number.parse::<usize>().is_ok())
    };
    for document in entries(objects).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        for upload in entries(&document.path()).filter(is_upload).filter(is_old) {
            match std::fs::remove_file(upload.path()) {
                Ok(()) => tracing::info!(upload = %upload.path().display(), "what was left of an upload is gone"),
                Err(error) => {
                    tracing::warn!(%error, upload = %upload.path().display(), "what is left of an upload stays")
                }
            }
            // Of a document that was never whole nothing else is there.
            let _ = std::fs::remove_dir(document.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::time::Duration;

    #[test]
    fn what_is_left_of_uploads_goes_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("it is made");
            std::fs::write(path, "abc").expect("it is written");
        };
        let kept = ["one/content", "one/metadata", "one/other#x", "content#1"];
        kept.iter().for_each(|path| write(path));
        ["one/content#1", "one/record#12", "two/content#1"].iter().for_each(|path| write(path));
        // Those are written to now.
        sweep_uploads(dir.path(), SystemTime::now() - Duration::from_secs(3_600));
        assert!(dir.path().join("two/content#1").exists());
        sweep_uploads(dir.path(), SystemTime::now() + Duration::from_secs(3_600));
        assert!(kept.iter().all(|path| dir.path().join(path).exists()));
        assert_eq!(read_dir(dir.path().join("one")).expect("it is there").count(), 3);
        assert!(!dir.path().join("two").exists());
        sweep_uploads(&dir.path().join("nowhere"), SystemTime::now());
    }
}
