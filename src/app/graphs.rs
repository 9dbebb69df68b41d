//! The graphs that the service records with: shipped ones, and those of whoever runs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::graph;
use crate::graph::GraphError;
use crate::graph::Plan;
use crate::graph::shipped::shipped;
use crate::pipeline::Installed;

/// What is recorded without being told how.
const SHIPPED: [&str; 3] = ["mixed-mp3", "mixed-wav", "unmixed-wav"];

/// Longest name: files and directories are named by it.
const NAME_BYTES_MAX: usize = 64;

/// Why there are no graphs. Reads after "failed to serve: ".
#[derive(Debug, thiserror::Error)]
pub enum GraphsError {
    /// One does not work here.
    #[error(transparent)]
    Graph(Box<GraphError>),
    /// The directory, or a file in it.
    #[error("{path} cannot be read: {cause}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why. Not a `source`: the text has it already.
        cause: std::io::Error,
    },
    /// Recordings could not be named by it.
    #[error("{path} must be named by 1 to 64 lower-case letters, digits and hyphens, and .toml")]
    Name {
        /// The file.
        path: String,
    },
    /// Two have the same name.
    #[error("{path} has the name of a shipped graph; give it another")]
    Shipped {
        /// The file.
        path: String,
    },
}

/// Returns all graphs by name, checked against the elements of this machine.
///
/// # Errors
///
/// Some of them cannot be used. All errors of all graphs are told at once.
pub(super) fn plans(dir: Option<&Path>) -> Result<BTreeMap<String, Arc<Plan>>, Vec<GraphsError>> {
    let mut texts = Vec::new();
    let mut errors = Vec::new();
    for graph in SHIPPED.iter().filter_map(|name| shipped(name)) {
        texts.push((graph.name.to_owned(), format!("{}.toml", graph.name), graph.text.to_owned()));
    }
    for file in dir.map(files).unwrap_or_default() {
        match file.and_then(own) {
            Ok(own) => texts.push(own),
            Err(error) => errors.push(error),
        }
    }
    let mut plans = BTreeMap::new();
    for (name, file, text) in texts {
        match graph::check(&file, &text, &Installed) {
            Ok(plan) => drop(plans.insert(name, Arc::new(plan))),
            Err(wrong) => errors.extend(wrong.into_iter().map(|error| GraphsError::Graph(error.into()))),
        }
    }
    if errors.is_empty() { Ok(plans) } else { Err(errors) }
}

/// Returns the files of graphs in a directory.
fn files(dir: &Path) -> Vec<Result<PathBuf, GraphsError>> {
    let is_graph = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    match std::fs::read_dir(dir) {
        Ok(entries) => {
            let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(|cause| unreadable(dir, cause)));
            paths.filter(|path| path.as_ref().map_or(true, is_graph)).collect()
        }
        Err(cause) => vec![Err(unreadable(dir, cause))],
    }
}

/// Returns a graph's name, its file as it is told, and its text.
fn own(path: PathBuf) -> Result<(String, String, String), GraphsError> {
    let file = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let name = path.file_stem().and_then(|stem| stem.to_str()).filter(|name| name.bytes().all(is_plain));
    let name = name.filter(|name| (1..=NAME_BYTES_MAX).contains(&name.len())).map(str::to_owned);
    let Some(name) = name else { return Err(GraphsError::Name { path: file }) };
    if shipped(&name).is_some() {
        return Err(GraphsError::Shipped { path: file });
    }
    let text = std::fs::read_to_string(&path).map_err(|cause| unreadable(&path, cause))?;
    Ok((name, file, text))
}

fn unreadable(path: &Path, cause: std::io::Error) -> GraphsError {
    GraphsError::Unreadable { path: path.display().to_string(), cause }
}
