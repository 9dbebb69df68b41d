//! What a recording came to, for people (a table) and for programs (a document).

use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde::Serialize;

use crate::acs::metadata::Metadata;
use crate::app::Recorded;
use crate::cli::counts;
use crate::cli::output;
use crate::model::PauseInterval;
use crate::session::Ledger;
use crate::storage::Finalised;

/// `--json`: one document; docs/command-line.md gives its shape.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    graph: &'a str,
    recording_id: String,
    end_reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// Why there are files that could not be finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<&'a str>,
    /// Recording time, pauses included.
    duration_seconds: f64,
    lost_samples: u64,
    chunks: Vec<Chunk<'a>>,
    participants: Vec<Participant<'a>>,
    pauses: Vec<Pause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets: Option<counts::PacketDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticks: Option<counts::TickDocument>,
    notes: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    file: String,
    metadata_file: String,
    duration_seconds: f64,
    samples: u64,
    sample_rate: u32,
    channels: u32,
    size_bytes: u64,
    sha256: &'a str,
    metadata: &'a Metadata,
}

impl<'a> Chunk<'a> {
    fn of(chunk: &'a Finalised) -> Self {
        Self {
            file: chunk.path.display().to_string(),
            metadata_file: chunk.metadata_path.display().to_string(),
            duration_seconds: chunk.media.duration().as_secs_f64(),
            samples: chunk.media.samples,
            sample_rate: chunk.media.rate,
            channels: chunk.media.channels,
            size_bytes: chunk.size,
            sha256: &chunk.sha256,
            metadata: &chunk.metadata,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Participant<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<u32>,
    joined_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets: Option<counts::PacketDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<counts::SampleDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pause {
    start_seconds: f64,
    duration_seconds: f64,
}

/// Returns the document.
pub(super) fn json(recorded: &Recorded) -> String {
    let ledger = &recorded.ledger;
    let participants = ledger.participants.iter().map(|(number, row)| Participant {
        name: &row.name,
        channel: ledger.map.channel_of(*number),
        joined_seconds: row.joined.as_secs_f64(),
        left_seconds: row.left.map(|left| left.as_secs_f64()),
        packets: recorded.tracks.get(number).and_then(counts::packets),
        samples: recorded.tracks.get(number).map(counts::samples),
    });
    let pause = |pause: &PauseInterval| Pause {
        start_seconds: pause.start.as_secs_f64(),
        duration_seconds: pause.duration.as_secs_f64(),
    };
    let document = Document {
        graph: &ledger.opening.graph,
        recording_id: ledger.opening.recording_id.to_string(),
        end_reason: recorded.reason.as_str(),
        error: recorded.error.as_deref(),
        unfinished: recorded.unfinished.as_deref(),
        duration_seconds: end_of(ledger).as_secs_f64(),
        lost_samples: recorded.lost_samples,
        chunks: recorded.chunks.iter().map(Chunk::of).collect(),
        participants: participants.collect(),
        pauses: ledger.pauses(end_of(ledger)).iter().map(pause).collect(),
        packets: counts::all_packets(recorded),
        ticks: recorded.ticks.as_ref().map(counts::ticks),
        notes: notes(recorded),
    };
    serde_json::to_string_pretty(&document).expect("the document is plain data")
}

fn end_of(ledger: &Ledger) -> Duration {
    ledger.end.as_ref().map(|(at, ..)| *at).unwrap_or_default()
}

fn notes(recorded: &Recorded) -> Vec<String> {
    let mut notes = Vec::new();
    for note in recorded.chunks.iter().flat_map(|chunk| &chunk.metadata.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

/// Prints the files, who is in them, pauses, and what is not as it should be.
pub(super) fn table(recorded: &Recorded) -> anyhow::Result<()> {
    output::result(chunk_table(&recorded.chunks))?;
    let ledger = &recorded.ledger;
    let mut people = new_table(["participant", "channel", "joined", "left"]);
    for (number, row) in &ledger.participants {
        people.add_row([
            row.name.clone(),
            ledger.map.channel_of(*number).map_or("–".to_owned(), |channel| channel.to_string()),
            seconds(row.joined),
            row.left.map_or("–".to_owned(), seconds),
        ]);
    }
    output::result(people)?;
    let pauses = ledger.pauses(end_of(ledger));
    if !pauses.is_empty() {
        let mut table = new_table(["pause from", "to", "duration"]);
        for pause in pauses {
            table.add_row([seconds(pause.start), seconds(pause.start + pause.duration), seconds(pause.duration)]);
        }
        output::result(table)?;
    }
    let header =
        ["packets", "received", "placed", "lost", "late", "twice", "not its own", "dropped", "concealed", "clock"];
    if let Some(table) = counts::table(recorded, new_table(header)) {
        output::result(table)?;
    }
    if let Some(ticks) = &recorded.ticks {
        output::result(format_args!(
            "{} ticks, {:.3} s busy; late by {} ms at most in 99.9 % of them, by {:.1} ms once",
            ticks.n,
            ticks.busy_ns as f64 / 1e9,
            ticks.lateness_ms(0.999),
            ticks.worst_ns as f64 / 1e6,
        ))?;
    }
    notes(recorded).iter().try_for_each(|note| output::result(format_args!("note: {note}")))?;
    if recorded.lost_samples > 0 {
        output::result(format_args!("note: {} samples could not be placed in time", recorded.lost_samples))?;
    }
    output::result(format_args!("{} recorded, {}", seconds(end_of(ledger)), recorded.reason.as_str()))
}

/// Returns the table of finished files.
pub(super) fn chunk_table(chunks: &[Finalised]) -> Table {
    let mut table = new_table(["file", "duration", "channels", "size", "SHA-256"]);
    for chunk in chunks {
        table.add_row([
            chunk.path.display().to_string(),
            seconds(chunk.media.duration()),
            chunk.media.channels.to_string(),
            format!("{} B", chunk.size),
            chunk.sha256.clone(),
        ]);
    }
    table
}

pub(super) fn new_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}
