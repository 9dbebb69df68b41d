//! A graph as it is named on the command line: a shipped one, or a file.

use std::path::Path;

use crate::cli::output;
use crate::cli::text_file;
use crate::cli::text_file::TextFileError;
use crate::graph;
use crate::graph::GraphError;
use crate::graph::Plan;
use crate::graph::shipped::SHIPPED;
use crate::graph::shipped::shipped;
use crate::pipeline::Installed;

/// The text of a graph, and what its errors call it.
pub(super) struct GraphFile {
    pub(super) name: String,
    pub(super) text: String,
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
enum GraphFileError {
    /// No shipped graph, no file.
    #[error("no graph \"{name}\": neither a shipped one ({}) nor a file", shipped_names())]
    Unknown {
        /// As given.
        name: String,
    },
    /// A file that cannot be read.
    #[error("graph {name} cannot be read: {cause}")]
    Unreadable {
        /// As given.
        name: String,
        /// Why. Not a `source`: the text has it already.
        cause: TextFileError,
    },
}

fn shipped_names() -> String {
    SHIPPED.map(|graph| graph.name).join(", ")
}

impl GraphFile {
    /// Finds a graph: a shipped one of that name first, else the file.
    fn find(name: &str) -> Result<Self, GraphFileError> {
        if let Some(graph) = shipped(name) {
            return Ok(Self { name: format!("{name}.toml"), text: graph.text.to_owned() });
        }
        match text_file::read(Path::new(name)) {
            Ok(text) => Ok(Self { name: name.to_owned(), text }),
            Err(error) if error.is_not_found() => Err(GraphFileError::Unknown { name: name.to_owned() }),
            Err(cause) => Err(GraphFileError::Unreadable { name: name.to_owned(), cause }),
        }
    }

    /// Finds a graph; None where there is none, and why has been printed.
    pub(super) fn found(name: &str) -> Option<Self> {
        Self::find(name).inspect_err(|error| output::tell(error)).ok()
    }

    /// Finds and checks a graph; None when it is wrong, and why has been printed.
    pub(super) fn checked(name: &str) -> Option<(Self, Plan)> {
        let graph = Self::found(name)?;
        let plan = graph.check().inspect_err(|errors| print_errors(errors)).ok()?;
        Some((graph, plan))
    }

    /// Checks the graph against the elements of this machine.
    fn check(&self) -> Result<Plan, Vec<GraphError>> {
        graph::check(&self.name, &self.text, &Installed)
    }
}

/// Prints errors, one a line.
fn print_errors(errors: &[GraphError]) {
    errors.iter().for_each(output::tell);
}
