//! What was sent, for people (a few lines) and for programs (a document).

use std::time::Duration;

use serde::Serialize;

use crate::cli::output;
use crate::cli::print;
use crate::send::Sent;
use crate::send::Summary;

/// Streams that a table shows: who sends more reads the document.
const ROWS_MAX: usize = 16;

/// `--json`: one document; docs/command-line.md gives its shape.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    codec: &'static str,
    seed: u64,
    /// Time zero on the wall.
    t0_utc: String,
    /// Time zero on the monotonic clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    t0_monotonic_ns: Option<u64>,
    /// From time zero to the last goodbye.
    duration_seconds: f64,
    stopped: bool,
    packets: u64,
    bytes: u64,
    lost: u64,
    reordered: u64,
    reports: u64,
    refused: u64,
    unsent: u64,
    /// Live calls only.
    #[serde(skip_serializing_if = "Option::is_none")]
    worst_lateness_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_serial: Option<Serial>,
    streams: Vec<Stream>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Serial {
    number: u16,
    /// When it was sent, in nanoseconds from time zero.
    sent_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    monotonic_ns: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    ssrc: u32,
    port: u16,
    first_sequence: u16,
    first_timestamp: u32,
    phase_ns: u64,
    packets: u64,
    bytes: u64,
    lost: u64,
    reordered: u64,
}

impl Document {
    fn of(summary: &Summary) -> Self {
        let Summary { zero, delivery, streams, .. } = summary;
        let total = |of: fn(&Sent) -> u64| streams.iter().map(of).sum();
        let monotonic = |at_ns| zero.monotonic_ns.map(|zero_ns| zero_ns + at_ns);
        Self {
            codec: summary.codec.name(),
            seed: summary.seed,
            t0_utc: utc(zero.utc_ns),
            t0_monotonic_ns: zero.monotonic_ns,
            duration_seconds: Duration::from_nanos(summary.ended_ns).as_secs_f64(),
            stopped: summary.was_stopped,
            packets: total(|stream| stream.packets),
            bytes: total(|stream| stream.bytes),
            lost: total(|stream| stream.lost),
            reordered: total(|stream| stream.reordered),
            reports: total(|stream| stream.reports),
            refused: delivery.n_refused,
            unsent: delivery.n_unsent,
            worst_lateness_seconds: zero.monotonic_ns.map(|_| delivery.worst_late.as_secs_f64()),
            last_serial: summary.last_serial.map(|last| Serial {
                number: last.number,
                sent_ns: last.at_ns,
                monotonic_ns: monotonic(last.at_ns),
            }),
            streams: streams.iter().map(Stream::of).collect(),
        }
    }
}

impl Stream {
    fn of(sent: &Sent) -> Self {
        let identity = sent.identity;
        Self {
            ssrc: identity.ssrc,
            port: sent.port,
            first_sequence: identity.first_sequence,
            first_timestamp: identity.first_timestamp,
            phase_ns: identity.phase_ns,
            packets: sent.packets,
            bytes: sent.bytes,
            lost: sent.lost,
            reordered: sent.reordered,
        }
    }
}

/// Returns the document.
pub(super) fn json(summary: &Summary) -> String {
    serde_json::to_string_pretty(&Document::of(summary)).expect("numbers and texts can be written")
}

/// Prints a line and a table.
pub(super) fn text(summary: &Summary) -> anyhow::Result<()> {
    let all = Document::of(summary);
    output::result(format_args!(
        "{}: {} packets ({} bytes) and {} reports sent in {:.3} s; {} lost on purpose, {} reordered; seed {}",
        all.codec, all.packets, all.bytes, all.reports, all.duration_seconds, all.lost, all.reordered, all.seed
    ))?;
    let monotonic = all.t0_monotonic_ns.map(|ns| format!(", {ns} ns on the monotonic clock")).unwrap_or_default();
    output::result(format_args!("T0 is {}{monotonic}", all.t0_utc))?;
    if let Some(late) = all.worst_lateness_seconds {
        output::result(format_args!(
            "at worst {:.3} ms late; {} refused by the peer, {} not taken by the kernel",
            late * 1e3,
            all.refused,
            all.unsent
        ))?;
    }
    if let Some(last) = &all.last_serial {
        let when = last.monotonic_ns.map_or(format!("{} ns after T0", last.sent_ns), |ns| format!("{ns} ns"));
        output::result(format_args!("last frame {} at {when}", last.number))?;
    }
    let header = ["ssrc", "port", "first sequence", "first time-stamp", "packets", "lost", "reordered"];
    let mut table = print::new_table(header);
    for stream in all.streams.iter().take(ROWS_MAX) {
        table.add_row([
            format!("{:#010x}", stream.ssrc),
            stream.port.to_string(),
            stream.first_sequence.to_string(),
            stream.first_timestamp.to_string(),
            stream.packets.to_string(),
            stream.lost.to_string(),
            stream.reordered.to_string(),
        ]);
    }
    output::result(table)?;
    let n_more = all.streams.len().saturating_sub(ROWS_MAX);
    if n_more > 0 {
        output::result(format_args!("and {n_more} more: see --json"))?;
    }
    Ok(())
}

fn utc(ns: u64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(ns)).map(|time| time.to_string()).unwrap_or_default()
}
