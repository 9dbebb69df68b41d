//! Quoting for gst-launch-1.0, and for the shell that it is started from.
//!
//! The two come one after the other: a property's value is first made a launch string (`location="a b"`), the word
//! that it stands in is then made a shell word (`'location="a b"'`).

/// Returns a value as the launch syntax writes it: bare where it can be, else in double quotes.
pub(super) fn launch_value(text: &str) -> String {
    let is_bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:%+,@".contains(c));
    if is_bare {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns caps without blanks outside quotes: gst-launch-1.0 puts a backslash before each, which lists do not take.
pub(super) fn launch_caps(caps: &str) -> String {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let mut text = String::new();
    for c in caps.chars() {
        if c == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = c == '\\' && !is_escaped;
        if is_quoted || !c.is_whitespace() {
            text.push(c);
        }
    }
    text
}

/// Returns a word as a POSIX shell reads it: bare where it can be, else in single quotes.
pub(super) fn shell_word(word: &str) -> String {
    let is_bare = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:%+,=@!".contains(c));
    if is_bare {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_stay_bare() {
        for text in ["bitrate", "48", "0.5", "a-%03d.mp3", "/dev/null", "1/100"] {
            assert_eq!(launch_value(text), text);
            assert_eq!(shell_word(text), text);
        }
        assert_eq!(shell_word("!"), "!");
        assert_eq!(shell_word("audio/x-raw,rate=16000"), "audio/x-raw,rate=16000");
    }

    #[test]
    fn quotes_and_backslashes_survive_both_readers() {
        let word = format!("location={}", launch_value(r#"it's "a\b" $HOME"#));
        assert_eq!(word, r#"location="it's \"a\\b\" $HOME""#);
        assert_eq!(shell_word(&word), r#"'location="it'\''s \"a\\b\" $HOME"'"#);
        assert_eq!(launch_value(""), "\"\"");
    }

    #[test]
    fn caps_lose_blanks_outside_quotes_only() {
        assert_eq!(launch_caps("audio/x-raw, format = { S16LE, S32LE }"), "audio/x-raw,format={S16LE,S32LE}");
        assert_eq!(launch_caps(r#"x/y, a = "b \" c", d=1"#), r#"x/y,a="b \" c",d=1"#);
    }
}
