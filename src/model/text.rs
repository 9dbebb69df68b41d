//! Texts that people write: how large they may be, where in them something stands, how they are told of.

use crate::model::Bytes;

/// No graph and no settings are larger: it is a thousand times the size of a real one.
pub const TEXT_SIZE_MAX: Bytes = Bytes::new(1 << 20);

/// Where each line of a text begins.
#[derive(Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Finds the lines of a text.
    pub fn new(text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(index, _)| index + 1);
        Self { starts: [0].into_iter().chain(after_breaks).collect() }
    }

    /// Returns line and column (in bytes) of an offset, both from 1.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|&start| start <= offset);
        (line, offset - self.starts[line - 1] + 1)
    }
}

/// Tells whether a character does something to a terminal, or turns the direction of what stands beside it.
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns a text that stands on one line and does nothing but stand there: `\u{1b}` for an escape.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_unprintable(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_on_the_line_that_they_are_in() {
        let lines = Lines::new("ab\n\nc");
        let places = [0, 1, 2, 3, 4, 5].map(|offset| lines.place(offset));
        assert_eq!(places, [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)]);
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_what_it_is() {
        assert_eq!(printable("Zoë \"…\" \\n"), "Zoë \"…\" \\n");
        assert_eq!(printable("a\nb\u{1b}[2J\u{202e}c\0"), "a\\nb\\u{1b}[2J\\u{202e}c\\u{0}");
    }
}
