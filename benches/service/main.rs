//! `make bench`, second half: how soon the service does what it is asked for, and how much it can be asked beside
//! recordings. docs/performance.md has the tables.
//!
//! ```text
//!  reelgraph send ─ RTP ─► reelgraph serve ─► files        what is in them tells when requests took effect
//!                                ▲
//!  this program, wrk ─ requests ─┘                         the monotonic clock tells when they were sent
//! ```
//!
//! All of it is seen from outside, on the disk where recordings are, while a hundred calls are recorded besides; what
//! the service counts of itself stands beside it. `quick` measures less, and writes nothing.

mod calls;
mod client;
mod effects;
mod figures;
#[path = "../support/machine.rs"]
mod here;
mod load;
#[path = "../support/markdown.rs"]
mod markdown;
mod metrics;
mod ramp;
mod ready;
mod report;
mod service;
#[path = "../../tests/support/signal.rs"]
#[allow(dead_code, reason = "judges sounds, too")]
mod signal;
#[path = "../../tests/support/wav.rs"]
#[allow(dead_code, reason = "reads what is torn, too")]
mod wav;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use anyhow::ensure;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;

use crate::calls::Call;
use crate::calls::Sender;
use crate::calls::Started;
use crate::client::Client;
use crate::effects::Effects;
use crate::ready::Cached;
use crate::ready::Format;
use crate::report::Report;
use crate::service::Service;

/// Samples a second of everything that is recorded.
const RATE: usize = 16_000;

/// Calls of two parties that are recorded all the while.
const BESIDE: usize = 100;

/// Calls that are recorded while requests are made, to see that nothing of them is missing.
const WITNESSES: usize = 10;

/// How long senders are heard before anything is measured, so that their clocks are known.
const SETTLED: Duration = Duration::from_secs(5);

/// Human speech, which `scripts/setup` installs.
const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav";

/// How much is measured.
struct Plan {
    /// Recordings that are only started, then stopped one by one.
    started: usize,
    /// Recordings that are paused and resumed, and how often.
    paused: usize,
    pauses: usize,
    hours: usize,
    load_seconds: u64,
}

const FULL: Plan = Plan { started: 200, paused: 40, pauses: 6, hours: 5, load_seconds: 10 };
const QUICK: Plan = Plan { started: 40, paused: 20, pauses: 4, hours: 2, load_seconds: 3 };

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let is_quick = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["quick"] => true,
        _ => anyhow::bail!("say nothing, or quick"),
    };
    // On the disk, where recordings are, and not in memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let text = measure(if is_quick { &QUICK } else { &FULL }, dir.path())?;
    println!("{text}");
    if !is_quick {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        markdown::write_into(&root.join("docs/performance.md"), "bench-service", &text)?;
    }
    Ok(())
}

fn measure(plan: &Plan, dir: &Path) -> anyhow::Result<String> {
    // Ends it in good order: nothing that was started stays.
    let stop = Arc::default();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let service = Service::start(dir, stop)?;
    let mut client = service.client()?;
    let (beside, recordings, speech) = record_beside(&mut client, dir)?;
    let n_calls = plan.started + plan.paused;
    let (calls, port) = calls::create(&mut client, "measured", n_calls, 1, "l16")?;
    let ramp = dir.join("ramp.wav");
    ramp::write(&ramp);
    let sender = Sender::start(&ramp, "l16", port, n_calls, dir.join("ramp.json"))?;
    std::thread::sleep(SETTLED);

    let mut report = Report::default();
    let before = service.metrics()?;
    let (to_start, to_pause) = calls.split_at(plan.started);
    let started = effects::ask(&mut client, to_start, 0, 0)?;
    let mut ended = effects::end(&mut client, started, ready::stop_each)?;
    let between = service.metrics()?;
    let paused = effects::ask(&mut client, to_pause, plan.started, plan.pauses)?;
    report.metrics(&before, &between, &service.metrics()?);
    report.stops(Format::Wav, &ready::times(ended.iter().map(|(_, ready)| ready)));
    ended.extend(effects::end(&mut client, paused, ready::stop_all)?);

    for format in [Format::Wav, Format::Mp3] {
        for cached in [Cached::InMemory, Cached::OnDisk] {
            let hours = ready::hours(&service, &mut client, &calls[..plan.hours], format, cached)?;
            report.hours(format, cached, &hours);
        }
    }

    let witnesses = effects::ask(&mut client, &calls[..WITNESSES], 0, 0)?;
    report.load(load::none(&service, plan.load_seconds)?);
    for asked in load::ALL {
        let row = asked.measure(&service, &beside, &recordings, plan.load_seconds, dir)?;
        report.load(row);
    }
    // Who says nothing for half a minute is not waited for.
    client = service.client()?;
    let witnesses = effects::end(&mut client, witnesses, ready::stop_all)?;

    let (sent, speech) = (sender.end()?, speech.end()?);
    let late = sent.worst_late.max(speech.worst_late);
    let mut effects = Effects::default();
    effects.judge_all(&mut client, &ended, &sent, dir)?;
    Effects::default().judge_all(&mut client, &witnesses, &sent, dir)?;
    report.effects(&effects);
    service.end()?;
    Ok(report.text(late))
}

/// Lets people speak who are recorded all the while.
fn record_beside(client: &mut Client, dir: &Path) -> anyhow::Result<(Vec<Call>, Vec<Started>, Sender)> {
    let speech = dir.join("speech.wav");
    let made =
        Command::new("sox").args([SPEECH]).arg(&speech).status().context("sox is not there: run scripts/setup")?;
    ensure!(made.success(), "sox has made no speech");
    let (calls, port) = calls::create(client, "beside", BESIDE, 2, "pcmu")?;
    let sender = Sender::start(&speech, "pcmu", port, 2 * BESIDE, dir.join("speech.json"))?;
    let recordings = calls.iter().map(|call| call.record(client, "wav")).collect::<anyhow::Result<_>>()?;
    Ok((calls, recordings, sender))
}
