//! `config.toml`: how recordings are run. What is recorded stands in graphs.
//!
//! The shipped file is embedded, documents every key and is what holds where no other is given. All errors of a file
//! are told at once, each with its line.
//!
//! **Architecture invariant:** a setting says how recordings are run, for all of them; nothing in here knows a graph or
//! a recording, and nobody looks a setting up by its name.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::text::Lines;
use crate::model::text::printable;
use crate::model::units::format_duration;
use crate::model::units::parse_duration;

/// The shipped file.
pub const SHIPPED: &str = include_str!("../../config.toml");

/// Checked settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Recording time that one tick of a worker covers.
    pub tick: Duration,
    /// Longest that a tick of one recording may take.
    pub stall_timeout: Duration,
    /// Longest wait for a recording's last chunk.
    pub close_timeout: Duration,
}

impl Default for Config {
    /// Returns the shipped settings.
    fn default() -> Self {
        parse("config.toml", SHIPPED).expect("the shipped file is tested")
    }
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", printable(&format!("{file}:{line}: {kind}")))]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Its line, from 1; the last where something is missing.
    pub line: usize,
    /// What is wrong.
    pub kind: ConfigErrorKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigErrorKind {
    /// Not TOML.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// Nobody reads this key.
    #[error("no key \"{key}\"; known: {known}")]
    UnknownKey {
        /// As written.
        key: String,
        /// What there is.
        known: String,
    },
    /// A value where keys should be.
    #[error("\"{key}\" must be a table; write [{key}] and its keys below")]
    NotATable {
        /// Its name.
        key: String,
    },
    /// A key is not there.
    #[error("key \"{key}\" is missing")]
    Missing {
        /// The key.
        key: String,
    },
    /// Not a duration, or not of this range.
    #[error("\"{key}\" must be a duration from \"{}\" to \"{}\"", format_duration(*min), format_duration(*max))]
    BadDuration {
        /// The key.
        key: String,
        /// Least.
        min: Duration,
        /// Greatest.
        max: Duration,
    },
}

/// A key: its table, its name, what it may be.
struct Key {
    table: &'static str,
    name: &'static str,
    range: RangeInclusive<Duration>,
}

/// Shorter ticks work for nothing, longer ones make files lag behind.
const TICK: Key = Key { table: "worker", name: "tick", range: Duration::from_millis(10)..=Duration::from_millis(500) };
const CLOSE_TIMEOUT: Key =
    Key { table: "recording", name: "close-timeout", range: Duration::from_millis(100)..=Duration::from_secs(60) };
const STALL_TIMEOUT: Key =
    Key { table: "worker", name: "stall-timeout", range: Duration::from_millis(500)..=Duration::from_secs(60) };
const KEYS: [Key; 3] = [TICK, STALL_TIMEOUT, CLOSE_TIMEOUT];

/// Reads and checks a file.
///
/// # Errors
///
/// Everything that is wrong with it, in order of lines.
pub fn parse(file: &str, text: &str) -> Result<Config, Vec<ConfigError>> {
    let mut reader = Reader {
        file,
        lines: Lines::new(text),
        end: text.trim_end().len(),
        found: [None; KEYS.len()],
        errors: Vec::new(),
    };
    let (tree, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let offset = error.span().map_or(0, |span| span.start);
        reader.report(offset, ConfigErrorKind::Syntax { message: error.message().replace('\n', " ") });
    }
    // One missing bracket makes the parser complain at every word after it.
    reader.errors.sort_by_key(|error| error.line);
    reader.errors.dedup_by_key(|error| error.line);
    if syntax.is_empty() {
        reader.read(tree.get_ref());
    }
    let Reader { found, mut errors, .. } = reader;
    errors.sort_by_key(|error| error.line);
    match found {
        [Some(tick), Some(stall_timeout), Some(close_timeout)] if errors.is_empty() => {
            Ok(Config { tick, stall_timeout, close_timeout })
        }
        _ => Err(errors),
    }
}

struct Reader<'a> {
    file: &'a str,
    lines: Lines,
    /// Behind the last character that is not blank.
    end: usize,
    found: [Option<Duration>; KEYS.len()],
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn report(&mut self, offset: usize, kind: ConfigErrorKind) {
        let (line, _) = self.lines.place(offset);
        self.errors.push(ConfigError { file: self.file.to_owned(), line, kind });
    }

