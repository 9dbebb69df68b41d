//! What recordings keep to, and which start by themselves.

use std::path::PathBuf;

use crate::config::AutoRecordSettings;
use crate::config::RecordingSettings;
use crate::config::table::Table;
use crate::model::AtMaxPause;
use crate::model::Terms;

pub(super) fn read(table: &mut Table<'_>) -> RecordingSettings {
    let range = Terms::LIMIT_MIN..=Terms::LIMIT_MAX;
    let terms = Terms {
        tags: Vec::new(),
        max_pause: table.duration("max-pause", range.clone()),
        at_max_pause: table.take("at-max-pause", "\"resume\" or \"stop\"", |value| match value.as_str()? {
            "resume" => Some(AtMaxPause::Resume),
            "stop" => Some(AtMaxPause::Stop),
            _ => None,
        }),
        max_duration: table.duration("max-duration", range),
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
        tags: table.take("tags", &format!("0 to {} texts, as in [\"sales\"]", Terms::TAGS_MAX), |value| {
            let tags = value.as_array()?.iter().map(|tag| tag.get_ref().as_str().map(str::to_owned));
            tags.collect::<Option<Vec<_>>>().filter(|tags| Terms::may_have(tags))
        }),
        graph,
    };
    table.finish();
    Some(rule).filter(|rule| !rule.graph.is_empty())
}
