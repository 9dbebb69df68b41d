//! A graph as it is named on the command line: a shipped one, or a file.

use std::path::Path;

use crate::graph::shipped::{SHIPPED, shipped};
use crate::graph::{self, GraphError, Plan};
use crate::pipeline::Installed;

/// The text of a graph, and what its errors call it.
pub(super) struct GraphFile {
    pub(super) name: String,
    pub(super) text: String,
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub(super) enum GraphFileError {
    /// No shipped graph, no file.
    #[error("no graph \"{name}\": neither a shipped one ({}) nor a file", shipped_names())]
    Unknown {
        /// As given.
        name: String,
    },
    /// A file that cannot be read.
    #[error("graph {name} cannot be read: {source}")]
    Unreadable {
        /// As given.
        name: String,
        /// Why.
        source: std::io::Error,
    },
}

fn shipped_names() -> String {
    SHIPPED.map(|graph| graph.name).join(", ")
}

impl GraphFile {
    /// Finds a graph: a shipped one of that name first, else the file.
    pub(super) fn find(name: &str) -> Result<Self, GraphFileError> {
        if let Some(graph) = shipped(name) {
            return Ok(Self { name: format!("{name}.toml"), text: graph.text.to_owned() });
        }
        match std::fs::read_to_string(Path::new(name)) {
            Ok(text) => Ok(Self { name: name.to_owned(), text }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(GraphFileError::Unknown { name: name.to_owned() })
            }
            Err(source) => Err(GraphFileError::Unreadable { name: name.to_owned(), source }),
        }
    }

    /// Checks the graph against the elements of this machine.
    pub(super) fn check(&self) -> Result<Plan, Vec<GraphError>> {
        graph::check(&self.name, &self.text, &Installed)
    }
}

/// Prints errors, one a line.
pub(super) fn print_errors(errors: &[GraphError]) {
    errors.iter().for_each(|error| eprintln!("{error}"));
}
