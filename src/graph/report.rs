//! Where the rules put what they find.

use std::collections::HashSet;

use crate::graph::error::GraphError;
use crate::graph::error::GraphErrorKind;
use crate::graph::error::NodePath;
use crate::graph::spec::NodeSpec;
use crate::graph::spec::Place;

/// All errors of one file so far.
pub(super) struct Report {
    file: String,
    errors: Vec<GraphError>,
}

impl Report {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), errors: Vec::new() }
    }

    /// Adds an error of the file or of its header.
    pub(super) fn add(&mut self, place: Place, key: Option<&str>, kind: impl Into<GraphErrorKind>) {
        self.push(place, None, key.map(str::to_owned), kind.into());
    }

    /// Adds an error of a node's key.
    pub(super) fn add_key(&mut self, node: &NodeSpec, place: Place, key: &str, kind: impl Into<GraphErrorKind>) {
        self.push(place, Some(path(node)), Some(key.to_owned()), kind.into());
    }

    /// Adds an error of a node as a whole.
    pub(super) fn add_node(&mut self, node: &NodeSpec, kind: impl Into<GraphErrorKind>) {
        self.push(node.name.place, Some(path(node)), None, kind.into());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Returns the errors in file order. On a line that is not TOML nothing else is said: it may be an echo.
    pub(super) fn finish(mut self) -> Vec<GraphError> {
        let is_syntax = |error: &GraphError| matches!(error.kind, GraphErrorKind::Syntax { .. });
        let broken: HashSet<usize> =
            self.errors.iter().filter(|error| is_syntax(error)).map(|error| error.place.line).collect();
        self.errors.retain(|error| is_syntax(error) || !broken.contains(&error.place.line));
        self.errors.sort_by_key(|error| error.place);
        self.errors
    }

    fn push(&mut self, place: Place, node: Option<NodePath>, key: Option<String>, kind: GraphErrorKind) {
        self.errors.push(GraphError { file: self.file.clone(), place, node, key, kind });
    }
}

fn path(node: &NodeSpec) -> NodePath {
    NodePath { scope: node.scope, name: node.name.value.clone() }
}
