//! What became of packets and ticks, for people and for programs. docs/rtp.md says what each counter means.

use comfy_table::Table;
use serde::Serialize;

use crate::app::Recorded;
use crate::engine::Packets;
use crate::engine::Ticks;
use crate::engine::TrackCounts;
use crate::media::Stats;

/// Packets of one track, or of all, in `--json`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PacketDocument {
    received: u64,
    received_bytes: u64,
    placed: u64,
    quiet: u64,
    late: u64,
    duplicate: u64,
    overflow: u64,
    unrecorded: u64,
    foreign: u64,
    unknown: u64,
    implausible: u64,
    malformed: u64,
    control: u64,
    lost: u64,
    streams: u64,
    kernel_drops: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    skew_ppm: Option<f64>,
}

/// Samples of one track in `--json`, at the rate that its codec is decoded to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SampleDocument {
    decoded: u64,
    concealed: u64,
    comfort_noise: u64,
    silent_seconds: f64,
    overlapping: u64,
    corrupt_packets: u64,
}

/// How ticks went, in `--json`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TickDocument {
    count: u64,
    busy_seconds: f64,
    lateness_p50_ms: u64,
    lateness_p999_ms: u64,
    lateness_max_ms: f64,
}

fn document(stats: &Stats, skew_ppm: Option<f64>) -> PacketDocument {
    let Stats { received, received_bytes, placed, quiet, late, duplicate, overflow, unrecorded, .. } = *stats;
    let Stats { foreign, unknown, implausible, malformed, control, lost, streams, kernel_drops, .. } = *stats;
    PacketDocument {
        received,
        received_bytes,
        placed,
        quiet,
        late,
        duplicate,
        overflow,
        unrecorded,
        foreign,
        unknown,
        implausible,
        malformed,
        control,
        lost,
        streams,
        kernel_drops,
        skew_ppm,
    }
}

/// Returns what a track's packets came to.
pub(super) fn packets(counts: &TrackCounts) -> Option<PacketDocument> {
    counts.packets.map(|Packets { stats, skew_ppb }| document(&stats, Some(skew_ppb as f64 / 1_000.0)))
}

/// Returns what all packets came to, of a recording that had any.
pub(super) fn all_packets(recorded: &Recorded) -> Option<PacketDocument> {
    total(recorded).map(|stats| document(&stats, None))
}

/// Returns what was made of a track's media.
pub(super) fn samples(counts: &TrackCounts) -> SampleDocument {
    SampleDocument {
        decoded: counts.audio.decoded,
        concealed: counts.audio.concealed,
        comfort_noise: counts.audio.comfort,
        silent_seconds: counts.silent.as_secs_f64(),
        overlapping: counts.audio.overlapping,
        corrupt_packets: counts.audio.corrupt_packets,
    }
}

/// Returns how ticks went.
pub(super) fn ticks(ticks: &Ticks) -> TickDocument {
    TickDocument {
        count: ticks.n,
        busy_seconds: ticks.busy_ns as f64 / 1e9,
        lateness_p50_ms: ticks.lateness_ms(0.5),
        lateness_p999_ms: ticks.lateness_ms(0.999),
        lateness_max_ms: ticks.worst_ns as f64 / 1e6,
    }
}

fn total(recorded: &Recorded) -> Option<Stats> {
    recorded.tracks.values().filter_map(|counts| counts.packets).map(|packets| packets.stats).reduce(
        |mut sum, stats| {
            sum.add(&stats);
            sum
        },
    )
}

/// Fills a table of packets; nothing where there were none.
pub(super) fn table(recorded: &Recorded, mut table: Table) -> Option<Table> {
    let row = |name: &str, stats: &Stats, skew: String, concealed: String| {
        let others = stats.foreign + stats.unknown + stats.implausible + stats.malformed;
        let numbers = [stats.received, stats.placed, stats.lost, stats.late, stats.duplicate, others];
        let last = [stats.overflow + stats.kernel_drops];
        let counts = numbers.into_iter().chain(last).map(|count| count.to_string());
        [name.to_owned()].into_iter().chain(counts).chain([concealed, skew]).collect::<Vec<_>>()
    };
    let all = total(recorded)?;
    for (number, counts) in &recorded.tracks {
        let (Some(packets), Some(row_of)) = (counts.packets, recorded.ledger.participants.get(number)) else {
            continue;
        };
        let skew = format!("{:+.1} ppm", packets.skew_ppb as f64 / 1_000.0);
        table.add_row(row(&row_of.name, &packets.stats, skew, counts.audio.concealed.to_string()));
    }
    let concealed: u64 = recorded.tracks.values().map(|counts| counts.audio.concealed).sum();
    table.add_row(row("all", &all, "–".to_owned(), concealed.to_string()));
    Some(table)
}
