//! Names of elements in a pipeline: made from ids, and read back, here only.
//!
//! `mix` is a node of the recording, `decode.p3` the copy of `decode` for participant 3, `encode.c2` the copy of
//! `encode` for chunk 2. A node's name has no dot in it (`graph` sees to that).

use gst::prelude::*;

/// Which copy of a node an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instance {
    /// The only one.
    Recording,
    /// A participant's, by the participant's number.
    Participant(u32),
    /// A chunk's, by its index.
    Chunk(u32),
}

/// Returns the name of an element.
pub fn element_name(node: &str, copy: Instance) -> String {
    match copy {
        Instance::Recording => node.to_owned(),
        Instance::Participant(index) => format!("{node}.p{index}"),
        Instance::Chunk(index) => format!("{node}.c{index}"),
    }
}

/// Reads a name made by [`element_name`]; None for any other.
pub fn parse(name: &str) -> Option<(&str, Instance)> {
    let Some((node, copy)) = name.split_once('.') else { return Some((name, Instance::Recording)) };
    let index = |digits: &str| digits.parse().ok();
    let copy = match copy.split_at_checked(1)? {
        ("p", digits) => Instance::Participant(index(digits)?),
        ("c", digits) => Instance::Chunk(index(digits)?),
        _ => return None,
    };
    Some((node, copy))
}

/// Returns the node that an object belongs to: its own, or that of the bin it is in.
pub fn node_of(object: &gst::Object, pipeline: &gst::Object) -> Option<(String, Instance)> {
    let mut object = object.clone();
    let mut found = None;
    while object != *pipeline {
        let name = object.name();
        if object.is::<gst::Element>() {
            // The outermost element that is a node's: what is inside a bin of a branch is the branch's.
            found = parse(&name).map(|(node, copy)| (node.to_owned(), copy)).or(found);
            if matches!(found, Some((_, Instance::Participant(_) | Instance::Chunk(_)))) {
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
        for copy in [Instance::Recording, Instance::Participant(0), Instance::Participant(17), Instance::Chunk(3)] {
            assert_eq!(parse(&element_name("noise-gate", copy)), Some(("noise-gate", copy)));
        }
        for other in ["a.", "a.x1", "a.p", "a.p1.caps", "a.pé"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
