//! "Did you mean": the names that would have been valid, and the one that was probably meant.

use std::fmt;

/// Most names that a message lists: more would hide what is wrong.
const LISTED_MAX: usize = 24;
/// Longest name that is compared with others: the cost of a comparison is the product of both lengths.
const COMPARED_MAX: usize = 40;

/// Names that would be valid in the place of one that is not.
///
/// Shown as the end of a message: `; did you mean "decode"? known: decode, mix`, or nothing where nothing is known.
/// Boxed, because it goes along in errors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known(Box<Names>);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Names {
    nearest: Option<String>,
    /// The first of them, in the order given.
    listed: Vec<String>,
    /// How many there are beside the listed ones.
    unlisted: usize,
}

impl Known {
    /// Returns what a message says about `found` when these names are valid.
    pub fn among<N: AsRef<str>>(found: &str, names: impl IntoIterator<Item = N>) -> Self {
        let names: Vec<N> = names.into_iter().collect();
        Self(Box::new(Names {
            nearest: nearest(found, &names),
            listed: names.iter().take(LISTED_MAX).map(|name| name.as_ref().to_owned()).collect(),
            unlisted: names.len().saturating_sub(LISTED_MAX),
        }))
    }

    /// Returns the same without the list, where it would be thousands.
    pub fn nearest_among<N: AsRef<str>>(found: &str, names: &[N]) -> Self {
        Self(Box::new(Names { nearest: nearest(found, names), ..Names::default() }))
    }

    /// Returns the name that looks most like what was written, if any looks like it.
    pub fn nearest(&self) -> Option<&str> {
        self.0.nearest.as_deref()
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nearest) = &self.0.nearest {
            write!(f, "; did you mean {nearest:?}?")?;
        }
        if !self.0.listed.is_empty() {
            let separator = if self.0.nearest.is_some() { " " } else { "; " };
            write!(f, "{separator}known: {}", self.0.listed.join(", "))?;
        }
        if self.0.unlisted > 0 {
            write!(f, " and {} more", self.0.unlisted)?;
        }
        Ok(())
    }
}

/// The name with the fewest letters to change, if these are less than about a third of it.
fn nearest<N: AsRef<str>>(found: &str, names: &[N]) -> Option<String> {
    let found: Vec<char> = found.chars().take(COMPARED_MAX + 1).collect();
    if found.is_empty() || found.len() > COMPARED_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    let mut max = found.len().div_ceil(3);
    for name in names {
        let name = name.as_ref();
        let Some(distance) = distance(&found, name, max) else { continue };
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
            max = distance;
        }
    }
    best.map(|(_, name)| name.to_owned())
}

/// Letters to insert, delete or replace (Levenshtein 1966); `None` when more than `max`.
fn distance(found: &[char], name: &str, max: usize) -> Option<usize> {
    let name: Vec<char> = name.chars().take(COMPARED_MAX + 1).collect();
    if name.len() > COMPARED_MAX || name.len().abs_diff(found.len()) > max {
        return None;
    }
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (found_index, found_char) in found.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = found_index + 1;
        for (name_index, name_char) in name.iter().enumerate() {
            let replaced = diagonal + usize::from(found_char != name_char);
            diagonal = row[name_index + 1];
            row[name_index + 1] = replaced.min(row[name_index] + 1).min(diagonal + 1);
        }
        if row.iter().all(|&cost| cost > max) {
            return None;
        }
    }
    row.last().copied().filter(|&cost| cost <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_the_name_with_fewest_changes() {
        let names = ["decode", "encode", "mix", "gate"];
        let cases = [
            ("decod", Some("decode")),
            ("ncode", Some("encode")),
            ("mox", Some("mix")),
            ("gaet", Some("gate")),
            ("splitter", None),
            ("", None),
        ];
        for (found, expected) in cases {
            assert_eq!(Known::among(found, names).nearest(), expected, "{found}");
        }
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let names: Vec<String> = (0..LISTED_MAX + 3).map(|index| format!("n{index}")).collect();
        let text = Known::among("zzzzzz", &names).to_string();
        assert!(text.starts_with("; known: n0, n1, "), "{text}");
        assert!(text.ends_with("n23 and 3 more"), "{text}");
    }

    #[test]
    fn absurdly_long_names_are_not_compared() {
        assert_eq!(Known::among(&"a".repeat(1 << 20), ["a".repeat(1 << 20)]).nearest(), None);
    }
}
