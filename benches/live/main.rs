//! `make bench`: what recording costs, beside what its codecs cost and what others take for it. docs/performance.md has
//! the table.
//!
//! ```text
//!  floor       one thread, no calls: codecs, and the kernel's part of receiving
//!  Reelgraph   this program as `ours …`     ─┐  a process (of ffmpeg one a call), measured from outside; what it
//!  stock       this program as `stock …`    ─┤  records comes from `reelgraph send` in others, over loopback
//!  ffmpeg      as Debian has it             ─┘
//! ```
//!
//! `quick` measures less and shorter, and writes nothing. `ours KEY N PORT DIR` records until it reads `stop`.

mod child;
mod ffmpeg;
mod floor;
#[path = "../support/machine.rs"]
mod here;
mod machine;
#[path = "../support/markdown.rs"]
mod markdown;
mod measure;
mod ours;
#[path = "../../tests/support/pcap.rs"]
#[allow(dead_code, reason = "reads reports, too")]
mod pcap;
mod process;
mod report;
mod sender;
mod stock;
mod workload;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::Context;
use anyhow::ensure;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;

use crate::floor::Calls;
use crate::measure::Bench;
use crate::measure::Recorder;
use crate::measure::Taken;
use crate::report::Floor;
use crate::report::Report;
use crate::workload::ALL;
use crate::workload::G711_WAV;
use crate::workload::OPUS_MP3;
use crate::workload::Output;
use crate::workload::Workload;

/// Seconds of packets that the floor is measured with.
const FLOOR_SECONDS: u32 = 20;

/// Bytes of an RTP header.
const HEADER: usize = 12;

/// Ports of one measurement; the next one has others, so that nothing comes from the senders of the last.
const PORTS: [u16; 2] = [20_000, 26_000];

/// Calls at once that growth is seen by, and fewer.
const GROWTH: [usize; 5] = [1, 10, 100, 500, 1_000];
const GROWTH_QUICK: [usize; 1] = [10];

/// Calls at once that others keep up with.
const STOCK: [usize; 2] = [10, 30];
const FFMPEG: usize = 10;

/// Windows of 4 s that recordings are held for once: a minute and a bit.
const LONG_WINDOWS: usize = 16;

/// Why one recorder is not in the table.
const RTPENGINE: &str = "\
`rtpengine-recording` is left out: Debian's daemon takes packets from `/proc/rtpengine` only, which is there where
rtpengine's kernel module is loaded.";

const HOW: &str = "\
CPU is user and system time of the recorder's threads, for 20 ms of one recording, in the cheaper of two windows of 4
s; senders are other processes. The floor is the cheapest of five runs of one thread that does nothing else: decode
straight to 16 kHz, add, encode (LAME, quality 7), write; with what `recvmmsg` takes for the packets. *In turn* is the
same for as many calls as are recorded, 200 ms of each at a time: what it takes more is memory that is not near. What
has a bar is the middle one of three rounds, each with the mean of the floors right before and right after it. MB each
is resident memory above that of the process without calls; for one call it is mostly code. Samples missing are those
lost, late or overlapping, from start to stop. In files: length of what was written, of what was recorded. Sent late:
the latest packet, by its sender. A recorder keeps up where nothing is missing or dropped, all is in the files, and
99.9 % of ticks are less late than the hold; what one takes that does not keep up is not compared.";

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    gst::init()?;
    gstreel::plugin_register_static()?;
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [kind @ ("ours" | "stock"), key, n, port, dir] => {
            let workload = Workload::of(key).context("no such workload")?;
            let (n, port, dir) = (n.parse()?, port.parse()?, PathBuf::from(dir));
            allow_files();
            if kind == "ours" { ours::run(workload, n, port, &dir) } else { stock::run(workload, n, port, &dir) }
        }
        [] => bench(false),
        ["quick"] => bench(true),
        _ => anyhow::bail!("say nothing, or quick"),
    }
}

/// A recording has two sockets for each party, files and a bus.
fn allow_files() {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
}

