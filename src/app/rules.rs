//! Rules by which calls are recorded without anybody asking, and what else holds for all calls and recordings.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::AutoRecordSettings;
use crate::config::Config;
use crate::config::ResourceSettings;
use crate::graph::Plan;
use crate::model::ResourceId;
use crate::supervisor::AutoRecord;
use crate::supervisor::Policy;

/// A rule is about something that is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("[auto-record.{rule}]: there is no {what} {name}")]
pub struct RuleError {
    /// Name of the rule.
    pub rule: String,
    /// What is not there.
    pub what: &'static str,
    /// How it is named.
    pub name: String,
}

/// Returns what holds for all calls and recordings.
///
/// # Errors
///
/// Rules are about graphs or resources that are not there: all of these, at once.
pub(super) fn policy(
    config: &Config,
    resources: &BTreeMap<ResourceId, ResourceSettings>,
    plans: &BTreeMap<String, Arc<Plan>>,
) -> Result<Policy, Vec<RuleError>> {
    let mut errors = Vec::new();
    let mut auto_record = Vec::new();
    for AutoRecordSettings { name: rule, graph, resource, call_key, tags } in config.auto_record.iter().cloned() {
        let mut unknown = |what, name| errors.push(RuleError { rule: rule.clone(), what, name });
        if !plans.contains_key(&graph) {
            unknown("graph", graph.clone());
        }
        let of = |wanted: &String| {
            let found = resources.iter().find(|(_, settings)| settings.name == *wanted).map(|(id, _)| *id);
            if found.is_none() {
                unknown("resource", wanted.clone());
            }
            found
        };
        let resource = resource.as_ref().and_then(of);
        auto_record.push(AutoRecord { name: rule, resource, call_key, graph, tags });
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Policy {
        creates_on_start: config.calls.create_on_start,
        empty_timeout: config.calls.empty_timeout,
        terms: config.recording.terms.clone(),
        auto_record,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_not_there_is_told_at_once() {
        let text = "[auto-record.a]\ngraph = \"x\"\nresource = \"y\"\n[auto-record.b]\ngraph = \"z\"\n";
        let config = crate::config::parse("config.toml", text).expect("it is well-formed");
        let errors = policy(&config, &BTreeMap::new(), &BTreeMap::new()).expect_err("nothing is there");
        let told: Vec<_> = errors.iter().map(|RuleError { rule, what, name }| (&rule[..], *what, &name[..])).collect();
        assert_eq!(told, [("a", "graph", "x"), ("a", "resource", "y"), ("b", "graph", "z")]);
    }
}
