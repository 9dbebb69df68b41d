//! The graphs that the service records with: shipped ones, and those of whoever runs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::graph;
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
    /// Some do not work here: a line for each error.
    #[error("{0}")]
    Graph(String),
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
/// One of them cannot be used. All errors of a graph are told at once.
pub(super) fn plans(dir: Option<&Path>) -> Result<BTreeMap<String, Arc<Plan>>, GraphsError> {
    let mut plans = BTreeMap::new();
    for name in SHIPPED {
        let text = shipped(name).map(|graph| graph.text);
        let text = text.ok_or_else(|| GraphsError::Graph(format!("there is no graph {name}")))?;
        plans.insert(name.to_owned(), plan(&format!("{name}.toml"), text)?);
    }
    let Some(dir) = dir else { return Ok(plans) };
    let unreadable = |path: &Path, cause| GraphsError::Unreadable { path: path.display().to_string(), cause };
    let entries = std::fs::read_dir(dir).map_err(|cause| unreadable(dir, cause))?;
    for entry in entries {
        let path = entry.map_err(|cause| unreadable(dir, cause))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let name = path.file_stem().and_then(|stem| stem.to_str()).filter(|name| name.bytes().all(is_plain));
        let name = name.filter(|name| (1..=NAME_BYTES_MAX).contains(&name.len())).map(str::to_owned);
        let name = name.ok_or_else(|| GraphsError::Name { path: path.display().to_string() })?;
        if shipped(&name).is_some() {
            return Err(GraphsError::Shipped { path: path.display().to_string() });
        }
        let text = std::fs::read_to_string(&path).map_err(|cause| unreadable(&path, cause))?;
        plans.insert(name, plan(&path.display().to_string(), &text)?);
    }
    Ok(plans)
}

fn plan(file: &str, text: &str) -> Result<Arc<Plan>, GraphsError> {
    let checked = graph::check(file, text, &Installed);
    checked.map(Arc::new).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        GraphsError::Graph(lines.join("\n"))
    })
}
