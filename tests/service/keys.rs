//! `reelgraph keys`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::program;
use crate::support::program::Output;

fn keys(config: &Path, args: &[&str]) -> Output {
    let config = config.to_str().expect("a path in UTF-8");
    program::run([&["keys"], args, &["--config", config]].concat())
}

#[test]
fn keys_are_shown_to_whoever_asks_and_changed_one_at_a_time() {
    let dir = tempfile::tempdir().expect("the temporary directory can be written");
    let (config, data) = (dir.path().join("config.toml"), dir.path().join("data"));
    std::fs::write(&config, format!("[service]\ndata-dir = {data:?}\n[resources.a]\n[resources.b]\n"))
        .expect("it is ours");
    // The service makes them.
    let told = keys(&config, &["show", "a"]).check_code(1);
    assert!(told.stderr.contains("failed to show keys: ") && told.stdout.is_empty(), "{told:?}");
    std::fs::create_dir_all(data.join("keys")).expect("it is ours");
    let [first, second] = ["MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "MDEyMzQ1Njc4OWFiY2RlZg=="];
    std::fs::write(data.join("keys/a"), format!("{first}\n{second}\n")).expect("it is ours");
    let shown = |args: &[&str]| keys(&config, &[&["show", "a"], args].concat()).check_code(0).stdout;
    assert_eq!(shown(&[]), format!("{first}\n{second}\n"));
    assert_eq!(
        [shown(&["--key", "primary"]), shown(&["--key", "secondary"])],
        [first, second].map(|key| format!("{key}\n"))
    );
    let changed = keys(&config, &["rotate", "a", "--key", "secondary"]).check_code(0);
    let third = shown(&["--key", "secondary"]);
    assert!(third.trim() != second && shown(&["--key", "primary"]).trim() == first);
    // A terminal's history is no place for it.
    assert!(changed.stdout.is_empty() && !changed.stderr.contains(third.trim()), "{changed:?}");
    let mode = data.join("keys/a").metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for args in [
        &["show", "c"][..],
        &["show"],
        &["rotate", "--key", "primary"],
        &["rotate", "a"],
        &["rotate", "../a", "--key", "primary"],
    ] {
        keys(&config, args).check_code(2);
    }
}
