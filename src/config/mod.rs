//! `config.toml`: how recordings are run, and the service that runs them. What is recorded stands in graphs.
//!
//! The shipped file is embedded and documents every key; what a file does not say is as shipped. All errors of a file
//! are told at once, each with its line.
//!
//! **Architecture invariant:** a setting says how recordings are run, for all of them; nothing in here knows a graph or
//! a recording, and nobody looks a setting up by its name.

mod error;
pub mod host;
pub mod keys;
pub mod private;
mod recording;
mod service;
mod table;
pub mod tls;

use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeTable;

use crate::config::table::Errors;
use crate::config::table::Table;
use crate::model::Terms;
pub use error::ConfigError;
pub use error::ConfigErrorKind;
pub use service::ServiceSettings;

/// The shipped file.
pub const SHIPPED: &str = include_str!("../../config.toml");

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How recordings are run.
    pub engine: EngineSettings,
    /// Where the service listens, and where it keeps what it has.
    pub service: ServiceSettings,
    /// What calls are.
    pub calls: CallSettings,
    /// What recordings keep to.
    pub recording: RecordingSettings,
    /// Recordings that start by themselves, in order of names.
    pub auto_record: Vec<AutoRecordSettings>,
    /// Who uses the service, in order of names.
    pub resources: Vec<ResourceSettings>,
}

/// How recordings are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineSettings {
    /// Recording time that one tick of a worker covers.
    pub tick: Duration,
    /// Longest that a tick of one recording may take.
    pub stall_timeout: Duration,
    /// Longest wait for a recording's last chunk.
    pub close_timeout: Duration,
}

/// What calls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSettings {
    /// A recording of a call that nobody knows yet makes it known.
    pub create_on_start: bool,
    /// A call that nobody is in for so long ends.
    pub empty_timeout: Duration,
}

/// What recordings keep to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingSettings {
    /// Those of a recording that was started without a word about it.
    pub terms: Terms,
    /// Directory with graphs of one's own.
    pub graphs_dir: Option<PathBuf>,
}

/// Recordings that start by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoRecordSettings {
    /// Name of the rule.
    pub name: String,
    /// Name of the graph.
    pub graph: String,
    /// Name of the resource whose calls are recorded; None: of all.
    pub resource: Option<String>,
    /// Which calls, by their key.
    pub call_key: String,
    /// Tags of the recordings.
    pub tags: Vec<String>,
}

/// Somebody who uses the service. Nothing of theirs is seen by others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceSettings {
    /// Its name.
    pub name: String,
    /// Where its data is, in the short form that names of documents have.
    pub region: String,
    /// How long its files are kept when they are ready.
    pub retention: Duration,
    /// Recordings that may run at a time.
    pub recordings_max: usize,
    /// Participants that a call may have.
    pub participants_max: usize,
    /// Calls that may go on at a time.
    pub calls_max: usize,
    /// Participants that all of them may have.
    pub tracks_max: usize,
    /// Requests that are answered in a second.
    pub requests_per_second: usize,
}

impl Default for Config {
    /// Returns the shipped settings.
    fn default() -> Self {
        parse("config.toml", SHIPPED).expect("the shipped file is tested")
    }
}

/// Reads and checks a file.
///
/// # Errors
///
/// Everything that is wrong with it, in order of lines.
pub fn parse(file: &str, text: &str) -> Result<Config, Vec<ConfigError>> {
    let shipped = DeTable::parse(SHIPPED).expect("the shipped file is tested");
    let errors = Errors::new(file, text);
    let (given, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let offset = error.span().map_or(0, |span| span.start);
        errors.report(offset, ConfigErrorKind::Syntax { message: error.message().replace('\n', " ") });
    }
    if !syntax.is_empty() {
        // One missing bracket makes the parser complain at every word after it.
        let mut errors = errors.into_all();
        errors.dedup_by_key(|error| error.line);
        return Err(errors);
    }
    let config = read(Table::root(given.get_ref(), shipped.get_ref(), &errors));
    match errors.into_all() {
        none if none.is_empty() => Ok(config),
        errors => Err(errors),
    }
}