fn bench(is_quick: bool) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // On the disk, where recordings are, and not in memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let speech = sender::speech(dir.path())?;
    let (warm_up, window, windows, rounds) = if is_quick { (2, 3, 1, 1) } else { (3, 4, 2, 3) };
    let [warm_up, window] = [warm_up, window].map(Duration::from_secs);
    // Ends a measurement in good order: nothing of it stays.
    let stop = Arc::default();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let bench = Bench { dir: dir.path().to_owned(), speech, warm_up, window, windows, stop };
    let mut report = Report::default();
    for workload in ALL {
        bench.target(&mut report, workload, rounds)?;
        if is_quick && ![OPUS_MP3, G711_WAV].contains(&workload) {
            continue;
        }
        for n in STOCK.into_iter().skip(usize::from(is_quick)) {
            // Ten parties take more than a core for thirty calls.
            let n = if workload.parties > 5 { n / 5 } else { n };
            bench.row(&mut report, workload, Recorder::Stock, n)?;
        }
        if ffmpeg::version().is_some() && !matches!(workload.output, Output::Wav { channels: 2.. }) {
            bench.row(&mut report, workload, Recorder::Ffmpeg, FFMPEG)?;
        }
    }
    let growth = if is_quick { &GROWTH_QUICK[..] } else { &GROWTH };
    for workload in [G711_WAV, OPUS_MP3] {
        // Those of the targets are in the table already.
        for n in growth.iter().filter(|n| **n != workload.n()) {
            bench.row(&mut report, workload, Recorder::Ours, *n)?;
        }
    }
    if !is_quick {
        let long = Bench { windows: LONG_WINDOWS, ..bench };
        long.row(&mut report, G711_WAV, Recorder::Ours, G711_WAV.n())?;
    }
    let text = format!("{}\n{HOW}\n\n{}\n\n{}\n", report.table(), machine::line(), others());
    println!("{text}");
    ensure!(report.failures().is_empty(), "not all could be measured:\n{}", report.failures().join("\n"));
    if !is_quick {
        markdown::write_into(&root.join("docs/performance.md"), "bench", &text)?;
    }
    Ok(())
}

fn floor(bench: &Bench, workload: Workload) -> anyhow::Result<Floor> {
    let payloads = sender::payloads(&bench.dir, &bench.speech, workload.codec, FLOOR_SECONDS)?;
    let of = |calls| Ok::<_, anyhow::Error>(floor::codec_ns(workload, &payloads, calls, &bench.dir)? / 1e3);
    let (codec_us, many_us) = (of(Calls::one(&payloads))?, of(Calls::many(workload.n()))?);
    let length = HEADER + payloads.iter().map(Vec::len).sum::<usize>() / payloads.len().max(1);
    Ok(Floor { workload, codec_us, many_us, receive_us: floor::receive_ns(length)? / 1e3 })
}

impl Bench {
    /// Measures what has a target, round by round, and reports the one in the middle. A machine that others use, too,
    /// is faster at one time than at another: each round has a floor of its own, right before and right after it.
    fn target(&self, report: &mut Report, workload: Workload, n_rounds: usize) -> anyhow::Result<()> {
        let mut rounds = Vec::new();
        for turn in 0..n_rounds {
            let before = floor(self, workload)?;
            let taken = match self.take(Recorder::Ours, workload, workload.n(), turn)? {
                Ok(taken) => taken,
                Err(error) => {
                    report.failed(format!("{}: {error:#}", workload.name));
                    continue;
                }
            };
            let floor = before.mean(&floor(self, workload)?);
            rounds.push((if taken.kept_up() { floor.us() / taken.cpu_us } else { 0.0 }, floor, taken));
        }
        rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
        if let Some((_, floor, taken)) = rounds.into_iter().nth(n_rounds / 2) {
            report.floor(floor);
            report.taken(taken);
            report.print_last(3);
        }
        Ok(())
    }

    /// Measures and reports; a recorder that cannot do it is told, and the others go on.
    fn row(&self, report: &mut Report, workload: Workload, recorder: Recorder, n: usize) -> anyhow::Result<()> {
        match self.take(recorder, workload, n, report.n_rows())? {
            Ok(taken) => {
                report.taken(taken);
                report.print_last(1);
            }
            // Others, and other workloads, can be measured all the same.
            Err(error) => report.failed(format!("{}, {n} by {}: {error:#}", workload.name, recorder.name())),
        }
        Ok(())
    }

    /// Measures once; fails where somebody wants it all to end.
    fn take(
        &self,
        recorder: Recorder,
        workload: Workload,
        n: usize,
        turn: usize,
    ) -> anyhow::Result<anyhow::Result<Taken>> {
        // A port may be somebody else's.
        let ports = (0..PORTS.len()).map(|next| PORTS[(turn + next) % PORTS.len()]);
        let mut taken = Err(anyhow::Error::msg("no ports"));
        for port in ports {
            ensure!(!self.stop.load(Relaxed), "stopped");
            taken = self.measure(recorder, workload, n, port);
            if taken.is_ok() {
                break;
            }
        }
        Ok(taken)
    }
}

/// Returns how the others were run.
fn others() -> String {
    let file = |workload: Workload| PathBuf::from(format!("call.{}", workload.output.extension()));
    let stock = [OPUS_MP3, G711_WAV]
        .map(|workload| format!("gst-launch-1.0 {}", stock::launch_line(workload, PORTS[0], &file(workload))));
    let ffmpeg = ffmpeg::args(OPUS_MP3, Path::new("call.sdp"), &file(OPUS_MP3)).join(" ");
    format!(
        "Others were run as below: stock graphs all in one process, for other parties and formats accordingly\n\
         (`interleave` in place of `audiomixer` where unmixed); ffmpeg in a process for each call.\n\n\
         ```text\n{}\nffmpeg {ffmpeg}\n```\n\n{RTPENGINE}",
        stock.join("\n")
    )
}
