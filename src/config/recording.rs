//! What recordings keep to, and which start by themselves.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::AutoRecordSettings;
use crate::config::LONGEST;
use crate::config::RecordingSettings;
use crate::config::table::Table;
use crate::model::AtMaxPause;
use crate::model::Terms;

/// Tags that a recording may have, and how long they may be.
const TAGS_MAX: usize = 16;
const TAG_BYTES_MAX: usize = 128;

pub(super) fn read(table: &mut Table<'_>) -> RecordingSettings {
    let terms = Terms {
        tags: Vec::new(),
        max_pause: table.duration("max-pause", Duration::from_secs(1)..=LONGEST),
        at_max_pause: table.take("at-max-pause", "\"resume\" or \"stop\"", |value| match value.as_str()? {
            "resume" => Some(AtMaxPause::Resume),
            "stop" => Some(AtMaxPause::Stop),
            _ => None,
        }),
        max_duration: table.duration("max-duration", Duration::from_secs(60)..=LONGEST),
    };
    let dir = table.take("graphs-dir", "the path of a directory, or \"\"", |value| value.as_str().map(PathBuf::from));
    RecordingSettings { terms, graphs_dir: Some(dir).filter(|dir| !dir.as_os_str().is_empty()) }
}

/// Returns a rule; None where it starts nothing.
pub(super) fn auto_record(name: String, mut table: Table<'_>) -> Option<AutoRecordSettings> {
    let graph = table.take("graph", "the name of a graph, or \"\"", |value| value.as_str().map(str::to_owned));
    let resource = table.text("resource");
    let rule = AutoRecordSettings {
        name,
        resource: Some(resource).filter(|resource| resource != "*"),
        call_key: table.text("call-key"),
        tags: table.take("tags", &format!("0 to {TAGS_MAX} texts, as in [\"sales\"]"), |value| {
            let is_tag = |tag: &&str| (1..=TAG_BYTES_MAX).contains(&tag.len());
            let tags = value.as_array()?.iter().map(|tag| tag.get_ref().as_str().filter(is_tag).map(str::to_owned));
            tags.collect::<Option<Vec<_>>>().filter(|tags| tags.len() <= TAGS_MAX)
        }),
        graph,
    };
    table.finish();
    Some(rule).filter(|rule| !rule.graph.is_empty())
}
