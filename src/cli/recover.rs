//! `reelgraph recover`.

use std::path::PathBuf;

use anyhow::Context;

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::print;
use crate::storage;
use crate::storage::Recovered;

/// Arguments of `recover`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The --out of the recording that was killed
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let recovered = storage::recover(&args.dir).context("failed to recover")?;
    let mut exit = Exit::Done;
    for recording in recovered {
        match recording {
            Ok(recording) => print_recovered(&recording)?,
            Err(error) => {
                output::tell(format_args!("failed to recover: {error}"));
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

fn print_recovered(recording: &Recovered) -> anyhow::Result<()> {
    let Recovered { dir, ledger, chunks } = recording;
    let Some(ledger) = ledger else {
        return output::result(format_args!("{}: killed before it began, nothing was recorded", dir.display()));
    };
    let opening = &ledger.opening;
    if chunks.is_empty() {
        let (graph, begun) = (&opening.graph, &opening.started_at);
        return output::result(format_args!("{graph}, begun {begun}: all that was recorded was finished already"));
    }
    output::result(print::chunk_table(chunks))?;
    output::result(format_args!("{}, begun {}: {} files finished", opening.graph, opening.started_at, chunks.len()))
}
