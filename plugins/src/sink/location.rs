//! The name of a chunk's file: a pattern with at most one number in it.

/// Wider numbers than a file name has letters are not meant as such.
const WIDTH_DIGITS_MAX: usize = 2;

/// A file name whose first `%d` or `%u` (`%5d`, `%05u`) stands for the chunk's index.
///
/// Everything else is taken literally, directories, a second `%d` and a lonely `%` too, so every text is a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    before: String,
    number: Option<(Number, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    /// Filled with zeros up to the width, else with blanks.
    zeros: bool,
    width: usize,
}

impl Location {
    /// Reads a pattern.
    pub(super) fn new(pattern: &str) -> Self {
        // Directories are others' to name, and may be called anything.
        let name_at = pattern.rfind('/').map_or(0, |slash| slash + 1);
        let mut found = pattern.match_indices('%').filter_map(|(at, _)| {
            let (number, len) = Number::read(&pattern[at + 1..]).filter(|_| at >= name_at)?;
            Some((at, number, at + 1 + len))
        });
        match found.next() {
            None => Self { before: pattern.to_owned(), number: None },
            Some((at, number, end)) => {
                Self { before: pattern[..at].to_owned(), number: Some((number, pattern[end..].to_owned())) }
            }
        }
    }

    /// Takes a name as it stands, whatever is in it.
    pub(super) fn literal(name: &str) -> Self {
        Self { before: name.to_owned(), number: None }
    }

    /// Tells whether the chunk's index is in the name.
    pub(super) const fn is_numbered(&self) -> bool {
        self.number.is_some()
    }

    /// Returns the name of chunk `index`.
    pub(super) fn of_chunk(&self, index: u32) -> String {
        let Some((Number { zeros, width }, after)) = &self.number else {
            return self.before.clone();
        };
        if *zeros {
            format!("{}{index:0width$}{after}", self.before)
        } else {
            format!("{}{index:width$}{after}", self.before)
        }
    }
}

impl Number {
    /// Reads what follows a `%`, and returns how many bytes of it belong to the number.
    fn read(text: &str) -> Option<(Self, usize)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let zeros = text.starts_with('0');
        let width = text[..digits].trim_start_matches('0');
        if width.len() > WIDTH_DIGITS_MAX || !matches!(text.as_bytes().get(digits), Some(b'd' | b'u')) {
            return None;
        }
        Some((Self { zeros, width: width.parse().unwrap_or(0) }, digits + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_number_becomes_the_index_and_all_else_stays() {
        let cases = [
            ("call.wav", "call.wav"),
            ("%d.wav", "7.wav"),
            ("a-%u.mp3", "a-7.mp3"),
            ("a-%03d.mp3", "a-007.mp3"),
            ("a-%05u.mp3", "a-00007.mp3"),
            ("a-%3d.mp3", "a-  7.mp3"),
            ("a-%0d.mp3", "a-7.mp3"),
            ("%d-%d.wav", "7-%d.wav"),
            ("100%.wav", "100%.wav"),
            ("100%%d.wav", "100%7.wav"),
            ("%s-%d", "%s-7"),
            ("/50%d/%d.wav", "/50%d/7.wav"),
            ("50%d/a.wav", "50%d/a.wav"),
            ("%999d", "%999d"),
            ("ü%dü", "ü7ü"),
            ("%", "%"),
            ("", ""),
        ];
        for (pattern, expected) in cases {
            let location = Location::new(pattern);
            assert_eq!(location.of_chunk(7), expected, "{pattern}");
            assert_eq!(location.is_numbered(), pattern != expected, "{pattern}");
        }
        assert_eq!(Location::new("%02d").of_chunk(u32::MAX), "4294967295");
    }

    proptest! {
        #[test]
        fn what_is_around_the_number_stays(
            before in "([%du0-9]{0,4}/)?[du0-9]{0,4}",
            number in "%0?[0-9]{0,2}[du]",
            after in "[%du0-9]{0,9}",
            index: u32,
        ) {
            let name = Location::new(&format!("{before}{number}{after}")).of_chunk(index);
            let filled = name.strip_prefix(&before).and_then(|rest| rest.strip_suffix(&after));
            prop_assert_eq!(filled.and_then(|filled| filled.trim_start().parse().ok()), Some(index), "{}", name);
        }

        #[test]
        fn a_text_without_a_number_is_a_name(name in "[%a-ce-t/0-9]{0,12}", index: u32) {
            prop_assert_eq!(Location::new(&name).of_chunk(index), name);
        }
    }
}
