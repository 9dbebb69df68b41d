//! The `reelgraph` program.

use std::process::ExitCode;

use clap::Parser;

use reelgraph::cli::{Cli, Exit, run};
use reelgraph::telemetry;

fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start();
    let done = start_gstreamer().and_then(|()| run(cli));
    done.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        Exit::Failed
    })
    .into()
}

/// Our elements are part of the program, whatever plugins are installed.
fn start_gstreamer() -> anyhow::Result<()> {
    gst::init()?;
    gstreel::plugin_register_static()?;
    Ok(())
}
