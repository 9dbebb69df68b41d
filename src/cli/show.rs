//! `reelgraph show`.

use crate::cli::Exit;
use crate::cli::graph_file::GraphFile;
use crate::cli::output;
use crate::graph::render;

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shipped name or file
    graph: String,
    /// In which language
    #[arg(long = "as", value_enum, default_value = "toml")]
    language: Language,
    /// How many participants to draw
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    participants: u32,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Language {
    /// The graph's own: a file to start from
    Toml,
    /// A line for gst-launch-1.0, with test sources in the place of the doors
    Launch,
    /// A picture's source, for Graphviz
    Dot,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let text = match args.language {
        // Whatever is installed here: to change it is why somebody asks for it.
        Language::Toml => GraphFile::found(&args.graph).map(|graph| graph.text),
        Language::Launch => GraphFile::checked(&args.graph)
            .map(|(_, plan)| format!("gst-launch-1.0 -e {}", render::launch(&plan, args.participants))),
        Language::Dot => GraphFile::checked(&args.graph).map(|(_, plan)| render::dot(&plan, args.participants)),
    };
    let Some(text) = text else { return Ok(Exit::BadGraph) };
    output::result(text.trim_end())?;
    Ok(Exit::Done)
}