fn read(mut root: Table<'_>) -> Config {
    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }
    let mut worker = root.table("worker");
    let mut recording = root.table("recording");
    let engine = EngineSettings {
        // Shorter ticks work for nothing, longer ones make files lag behind.
        tick: worker.duration("tick", ms(10)..=ms(500)),
        stall_timeout: worker.duration("stall-timeout", ms(500)..=ms(60_000)),
        close_timeout: recording.duration("close-timeout", ms(100)..=ms(60_000)),
    };
    let mut table = root.table("service");
    let service = service::read(&mut table);
    let mut calls = root.table("calls");
    let calls_settings = CallSettings {
        create_on_start: calls.flag("create-on-start"),
        empty_timeout: calls.duration("empty-timeout", Terms::LIMIT_MIN..=Terms::LIMIT_MAX),
    };
    let recording_settings = recording::read(&mut recording);
    let rules = root.table("auto-record").tables("default").into_iter();
    let mut auto_record: Vec<_> = rules.filter_map(|(name, table)| recording::auto_record(name, table)).collect();
    auto_record.sort_by(|one, other| one.name.cmp(&other.name));
    let resources = root.table("resources").tables("default").into_iter();
    let mut resources: Vec<_> = resources.map(|(name, table)| resource(name, table)).collect();
    resources.sort_by(|one, other| one.name.cmp(&other.name));
    for table in [worker, recording, table, calls, root] {
        table.finish();
    }
    Config { engine, service, calls: calls_settings, recording: recording_settings, auto_record, resources }
}

