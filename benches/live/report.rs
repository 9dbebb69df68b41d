//! The table, for people at a terminal and for docs/performance.md.

use reelgraph::media::HOLD;

use crate::markdown;
use crate::measure::Lateness;
use crate::measure::Recorder;
use crate::measure::Taken;
use crate::workload::Workload;

const HEADINGS: [&str; 15] = [
    "workload",
    "recorder",
    "recordings",
    "CPU µs for 20 ms",
    "recordings per core",
    "of the floor",
    "bar",
    "threads",
    "switches per recorded s",
    "MB each",
    "ticks late p50 / p99.9 / max ms",
    "kernel drops",
    "samples missing",
    "in files",
    "sent late ms",
];

/// What the codecs of a workload take by themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    pub(crate) workload: Workload,
    /// Decoding, mixing, encoding and writing 20 ms.
    pub(crate) codec_us: f64,
    /// The same of as many calls as are recorded, each in its turn.
    pub(crate) many_us: f64,
    /// Receiving one packet.
    pub(crate) receive_us: f64,
}

impl Floor {
    /// Returns what 20 ms of a recording take at least, with their packets received.
    pub(crate) fn us(&self) -> f64 {
        self.codec_us + self.receive_us * self.workload.parties as f64
    }

    /// Returns what is between two.
    pub(crate) fn mean(self, other: &Self) -> Self {
        let mean = |of: fn(&Self) -> f64| (of(&self) + of(other)) / 2.0;
        let (codec_us, many_us) = (mean(|floor| floor.codec_us), mean(|floor| floor.many_us));
        Self { codec_us, many_us, receive_us: mean(|floor| floor.receive_us), ..self }
    }

    fn cells(&self) -> Vec<String> {
        let parts = format!("{:.2} µs and {} × {:.2} µs UDP", self.codec_us, self.workload.parties, self.receive_us);
        let mut cells = vec![self.workload.name.to_owned(), format!("floor: {parts}"), "1".to_owned()];
        cells.extend([format!("{:.2}", self.us()), per_core(self.us()), "100 %".to_owned()]);
        cells.resize(HEADINGS.len(), "–".to_owned());
        cells
    }

    fn cells_of_many(&self) -> Vec<String> {
        let us = self.us() - self.codec_us + self.many_us;
        let name = [self.workload.name.to_owned(), "floor, in turn".to_owned(), self.workload.n().to_string()];
        let mut cells = name.to_vec();
        cells.extend([format!("{us:.2}"), per_core(us), format!("{:.1} %", self.us() / us * 100.0)]);
        cells.resize(HEADINGS.len(), "–".to_owned());
        cells
    }
}

/// What is measured for so many seconds says so.
const LONG: u64 = 60;

#[derive(Debug)]
enum Row {
    Floor(Workload),
    InTurn(Workload),
    Taken(Taken),
}

/// What was measured, in the order of the table.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    floors: Vec<Floor>,
    failures: Vec<String>,
}

fn per_core(us: f64) -> String {
    format!("{:.0}", 20_000.0 / us)
}

impl Report {
    /// Takes the floor of what comes next.
    pub(crate) fn floor(&mut self, floor: Floor) {
        self.rows.extend([Row::Floor(floor.workload), Row::InTurn(floor.workload)]);
        self.floors.push(floor);
    }

    pub(crate) fn taken(&mut self, taken: Taken) {
        self.rows.push(Row::Taken(taken));
    }

    /// Takes note of what could not be measured.
    pub(crate) fn failed(&mut self, what: String) {
        eprintln!("  {what}");
        self.failures.push(what);
    }

    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Prints the last `n` rows, for whoever waits.
    pub(crate) fn print_last(&self, n: usize) {
        for row in &self.rows[self.rows.len().saturating_sub(n)..] {
            eprintln!("  {}", self.cells(row).join(" | "));
        }
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let workload = match row {
            Row::Floor(workload) | Row::InTurn(workload) => *workload,
            Row::Taken(taken) => taken.workload,
        };
        let floor = self.floors.iter().find(|floor| floor.workload == workload);
        match (row, floor) {
            (Row::Taken(taken), Some(floor)) => taken_cells(taken, floor),
            (Row::InTurn(_), Some(floor)) => floor.cells_of_many(),
            (_, floor) => floor.map(Floor::cells).unwrap_or_default(),
        }
    }

    /// Returns the table in Markdown.
    pub(crate) fn table(&self) -> String {
        let rows: Vec<_> = self.rows.iter().map(|row| self.cells(row)).collect();
        markdown::table(&HEADINGS, &rows)
    }
}

fn taken_cells(taken: &Taken, floor: &Floor) -> Vec<String> {
    let share = floor.us() / taken.cpu_us * 100.0;
    let is_comparable = taken.kept_up() && taken.sent_late < HOLD;
    // What was not done took nothing.
    let compared = |cell: String| if is_comparable { cell } else { "–".to_owned() };
    let bar = taken.workload.bar;
    let verdict = match taken.recorder {
        Recorder::Stock | Recorder::Ffmpeg => "–".to_owned(),
        Recorder::Ours if taken.sent_late >= HOLD => "senders were too slow".to_owned(),
        Recorder::Ours if !taken.kept_up() => "did not keep up".to_owned(),
        // The bar is for so many.
        Recorder::Ours if taken.n != taken.workload.n() => "–".to_owned(),
        Recorder::Ours if share >= f64::from(bar) => format!("≥ {bar} %: met"),
        Recorder::Ours => format!("≥ {bar} %: missed"),
    };
    let recordings = match (taken.n_refused, taken.held.as_secs()) {
        (0, seconds @ LONG..) => format!("{} for {seconds} s", taken.n),
        (0, _) => taken.n.to_string(),
        (n_refused, _) => format!("{} ({n_refused} refused)", taken.n),
    };
    let lateness = |Lateness { p50, p999, worst }| format!("{p50} / {p999} / {worst}");
    let in_files = match taken.came {
        // Its files begin with the first packet, whenever that came.
        _ if taken.recorder == Recorder::Ffmpeg => "–".to_owned(),
        Some(came) if came < 0.99 => format!("{:.1} % ({:.1} % came)", taken.kept * 100.0, came * 100.0),
        _ => format!("{:.1} %", taken.kept * 100.0),
    };
    vec![
        taken.workload.name.to_owned(),
        taken.recorder.name().to_owned(),
        recordings,
        format!("{:.2}", taken.cpu_us),
        compared(per_core(taken.cpu_us)),
        compared(format!("{share:.1} %")),
        verdict,
        taken.threads.to_string(),
        format!("{:.1}", taken.switches_per_second),
        format!("{:.3}", taken.bytes / 1e6),
        taken.lateness.map_or_else(|| "–".to_owned(), lateness),
        taken.kernel_drops.to_string(),
        taken.missing.map_or_else(|| "–".to_owned(), |missing| missing.to_string()),
        in_files,
        taken.sent_late.as_millis().to_string(),
    ]
}
