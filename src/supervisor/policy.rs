//! What holds for all calls and recordings, as whoever runs the service has decided. Pure.

use std::time::Duration;

use crate::model::ResourceId;
use crate::model::Terms;
use crate::supervisor::CallName;

/// What holds for all calls and recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// A recording of a call that nobody knows makes it known.
    pub creates_on_start: bool,
    /// A call that nobody is in for so long ends.
    pub empty_timeout: Duration,
    /// What a recording keeps to that is started without a word about it.
    pub terms: Terms,
    /// Recordings that start by themselves.
    pub auto_record: Vec<AutoRecord>,
}

/// Recordings that start when a call begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoRecord {
    /// Its name.
    pub name: String,
    /// Whose calls; None: everybody's.
    pub resource: Option<ResourceId>,
    /// Which of them, by their key; `*` stands for any characters.
    pub call_key: String,
    /// Name of the graph.
    pub graph: String,
    /// Words that they are found by.
    pub tags: Vec<String>,
}

impl AutoRecord {
    /// Returns whether it records a call.
    pub(super) fn is_for(&self, resource: ResourceId, names: &[CallName]) -> bool {
        let is_named = |name: &CallName| matches!(name, CallName::Key(key) if fits(&self.call_key, key));
        // A call without a key is one of all.
        let is_meant = self.call_key == "*" || names.iter().any(is_named);
        self.resource.is_none_or(|own| own == resource) && is_meant
    }
}

/// Returns whether a text is what a pattern says, of which `*` stands for any characters. Takes no longer than the
/// product of their lengths.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    // What comes first is the best that can be found: it leaves the most.
    for part in middle.split('*') {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("sales", "sales", true),
            ("sales", "sales-1", false),
            ("sales-*", "sales-1", true),
            ("sales-*", "sales", false),
            ("*-1", "sales-1", true),
            ("*-1", "sales-12", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("a**a", "aa", true),
            ("ü*", "über", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_rule_is_for_keys_of_its_resource() {
        let [own, other] = [1, 2].map(|id| ResourceId(uuid::Uuid::from_u128(id)));
        let rule = AutoRecord {
            name: "sales".to_owned(),
            resource: Some(own),
            call_key: "sales-*".to_owned(),
            graph: "mixed-mp3".to_owned(),
            tags: Vec::new(),
        };
        let key = [CallName::Key("sales-1".to_owned())];
        assert!(rule.is_for(own, &key) && !rule.is_for(other, &key));
        assert!(!rule.is_for(own, &[CallName::Group("sales-1".to_owned())]));
        assert!(AutoRecord { resource: None, ..rule }.is_for(other, &key));
    }
}
