//! `serve`: the service.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Context;
use rustix::process::Resource;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use zeroize::Zeroizing;

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
    allow_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("reel-control").build();
    let runtime = runtime.context("no threads for the service")?;
    runtime.block_on(async {
        let mut asked = signal(SignalKind::terminate()).context("signals cannot be watched")?;
        let hangup = signal(SignalKind::hangup()).context("signals cannot be watched")?;
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
                output::tell("ended before all recordings were finished; the next `serve` finishes them");
                std::process::exit(1);
            });
        };
        serve(config, tell, hangup, end).await.context("failed to serve")
    })?;
    Ok(Exit::Done)
}

/// Participants and connections take as many descriptors as the system allows; usually less are asked for.
fn allow_files() {
    let mut limit = rustix::process::getrlimit(Resource::Nofile);
    if limit.maximum.is_some() {
        limit.current = limit.maximum;
        let _ = rustix::process::setrlimit(Resource::Nofile, limit);
    }
}

/// Says where everything is. Keys are told to nobody but a person who looks: they stand in their files.
fn tell(served: &Served) {
    output::tell(format_args!("endpoint https://{}/", served.https));
    output::tell(format_args!("endpoint http://{}/, without encryption", served.http));
    if let Some(address) = served.connect {
        output::tell(format_args!("tunnels to the service http://{address}/"));
    }
    if let Some((address, token)) = &served.admin {
        output::tell(format_args!("metrics and health http://{address}/"));
        output::tell(format_args!("token of whoever runs the service: {}", token.display()));
    }
    if let Some(path) = &served.authority {
        output::tell(format_args!("certificate authority, to be trusted by clients: {}", path.display()));
    }
    for (name, keys, connection) in &served.resources {
        output::tell(format_args!("keys of {name}: {}", keys.display()));
        output::tell(format_args!("connection string of {name}: {}", connection.display()));
        if std::io::stderr().is_terminal()
            && let Ok(text) = std::fs::read_to_string(connection).map(Zeroizing::new)
        {
            output::tell(text.trim_end());
        }
    }
}
