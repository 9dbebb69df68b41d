//! The tables, for people at a terminal and for docs/performance.md.

use std::time::Duration;

use crate::effects::Effects;
use crate::figures::Figures;
use crate::here::package;
use crate::here::today_and_here;
use crate::markdown;
use crate::metrics::Metrics;
use crate::ready::Cached;
use crate::ready::Format;

const TIMES: [&str; 8] = ["time, ms", "n", "least", "p50", "p99", "greatest", "bar", "own metric, p99"];

const LOADS: [&str; 10] = [
    "request",
    "connections",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "greatest ms",
    "ticks",
    "p99 of them late by ms",
    "all late by ms",
    "packets lost",
];

/// Bars, in ms, and the share that has to be within them.
const SHARE: f64 = 0.99;
const EFFECT: f64 = 1.0;
const READY: f64 = 2_000.0;

const HOW: &str = "\
All is seen from outside, by a client on the same machine that keeps its connection, while 100 calls of two parties
are recorded besides (G.711 to WAV). A request counts from right before it is sent, which is before it has arrived.
*Start*, *pause*, *resume*: the one party of each call sends a sound (L16) of which every sample tells its time, and
the file tells which samples are in it; *answer* is the client's. A recording begins with the first packet that
arrives after the request: what is before it in the file, a packet at most, is silence. *Stop*: until the result tells
of the end, for which it is asked every millisecond, and the first byte of the file has come; 400 ms of that the
recorder waits for what is still on its way. A file *as long as an hour* was made so in the spool while it was
recorded: filled up with what had been recorded until then, over and over, synced, and where the table says so dropped
from memory; then it was recorded on, and stopped as any other. Bars are for 99 %. *Own metric*: in which bucket
`/metrics` has the same requests; its time begins when the kernel has received one.

The requests of the second table are made by `wrk` as fast as its connections can, signed before, to a service whose
`requests-per-second` does not hinder them. Ticks and packets are from `/metrics`; a busy engine ticks half as often.
A tick is late, and something may be lost, from 400 ms on. Of ten more calls, which send that sound meanwhile, no
sample is missing in the files.";

/// What was measured.
#[derive(Default)]
pub(crate) struct Report {
    effects: Vec<Vec<String>>,
    stops: Vec<Vec<String>>,
    loads: Vec<Vec<String>>,
    /// What the service tells of starts, of pauses and resumes, and of the first stops.
    own: [String; 3],
}

fn row(name: &str, figures: &Figures, bar: Option<(f64, &str)>, own: &str) -> Vec<String> {
    let verdict = |(bar, text)| format!("{text}: {}", if figures.are_within(bar, SHARE) { "met" } else { "missed" });
    let verdict = bar.map_or_else(|| "–".to_owned(), verdict);
    let own = if own.is_empty() { "–" } else { own };
    [vec![name.to_owned()], figures.cells(), vec![verdict, own.to_owned()]].concat()
}

fn print(row: &[String]) {
    eprintln!("  {}", row.join(" | "));
}

impl Report {
    /// Takes what the service tells of starts and stops, up to `between`, and of pauses and resumes after that.
    pub(crate) fn metrics(&mut self, before: &Metrics, between: &Metrics, after: &Metrics) {
        let within = |since: &Metrics, until: &Metrics, name: &str| {
            until.since(since, &format!("reelgraph_{name}_seconds")).within(SHARE)
        };
        self.own = [
            within(before, between, "recording_start"),
            within(between, after, "pause_effect_error"),
            within(before, between, "recording_ready"),
        ];
    }

    pub(crate) fn effects(&mut self, effects: &Effects) {
        let bar = Some((EFFECT, "± 1 ms"));
        let [start, change, _] = &self.own;
        self.effects = vec![
            row("start: first sample in the file", &effects.starts, None, ""),
            row("start: answer", &effects.answers, None, start),
            row("pause: first sample not in the file", &effects.pauses, bar, change),
            row("resume: first sample in the file", &effects.resumes, bar, change),
        ];
        self.effects.iter().for_each(|row| print(row));
    }

    pub(crate) fn stops(&mut self, format: Format, figures: &Figures) {
        let name = format!("stop of some seconds of {}", format.name().to_uppercase());
        self.stops.push(row(&name, figures, Some((READY, "≤ 2 s")), &self.own[2]));
        self.stops.last().into_iter().for_each(|row| print(row));
    }

    pub(crate) fn hours(&mut self, format: Format, cached: Cached, figures: &Figures) {
        let whence = match cached {
            Cached::InMemory => "in memory",
            Cached::OnDisk => "on the disk only",
        };
        let name = format!("stop of {} as long as an hour, {whence}", format.name().to_uppercase());
        self.stops.push(row(&name, figures, Some((READY, "≤ 2 s")), ""));
        self.stops.last().into_iter().for_each(|row| print(row));
    }

    pub(crate) fn load(&mut self, row: Vec<String>) {
        print(&row);
        self.loads.push(row);
    }

    /// Returns all of it; `late`: how late the latest packet was sent.
    pub(crate) fn text(&self, late: Duration) -> String {
        let times = [&self.effects[..], &self.stops].concat();
        let (times, loads) = (markdown::table(&TIMES, &times), markdown::table(&LOADS, &self.loads));
        let here = format!("{}; {}", today_and_here(), package("wrk"));
        format!("{times}\n{loads}\n{HOW}\n\n{here}; latest packet sent {} ms late\n", late.as_millis())
    }
}