    fn read(&mut self, tree: &DeTable<'_>) {
        let mut told = Vec::new();
        for (table, keys) in tree {
            let name: &str = table.get_ref();
            let known_keys = || KEYS.iter().filter(|key| key.table == name).map(|key| key.name);
            if known_keys().next().is_none() {
                let tables: BTreeSet<&str> = KEYS.iter().map(|key| key.table).collect();
                self.report(table.span().start, unknown(name, tables.into_iter()));
                continue;
            }
            let Some(keys) = keys.get_ref().as_table() else {
                self.report(table.span().start, ConfigErrorKind::NotATable { key: name.to_owned() });
                told.extend(KEYS.iter().enumerate().filter(|(_, key)| key.table == name).map(|(place, _)| place));
                continue;
            };
            for (key, value) in keys {
                match KEYS.iter().position(|known| known.table == name && known.name == key.get_ref().as_ref()) {
                    Some(place) => {
                        told.push(place);
                        self.read_duration(place, value);
                    }
                    None => self.report(key.span().start, unknown(key.get_ref(), known_keys())),
                }
            }
        }
        for (place, Key { table, name, .. }) in KEYS.iter().enumerate() {
            if !told.contains(&place) {
                self.report(self.end, ConfigErrorKind::Missing { key: format!("{table}.{name}") });
            }
        }
    }

    fn read_duration(&mut self, place: usize, value: &Spanned<DeValue<'_>>) {
        let Key { table, name, range } = &KEYS[place];
        let duration = value.get_ref().as_str().and_then(|text| parse_duration(text).ok());
        match duration.filter(|duration| range.contains(duration)) {
            Some(duration) => self.found[place] = Some(duration),
            None => {
                let (min, max) = (*range.start(), *range.end());
                self.report(
                    value.span().start,
                    ConfigErrorKind::BadDuration { key: format!("{table}.{name}"), min, max },
                );
            }
        }
    }
}

fn unknown<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> ConfigErrorKind {
    ConfigErrorKind::UnknownKey { key: key.to_owned(), known: known.collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_holds_and_documents_every_key() {
        let config = parse("config.toml", SHIPPED).unwrap();
        let [tick, stall_timeout, close_timeout] = [100, 2_000, 5_000].map(Duration::from_millis);
        assert_eq!(config, Config { tick, stall_timeout, close_timeout });
        for key in KEYS {
            let line = SHIPPED.lines().position(|line| line.starts_with(key.name)).unwrap();
            let above = SHIPPED.lines().nth(line - 1).unwrap();
            assert!(above.starts_with('#'), "{} has no comment above it", key.name);
        }
    }

    #[test]
    fn all_errors_come_at_once_with_their_lines() {
        let text = "[worker]\ntick = \"9ms\"\ntock = 1\n[recordings]\n[recording]\n";
        let errors = parse("c.toml", text).unwrap_err();
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let expected = [
            "c.toml:2: \"worker.tick\" must be a duration from \"10ms\" to \"500ms\"",
            "c.toml:3: no key \"tock\"; known: tick, stall-timeout",
            "c.toml:4: no key \"recordings\"; known: recording, worker",
            "c.toml:5: key \"worker.stall-timeout\" is missing",
            "c.toml:5: key \"recording.close-timeout\" is missing",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn each_fault_is_told_once_and_on_one_line() {
        let texts = |text: &str| parse("c.toml", text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>();
        let table = "c.toml:1: \"worker\" must be a table; write [worker] and its keys below";
        assert_eq!(texts("worker = 5\n[recording]\nclose-timeout = \"1s\"\n"), [table]);
        let key = "c.toml:2: no key \"a\\n\\u{1b}[2Jb\"; known: tick, stall-timeout";
        assert_eq!(
            texts(&format!("[worker]\n\"a\\n\\u001b[2Jb\" = 1\n{}", SHIPPED.replace("[worker]", "")))[..1],
            [key]
        );
        assert_eq!(texts("[worker]\ntick = = \"1s\" \"2s\"\n").len(), 1);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let errors = parse("c.toml", "[worker]\ntick = \"1s\n").unwrap_err();
        assert_eq!(errors[0].line, 2);
    }
}