fn resource(name: String, mut table: Table<'_>) -> ResourceSettings {
    let is_region = |text: &str| (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase());
    let region = table.take("region", "1 to 16 lower-case letters, as in \"eus\"", |value| {
        value.as_str().filter(|text| is_region(text)).map(str::to_owned)
    });
    let minute = Duration::from_secs(60);
    let settings = ResourceSettings {
        name,
        region,
        retention: table.duration("retention", minute..=minute * 60 * 24 * 3_650),
        recordings_max: table.count("recordings-max", 1..=100_000),
        participants_max: table.count("participants-max", 1..=1_000),
        calls_max: table.count("calls-max", 1..=100_000),
        tracks_max: table.count("tracks-max", 1..=32_000),
        requests_per_second: table.count("requests-per-second", 1..=1_000_000),
    };
    table.finish();
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        parse("c.toml", text).expect_err("it is wrong").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_shipped_file_holds_and_documents_every_key() {
        let config = parse("config.toml", SHIPPED).expect("it is right");
        let [tick, stall_timeout, close_timeout] = [100, 2_000, 5_000].map(Duration::from_millis);
        assert_eq!(config.engine, EngineSettings { tick, stall_timeout, close_timeout });
        assert_eq!(config.resources.len(), 1);
        for (at, line) in SHIPPED.lines().enumerate().filter(|(_, line)| line.contains(" = ")) {
            let above = SHIPPED.lines().nth(at - 1).expect("a line above");
            assert!(above.starts_with('#') || line.starts_with('#'), "{line} has no comment above it");
        }
    }

    #[test]
    fn what_is_not_said_is_as_shipped() {
        assert_eq!(parse("c.toml", ""), Ok(Config::default()));
        let config = parse("c.toml", "[worker]\ntick = \"50ms\"\n").expect("it is right");
        let engine = EngineSettings { tick: Duration::from_millis(50), ..Config::default().engine };
        assert_eq!(config, Config { engine, ..Config::default() });
    }

    #[test]
    fn resources_that_are_named_are_those_there_are() {
        let text = "[resources.b]\nregion = \"weu\"\n[resources.a]\nretention = \"48h\"\n";
        let resources = parse("c.toml", text).expect("it is right").resources;
        let told: Vec<_> = resources.iter().map(|r| (r.name.as_str(), r.region.as_str())).collect();
        assert_eq!(told, [("a", "eus"), ("b", "weu")]);
        assert_eq!(resources[0].retention, Duration::from_secs(48 * 3_600));
    }

    #[test]
    fn all_errors_come_at_once_with_their_lines() {
        let text = "[worker]\ntick = \"9ms\"\ntock = 1\n[recordings]\n[recording]\n[service]\nhttp = \"localhost\"\n\
                    rtp-ports = \"20001-20009\"\n[resources.a]\nrecordings-max = 0x10\nregion = \"Ü\"\n";
        let expected = [
            "c.toml:2: \"worker.tick\" must be a duration from \"10ms\" to \"500ms\"",
            "c.toml:3: no key \"tock\"; known: tick, stall-timeout",
            "c.toml:4: no key \"recordings\"; known: worker, recording, service, calls, auto-record, resources",
            "c.toml:7: \"service.http\" must be an address and a port, as in \"127.0.0.1:8080\"",
            "c.toml:8: \"service.rtp-ports\" must be two ports, the first even and from 1024, as in \"20000-29999\"",
            "c.toml:10: \"resources.a.recordings-max\" must be a whole number from 1 to 100000",
            "c.toml:11: \"resources.a.region\" must be 1 to 16 lower-case letters, as in \"eus\"",
        ];
        assert_eq!(texts(text), expected);
    }

    #[test]
    fn a_service_is_known_by_what_it_says() {
        let service = |text: &str| parse("c.toml", &format!("[service]\n{text}\n")).map(|config| config.service);
        let text = "hosts = [\"rec.example.com\", \"10.0.0.1:8443\"]\ncontent-url = \"https://rec.asm.skype.com/\"\n\
                    certificate = \"c.pem\"\ncertificate-key = \"k.pem\"\nconnect-proxy = \"[::1]:8444\"";
        let told = service(text).expect("it is right");
        let hosts: Vec<_> = told.hosts.iter().map(ToString::to_string).collect();
        assert_eq!(hosts, ["rec.example.com", "10.0.0.1:8443"]);
        assert_eq!(told.content.map(|host| host.to_string()).as_deref(), Some("rec.asm.skype.com"));
        let [certificate, key] = ["c.pem", "k.pem"].map(Into::into);
        assert_eq!(told.certificate, Some(tls::CertificateFiles { certificate, key }));
        assert_eq!(told.connect_proxy, "[::1]:8444".parse().ok());
        let many = format!("hosts = [{}]", "\"a\",".repeat(33));
        for text in [
            "hosts = \"a\"",
            "hosts = [\"https://a\"]",
            "hosts = [1]",
            &many,
            "content-url = \"http://a\"",
            "content-url = \"a\"",
            "content-url = \"https://a/b\"",
            "certificate = \"c\"",
            "certificate-key = \"k\"",
            "connect-proxy = \"0.0.0.0:1\"",
            "connect-proxy = \"localhost:1\"",
            "certificate = 1",
        ] {
            assert_eq!(service(text).expect_err(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn each_fault_is_told_once_and_on_one_line() {
        let table = "c.toml:1: \"worker\" must be a table; write [worker] and its keys below";
        assert_eq!(texts("worker = 5\n[recording]\nclose-timeout = \"1s\"\n"), [table]);
        let key = "c.toml:2: no key \"a\\n\\u{1b}[2Jb\"; known: tick, stall-timeout";
        assert_eq!(texts("[worker]\n\"a\\n\\u001b[2Jb\" = 1\n"), [key]);
        assert_eq!(texts("[worker]\ntick = = \"1s\" \"2s\"\n").len(), 1);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let errors = parse("c.toml", "[worker]\ntick = \"1s\n").expect_err("a quote is missing");
        assert_eq!(errors[0].line, 2);
    }
}
