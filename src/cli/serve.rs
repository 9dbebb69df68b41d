//! `serve`: the service.

use std::path::PathBuf;

use anyhow::Context;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::app::serve::Served;
use crate::app::serve::serve;
use crate::cli::Exit;
use crate::cli::output;
use crate::cli::record::read_config;
use crate::config::Config;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Settings; what it does not say is as in the shipped config.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = args.config.as_deref().map_or_else(|| Ok(Config::default()), read_config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("reel-control").build();
    let runtime = runtime.context("no threads for the service")?;
    runtime.block_on(async {
        let mut asked = signal(SignalKind::terminate()).context("signals cannot be watched")?;
        let end = async move {
            tokio::select! {
                _ = asked.recv() => (),
                _ = tokio::signal::ctrl_c() => (),
            }
            // Who asks twice does not want to wait. What is not finished is in the spool.
            tokio::spawn(async move {
                tokio::select! {
                    _ = asked.recv() => (),
                    _ = tokio::signal::ctrl_c() => (),
                }
                output::tell("ended before all recordings were finished; `reelgraph recover` finishes them");
                std::process::exit(1);
            });
        };
        serve(config, tell, end).await.context("failed to serve")
    })?;
    Ok(Exit::Done)
}

/// Says where everything is. Keys are told to nobody: they stand in their files.
fn tell(Served { http, keys }: &Served) {
    output::tell(format_args!("endpoint http://{http}/"));
    for (name, path) in keys {
        output::tell(format_args!("keys of {name}: {}", path.display()));
    }
}
