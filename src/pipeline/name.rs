//! Names of elements in a pipeline: made from ids, and read back, here only.
//!
//! `mix` is a node of the recording, `decode.p3` the copy of `decode` for participant 3, `encode.c2` the copy of
//! `encode` for chunk 2. A node's name has no dot in it (`graph` sees to that).

use gst::prelude::*;

/// Which copy of a node an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Copy {
    /// The only one.
    Recording,
    /// A participant's, by the participant's number.
    Participant(u32),
    /// A chunk's, by its index.
    Chunk(u32),
}

/// Returns the name of an element.
pub fn element_name(node: &str, copy: Copy) -> String {
    match copy {
        Copy::Recording => node.to_owned(),
        Copy::Participant(index) => format!("{node}.p{index}"),
        Copy::Chunk(index) => format!("{node}.c{index}"),
    }
}

/// Reads a name made by [`element_name`]; None for any other.
pub fn parse(name: &str) -> Option<(&str, Copy)> {
    let Some((node, copy)) = name.split_once('.') else { return Some((name, Copy::Recording)) };
    let index = |digits: &str| digits.parse().ok();
    let copy = match copy.split_at_checked(1)? {
        ("p", digits) => Copy::Participant(index(digits)?),
        ("c", digits) => Copy::Chunk(index(digits)?),
        _ => return None,
    };
    Some((node, copy))
}

/// Returns the node that an object belongs to: its own, or that of the bin it is in.
pub fn node_of(object: &gst::Object, pipeline: &gst::Object) -> Option<(String, Copy)> {
    let mut object = object.clone();
    let mut found = None;
    while object != *pipeline {
        let name = object.name();
        if object.is::<gst::Element>() {
            // The outermost element that is a node's: what is inside a bin of a branch is the branch's.
            found = parse(&name).map(|(node, copy)| (node.to_owned(), copy)).or(found);
            if matches!(found, Some((_, Copy::Participant(_) | Copy::Chunk(_)))) {
                break;
            }
        }
        object = object.parent()?;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_as_they_are_written() {
        for copy in [Copy::Recording, Copy::Participant(0), Copy::Participant(17), Copy::Chunk(3)] {
            assert_eq!(parse(&element_name("noise-gate", copy)), Some(("noise-gate", copy)));
        }
        for other in ["a.", "a.x1", "a.p", "a.p1.caps", "a.pé"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
