//! The `reelgraph` program.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use reelgraph::cli::{Cli, Exit, output, run};
use reelgraph::config::tls;
use reelgraph::telemetry;

fn main() -> ExitCode {
    let cli = Cli::parse();
    keep_calls_private();
    tls::install_provider();
    telemetry::start();
    let done = outlive_file_size_limit().and_then(|()| start_gstreamer()).and_then(|()| run(cli));
    done.unwrap_or_else(|error| {
        output::tell(format_args!("{error:#}"));
        Exit::Failed
    })
    .into()
}

/// What people said is for its owner's eyes: no file for others, no memory in a core dump.
fn keep_calls_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Core, none) {
        tracing::warn!(%error, "core dumps cannot be switched off");
    }
}

/// A limit of file sizes (`ulimit -f`) is then an error of the write that meets it, and not the end of the program.
fn outlive_file_size_limit() -> anyhow::Result<()> {
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
    Ok(())
}

/// Our elements are part of the program, whatever plugins are installed.
fn start_gstreamer() -> anyhow::Result<()> {
    gst::init()?;
    gstreel::plugin_register_static()?;
    Ok(())
}
