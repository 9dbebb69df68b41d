//! `reelgraph doctor`: what graphs can use here.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use crate::cli::Exit;
use crate::cli::output;
use crate::graph::shipped::SHIPPED;
use crate::pipeline::Inventory;
use crate::pipeline::gstreamer_version;
use crate::pipeline::inventory;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args) -> anyhow::Result<Exit> {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(["element", "plugin", "version", "licence", "Debian package", "state"]);
    let mut exit = Exit::Done;
    for item in inventory(&SHIPPED.map(|graph| graph.elements()).concat()) {
        let Inventory { element, plugin, package, needed } = item;
        let package = package.unwrap_or("–").to_owned();
        match plugin {
            Some(plugin) => {
                let copyleft = if plugin.is_copyleft() { "GPL: binds what is shipped with it" } else { "ok" };
                table.add_row([element, plugin.name, plugin.version, plugin.license, package, copyleft.to_owned()]);
            }
            None => {
                let state = if needed { "missing, and a shipped graph needs it" } else { "missing" };
                table.add_row([element, "–".into(), "–".into(), "–".into(), package, state.to_owned()]);
                if needed {
                    exit = Exit::Failed;
                }
            }
        }
    }
    output::result(format_args!("reelgraph {}, {}", env!("CARGO_PKG_VERSION"), gstreamer_version()))?;
    output::result(table)?;
    Ok(exit)
}
