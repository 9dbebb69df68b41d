//! `reelgraph check`.

use crate::cli::Exit;
use crate::cli::graph_file::{GraphFile, print_errors};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shipped names or files
    #[arg(required = true)]
    graphs: Vec<String>,
}

pub(super) fn run(args: &Args) -> Exit {
    let mut exit = Exit::Done;
    for name in &args.graphs {
        match GraphFile::find(name).map(|graph| graph.check()) {
            Ok(Ok(plan)) => println!("{name}: {}, {} nodes", plan.media, plan.nodes.len()),
            Ok(Err(errors)) => {
                print_errors(&errors);
                exit = Exit::BadGraph;
            }
            Err(error) => {
                eprintln!("{error}");
                exit = Exit::BadGraph;
            }
        }
    }
    exit
}
