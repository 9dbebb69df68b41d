//! The graphs that come with the program. Their files are under `pipelines/`; a copy of one is where a user begins.

use crate::graph::read::read;
use crate::graph::report::Report;

/// A graph that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// By which commands name it.
    pub name: &'static str,
    /// Its file, which [`check`](crate::graph::check()) takes wherever its elements are installed.
    pub text: &'static str,
}

impl Shipped {
    /// Returns the names of the elements that it wants, whether or not they are installed.
    pub fn elements(&self) -> Vec<String> {
        let spec = read(self.text, &mut Report::new(self.name));
        spec.nodes.into_iter().filter_map(|node| Some(node.element?.value)).collect()
    }
}

/// All of them, the examples last.
pub const SHIPPED: [Shipped; 6] = [
    Shipped { name: "mixed-mp3", text: include_str!("../../pipelines/mixed-mp3.toml") },
    Shipped { name: "mixed-wav", text: include_str!("../../pipelines/mixed-wav.toml") },
    Shipped { name: "unmixed-wav", text: include_str!("../../pipelines/unmixed-wav.toml") },
    Shipped { name: "mixed-flac", text: include_str!("../../pipelines/examples/mixed-flac.toml") },
    Shipped { name: "mixed-ogg-opus", text: include_str!("../../pipelines/examples/mixed-ogg-opus.toml") },
    Shipped { name: "noise-suppression", text: include_str!("../../pipelines/examples/noise-suppression.toml") },
];

/// Returns the shipped graph of a name.
pub fn shipped(name: &str) -> Option<Shipped> {
    SHIPPED.into_iter().find(|graph| graph.name == name)
}
