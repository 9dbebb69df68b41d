//! Node names: what they are made of, and that each is there once.

use std::collections::HashMap;

use crate::graph::error::GraphErrorKind;
use crate::graph::report::Report;
use crate::graph::spec::NodeSpec;
use crate::graph::spec::Spec;

/// Longest node name. Names become part of element and thread names in logs.
const LEN_MAX: usize = 64;

/// Names are `[a-z][a-z0-9-]*` and unique across all scopes of a file.
pub(super) fn check_names(spec: &Spec, report: &mut Report) {
    let mut taken: HashMap<&str, &NodeSpec> = HashMap::new();
    for node in &spec.nodes {
        let name = node.name.value.as_str();
        if !is_name(name) {
            report.add_node(node, GraphErrorKind::BadNodeName { name: name.to_owned(), max: LEN_MAX });
        }
        match taken.get(name) {
            Some(first) => {
                let kind = GraphErrorKind::DuplicateNode {
                    name: name.to_owned(),
                    scope: first.scope,
                    line: first.name.place.line,
                };
                report.add_node(node, kind);
            }
            None => {
                taken.insert(name, node);
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= LEN_MAX && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(is_inner)
}
