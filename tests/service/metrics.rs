//! What is counted of a call is what happened in it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::process::Stdio;

use reelgraph::telemetry::Metric;
use serde_json::Value;

use crate::story_of_calls;
use crate::support::server::Server;
use crate::told;

/// What is counted in seconds is told once a second, and when a recording ends; what its horizon is behind by.
const BEHIND_S: f64 = 1.5;

/// Packets of 20 ms that a machine which is busy sends late.
const PACKETS_LATE: f64 = 50.0;

/// A scrape: values of series.
struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    #[track_caller]
    fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let read = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a series and its value");
            (series.to_owned(), value.parse().expect("a number"))
        };
        Self(lines.map(read).collect())
    }

    #[track_caller]
    fn get(&self, series: &str) -> f64 {
        let value = self.0.get(&format!("reelgraph_{series}"));
        *value.unwrap_or_else(|| panic!("no {series} in {:?}", self.0.keys()))
    }
}

/// Asks a tool about a text; returns what it says.
#[track_caller]
fn tool(command: &mut Command, text: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("scripts/setup installs it");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}\n{text}");
    said
}

#[track_caller]
fn check_text(text: &str) {
    assert_eq!(tool(Command::new("promtool").args(["check", "metrics"]), text), "");
    for metric in Metric::ALL {
        let told = format!("# HELP {} {}\n# TYPE {0} {}\n", metric.name(), metric.help(), metric.kind().as_str());
        assert!(text.contains(&told), "{metric:?}: {text}");
    }
}

#[track_caller]
fn record(server: &Server) -> Value {
    let token = std::fs::read_to_string(server.path("data/admin-token")).expect("it is there");
    let mut command = story_of_calls(server, "metrics.py");
    command.args(["--admin", &server.admin(), "--token", token.trim()]);
    serde_json::from_str(&told(server, command)).expect("one JSON document")
}

#[test]
fn what_is_counted_of_a_call_is_what_happened_in_it() {
    let server = Server::start("");
    let told = record(&server);
    let texts = ["before", "running", "paused", "after"].map(|name| told[name].as_str().expect("a text"));
    texts.iter().for_each(|text| check_text(text));
    let [before, running, paused, after] = texts.map(Scrape::read);
    let number = |name: &str| told[name].as_f64().expect("a number");

    let states =
        ["starting", "active", "paused", "stopping"].map(|state| format!("recordings_active{{state=\"{state}\"}}"));
    let states = |scrape: &Scrape| states.each_ref().map(|series| scrape.get(series));
    assert_eq!(
        [&before, &running, &paused, &after].map(states),
        [[0.0; 4], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0; 4]]
    );
    // Once for what was done once.
    let once = [
        "recordings_started_total{format=\"wav\"}",
        "recordings_ended_total{reason=\"stopped\"}",
        "chunks_stored_total{format=\"wav\"}",
        "recording_start_seconds_count",
        "recording_ready_seconds_count",
        "http_requests_total{class=\"2xx\",operation=\"start\"}",
        "http_requests_total{class=\"2xx\",operation=\"download\"}",
        "requests_rejected_total{reason=\"duplicate_recording\"}",
        "requests_rejected_total{reason=\"unauthenticated\"}",
    ];
    for series in once {
        assert_eq!((before.get(series), after.get(series)), (0.0, 1.0), "{series}");
    }
    assert_eq!(after.get("http_requests_total{class=\"4xx\",operation=\"start\"}"), 2.0);
    assert_eq!(after.get("http_requests_total{class=\"2xx\",operation=\"change\"}"), 3.0);
    assert_eq!(after.get("stored_bytes_total"), number("size"));

    // What the file holds, to the sample, and how long it was paused.
    let recorded = after.get("recorded_seconds_total");
    assert!((recorded - number("duration") / 1_000.0).abs() < 0.002, "{recorded} {}", number("duration"));
    let whole = recorded + after.get("paused_seconds_total");
    assert!((0.0..0.5).contains(&(number("stopped") - whole)), "{whole} of {}", number("stopped"));
    assert!(after.get("paused_seconds_total") > 1.4, "{}", after.get("paused_seconds_total"));
    assert!((recorded - running.get("recorded_seconds_total")) < 1.5 + BEHIND_S + 1.0);
    assert!(paused.get("recorded_seconds_total") > 0.0, "it is told while it goes on");
    let effects = |part: &str| after.get(&format!("pause_effect_error_seconds_{part}"));
    assert_eq!((effects("count"), effects("bucket{le=\"0.001\"}")), (2.0, 2.0), "{}", effects("sum"));

    // Two send a packet every 20 ms for as long as the call is; all are heard but for those of before and of a pause.
    let packets = |outcome: &str| after.get(&format!("packets_total{{outcome=\"{outcome}\"}}"));
    let received = after.get("packets_received_total");
    let expected = 2.0 * number("stopped") / 0.02;
    assert!((received - expected).abs() < 4.0 * PACKETS_LATE + 0.2 * expected, "{received} of {expected}");
    let placed = packets("placed");
    assert!(placed > expected - 2.0 * PACKETS_LATE - 0.2 * expected && placed <= received, "{placed} of {expected}");
    let outcomes = after.0.iter().filter(|(series, _)| series.starts_with("reelgraph_packets_total"));
    assert_eq!(outcomes.map(|(_, n)| n).sum::<f64>(), received, "each has become of one thing");

    assert!(after.get("workers") >= 1.0 && after.get("worker_busy_seconds_total") > 0.0);
    assert!((0.0..1.0).contains(&after.get("worker_busy_ratio")));
    let ticks = after.get("tick_lateness_seconds_count");
    assert!(ticks > 10.0 && after.get("tick_lateness_seconds_bucket{le=\"2\"}") <= ticks, "{ticks}");
    // What ran is on the disk, and gone when it is stored.
    assert!(running.get("spool_bytes") > 64_000.0, "{}", running.get("spool_bytes"));
    assert!(running.get("spool_oldest_age_seconds") < 5.0);
    assert_eq!((after.get("spool_bytes"), after.get("spool_oldest_age_seconds")), (0.0, 0.0));
    assert_eq!((after.get("catalog_behind"), after.get("recordings_given_up_total")), (0.0, 0.0));

    let graph = told["graph"].as_str().expect("a text");
    let drawn = tool(Command::new("dot").arg("-Tplain"), graph);
    for element in ["decode_p0", "decode_p1", "channels", "gate", "file_c0"] {
        assert!(drawn.contains(element), "no {element}: {drawn}");
    }
    for secret in ["acs:ada", "4255550123", server.path("").to_str().expect("a path in UTF-8")] {
        assert!(!graph.contains(secret), "{secret} is in {graph}");
        assert!(!texts.iter().any(|text| text.contains(secret)), "{secret} is in a metric");
    }
    let recording = told["recording"].as_str().expect("a text");
    assert!(!texts.iter().any(|text| text.contains(recording)), "an id is in a metric");
    assert_eq!((&told["gone"], &told["unknown"]), (&404.into(), &404.into()));
    server.end(&[]);
}

#[test]
fn every_metric_is_told() {
    let told = include_str!("../../docs/metrics.md");
    let rows = told.lines().skip_while(|line| !line.starts_with("| metric |")).skip(2);
    let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).map(str::to_owned).collect();
    let row = |metric: &Metric| {
        let labels = metric.labels().iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        format!("| `{}` | {} | {labels} | {} |", metric.name(), metric.kind().as_str(), metric.help())
    };
    let expected: Vec<_> = Metric::ALL.iter().map(row).collect();
    assert_eq!(rows, expected, "the table is to be:\n{}", expected.join("\n"));
}
