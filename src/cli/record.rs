//! `reelgraph record`.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::app;
use crate::app::Pace;
use crate::app::Recorded;
use crate::app::Request;
use crate::cli::Exit;
use crate::cli::graph_file::GraphFile;
use crate::cli::output;
use crate::cli::print;
use crate::cli::sources;
use crate::cli::sources::Sources;
use crate::cli::stop::stop_signal;
use crate::cli::text_file;
use crate::cli::values::Interval;
use crate::cli::values::ParticipantChannel;
use crate::cli::values::ParticipantSource;
use crate::cli::values::ParticipantTime;
use crate::cli::values::chunk_duration;
use crate::cli::values::chunk_size;
use crate::cli::values::time_value;
use crate::config;
use crate::config::Config;
use crate::engine::Participant;
use crate::engine::Source;
use crate::graph::Limits;
use crate::media::HOLD;
use crate::model::Bytes;
use crate::model::EndReason;
use crate::model::PauseMode;
use crate::pipeline::Levels;

/// Arguments of `record`. Times are recording time: from its begin, pauses not taken out.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shipped name (`mixed-mp3`, `mixed-wav`, `unmixed-wav`) or a graph file
    graph: String,
    /// Who takes part, and what is heard of them: a media file, a capture (`call.pcap?ssrc=0x1234`), or RTP that comes
    /// now (`rtp://127.0.0.1:5004?codec=opus`)
    #[arg(
        long = "participant",
        value_name = "NAME=SOURCE",
        required = true,
        value_parser = ParticipantSource::parser()
    )]
    pub(super) participants: Vec<ParticipantSource>,
    /// When they join; else at once
    #[arg(long = "join", value_name = "NAME=TIME")]
    pub(super) joins: Vec<ParticipantTime>,
    /// When they leave; else when their media ends
    #[arg(long = "leave", value_name = "NAME=TIME")]
    pub(super) leaves: Vec<ParticipantTime>,
    /// Channel that they get in an unmixed recording, from 0
    #[arg(long = "pin", value_name = "NAME=CHANNEL")]
    pub(super) pins: Vec<ParticipantChannel>,
    /// What is not recorded
    #[arg(long = "pause", value_name = "FROM-TO")]
    pauses: Vec<Interval>,
    /// What a pause leaves
    #[arg(long, value_enum, default_value = "skip")]
    pause_mode: PauseModeArg,
    /// Longest chunk, in place of the graph's limit
    #[arg(long, value_name = "TIME", value_parser = chunk_duration)]
    chunk_duration: Option<Duration>,
    /// Largest chunk, in place of the graph's limit
    #[arg(long, value_name = "SIZE", value_parser = chunk_size)]
    chunk_size: Option<Bytes>,
    /// When the recording ends; else when everybody's media has ended
    #[arg(long, value_name = "TIME", value_parser = time_value)]
    duration: Option<Duration>,
    /// Where the files go
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Record files as slowly as a call happens; RTP is always recorded as it comes
    #[arg(long)]
    real_time: bool,
    /// Settings in place of the built-in ones
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum PauseModeArg {
    /// Nothing: the recording is shorter
    Skip,
    /// Silence of its length
    Silence,
    /// A tone of its length
    Tone,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    if let Err(error) = check_usage(&args) {
        output::tell(error);
        return Ok(Exit::Usage);
    }
    let Some((_, plan)) = GraphFile::checked(&args.graph) else { return Ok(Exit::BadGraph) };
    let config = match &args.config {
        Some(path) => read_config(path)?,
        None => Config::default(),
    };
    let settings = config.engine;
    let limits = Limits {
        max_duration: args.chunk_duration.or(plan.limits.max_duration),
        max_size: args.chunk_size.or(plan.limits.max_size),
    };
    let Sources { participants, _readers, is_live } = sources::open(&args)?;
    let bar = progress_bar(&args, &participants);
    let names: Vec<String> = participants.iter().map(|participant| participant.name.clone()).collect();
    let pace = match (is_live, args.real_time) {
        (true, _) => Pace::Live { hold: HOLD },
        (false, true) => Pace::Live { hold: Duration::ZERO },
        (false, false) => Pace::Virtual,
    };
    let out = args.out;
    let request = Request {
        plan,
        participants,
        pauses: pauses(&args.pauses),
        pause_mode: match args.pause_mode {
            PauseModeArg::Skip => PauseMode::Skip,
            PauseModeArg::Silence => PauseMode::Silence,
            PauseModeArg::Tone => PauseMode::Tone,
        },
        duration: args.duration,
        limits,
        out: out.clone(),
        pace,
        settings,
    };
    let stop = stop_signal().context("signals cannot be watched")?;
    let go_on = Arc::new(move || !stop.load(Ordering::Relaxed));
    let recorded = app::record(request, go_on, |at, levels| {
        bar.set_position(at.as_millis() as u64);
        bar.set_message(meters(&names, levels));
    });
    bar.finish_and_clear();
    let recorded = match recorded {
        Err(error) if error.is_callers() => {
            output::tell(format_args!("failed to record: {error}"));
            return Ok(Exit::Usage);
        }
        recorded => recorded.context("failed to record")?,
    };
    if args.json {
        output::result(print::json(&recorded))?;
    } else {
        print::table(&recorded)?;
    }
    Ok(exit_of(&recorded, &out))
}

