//! `reelgraph recover`.

use std::path::PathBuf;

use anyhow::Context;

use crate::cli::{Exit, print};
use crate::storage;

/// Arguments of `recover`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The --out of the recording that was killed
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let recovered = storage::recover(&args.dir).context("failed to recover")?;
    for recording in recovered {
        println!("{}", print::chunk_table(&recording.chunks));
        let opening = &recording.ledger.opening;
        println!("{}, begun {}: {} files finished", opening.graph, opening.started_at, recording.chunks.len());
    }
    Ok(Exit::Done)
}
