//! `reelgraph check`.

use crate::cli::Exit;
use crate::cli::graph_file::GraphFile;
use crate::cli::output;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shipped names or files
    #[arg(required = true)]
    graphs: Vec<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for name in &args.graphs {
        match GraphFile::checked(name) {
            Some((_, plan)) => output::result(format_args!("{name}: {}, {} nodes", plan.media, plan.nodes.len()))?,
            None => exit = Exit::BadGraph,
        }
    }
    Ok(exit)
}