fn exit_of(recorded: &Recorded, out: &Path) -> Exit {
    if let Some(error) = &recorded.error {
        let is_kept = recorded.chunks.iter().any(|chunk| chunk.media.samples > 0);
        let kept = if is_kept { "what is in the files is kept" } else { "nothing of it could be kept" };
        output::tell(format_args!("failed to record to the end: {error}; {kept}"));
    }
    if let Some(error) = &recorded.unfinished {
        let out = out.display();
        output::tell(format_args!(
            "failed to finish all files: {error}; when that is mended, finish them with `reelgraph recover {out}`"
        ));
        return Exit::Failed;
    }
    let has_notes = recorded.chunks.iter().any(|chunk| !chunk.metadata.notes.is_empty());
    match recorded.reason {
        EndReason::Failed => Exit::Failed,
        _ if has_notes || recorded.lost_samples > 0 => Exit::Faults,
        _ => Exit::Done,
    }
}

pub(super) fn read_config(path: &Path) -> anyhow::Result<Config> {
    let text = text_file::read(path).with_context(|| format!("settings {} cannot be read", path.display()))?;
    config::parse(&path.to_string_lossy(), &text).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow::Error::msg(lines.join("\n"))
    })
}

/// Checks what options mean together; what one means by itself its parser has checked.
fn check_usage(args: &Args) -> anyhow::Result<()> {
    ensure!(args.duration.is_none_or(|duration| !duration.is_zero()), "--duration must be longer than 0");
    for pair in pauses(&args.pauses).windows(2) {
        let [(_, end), (start, _)] = pair else { continue };
        ensure!(start >= end, "--pause must not overlap: one ends at {end:?}, another starts at {start:?}");
    }
    let mut names = BTreeSet::new();
    for participant in &args.participants {
        ensure!(names.insert(&participant.name), "two participants are named \"{}\"; rename one", participant.name);
    }
    let named = args.joins.iter().chain(&args.leaves).map(|time| &time.name);
    for name in named.chain(args.pins.iter().map(|pin| &pin.name)) {
        ensure!(names.contains(name), "no --participant is named \"{name}\"");
    }
    let mut channels = BTreeSet::new();
    for pin in &args.pins {
        let pins = args.pins.iter().filter(|other| other.name == pin.name);
        ensure!(pins.count() == 1, "--pin gives two channels to \"{}\"", pin.name);
        ensure!(channels.insert(pin.channel), "--pin gives channel {} to two participants", pin.channel);
    }
    for name in names {
        for (option, times) in [("join", &args.joins), ("leave", &args.leaves)] {
            let is_once = times.iter().filter(|time| time.name == *name).count() < 2;
            ensure!(is_once, "--{option} is given twice for \"{name}\"");
        }
        let join = time_of(&args.joins, name).unwrap_or_default();
        let leave = time_of(&args.leaves, name);
        ensure!(leave.is_none_or(|leave| leave > join), "--leave of \"{name}\" must be later than --join");
        ensure!(
            args.duration.is_none_or(|end| join < end),
            "--join of \"{name}\" must be earlier than --duration: there is nothing to join after it"
        );
    }
    Ok(())
}

pub(super) fn time_of(times: &[ParticipantTime], name: &str) -> Option<Duration> {
    times.iter().find(|time| time.name == name).map(|time| time.time)
}

fn pauses(intervals: &[Interval]) -> Vec<(Duration, Duration)> {
    let mut pauses: Vec<_> = intervals.iter().map(|pause| (pause.from, pause.to)).collect();
    pauses.sort();
    pauses
}

/// Who is heard, and how loud: a bar from −60 to 0 dBFS for each.
fn meters(names: &[String], levels: &Levels) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bar = |db: f64| BARS[((db + 60.0) / 7.5).clamp(0.0, 8.0) as usize];
    let meter = |(number, db): (&u32, &f64)| Some(format!("{} {}", names.get(*number as usize)?, bar(*db)));
    levels.iter().filter_map(meter).collect::<Vec<_>>().join("  ")
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(args: &Args, participants: &[Participant]) -> ProgressBar {
    if args.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let ends = participants.iter().map(|participant| {
        let declared = match &participant.source {
            Source::Pulled(track) => track.declared_duration().map(|duration| participant.join + duration),
            Source::Live(_) => None,
        };
        participant.leave.into_iter().chain(declared).min().unwrap_or_default()
    });
    let total = args.duration.or(ends.max()).unwrap_or_default();
    let bar = ProgressBar::new(total.as_millis() as u64);
    let style =
        ProgressStyle::with_template("{wide_bar} {percent:>3} %  {elapsed}  {msg}").expect("the template is constant");
    bar.set_style(style);
    bar
}
