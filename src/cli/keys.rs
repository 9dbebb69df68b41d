//! `keys`: shows and changes the access keys of resources.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::record::read_config;
use crate::config::Config;
use crate::config::keys;
use crate::config::keys::Keys;
use crate::config::keys::Which;

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print a resource's keys, as connection strings have them: one a line, the primary first
    Show {
        #[command(flatten)]
        whose: Whose,
        /// Only this one
        #[arg(long, value_enum)]
        key: Option<Key>,
    },
    /// Make one of a resource's keys anew; a service that runs takes it at SIGHUP
    Rotate {
        #[command(flatten)]
        whose: Whose,
        /// Which of the two: clients use the other meanwhile
        #[arg(long, value_enum)]
        key: Key,
    },
}

#[derive(Debug, clap::Args)]
struct Whose {
    /// Name of the resource; may be left out where there is one
    resource: Option<String>,
    /// Settings of the service
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Key {
    Primary,
    Secondary,
}

impl From<Key> for Which {
    fn from(key: Key) -> Self {
        match key {
            Key::Primary => Self::Primary,
            Key::Secondary => Self::Secondary,
        }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let (What::Show { whose, .. } | What::Rotate { whose, .. }) = &args.what;
    let config = whose.config.as_deref().map_or_else(|| Ok(Config::default()), read_config)?;
    let dir = config.service.keys_dir();
    let names: Vec<_> = config.resources.iter().map(|resource| resource.name.as_str()).collect();
    let name = match (whose.resource.as_deref(), &names[..]) {
        (None, [name]) => *name,
        (Some(name), names) if names.contains(&name) => name,
        (_, names) => {
            output::tell(format_args!("name one of the resources that there are: {}", names.join(", ")));
            return Ok(Exit::Usage);
        }
    };
    match &args.what {
        What::Show { key, .. } => {
            let Keys { primary, secondary } = keys::load(&dir, name).context("failed to show keys")?;
            match key {
                None => output::result(format_args!("{}\n{}", *primary.to_base64(), *secondary.to_base64()))?,
                Some(Key::Primary) => output::result(primary.to_base64().as_str())?,
                Some(Key::Secondary) => output::result(secondary.to_base64().as_str())?,
            }
        }
        What::Rotate { key, .. } => {
            keys::rotate(&dir, name, (*key).into()).context("failed to change a key")?;
            output::tell(format_args!("changed in {}; SIGHUP lets a running service know", dir.join(name).display()));
        }
    }
    Ok(Exit::Done)
}
