//! `reelgraph fsck`.

use std::path::PathBuf;

use anyhow::Context;
use jiff::Timestamp;

use crate::app::fsck;
use crate::app::fsck::Checked;
use crate::app::fsck::Fault;
use crate::app::fsck::Rebuilt;
use crate::cli::Exit;
use crate::cli::output;
use crate::cli::record::read_config;
use crate::config::Config;

/// Arguments of `fsck`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Settings of the service, which must not run
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Make the catalog anew from what is stored, and keep the old one beside it
    #[arg(long)]
    rebuild: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = args.config.as_deref().map_or_else(|| Ok(Config::default()), read_config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("no threads to check with")?;
    match args.rebuild {
        false => print_checked(&runtime.block_on(fsck::check(&config)).context("failed to check")?),
        true => {
            let rebuilt = runtime.block_on(fsck::rebuild(&config, Timestamp::now()));
            print_rebuilt(&rebuilt.context("failed to make the catalog anew")?)
        }
    }
}

fn print_checked(checked: &Checked) -> anyhow::Result<Exit> {
    let Checked { n_recordings, n_documents, left, faults } = checked;
    faults.iter().try_for_each(|fault| output::result(format_args!("wrong: {fault}")))?;
    print_left(left)?;
    output::result(format_args!("{n_recordings} recordings and {n_documents} documents: {} faults", faults.len()))?;
    if faults.is_empty() {
        return Ok(Exit::Done);
    }
    if faults.iter().any(Fault::is_catalogs) {
        output::tell("`reelgraph fsck --rebuild` makes the catalog anew, from what is stored; the old one is kept");
    }
    if faults.iter().any(Fault::is_files) {
        output::tell("nothing was changed: what is wrong with files stays until somebody mends it or takes it away");
    }
    Ok(Exit::Faults)
}

fn print_rebuilt(rebuilt: &Rebuilt) -> anyhow::Result<Exit> {
    let Rebuilt { n_recordings, n_documents, left, unknown, kept } = rebuilt;
    unknown.iter().try_for_each(|fault| output::result(format_args!("not in the catalog, left as it is: {fault}")))?;
    print_left(left)?;
    if let Some(path) = &kept.path {
        output::result(format_args!("the old catalog is {} now", path.display()))?;
    }
    match &kept.audit_lost {
        None => output::result(format_args!("{} entries of its audit are in the new one", kept.n_audited))?,
        Some(why) => output::result(format_args!(
            "{} entries of its audit are in the new one, the others are lost: {why}",
            kept.n_audited
        ))?,
    }
    output::result(
        "lost: calls and who was in them; tags, keys and people that recordings are found by; requests that may be \
         made again; recordings without any file; what was still to be deleted; why a recording was being ended when \
         the service was killed",
    )?;
    output::result(format_args!(
        "{n_recordings} recordings and {n_documents} documents are in the catalog again, {} are not",
        unknown.len()
    ))?;
    Ok(if unknown.is_empty() { Exit::Done } else { Exit::Faults })
}

fn print_left(left: &[PathBuf]) -> anyhow::Result<()> {
    left.iter().try_for_each(|dir| output::result(format_args!("the next `serve` finishes {}", dir.display())))
}
